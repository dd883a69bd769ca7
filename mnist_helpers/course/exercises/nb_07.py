"""Graders of notebook 07: what a shift does."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mnist_helpers.common.profile import is_full
from mnist_helpers.course.exercises.grading import (
    Answer,
    Hint,
    as_array,
    as_number,
    called,
    check_network,
    diagnosis,
    exercise,
    validation_accuracy,
)
from mnist_helpers.data.mnist import Digits
from mnist_helpers.data.shifts import centred, shifted

SIZES = [{"size": pixels} for pixels in (36, 40, 34, 44)]  # of the canvas of the first exercise
_CANVAS = 48  # of the lesson
_ENOUGH, _JUDGED = 0.6, 1000  # share of shifted digits, and how many are shown
_Layer = Callable[[np.ndarray], np.ndarray]


def _share_left_out(places: int) -> float:
    """Return the share of the places that a draw misses which leaves out the last row and the last column."""
    return 1 - ((places - 1) / places) ** 2


@exercise("07-1", "A bound that is wrong by one leaves out a fifth of all places, and nothing crashes.", variants=SIZES)
def share_left_out(answer: Answer, size: int) -> str | None:
    """Grade the share of the places on a canvas of ``size`` by ``size`` that the wrong draw leaves out."""
    room = size - 28
    places = room + 1
    right = _share_left_out(places)
    lesson = f"That is the canvas of the lesson, 48 by 48. This one has {size} by {size} pixels."
    mistakes = {
        "That looks like percent. A share lies between 0 and 1.": 100 * right,
        "That is the share that is drawn. Which share is left out?": 1 - right,
        "That is how many places are left out. Which share of all places is it?": places**2 - room**2,
        f"With {room} pixels of room there are more than {room} rows to begin in: 0 counts, too.": (
            _share_left_out(room)
        ),
        "That is the last row. The last column is left out as well.": 1 / places,
        "The last row and the last column have one place in common. It must not count twice.": 2 / places,
        lesson: _share_left_out(_CANVAS - 28 + 1),
    }
    general = "Not yet. In how many rows can the image begin, and in how many of them does it with the wrong draw?"
    return diagnosis(as_number(answer), right, mistakes, general, atol=5e-4, rtol=1e-3)


def _images() -> np.ndarray:
    """Return two made-up images (2, 16, 16, 1) with room on all sides."""
    images = np.zeros((2, 16, 16, 1), np.float32)
    images[:, 5:11, 3:8] = np.random.default_rng(3).random((2, 6, 5, 1), np.float32)
    return images


def pooled(images: np.ndarray) -> np.ndarray:
    """Return images (n, height, width, channels) of half the height and width: the largest of two by two pixels."""
    n, height, width, channels = images.shape
    return images.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))


def blurred(images: np.ndarray) -> np.ndarray:
    """Return images smoothed across and down, by sums that are rounded differently at each place."""
    across = images + 0.7 * np.roll(images, 1, axis=2) + 0.1 * np.roll(images, 3, axis=2)
    noise = 1 + 1e-7 * np.random.default_rng(0).random(images.shape)
    return (across * noise).astype(np.float32)


def _weighted(images: np.ndarray) -> np.ndarray:
    """Return images seen through weights that belong to places, as a dense layer has them."""
    return images * np.linspace(0, 1, images.shape[2], dtype=np.float32)[:, None]


def _blind(images: np.ndarray) -> np.ndarray:
    """Return the largest pixel of each image, as a map of one place that no shift changes: invariant."""
    return np.broadcast_to(images.max(axis=(1, 2), keepdims=True), images.shape)


def _mirrored(images: np.ndarray) -> np.ndarray:
    """Return the images with left and right exchanged, so that what is pushed to the right moves to the left."""
    return images[:, :, ::-1]


def _one_row(images: np.ndarray) -> np.ndarray:
    """Return images read from left to right at one weight a row: it moves along to the right, not down."""
    return images * np.linspace(0, 1, images.shape[1], dtype=np.float32)[:, None, None]


_TRIALS: list[tuple[_Layer, int, int, bool, str]] = [
    (np.square, 3, 1, True, "The layer that squares each pixel moves along, and your function does not say so."),
    (_one_row, 2, 1, True, "Push to the right, please: the columns are axis 2 of (n, height, width, channels)."),
    (_weighted, 3, 1, False, "A layer whose weights belong to places does not move along. Your function says it does."),
    (pooled, 4, 2, True, "After pooling, the map moves by step // shrink of its own, larger pixels. Does yours?"),
    (pooled, 3, 2, False, "Pooling of two by two cannot follow a push of 3 pixels. Your function says it does."),
    (blurred, 2, 1, True, "Computed numbers differ in the last digit. Compare with np.allclose, not with ==."),
]


@exercise("07-2", "This is equivariance: convolutions have it by construction, dense layers do not.")
def moves_along(answer: Answer) -> str | None:
    """Grade a function that tests whether a layer's map moves along with the image."""
    said = [_truth(called(answer, layer, _images(), step, shrink)) for layer, step, shrink, _, _ in _TRIALS]
    if said == [right for *_, right, _ in _TRIALS]:
        return None
    if not said[0] and _truth(called(answer, _mirrored, _images(), 3, 1)):
        return "Your function pushes image and map in opposite directions. np.roll pushes to the right if step > 0."
    if not any(said) and _truth(called(answer, _blind, _images(), 3, 1)):
        return "Your function tests for invariance: it asks whether the map stays the same. It should move along."
    if len(set(said)) == 1:
        return f"Your function says {said[0]} of all the layers that were tried. Some of them do, some do not."
    return next(hint for answered, (*_, right, hint) in zip(said, _TRIALS, strict=True) if answered != right)


def _truth(value: Answer) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise Hint("The function should return True or False, for all images together: np.allclose does.")
    return bool(value)


_FITTING = [
    (list(range(11)), "That is what a convolution without pooling would do."),
    (list(range(0, 11, 2)), "That is what a network with one pooling would do. This one has two."),
    ([4, 8], "And what about no push at all?"),
    ([0, 1, 2], "These are steps of the map. How many pixels of the image are they?"),
    ([0], "Only 0? After two poolings, the map has to be pushed by a quarter of the step: shrink is 4."),
]


@exercise("07-3", "Each pooling by two halves the steps that the map can follow.")
def fitting_steps(answer: Answer) -> str | None:
    """Grade the steps from 0 to 10 with which the map behind two poolings moves along."""
    if not isinstance(answer, list | tuple | set | range | np.ndarray) or getattr(answer, "ndim", 1) != 1:
        return "The answer should be a list of steps, such as [1, 2, 3]."
    steps = sorted({as_number(step) for step in answer})
    if steps == [0, 4, 8]:
        return None
    general = "Not yet. Ask moves_along about every step from 0 to 10, with the network up to conv_3."
    return next((hint for wrong, hint in _FITTING if steps == wrong), general)


@exercise("07-4", "It never saw a shifted digit in training, and reads most of them all the same.", needs_digits=True)
def network_that_forgets_the_place(answer: Answer, digits: Digits) -> str | None:
    """Grade a network fitted on centred canvases by the shifted digits that it reads."""
    check_network(answer)
    if tuple(answer.input_shape) != (None, _CANVAS, _CANVAS, 1) or tuple(answer.output_shape) != (None, 10):
        return "It should take images of shape (48, 48, 1) and have ten outputs, one for each digit."
    some = digits.validation.take(min(_JUDGED, len(digits.validation)))
    anywhere = validation_accuracy(answer, replace(digits, validation=shifted(some, seed=7)))
    if anywhere >= (_ENOUGH if is_full(digits.source) else 0.2):
        return None
    at_home = validation_accuracy(answer, replace(digits, validation=centred(some)))
    said = f"It reads {at_home:.0%} of the centred digits, and {anywhere:.0%} of the shifted ones."
    if at_home < _ENOUGH:
        return f"{said} Train it for longer first, or on more images."
    if any(type(layer).__name__ == "Flatten" for layer in answer.layers):
        return f"{said} After `Flatten`, weights belong to places. What could stand there instead?"
    return f"{said} Which of its layers still know where something was?"


def _scattered() -> np.ndarray:
    """Return six canvases (6, 48, 48, 1), each with a lopsided blot of ink somewhere."""
    random = np.random.default_rng(5)
    canvases = np.zeros((6, _CANVAS, _CANVAS, 1), np.float32)
    for canvas, (row, column) in zip(canvases, random.integers((7, 12), (16, 24), (6, 2)), strict=True):
        canvas[row : row + 20, column : column + 14] = random.random((20, 14, 1), np.float32) * 0.3
        canvas[row + 13 : row + 20, column : column + 5] = 1  # heavy in one corner: the mass is not in its middle
    return canvases


def centres_of_mass(images: np.ndarray) -> np.ndarray:
    """Return the row and the column (n, 2) of the centre of mass of each image (n, height, width, 1)."""
    ink = images[..., 0].astype(float)
    total = ink.sum(axis=(1, 2))
    rows = (ink.sum(axis=2) * np.arange(ink.shape[1])).sum(axis=1) / total
    columns = (ink.sum(axis=1) * np.arange(ink.shape[2])).sum(axis=1) / total
    return np.stack([rows, columns], axis=1)


@exercise("07-5", "MNIST's own digits were centred in just this way, by their centre of mass.")
def recentred(answer: Answer) -> str | None:
    """Grade a function that pushes the ink of every image to the middle of its canvas."""
    before = _scattered()
    handed = before.copy()
    after = as_array(called(answer, handed), before.shape)
    if not np.array_equal(handed, before):
        return "Your function changes the images that it was given. Fill a new array, or copy first."
    if not np.allclose(after.sum(axis=(1, 2, 3)), before.sum(axis=(1, 2, 3)), rtol=0.01):
        return "Some images have more or less ink than before. It should only be pushed: np.roll loses nothing."
    middle = (_CANVAS - 1) / 2
    off = centres_of_mass(after) - middle
    if np.abs(off).max() < 1.01:  # whole pixels; a middle of 24 will do as well
        return None
    return _recentring_hint(centres_of_mass(before) - middle, off, after)


def _recentring_hint(before: np.ndarray, off: np.ndarray, after: np.ndarray) -> str:
    lit = after[..., 0] > 0
    boxes = [[_middle(lit[i].any(axis=1)), _middle(lit[i].any(axis=0))] for i in range(len(lit))]
    moves = off - before
    if np.abs(np.array(boxes) - (_CANVAS - 1) / 2).max() < 1.01:
        return "Now the outline is in the middle. The centre of mass weighs each pixel with its ink."
    if np.abs(moves).max() < 0.01:
        return "The images are where they were."
    if np.ptp(moves, axis=0).max() < 0.01:
        return "All images were pushed by the same amount. Each one has a centre of its own."
    if np.abs(moves - before).max() < 1.01:
        return "The images were pushed the wrong way, further from the middle."
    if np.abs(moves + before[:, ::-1]).max() < 1.01:
        return "Rows and columns are exchanged: each image was pushed down by what it should go across."
    return f"Not yet. The centre of mass of one image is {np.abs(off).max():.1f} pixels from the middle of the canvas."


def _middle(lit: np.ndarray) -> float:
    where = np.flatnonzero(lit)
    return (where[0] + where[-1]) / 2
