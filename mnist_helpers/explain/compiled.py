"""Compiled answers of a network, and the gradient of a score: the one place in which TensorFlow itself is needed."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mnist_helpers.common.backend import keras


def check_backend() -> None:
    """Raise ``RuntimeError`` where Keras runs on another backend than TensorFlow."""
    if (backend := keras.backend.backend()) != "tensorflow":
        raise RuntimeError(
            f"Gradients with respect to pixels need TensorFlow as the backend of Keras, which here is {backend}. "
            "Set the environment variable KERAS_BACKEND to tensorflow, and start again."
        )


def answering(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from images (n, height, width, channels) to the model's outputs, for batches of any length.

    Under TensorFlow it is compiled once; ``predict_on_batch`` would be so again for another length.
    """
    if keras.backend.backend() != "tensorflow":
        return model.predict_on_batch
    call = _compiled(lambda images: model(images, training=False))
    return lambda images: call(images).numpy()


def value_and_gradient(score: Callable[..., Any]) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Return a compiled function of images (and further arrays) that gives the scores and their gradient.

    Parameters
    ----------
    score : function of float32 images (n, height, width, channels) and of other arrays of length n, made of Keras
        operations; returns scores of shape (n,), each of its own image.

    Returns
    -------
    Function of the same arguments; returns the scores (n,), and their gradient in the shape of the images.

    Raises
    ------
    RuntimeError : Keras runs on another backend than TensorFlow.
    """
    check_backend()
    import tensorflow as tf

    def both(images: Any, *others: Any) -> tuple[Any, Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            scores = score(images, *others)
        return scores, tape.gradient(scores, images)

    call = _compiled(both)
    return lambda *arrays: tuple(each.numpy() for each in call(*arrays))


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays at its first call, for arrays of any length."""
    import tensorflow as tf

    made: list[Any] = []

    def call(*arrays: Any) -> Any:
        tensors = [tf.convert_to_tensor(each) for each in arrays]
        if not made:
            shapes = [tf.TensorSpec((None, *each.shape[1:]), each.dtype) for each in tensors]
            made.append(tf.function(function, autograph=False).get_concrete_function(*shapes))
        return made[0](*tensors)

    return call
