"""The number format of training: the variable, which layers follow it, and what a run says of it."""

import numpy as np
import pytest
from small import digits_of, settings, tiny

from mnist_helpers import models, train
from mnist_helpers.common.backend import keras
from mnist_helpers.common.text import device_name
from mnist_helpers.models.augmentation import RandomAffine, augmented
from mnist_helpers.training import store as checkpoints
from mnist_helpers.training.plan import make_plan
from mnist_helpers.training.precision import trainable_copy, training_device, training_format


@pytest.fixture
def bfloat16(monkeypatch):
    monkeypatch.setenv("MNIST_PRECISION", "bfloat16")


@pytest.mark.parametrize(("value", "expected"), [(None, "float32"), ("", "float32"), ("float32", "float32")])
def test_float32_is_the_default(value, expected, monkeypatch):
    monkeypatch.delenv("MNIST_PRECISION", raising=False)
    if value is not None:
        monkeypatch.setenv("MNIST_PRECISION", value)
    assert training_format() == expected and training_device() == device_name()


def test_bfloat16_is_told_with_the_device(bfloat16):
    assert training_format() == "bfloat16" and training_device() == f"{device_name()}, bfloat16"


@pytest.mark.parametrize("value", ["float16", "BFLOAT16", "16"])
def test_another_format_is_refused(value, monkeypatch):
    monkeypatch.setenv("MNIST_PRECISION", value)
    with pytest.raises(ValueError, match=f"MNIST_PRECISION must be one of .*'bfloat16'.*Got '{value}' instead"):
        training_format()
    with pytest.raises(ValueError, match="MNIST_PRECISION"):
        train(tiny(), digits_of(20, 10, 10), **settings())


def formats(model):
    return {layer.name: layer.compute_dtype for layer in model.layers}


def test_a_copy_computes_in_bfloat16_between_the_first_weights_and_the_last_layer(bfloat16):
    model = augmented(models.lenet5(), RandomAffine(10, name="shake"))
    copy = trainable_copy(model)
    found = formats(copy)
    assert {name for name, dtype in found.items() if dtype == "float32"} == {"shake", "frame", "output"}
    assert {found[name] for name in ("conv_1", "pool_2", "flatten", "dense_2")} == {"bfloat16"}
    assert {weight.dtype for weight in copy.weights} == {"float32"}
    assert set(formats(model).values()) == {"float32"}
    assert copy(np.zeros((1, 28, 28, 1), "float32")).dtype == "float32"


def test_a_functional_network_is_copied_too(bfloat16):
    found = formats(trainable_copy(models.lenet_like(rescale=255.0)))
    assert {name for name, dtype in found.items() if dtype == "float32"} == {"image", "rescale", "output"}


def test_a_copy_in_float32_is_a_clone(monkeypatch):
    monkeypatch.delenv("MNIST_PRECISION", raising=False)
    model = tiny()
    copy = trainable_copy(model)
    assert copy.get_config() == model.get_config()
    assert not np.array_equal(copy.get_weights()[0], model.get_weights()[0])


def test_a_run_in_bfloat16_is_a_network_in_float32_that_says_how_it_was_trained(bfloat16, tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(checkpoints, "series_directory", lambda: tmp_path / "series")
    monkeypatch.setenv("MNIST_PROFILE", "full")
    digits = digits_of()
    run = train(tiny(rate=0.0), digits, **settings(epochs=2))
    assert run.device == f"{device_name()}, bfloat16"
    assert set(formats(run.model).values()) == {"float32"}
    monkeypatch.delenv("MNIST_PRECISION")
    loaded = train(tiny(rate=0.0), digits, **settings(epochs=2))  # the same key, whatever the format
    assert loaded.from_checkpoint and loaded.device == run.device
    scores = [each.model.predict(digits.test.images, verbose=0) for each in (run, loaded)]
    np.testing.assert_array_equal(*scores)
    exact = train(tiny(rate=0.0), digits, **settings(epochs=2, retrain=True))
    assert exact.device == device_name()
    first, second = run.model.get_weights()[0], exact.model.get_weights()[0]
    assert 0 < abs(first - second).max() < 0.02  # 8 bits of precision made a difference, and a small one


def test_the_key_does_not_depend_on_the_format(monkeypatch):
    digits = digits_of(20, 10, 10)
    rest = (digits, 1, 10, "adam", "sparse_categorical_crossentropy", 0, (), False, "weights")
    keys = set()
    for value in ("float32", "bfloat16"):
        monkeypatch.setenv("MNIST_PRECISION", value)
        keys.add(make_plan(tiny(), *rest).key)
    assert len(keys) == 1


def test_a_network_without_weights_is_copied_as_it_is(monkeypatch):
    monkeypatch.setenv("MNIST_PRECISION", "bfloat16")
    bare = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    assert trainable_copy(bare).count_params() == 0
