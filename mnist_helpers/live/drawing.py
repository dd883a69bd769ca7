"""A drawing brought into MNIST's form. ``js/drawing.js`` does the same in the browser, number by number."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from mnist_helpers.common.checks import problem

CANVAS, FRAME, BOX = 112, 28, 20


def draw(strokes: Iterable[Sequence[Sequence[float]]], radius: float = 4.0) -> np.ndarray:
    """Draw strokes with a round pen.

    Parameters
    ----------
    strokes : iterable of sequences of (x, y)
        Points of each stroke, in pixels of the canvas, from its upper left corner.
    radius : float
        Of the pen, in pixels.

    Returns
    -------
    float32 array of shape (112, 112)
        Ink from 0 to 1, with soft edges.
    """
    ys, xs = np.mgrid[:CANVAS, :CANVAS] + 0.5
    canvas = np.zeros((CANVAS, CANVAS))
    for stroke in strokes:
        points = list(stroke)
        for (x0, y0), (x1, y1) in zip(points, points[1:] or points, strict=False):
            dx, dy = x1 - x0, y1 - y0
            along = ((xs - x0) * dx + (ys - y0) * dy) / ((dx * dx + dy * dy) or 1)
            along = np.clip(along, 0, 1)
            distance = np.sqrt((xs - x0 - along * dx) ** 2 + (ys - y0 - along * dy) ** 2)
            canvas = np.maximum(canvas, np.clip(radius + 0.5 - distance, 0, 1))
    return canvas.astype(np.float32)


def preprocess(drawing: np.ndarray) -> np.ndarray:
    """Bring a drawing into the form of MNIST's digits.

    The ink is cut out, scaled into a box of 20x20 pixels with its aspect ratio kept, smoothed as it shrinks,
    brightened until its darkest pixel is 1, and moved until its centre of mass lies in the middle of 28x28 pixels.

    Parameters
    ----------
    drawing : array of shape (height, width)
        Ink from 0 to 1.

    Returns
    -------
    float32 array of shape (28, 28)
        Pixels from 0 to 1; all 0 where there is no ink.

    Notes
    -----
    Source of the form: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
    recognition", 1998.
    """
    ink = np.asarray(drawing, np.float64)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    result = np.zeros((FRAME, FRAME))
    if not len(rows):
        return result.astype(np.float32)
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, _rounded(side * BOX / max(ink.shape))) for side in ink.shape)
    box = _resize(height, ink.shape[0]) @ ink @ _resize(width, ink.shape[1]).T  # (height, width)
    box /= box.max()
    top, left = _offset(box.sum(axis=1)), _offset(box.sum(axis=0))
    result[top : top + height, left : left + width] = box
    return result.astype(np.float32)


def _rounded(value: float) -> int:
    """Round to the nearest; ties, and what is a tie but for rounding errors, go up."""
    return int(np.floor(value + 0.5 + 1e-6))


def _resize(size: int, old: int) -> np.ndarray:
    """Return weights (size, old): each new pixel is a mean of old ones under a triangle as wide as two new pixels."""
    scale = old / size
    distance = np.abs((np.arange(size)[:, None] + 0.5) * scale - (np.arange(old) + 0.5))
    weights = np.maximum(0, 1 - distance / max(scale, 1))
    return weights / weights.sum(axis=1, keepdims=True)


def _offset(profile: np.ndarray) -> int:
    """Return where a profile of ink begins when its centre of mass is in the middle of the frame, all of it inside."""
    centre = (np.arange(len(profile)) * profile).sum() / profile.sum()
    return int(np.clip(_rounded((FRAME - 1) / 2 - centre), 0, FRAME - len(profile)))


def one_image(image: npt.ArrayLike, function: str) -> np.ndarray:
    """Return an image as float32 (height, width), or raise ``ValueError`` naming the function."""
    array = np.asarray(image, np.float32)
    array = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if array.ndim != 2 or not 0 <= array.min() <= array.max() <= 1:
        got = f"shape {array.shape}, {array.min():g} to {array.max():g}" if array.size else f"shape {array.shape}"
        raise ValueError(problem("image", function, "of shape (height, width), with pixels from 0 to 1", got))
    return array
