"""Checks on arrays and arguments, and the one sentence in which all their messages are written."""

from collections.abc import Collection, Iterable, Mapping, Set
from typing import Any, TypeVar

import numpy as np

CLASSES = 10
T = TypeVar("T")


def problem(name: str, function: str, expected: str, got: object) -> str:
    """Return the message for a bad parameter: which one, of which function, what was expected and what came."""
    return f"The {name!r} parameter of {function} must be {expected}. Got {got} instead."


def check_choice(value: T, allowed: Collection[T], *, name: str, function: str) -> T:
    """Return ``value`` if it is one of ``allowed``, else raise ``ValueError``."""
    if not any(value is item or (type(value) is type(item) and value == item) for item in allowed):
        choices = "{" + ", ".join(repr(item) for item in allowed) + "}"
        raise ValueError(problem(name, function, f"one of {choices}", repr(value)))
    return value


def check_positive_int(value: object, *, name: str, function: str, minimum: int = 1) -> int:
    """Return ``value`` as an int of at least ``minimum``, else raise ``TypeError`` or ``ValueError``."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise TypeError(problem(name, function, "an integer", f"{value!r} ({type(value).__name__})"))
    if value < minimum:
        raise ValueError(problem(name, function, f"at least {minimum}", repr(value)))
    return int(value)


def check_fraction(
    value: object, *, name: str, function: str, low: float = 0.0, high: float = 1.0, high_included: bool = True
) -> float:
    """Return ``value`` as a float in [low, high] (or [low, high)), else raise ``TypeError`` or ``ValueError``."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(problem(name, function, "a number", f"{value!r} ({type(value).__name__})"))
    if not low <= value <= high or (value == high and not high_included):
        bracket = "]" if high_included else ")"
        raise ValueError(problem(name, function, f"in [{low:g}, {high:g}{bracket}", repr(value)))
    return float(value)


def check_positive(value: object, *, name: str, function: str) -> float:
    """Return ``value`` as a finite float above 0, else raise ``TypeError`` or ``ValueError``."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(problem(name, function, "a number", f"{value!r} ({type(value).__name__})"))
    if not 0 < value < np.inf:
        raise ValueError(problem(name, function, "greater than 0 and finite", repr(value)))
    return float(value)


def check_attributes(value: T, attributes: Collection[str], *, kind: str, name: str, function: str) -> T:
    """Return ``value`` if it has all ``attributes`` of a ``kind``, such as "a Split", else raise ``TypeError``."""
    if missing := [attribute for attribute in attributes if not hasattr(value, attribute)]:
        got = f"{type(value).__name__} without {' and '.join(missing)}"
        raise TypeError(problem(name, function, kind, got))
    return value


def check_sequence(values: object, *, kind: str, name: str, function: str) -> list:
    """Return what can be iterated over as a list; raise ``TypeError`` for what cannot, text, mappings and sets."""
    one_number = isinstance(values, np.ndarray) and not values.ndim
    if isinstance(values, str | bytes | Mapping | Set) or not isinstance(values, Iterable) or one_number:
        raise TypeError(problem(name, function, kind, type(values).__name__))
    return list(values)


def as_array(values: object, *, name: str, function: str) -> np.ndarray:
    """Return ``values`` as an array; raise ``TypeError`` for what makes none, such as lists of different lengths."""
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        got = f"{type(values).__name__} that makes none"
        raise TypeError(problem(name, function, "an array, or what makes one", got)) from error


def check_images(images: object, *, function: str, name: str = "images") -> np.ndarray:
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


def check_labels(labels: object, *, function: str, name: str = "labels", n: int | None = None) -> np.ndarray:
    """Return labels as int64 of shape (n,), each 0 to 9.

    Raises ``TypeError`` for what is no array of integers, ``ValueError`` for a wrong shape, length or value.
    """
    array = as_array(labels, name=name, function=function)
    if array.dtype.kind not in "iu":
        raise TypeError(problem(name, function, "an array of integers", f"an array of {array.dtype}"))
    if array.ndim != 1 or len(array) == 0 or (n is not None and len(array) != n):
        wanted = "(n,), n >= 1" if n is None else f"({n},)"
        raise ValueError(problem(name, function, f"of shape {wanted}", f"shape {array.shape}"))
    if array.min() < 0 or array.max() >= CLASSES:
        raise ValueError(problem(name, function, "digits from 0 to 9", f"values from {array.min()} to {array.max()}"))
    return array.astype(np.int64, copy=False)


def check_probabilities(probabilities: object, *, function: str, name: str, n: int) -> np.ndarray:
    """Return scores as float32 of shape (n, 10) without NaN, else raise ``TypeError`` or ``ValueError``."""
    array = as_array(probabilities, name=name, function=function)
    if array.dtype.kind != "f":
        raise TypeError(problem(name, function, "an array of floats", f"an array of {array.dtype}"))
    if array.shape != (n, CLASSES):
        raise ValueError(problem(name, function, f"of shape ({n}, {CLASSES})", f"shape {array.shape}"))
    if not np.isfinite(array).all():
        raise ValueError(problem(name, function, "finite", "NaN or infinite values"))
    return array.astype(np.float32, copy=False)


def check_split(split: Any, *, function: str, name: str = "split") -> Any:
    """Return a split, or what has its ``images`` and ``labels``, if these are as they should be.

    Raises ``TypeError`` or ``ValueError`` that names ``<name>.images`` or ``<name>.labels``.
    """
    check_attributes(split, ("images", "labels", "name", "source"), kind="a Split", name=name, function=function)
    images = check_images(split.images, function=function, name=f"{name}.images")
    check_labels(split.labels, function=function, name=f"{name}.labels", n=len(images))
    return split
