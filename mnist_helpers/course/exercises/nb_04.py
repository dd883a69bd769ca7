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
    in_words,
    validation_accuracy,
)
from mnist_helpers.data.mnist import Digits

_DOWN = {"start": "top", "end": "bottom"}
_UP = {"start": "bottom", "end": "top"}
EDGES = [{"size": 3} | _DOWN, {"size": 3} | _UP, {"size": 5} | _DOWN, {"size": 5} | _UP]
LAYERS = [
    {"kernel": kernel, "filters": filters, "units": units}
    for kernel, filters, units in ((5, 10, 64), (3, 16, 64), (7, 8, 32), (3, 12, 100))
]
MOST = [{"most": number} for number in (10_000, 8_000, 7_000, 6_000)]  # parameters of the network of 04-4
_ENOUGH = 0.96  # of its validation accuracy


@exercise("04-1", "A trained network finds kernels like this one by itself.", variants=EDGES)
def grade_horizontal_edges(answer: Answer, size: int, start: str, end: str) -> str | None:
    """A kernel that responds where the image gets darker from ``start`` to ``end``, and to nothing else."""
    kernel = as_array(answer, (size, size)).astype(float)
    if not kernel.any():
        return "The response of this kernel is 0 everywhere."
    if abs(kernel.sum()) > 1e-9:
        return "On an area of one even grey the response should be 0. Yours is not: add up all its weights."
    across = kernel.sum(axis=0)  # of each column
    down = kernel.sum(axis=1) if end == "bottom" else kernel.sum(axis=1)[::-1]  # of each row
    if np.abs(across).max() > 1e-9:
        if np.abs(down).max() < 1e-9:
            return "This one finds vertical edges, as the kernel above does. Turn it by a quarter."
        return "It responds to vertical edges, too. On [[0, 1, 1], [0, 1, 1], [0, 1, 1]] it should give 0."
    steps = np.cumsum(down[:0:-1])  # its responses to edges, from the one that reaches least far into it
    if (steps <= 0).all() and steps.any():
        return f"The direction is wrong: yours is positive where the image gets lighter from {start} to {end}."
    if (steps < 0).any() or not steps.any():
        return (
            f"Try images that are 0 at the {start} and 1 at the {end}, with edges in other rows: what should it give?"
        )
    return None


def _counts(kernel: int, filters: int, units: int) -> dict[str, tuple[int, dict[int, str]]]:
    """Return the parameters of the four layers without padding, and what other numbers would mean."""

    def dense(side: int, channels: int = filters) -> int:
        return (side**2 * channels + 1) * units

    area, lost = kernel**2, kernel - 1
    side = (28 - 2 * lost) // 2
    missing = "The biases are missing: one for each map or unit that comes out."
    first, second = (area + 1) * filters, (area * filters + 1) * filters
    maps = f"{in_words(filters)} maps"
    several = f"It gets {maps}, not one image, and every filter reads all of them."
    mistakes = {
        dense(14): "That is the number with the padding. What sizes do the maps have without it?",
        dense(28 - 2 * lost): "Do not forget the pooling: it halves height and width.",
        dense((28 - lost) // 2): "Both convolutions shrink the maps, not only one of them.",
        dense((28 - 2 * kernel) // 2): (
            f"How many positions does a kernel of {kernel} pixels have in a row of 28? One more than 28 - {kernel}."
        ),
        dense(side, 1): f"There are {maps}, and each unit has a weight for each pixel of each of them.",
        dense(side) - units: missing,
    }
    return {
        "conv_1": (first, {first - filters: missing}),
        "conv_2": (second, {second - filters: missing, first: several}),
        "dense_1": (dense(side), mistakes),
        "output": ((units + 1) * 10, {units * 10: missing}),
    }


@exercise(
    "04-2",
    "Most parameters are in the first dense layer, although the convolutions do most of the work.",
    variants=LAYERS,
)
def grade_parameters_without_padding(answer: Answer, **layers: int) -> str | None:
    """The parameters of the four layers of ``simple_cnn`` when its convolutions have no padding."""
    counts = _counts(**layers)
    given = as_array(answer, (len(counts),))
    for value, (layer, (right, mistakes)) in zip(given.tolist(), counts.items(), strict=True):
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
    "Less than a sixth of LeNet-5 does nearly as well. Where would you save next, and what would it cost?",
    needs_digits=True,
    variants=MOST,
)
def grade_small_network(answer: Answer, digits: Digits, most: int) -> str | None:
    """A convolutional network from images to ten probabilities, with few parameters, compiled and fitted."""
    from mnist_helpers.common.backend import keras

    check_network(answer)
    _check_shapes(answer.input_shape, answer.output_shape)
    if not any(isinstance(layer, keras.layers.Conv2D) for layer in answer.layers):
        return "There is no convolution in it."
    if answer.count_params() >= most:
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
    return f"It reads {accuracy:.1%} of the validation images. More epochs, more images, or more filters?"


def _check_shapes(given: tuple[int | None, ...], made: tuple[int | None, ...]) -> None:
    if tuple(given) != (None, 28, 28, 1):
        raise Hint(f"It should take images of shape (28, 28, 1). Yours takes {tuple(given)[1:]}.")
    if len(made) > 2:
        raise Hint(
            f"It ends in maps, of shape {tuple(made)[1:]}, where ten numbers are wanted. What turns maps into a row?"
        )
    if tuple(made) != (None, 10):
        raise Hint(f"It should have one output for each digit, so ten. Yours has {made[-1]}.")
