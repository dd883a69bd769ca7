"""Checks on what is drawn, before any figure is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mnist_helpers.common.checks import (
    as_array,
    check_attributes,
    check_fraction,
    check_labels,
    check_mapping,
    check_sequence,
    check_values,
    problem,
)


def check_pictures(images: Any, function: str, name: str = "images") -> np.ndarray:
    """Return images (n, height, width, 1) or (n, height, width) of any range as (n, height, width).

    Raises ``TypeError`` for what are no numbers, ``ValueError`` for another shape, NaN and infinite values.
    """
    images = as_array(images, name=name, function=function)
    if images.dtype.kind not in "fiub":
        raise TypeError(problem(name, function, "finite numbers", f"an array of {images.dtype}"))
    wanted = "of shape (n, height, width, 1) or (n, height, width), n >= 1"
    # A last axis of 1 in three dimensions is a single image that lost its first axis, not images one pixel wide.
    one_channel = images.ndim == 4 and images.shape[-1] == 1
    if not images.size or not (one_channel or (images.ndim == 3 and images.shape[-1] > 1)):
        raise ValueError(problem(name, function, wanted, f"shape {images.shape}"))
    if not np.isfinite(images).all():
        raise ValueError(problem(name, function, "finite numbers", "NaN or infinite values"))
    return images.reshape(images.shape[:3])


def check_drawn_split(split: Any, function: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the images (n, height, width) and labels (n,) of a split, else raise."""
    check_attributes(split, ("images", "labels", "name"), kind="a Split", name="split", function=function)
    images = check_pictures(split.images, function, "split.images")
    return images, check_labels(split.labels, function=function, name="split.labels", n=len(images))


def check_evaluated(evaluation: Any, split: Any, function: str) -> np.ndarray:
    """Return the images of ``split`` after making sure that ``evaluation`` is about them, else raise."""
    images, labels = check_drawn_split(split, function)
    needed = ("predictions", "labels", "split")
    check_attributes(evaluation, needed, kind="an Evaluation", name="evaluation", function=function)
    evaluated = check_labels(evaluation.labels, function=function, name="evaluation.labels")
    check_labels(evaluation.predictions, function=function, name="evaluation.predictions", n=len(evaluated))
    if not np.array_equal(evaluated, labels):
        got = f"{len(labels)} other images ({split.name})"
        wanted = f"the split that was evaluated ({len(evaluated)} images, {evaluation.split})"
        raise ValueError(problem("split", function, wanted, got))
    return images


def check_accuracies(evaluations: Any, function: str) -> Mapping[str, Any]:
    """Return a mapping of names to evaluations with an accuracy of 0 to 1 and its interval, else raise."""
    check_mapping(evaluations, kind="evaluations", name="evaluations", function=function)
    for name, each in evaluations.items():
        of_one: dict[str, Any] = {"name": f"evaluations[{name!r}]", "function": function}
        check_attributes(each, ("accuracy", "interval", "labels", "split"), kind="an Evaluation", **of_one)
        check_fraction(each.accuracy, **of_one)
        check_values(each.interval, (2,), **of_one)
    return evaluations


def check_reported(reported: Any, names: Sequence[str], function: str) -> np.ndarray:
    """Return the reported accuracies of all systems, NaN where there is none; raise for systems without a name."""
    if reported is None or (isinstance(reported, Mapping) and not reported):
        return np.full(len(names), np.nan)
    check_mapping(reported, kind="accuracies", name="reported", function=function)
    if unknown := [name for name in reported if name not in names]:
        raise ValueError(problem("reported", function, f"accuracies of systems among {names}", str(unknown)))
    listed = [reported.get(name, np.nan) for name in names]
    told = check_values(listed, ("systems",), name="reported", function=function, missing=True)
    if ((told < 0) | (told > 1)).any():
        raise ValueError(problem("reported", function, "fractions from 0 to 1", f"up to {np.nanmax(told):g}"))
    return told


def check_cell_names(rows: Sequence[Any] | None, columns: Sequence[Any] | None, shape: tuple[int, ...]) -> None:
    """Raise ``TypeError`` or ``ValueError`` unless there are as many names as rows and columns, or none."""
    for name, labels, cells in (("row_labels", rows, shape[0]), ("column_labels", columns, shape[1])):
        if labels is None:
            continue
        wanted = {"kind": f"{cells} labels", "name": name, "function": "plot_heatmap"}
        given = len(labels) if isinstance(labels, str) else len(check_sequence(labels, **wanted))
        if given != cells:
            raise ValueError(problem(name, "plot_heatmap", f"{cells} labels", str(given)))


def check_names(names: Any, n: int, *, name: str, function: str) -> list[str]:
    """Return n names, by default 0 to n - 1, else raise ``TypeError`` or ``ValueError``."""
    if names is None:
        return [str(each) for each in range(n)]
    wanted = f"a list of {n}"
    listed = list(names) if isinstance(names, str) else check_sequence(names, kind=wanted, name=name, function=function)
    if len(listed) != n:
        raise ValueError(problem(name, function, wanted, f"one of {len(listed)}"))
    return [str(each) for each in listed]


def check_table(table: Any, columns: Sequence[str], *, numbers: Sequence[str], name: str, function: str) -> np.ndarray:
    """Return the columns ``numbers`` of a table that has all ``columns``, as finite floats (rows, numbers).

    Raises ``TypeError`` for what is no table, ``ValueError`` for a missing column, no row, or what is not finite.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(problem(name, function, "a table (pandas.DataFrame)", type(table).__name__))
    if missing := [column for column in columns if column not in table]:
        raise ValueError(problem(name, function, f"a table with the columns {list(columns)}", f"one without {missing}"))
    if not len(table):
        raise ValueError(problem(name, function, "one row or more", "0 rows"))
    checked = [check_values(table[each], ("rows",), name=f"{name}[{each!r}]", function=function) for each in numbers]
    return np.stack(checked, axis=1)


def bar_lengths(values: Any, lows: Any, highs: Any, *, name: str, function: str) -> np.ndarray:
    """Lengths (2, ...) below and above ``values`` that matplotlib's error bars want, from absolute bounds.

    Raises ``TypeError`` for what are no numbers, ``ValueError`` for other shapes and bounds that miss the values.
    """
    arrays = [as_array(numbers, name=name, function=function) for numbers in (values, lows, highs)]
    if others := [array.dtype for array in arrays if array.dtype.kind not in "fiub"]:
        raise TypeError(problem(name, function, "numbers", f"an array of {others[0]}"))
    values, lows, highs = (array.astype(float) for array in arrays)
    if not values.shape == lows.shape == highs.shape:
        raise ValueError(problem(name, function, f"bounds of shape {values.shape}", f"{lows.shape} and {highs.shape}"))
    lengths = np.stack([values - lows, highs - values])
    if (np.isnan(lengths) & ~np.isnan(values)).any():  # the bounds of a value that is missing are missing, too
        raise ValueError(problem(name, function, "finite bounds", "NaN"))
    if (lengths < -1e-9).any() or np.isinf(lengths).any():  # rounding at an accuracy of 0 or 1 is no mistake
        off = -np.nanmin(lengths)
        raise ValueError(problem(name, function, "bounds that enclose the values", f"bounds up to {off:.3g} off"))
    return np.maximum(lengths, 0)
