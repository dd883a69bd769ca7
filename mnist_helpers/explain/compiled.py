"""Compiled answers of a network, and gradients with respect to pixels: the one place that needs TensorFlow itself."""

from collections.abc import Callable

import numpy as np

from mnist_helpers.common.backend import keras
from mnist_helpers.common.types import Tensor

BATCH = 256  # images at a time: bounds the memory, not the result


def check_backend() -> None:
    """Raise ``RuntimeError`` where Keras runs on another backend than TensorFlow."""
    if (backend := keras.backend.backend()) != "tensorflow":
        raise RuntimeError(
            f"Gradients with respect to pixels need TensorFlow as the backend of Keras, which here is {backend}. "
            "Set the environment variable KERAS_BACKEND to tensorflow, and start again."
        )


def answering(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return a compiled function from images (n, height, width, channels) to the model's outputs, for any n."""
    call = compiled(lambda images: model(images, training=False))
    return lambda images: call(images).numpy()


def gradient(score: Callable[..., Tensor]) -> Callable[..., np.ndarray]:
    """Return a compiled function that gives the gradient of a score with respect to images.

    Parameters
    ----------
    score : callable
        Function of float32 images (n, height, width, channels) and of other arrays of length n, made of Keras
        operations. Returns scores of shape (n,), each of its own image.

    Returns
    -------
    callable
        Function of the same arguments, which returns the gradient as float32 in the shape of the images.

    Raises
    ------
    RuntimeError
        Keras runs on another backend than TensorFlow.
    """
    check_backend()
    import tensorflow as tf

    def slope(images: Tensor, *others: Tensor) -> Tensor:
        """Return the gradient of the score in the images."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            scores = score(images, *others)
        return tape.gradient(scores, images)

    call = compiled(slope)
    return lambda *arrays: call(*arrays).numpy()


def compiled(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Compile a function of arrays, whose first axes may have any length."""
    check_backend()
    import tensorflow as tf

    graph = tf.function(function, autograph=False, reduce_retracing=True)
    return lambda *arrays: graph(*map(tf.convert_to_tensor, arrays))
