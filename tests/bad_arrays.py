"""Hypothesis strategies of wrong inputs, and what a table row says: which call refuses which parameter."""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_helpers.data import Split

QUICK = settings(
    max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
SENTENCE = re.compile(
    r"The (['\"])(?P<name>.+?)\1 parameter of (?P<function>[\w.]+) must be .+\. Got .+ instead\.", re.DOTALL
)
N, SIZE = 6, 8
LABELS = np.arange(N) % 10
IMAGES = np.random.default_rng(0).random((N, SIZE, SIZE, 1)).astype(np.float32)

# What no parameter for an array, a table, a mapping or a split may take.
ALL_JUNK = [
    *("text", b"bytes", 3.5, True, object(), len, {1, 2}),
    [[1, 2], [3]],
    np.array(["a", "b"]),
    np.array([None, 1]),
    np.array([1j, 2]),
    np.array(["2024-01-01"], "datetime64[D]"),
]
JUNK = st.sampled_from(ALL_JUNK)
NOTHING = JUNK | st.none()
INFINITE = (np.inf, -np.inf)


@dataclass(frozen=True)
class Case:
    """``call(bad)`` must refuse every ``bad`` and name ``parameter`` (a pattern); ``says`` is the function it names.

    ``fine`` tells which of the junk this one parameter may take.
    """

    function: str
    parameter: str
    call: Callable[[Any], Any]
    bad: st.SearchStrategy
    says: str = ""
    fine: Callable[[Any], bool] = lambda value: False

    def __str__(self):
        return f"{self.function}-{self.parameter}"


def assert_refused(case):
    """Try a case with all junk and with wrong arrays: each raises a sentence that names the parameter, and no more."""

    def refused(bad):
        with warnings.catch_warnings(), pytest.raises((TypeError, ValueError)) as caught:
            warnings.simplefilter("error")
            case.call(bad)
        assert type(caught.value) in (TypeError, ValueError), repr(caught.value)
        message = str(caught.value)
        found = SENTENCE.fullmatch(message)
        assert found, message
        assert re.match(rf"(?:{case.parameter})(?!\w)", found["name"]), message
        assert found["function"] == (case.says or case.function), message
        assert len(message) < 1000

    for junk in ALL_JUNK:
        if not case.fine(junk):
            refused(junk)
    QUICK(given(case.bad)(refused))()


def wrong_shapes(*right, dtype=float):
    """Zeros of up to five axes, some of them empty, whose shape is none of ``right`` (None stands for any length)."""

    def fits(shape):
        return any(
            len(shape) == len(one) and all(b in (None, a) and a for a, b in zip(shape, one, strict=True))
            for one in right
        )

    shapes = st.lists(st.integers(0, 3), max_size=5).map(tuple).filter(lambda shape: not fits(shape))
    return shapes.map(lambda shape: np.zeros(shape, dtype))


def spoiled(array, values):
    """Copies of a good array with one bad value at any place."""
    places = st.integers(0, array.size - 1)

    def put(place, value):
        copy = array.astype(np.result_type(array.dtype, type(value))) if isinstance(value, float) else array.copy()
        copy.flat[place] = value
        return copy

    return st.builds(put, places, st.sampled_from(list(values)))


def retyped(array, *dtypes):
    """A good array in types that are no good."""
    return st.sampled_from([array.astype(dtype) for dtype in dtypes])


def bad_images(array=IMAGES):
    """Wrong images for what takes float (n, height, width, 1) in [0, 1]."""
    spoils = spoiled(array, (np.nan, *INFINITE, 255.0, -0.5))
    shapes = wrong_shapes((None, None, None, 1), dtype=np.float32)
    return NOTHING | shapes | retyped(array, np.uint8, int, bool, complex, object, str) | spoils


def bad_pictures(array=IMAGES):
    """Wrong pictures for what draws numbers of any range, (n, height, width, 1) or (n, height, width)."""
    shapes = wrong_shapes((None, None, None, 1), (None, None, None))
    return NOTHING | shapes | retyped(array, complex, object, str) | spoiled(array, (np.nan, *INFINITE))


def bad_labels(array=LABELS, *, any_length=False, or_one=False):
    """Wrong labels for what takes integers (n,) from 0 to 9, or with ``or_one`` a single one for all."""
    lengths = st.sampled_from([array[:0], *([] if any_length else [array[1:], np.append(array, 1)])])
    wrong = wrong_shapes((None,), *([()] if or_one else []), dtype=int) | retyped(
        array, float, bool, complex, object, str
    )
    return NOTHING | lengths | wrong | spoiled(array, (10, -1, 2**40, np.nan))


def bad_numbers(array, *, right, spoils=(np.nan, *INFINITE)):
    """Wrong values for what takes finite numbers of a shape."""
    return JUNK | wrong_shapes(*right) | retyped(array, complex, object, str) | spoiled(array, spoils)


def bad_entries(good, bad):
    """Wrong mappings: none at all, empty, and one bad entry among good ones."""
    return NOTHING | st.just({}) | bad.map(lambda value: {**good, "bad": value})


def split_of(**changes):
    """What looks like a split but was never checked."""
    whole = {"images": IMAGES, "labels": LABELS, "name": "test", "source": "mnist"}
    return SimpleNamespace(**whole | changes)


def bad_splits(images=None, labels=None):
    """Wrong splits: none at all, without an attribute, with bad images or labels."""
    parts = [SimpleNamespace(images=IMAGES), SimpleNamespace(source="mnist"), IMAGES, (IMAGES, LABELS)]
    partial = st.sampled_from(parts)
    with_images = (bad_images() if images is None else images).map(lambda bad: split_of(images=bad))
    with_labels = (bad_labels() if labels is None else labels).map(lambda bad: split_of(labels=bad))
    return NOTHING | partial | with_images | with_labels


def good_split(name="test", images=IMAGES, labels=LABELS):
    return Split(images, labels, name, "mnist")
