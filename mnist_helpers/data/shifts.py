"""Digits on a larger canvas: in its centre, or at random."""

from dataclasses import replace

import numpy as np

from mnist_helpers.common.checks import check_positive_int
from mnist_helpers.data.mnist import Split, check_is_split

CANVAS = 48


def centred(split: Split, size: int = CANVAS) -> Split:
    """Return the split with every image in the centre of an empty canvas.

    Parameters
    ----------
    split : Split
        With images (n, height, height, 1).
    size : int
        Height and width of the canvas in pixels, at least those of the images.

    Returns
    -------
    Split
        With images (n, size, size, 1).
    """
    middle = _room(split, size, "centred") // 2
    return _placed(split, size, np.full((len(split), 2), middle))


def shifted(split: Split, size: int = CANVAS, *, seed: int) -> Split:
    """Return the split with every image at a random place of an empty canvas, all places being equally likely.

    Parameters
    ----------
    split, size
        As in `centred`.
    seed : int
        Of the places.

    Returns
    -------
    Split
        With images (n, size, size, 1).
    """
    room = _room(split, size, "shifted")
    # integers(...) leaves out its upper bound: without the 1, the last row and column would never be reached.
    return _placed(split, size, np.random.default_rng(seed).integers(0, room + 1, (len(split), 2)))


def _room(split: Split, size: int, function: str) -> int:
    height = check_is_split(split, function=function).images.shape[1]
    return check_positive_int(size, name="size", function=function, minimum=height) - height


def _placed(split: Split, size: int, corners: np.ndarray) -> Split:
    """Put each image with its upper left corner at (row, column) of its own canvas."""
    n, height = len(split), split.images.shape[1]
    canvas = np.zeros((n, size, size, 1), np.float32)
    rows = corners[:, 0, None, None] + np.arange(height)[None, :, None]  # (n, height, 1)
    columns = corners[:, 1, None, None] + np.arange(height)[None, None, :]  # (n, 1, width)
    canvas[np.arange(n)[:, None, None], rows, columns] = split.images
    return replace(split, images=canvas)
