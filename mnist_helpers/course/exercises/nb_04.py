"""Graders of notebook 04: kernels, parameters, convolutions, a small network that was trained."""

from typing import Any

import numpy as np

from mnist_helpers.common.profile import is_full
from mnist_helpers.course.exercises.grading import (
    Answer,
    Hint,
    as_array,
    called,
    check_network,
    diagnosis,
    exercise,
    validation_accuracy,
)
from mnist_helpers.data.mnist import Digits

_MOST = 10_000  # parameters of the network of 04-4
_ENOUGH = 0.96  # of its validation accuracy


@exercise("04-1", "A trained network finds kernels like this one by itself.")
def grade_horizontal_edges(answer: Answer) -> str | None:
    """A 3x3 kernel that responds where the image gets darker from top to bottom, and to nothing else."""
    kernel = as_array(answer, (3, 3)).astype(float)
    if not kernel.any():
        return "The response of this kernel is 0 everywhere."
    if abs(kernel.sum()) > 1e-9:
        return "On an area of one even grey the response should be 0. Yours is not: add up its nine weights."
    down, across = kernel.sum(axis=1), kernel.sum(axis=0)  # of each row, of each column
    if np.abs(across).max() > 1e-9:
        if np.abs(down).max() < 1e-9:
            return "This one finds vertical edges, as the kernel above does. Turn it by a quarter."
        return "It responds to vertical edges, too. On [[0, 1, 1], [0, 1, 1], [0, 1, 1]] it should give 0."
    steps = np.array([down[2], down[1] + down[2]])  # its responses to an edge in its lower and in its upper half
    if (steps <= 0).all() and steps.any():
        return "The direction is wrong: yours is positive where the image gets lighter from top to bottom."
    if (steps < 0).any() or not steps.any():
        return "Try [[0, 0, 0], [1, 1, 1], [1, 1, 1]] and [[0, 0, 0], [0, 0, 0], [1, 1, 1]]: what should it give?"
    return None


_NO_CONSTANTS = "The biases are missing: one for each map or unit that comes out."
_COUNTS = {
    "conv_1": (260, {250: _NO_CONSTANTS}),
    "conv_2": (
        2510,
        {
            2500: _NO_CONSTANTS,
            260: "It gets ten maps, not one image, and every filter reads all ten.",
        },
    ),
    "dense_1": (
        64_064,
        {
            64_000: _NO_CONSTANTS,
            125_504: "That is the number with the padding. What sizes do the maps have without it?",
            256_064: "Do not forget the pooling: it halves height and width.",
            92_224: "Both convolutions shrink the maps, not only one of them.",
            51_904: "How many positions does a kernel of 5 pixels have in a row of 28? One more than 28 - 5.",
            6_464: "There are ten maps, and each unit has a weight for each pixel of each of them.",
        },
    ),
    "output": (650, {640: _NO_CONSTANTS}),
}


@exercise("04-2", "Most parameters are in the first dense layer, although the convolutions do most of the work.")
def grade_parameters_without_padding(answer: Answer) -> str | None:
    """The parameters of the four layers of ``simple_cnn`` when its convolutions have no padding."""
    given = as_array(answer, (len(_COUNTS),))
    for value, (layer, (right, mistakes)) in zip(given.tolist(), _COUNTS.items(), strict=True):
        if value != right:
            general = "Count the weights of one unit or filter, add 1, and multiply by how many there are."
            return f"{layer}: not {value:,}. {mistakes.get(value, general)}"
    return None


def _convolved(maps: np.ndarray, kernels: np.ndarray, constants: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(maps, kernels.shape[:2], axis=(0, 1))
    return np.einsum("yxcij,ijcf->yxf", windows, kernels) + constants  # windows (y, x, c, i, j)


def _mistakes(maps: np.ndarray, kernels: np.ndarray, constants: np.ndarray) -> dict[str, np.ndarray]:
    right = _convolved(maps, kernels, constants)
    return {
        "The biases are missing: one for each filter.": right - constants,
        "Only the first channel is used. Add up over all of them.": _convolved(
            maps[:, :, :1], kernels[:, :, :1], constants
        ),
        "You take the mean where a convolution takes the sum.": (right - constants) / kernels[..., 0].size + constants,
        "The kernel is flipped. Mathematicians do that, the layers of neural networks do not.": _convolved(
            maps, kernels[::-1, ::-1], constants
        ),
        "Rows and columns of the kernel are exchanged.": _convolved(maps, kernels.transpose(1, 0, 2, 3), constants),
        "Negative responses have become 0. That is what the activation does, afterwards.": np.maximum(right, 0),
    }


@exercise("04-3", "`Conv2D` does the same for a whole batch at once, and learns its kernels.")
def grade_convolution(answer: Answer) -> str | None:
    """A function that does what a convolutional layer does, without padding and activation."""
    rng = np.random.default_rng(4)
    for height, width, size, given, made in ((6, 8, 3, 2, 3), (9, 7, 5, 1, 2)):
        maps, kernels = rng.normal(size=(height, width, given)), rng.normal(size=(size, size, given, made))
        constants = rng.normal(size=made)
        right = _convolved(maps, kernels, constants)
        value = as_array(called(answer, maps.copy(), kernels.copy(), constants.copy()))
        if value.shape != right.shape:
            return _about_shape(value.shape, right.shape, maps.shape, kernels.shape)
        general = "The shape is right, but not the numbers. Work out one position by hand, with kernels of 1x1."
        if hint := diagnosis(value, right, _mistakes(maps, kernels, constants), general, atol=1e-5):
            return hint
    return None


def _about_shape(given: tuple, right: tuple, maps: tuple, kernels: tuple) -> str:
    said = f"Maps of shape {maps} and kernels of shape {kernels} give {right}, and yours gives {given}."
    if given == (*maps[:2], right[2]):
        return f"{said} There is no padding: a kernel of 3 has 26 positions in a row of 28."
    if given == (right[2], *right[:2]):
        return f"{said} The maps come last."
    if given[:2] == (right[0] - 1, right[1] - 1):
        return f"{said} The last position in each row and column is missing."
    return said


@exercise(
    "04-4",
    "A sixth of LeNet-5 does nearly as well. Where would you save next, and what would it cost?",
    needs_digits=True,
)
def grade_small_network(answer: Answer, digits: Digits) -> str | None:
    """A convolutional network from images to ten probabilities, with few parameters, compiled and fitted."""
    from mnist_helpers.common.backend import keras

    check_network(answer)
    _check_shapes(answer.input_shape, answer.output_shape)
    if not any(isinstance(layer, keras.layers.Conv2D) for layer in answer.layers):
        return "There is no convolution in it."
    if answer.count_params() >= _MOST:
        largest = max(answer.layers, key=lambda layer: layer.count_params())
        return (
            f"It has {answer.count_params():,} parameters, {largest.count_params():,} of them in the layer "
            f"{largest.name!r}. What would make that one smaller?"
        )
    images = np.random.default_rng(0).random((4, 28, 28, 1)).astype(np.float32)
    outputs = np.asarray(answer(images, training=False))
    if np.isfinite(outputs).all() and (not np.allclose(outputs.sum(axis=1), 1, atol=1e-4) or (outputs < 0).any()):
        return "The ten outputs should be probabilities that add up to 1. Which activation does that?"
    return _training_problem(answer, digits)


def _training_problem(network: Any, digits: Digits) -> str | None:
    """Whether it was compiled and fitted; with few images, as in the smoke profile, a third of the digits is enough."""
    accuracy = validation_accuracy(network, digits)
    if accuracy > (_ENOUGH if is_full(digits.source) else 0.3):
        return None
    return f"It reads {accuracy:.1%} of the validation images. More epochs, or more filters?"


def _check_shapes(given: tuple[int | None, ...], made: tuple[int | None, ...]) -> None:
    if tuple(given) != (None, 28, 28, 1):
        raise Hint(f"It should take images of shape (28, 28, 1). Yours takes {tuple(given)[1:]}.")
    if len(made) > 2:
        raise Hint(
            f"It ends in maps, of shape {tuple(made)[1:]}, where ten numbers are wanted. What turns maps into a row?"
        )
    if tuple(made) != (None, 10):
        raise Hint(f"It should have one output for each digit, so ten. Yours has {made[-1]}.")
