"""Another backend of Keras: train stores, loads and repeats a run, under the key that it has on TensorFlow."""

import importlib.util
import os
import subprocess
import sys

import pytest
from small import digits_of, settings, tiny

from mnist_helpers.training.recipe import Recipe

TESTS = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120
RUN = """
import numpy as np
from small import digits_of, settings, tiny

from mnist_helpers import train
from mnist_helpers.common.backend import keras

digits = digits_of(120, 30, 30)
first = train(tiny(), digits, **settings(epochs=2))
loaded = train(tiny(), digits, **settings(epochs=2))
again = train(tiny(), digits, **settings(epochs=2), retrain=True)
assert not first.from_checkpoint and loaded.from_checkpoint and not again.from_checkpoint
for other in (loaded, again):
    assert other.evaluate(digits.validation).errors == first.evaluate(digits.validation).errors
    for weight, twin in zip(first.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, twin)
assert first.history["loss"].iloc[-1] < first.history["loss"].iloc[0]
print(keras.backend.backend(), first.checkpoint)
"""


@pytest.mark.system
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_train_works_on_another_backend(store, backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    paths = os.pathsep.join([TESTS, *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env=os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    recipe = Recipe.of(
        tiny(), digits_of(120, 30, 30), **{k: v for k, v in settings(epochs=2).items() if k != "verbose"}
    )
    assert done.stdout.split() == [backend, f"tiny-{recipe.key}.npz"]
