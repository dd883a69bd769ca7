"""Checks on arrays and arguments, and the one sentence in which all their messages are written."""

from collections.abc import Collection
from typing import Any

import numpy as np

CLASSES = 10


def problem(name: str, function: str, expected: str, got: Any) -> str:
    """Return the message for a bad parameter: which one, of which function, what was expected and what came."""
    return f"The {name!r} parameter of {function} must be {expected}. Got {got} instead."


def check_choice(value: Any, allowed: Collection[Any], *, name: str, function: str) -> Any:
    """Return ``value`` if it is one of ``allowed``, else raise ``ValueError``."""
    if not any(value is item or (type(value) is type(item) and value == item) for item in allowed):
        choices = "{" + ", ".join(repr(item) for item in allowed) + "}"
        raise ValueError(problem(name, function, f"one of {choices}", repr(value)))
    return value


def check_positive_int(value: Any, *, name: str, function: str, minimum: int = 1) -> int:
    """Return ``value`` as an int of at least ``minimum``, else raise ``TypeError`` or ``ValueError``."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise TypeError(problem(name, function, "an integer", f"{value!r} ({type(value).__name__})"))
    if value < minimum:
        raise ValueError(problem(name, function, f"at least {minimum}", repr(value)))
    return int(value)


def check_fraction(
    value: Any, *, name: str, function: str, low: float = 0.0, high: float = 1.0, high_included: bool = True
) -> float:
    """Return ``value`` as a float in [low, high] (or [low, high)), else raise ``TypeError`` or ``ValueError``."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(problem(name, function, "a number", f"{value!r} ({type(value).__name__})"))
    if not low <= value <= high or (value == high and not high_included):
        bracket = "]" if high_included else ")"
        raise ValueError(problem(name, function, f"in [{low:g}, {high:g}{bracket}", repr(value)))
    return float(value)


def check_images(images: Any, *, function: str, name: str = "images") -> np.ndarray:
    """Return float32 images of shape (n, height, width, 1) in [0, 1], n >= 1.

    A float64 array is converted. Raises ``TypeError`` for what is no array of numbers, ``ValueError`` for a wrong
    shape, an empty array, NaN, or pixels outside [0, 1].
    """
    if not isinstance(images, np.ndarray) or images.dtype.kind != "f":
        got = f"an array of {images.dtype}" if isinstance(images, np.ndarray) else type(images).__name__
        raise TypeError(problem(name, function, "a NumPy array of floats in [0, 1]", got))
    if images.ndim != 4 or images.shape[-1] != 1 or 0 in images.shape:
        raise ValueError(problem(name, function, "of shape (n, height, width, 1), n >= 1", f"shape {images.shape}"))
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 1):  # False for NaN too
        raise ValueError(problem(name, function, "within [0, 1] and free of NaN", f"values from {low} to {high}"))
    return images.astype(np.float32, copy=False)


def check_labels(labels: Any, *, function: str, name: str = "labels", n: int | None = None) -> np.ndarray:
    """Return labels as int64 of shape (n,), each 0 to 9.

    Raises ``TypeError`` for what is no array of integers, ``ValueError`` for a wrong shape, length or value.
    """
    array = np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise TypeError(problem(name, function, "an array of integers", f"an array of {array.dtype}"))
    if array.ndim != 1 or len(array) == 0 or (n is not None and len(array) != n):
        wanted = "(n,), n >= 1" if n is None else f"({n},)"
        raise ValueError(problem(name, function, f"of shape {wanted}", f"shape {array.shape}"))
    if array.min() < 0 or array.max() >= CLASSES:
        raise ValueError(problem(name, function, "digits from 0 to 9", f"values from {array.min()} to {array.max()}"))
    return array.astype(np.int64, copy=False)


def check_probabilities(probabilities: Any, *, function: str, name: str, n: int) -> np.ndarray:
    """Return scores as float32 of shape (n, 10) without NaN, else raise ``TypeError`` or ``ValueError``."""
    array = np.asarray(probabilities)
    if array.dtype.kind != "f":
        raise TypeError(problem(name, function, "an array of floats", f"an array of {array.dtype}"))
    if array.shape != (n, CLASSES):
        raise ValueError(problem(name, function, f"of shape ({n}, {CLASSES})", f"shape {array.shape}"))
    if not np.isfinite(array).all():
        raise ValueError(problem(name, function, "finite", "NaN or infinite values"))
    return array.astype(np.float32, copy=False)
