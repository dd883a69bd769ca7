"""Small digits and a small network: everything that training does, in seconds."""

import numpy as np

from mnist_helpers.data.mnist import Digits, Split


def split_of(n, name, seed):
    """Noise, with a bright row of pixels that tells the digit."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    images = rng.random((n, 28, 28, 1)).astype(np.float32) / 2
    images[np.arange(n), labels, :, 0] += 0.5
    return Split(images, labels, name, "mnist")


def digits_of(train=300, validation=60, test=50):
    sizes = {"train": train, "validation": validation, "test": test}
    parts = [split_of(n, name, seed) for seed, (name, n) in enumerate(sizes.items())]
    return Digits(*parts, source="mnist", origin="made up")


def bare(activation="relu", rate=0.2):
    """A small network that is not compiled."""
    from mnist_helpers.common.backend import keras, layers

    stack = [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(8, activation=activation)]
    return keras.Sequential([*stack, layers.Dropout(rate), layers.Dense(10, activation="softmax")], name="tiny")


def compiled(model, optimizer="adam", loss="sparse_categorical_crossentropy"):
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    return model


def tiny(activation="relu", rate=0.2, **how):
    """A small network, compiled."""
    return compiled(bare(activation, rate), **how)


def settings(**changes):
    return {"epochs": 3, "batch_size": 64, "seed": 1, "verbose": 0} | changes
