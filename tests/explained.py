"""Small networks to explain, with weights that make their answers vary."""

import numpy as np

from mnist_helpers.common.backend import keras, layers


def images_of(n, seed=0, size=8):
    return np.random.default_rng(seed).random((n, size, size, 1)).astype(np.float32)


def spread(model, seed=0, scale=0.5):
    """Give a model weights that do not depend on Keras's generators; biases are positive, so that every unit speaks."""
    rng = np.random.default_rng(seed)
    drawn = [rng.normal(0, scale, each.shape).astype(np.float32) for each in model.get_weights()]
    model.set_weights([each if each.ndim > 1 else np.abs(each) for each in drawn])
    return model


def linear(activation=None, size=8, name="linear"):
    stack = [keras.Input((size, size, 1)), layers.Flatten(), layers.Dense(10, activation=activation, name="output")]
    return spread(keras.Sequential(stack, name=name), scale=0.1)


def convolutional(*middle, front=()):
    """image - front - conv_1 - middle - flatten - output, on 8x8 images."""
    stack = [
        keras.Input((8, 8, 1)),
        *front,
        layers.Conv2D(3, 3, activation="relu", name="conv_1"),
        *middle,
        layers.Flatten(name="flatten"),
        layers.Dense(10, activation="softmax", name="output"),
    ]
    return spread(keras.Sequential(stack, name="convolutional"))
