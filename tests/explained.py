"""Small networks to explain, with weights that make their answers vary, and how far float32 may be off for them."""

import numpy as np

from mnist_helpers.common.backend import keras, layers

EPS = float(np.finfo(np.float32).eps)


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


def terms(model):
    """Return how many numbers are added up, one after another, from a pixel to an output."""
    return sum(int(np.prod(each.shape[:-1])) for each in model.get_weights() if each.ndim > 1)


def rounding(model, images=None):
    """Return a bound of the rounding error of a network of ReLUs: n * eps * magnitude.

    n is how many numbers are added up on the way, and the magnitude is what comes out where nothing cancels: with the
    absolute values of all weights, for white images. A softmax makes differences smaller, never larger.
    """
    last = model.layers[-1]
    sizes = keras.Model(model.inputs[0], last.output)
    kept, activation = model.get_weights(), getattr(last, "activation", None)
    model.set_weights([np.abs(each) for each in kept])
    if activation is not None:
        last.activation = keras.activations.linear
    try:
        white = np.ones((1, *model.input_shape[1:]), np.float32) if images is None else images
        magnitude = float(np.max(sizes(white, training=False)))
    finally:
        model.set_weights(kept)
        if activation is not None:
            last.activation = activation
    return (terms(model) + 10) * EPS * max(magnitude, 1)


def close(actual, expected, bound):
    """Assert that two arrays differ by no more than the rounding errors of both."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=2 * bound)
