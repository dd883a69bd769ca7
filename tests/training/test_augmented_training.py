"""Augmentation within a network: active in training only, saved, resumed, in other number formats, on JAX."""

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from small import bare, compiled, digits_of, settings

from mnist_helpers import train
from mnist_helpers.common.backend import keras
from mnist_helpers.models.augmentation import RandomAffine, affine_transform, augmented
from mnist_helpers.training import resume
from mnist_helpers.training import store as checkpoints

SETTINGS = {"rotation": 15.0, "zoom": 0.12, "width_shift": 0.15, "height_shift": 0.1}


def noise(n=4):
    return np.random.default_rng(7).random((n, 28, 28, 1), dtype="float32")


def test_outside_of_training_images_come_back_as_they_are():
    images = noise()
    layer = RandomAffine(**SETTINGS)
    np.testing.assert_array_equal(layer(images), images)
    np.testing.assert_array_equal(layer(images, training=False), images)
    plain = bare()
    model = augmented(plain, layer)
    model.set_weights(plain.get_weights())
    expected = plain.predict(images, verbose=0)
    np.testing.assert_array_equal(model.predict(images, verbose=0), expected)
    assert not np.allclose(model(images, training=True), plain(images, training=True))


def test_fit_augments_what_it_trains_on_and_never_what_it_validates_on():
    """A network that cannot learn: its validation loss is that of the images as they are, its training loss is not."""
    keras.utils.set_random_seed(0)  # a network drawn by chance may see little difference
    digits = digits_of(64, 64)
    still = keras.optimizers.SGD(0.0)
    model = augmented(bare(rate=0.0), RandomAffine(**SETTINGS, seed=0))
    model.compile(optimizer=still, loss="sparse_categorical_crossentropy")
    pairs = [(split.images, split.labels) for split in (digits.train, digits.validation)]
    history = model.fit(*pairs[0], validation_data=pairs[1], epochs=2, batch_size=64, verbose=0).history
    plain = [model.evaluate(*pair, verbose=0) for pair in pairs]
    assert history["val_loss"] == pytest.approx([plain[1]] * 2, rel=1e-5)
    assert all(abs(loss - plain[0]) > 1e-3 for loss in history["loss"])
    assert abs(history["loss"][0] - history["loss"][1]) > 1e-4


def test_gradients_flow_through_the_layer():
    model = augmented(bare(), RandomAffine(**SETTINGS, seed=0))
    images = tf.constant(noise())
    with tf.GradientTape() as tape:
        tape.watch(images)
        loss = tf.reduce_sum(model(images, training=True)[:, 0])
    gradients = tape.gradient(loss, [images, *model.trainable_weights])
    assert all(gradient is not None and np.isfinite(gradient).all() for gradient in gradients)
    assert abs(gradients[0].numpy()).max() > 0


def test_the_compiler_is_left_off_on_tensorflow_alone():
    assert keras.backend.backend() == "tensorflow"
    assert RandomAffine().supports_jit is False


def test_a_saved_model_keeps_the_layer(tmp_path):
    model = augmented(bare(), RandomAffine(**SETTINGS, seed=4))
    images = noise()
    model.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras", safe_mode=True)
    assert loaded.layers[0].get_config() == model.layers[0].get_config()
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))
    ours, theirs = (layer(images, training=True) for layer in (model.layers[0], loaded.layers[0]))
    np.testing.assert_array_equal(ours, theirs)


def test_augmented_puts_the_layer_in_front_of_a_fresh_copy():
    plain = bare()
    layer = RandomAffine(**SETTINGS)
    model = augmented(plain, layer)
    assert model.name == "tiny_augmented" and model.layers[0] is layer
    assert [type(part) for part in model.layers[1:]] == [type(part) for part in plain.layers]
    assert (model.input_shape, model.count_params()) == (plain.input_shape, plain.count_params())
    assert not model.compiled and not set(map(id, model.weights)) & set(map(id, plain.weights))


class Stopped(BaseException):
    """As a kill would, this leaves no time for anything."""


class Killer(resume.KeepState):
    def on_train_batch_end(self, batch, logs=None):
        if self.progress.epoch == 1 and batch == 0:
            raise Stopped


@pytest.mark.system
def test_a_killed_training_goes_on_with_the_random_numbers_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(checkpoints, "series_directory", lambda: tmp_path / "series")
    monkeypatch.setenv("MNIST_PROFILE", "full")
    digits, model = digits_of(128), compiled(augmented(bare(rate=0.0), RandomAffine(**SETTINGS)))
    undisturbed = train(model, digits, **settings(retrain=True))
    expected = [weight.copy() for weight in model.get_weights()]
    (tmp_path / undisturbed.checkpoint).unlink()
    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(resume, "KeepState", Killer)
        train(model, digits, **settings())
    assert ["unfinished" in path.name for path in tmp_path.iterdir()] == [True]
    resumed = train(model, digits, **settings())
    assert not resumed.from_checkpoint
    pairs = zip(expected, resumed.model.get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


JAX = """
    import sys
    import numpy as np
    sys.path.insert(0, {tests!r})
    from mnist_helpers.common.backend import keras
    from mnist_helpers.models.augmentation import RandomAffine, affine_transform, augmented
    from small import bare

    images = np.load({path!r})
    np.save({path!r}, affine_transform(images, **{known!r}))
    layer = RandomAffine(**{settings!r}, seed=0)
    assert layer.supports_jit and not np.allclose(layer(images, training=True), images)
    assert "tensorflow" not in sys.modules
    model = augmented(bare(), layer)
    model.compile(loss="sparse_categorical_crossentropy")
    assert model.jit_compile and np.isfinite(model.fit(images, np.arange(4), verbose=0).history["loss"]).all()
"""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_runs_on_jax_without_tensorflow(tmp_path):
    images, path = noise(), tmp_path / "images.npy"
    np.save(path, images)
    known = {"rotation": 33.0, "zoom": (1.2, 0.7), "shift": (-3.25, 1.5), "fill_value": 0.8}
    filled = {
        "tests": str(Path(__file__).parents[1]),
        "path": str(path),
        "known": known,
        "settings": SETTINGS,
    }  # noqa: PTH120
    code = textwrap.dedent(JAX).format(**filled)
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(path), affine_transform(images, **known), atol=2e-5)


def test_augmented_refuses_what_it_cannot_do():
    image = keras.Input((28, 28, 1))
    functional = keras.Model(image, keras.layers.Flatten()(image))
    with pytest.raises(TypeError, match="'model' parameter of augmented must be a keras.Sequential. Got Functional"):
        augmented(functional, RandomAffine(10))
    with pytest.raises(TypeError, match="'layer' parameter of augmented must be a Keras layer. Got dict"):
        augmented(bare(), {"rotation": 10})
    with pytest.raises(ValueError, match="'model' parameter of augmented must be built.*'unbuilt', not built"):
        augmented(keras.Sequential([keras.layers.Dense(10)], name="unbuilt"), RandomAffine(10))
