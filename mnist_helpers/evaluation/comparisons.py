"""Many systems side by side: which differences are real, and which accuracy is worth its cost."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from mnist_helpers.common.checks import (
    as_array,
    check_fraction,
    check_mapping,
    check_positive_int,
    check_sequence,
    check_values,
    problem,
)
from mnist_helpers.evaluation.accuracy import paired_test, wilson_interval

IMAGES = 10_000  # in MNIST's test set


def difference_interval(first: float, second: float, *, n: tuple[int, int] = (IMAGES, IMAGES)) -> tuple[float, float]:
    """Return the 95 % interval of the difference ``first - second`` of two accuracies, as fractions.

    Two measurements are combined of which no more is known than accuracy (0 to 1) and number of images ``n``; where
    both saw the same images, `mcnemar` sees more. Source: Newcombe (1998), Statistics in Medicine 17:873, method 10.

    Raises ``TypeError`` or ``ValueError`` for accuracies outside 0 to 1, and for what is no pair of numbers of images.
    """
    for value, name in ((first, "first"), (second, "second")):
        check_fraction(value, name=name, function="difference_interval")
    if len(check_sequence(n, kind="a pair of numbers of images", name="n", function="difference_interval")) != 2:
        raise ValueError(problem("n", "difference_interval", "a pair of numbers of images", repr(n)))
    for images in n:
        check_positive_int(images, name="n", function="difference_interval")
    (low, high), (other_low, other_high) = (
        wilson_interval(round(p * k), k) for p, k in zip((first, second), n, strict=True)
    )
    difference = first - second
    return (
        float(difference - np.hypot(first - low, other_high - second)),
        float(difference + np.hypot(high - first, second - other_low)),
    )


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Return the p-values (float64) adjusted for how many tests were made, so that each compares with the level.

    Whoever makes 66 tests at 5 % finds about three differences where there are none. Below an adjusted 5 %, the
    probability of even one such find among all tests is at most 5 %. Source: Holm (1979), Scand. J. Statistics 6:65.

    ``p_values`` is a list or array of shape (n,), 0 to 1. Raises ``TypeError`` or ``ValueError`` for anything else.
    """
    p = as_array(p_values, name="p_values", function="holm")
    if p.shape == (0,):
        return np.empty(0)
    p = check_values(p, ("n",), name="p_values", function="holm")
    if not ((p >= 0) & (p <= 1)).all():
        got = f"values from {p.min():g} to {p.max():g}"
        raise ValueError(problem("p_values", "holm", "a list of numbers from 0 to 1", got))
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    # the smallest times their number, the next times one less, ...; none smaller than the one before it
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return adjusted


def compare_pairs(wrong: Mapping[str, np.ndarray], *, images: int = IMAGES) -> pd.DataFrame:
    """Compare all pairs of systems by McNemar's exact test, with Holm's correction for their number.

    Parameters
    ----------
    wrong : the indices (integers, shape (k,)) of the images that each system gets wrong, of the same ``images`` images.

    Returns
    -------
    One row a pair, indexed by the names (first, second) in the order of ``wrong``: ``only_first`` and ``only_second``,
    how many images only this one of the two gets right; ``p_value``; ``adjusted``, the same after Holm.

    Raises
    ------
    TypeError, ValueError : fewer than two systems, indices that are no integers (a mask is none), or outside 0 to
        ``images`` - 1.
    """
    images = check_positive_int(images, name="images", function="compare_pairs")
    if len(check_mapping(wrong, kind="indices", name="wrong", function="compare_pairs")) < 2:
        raise ValueError(problem("wrong", "compare_pairs", "two systems or more", str(list(wrong))))
    masks = {name: _mask(indices, images, name) for name, indices in wrong.items()}
    rows = {}
    for first, second in combinations(masks, 2):
        only_first = int((masks[second] & ~masks[first]).sum())
        only_second = int((masks[first] & ~masks[second]).sum())
        rows[first, second] = only_first, only_second, paired_test(only_first, only_second, images).p_value
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["only_first", "only_second", "p_value"])
    table.index = pd.MultiIndex.from_tuples(rows, names=["first", "second"])
    return table.assign(adjusted=holm(table["p_value"]))


def _mask(indices: Any, images: int, name: str) -> np.ndarray:
    of_one = {"name": f"wrong[{name!r}]", "function": "compare_pairs"}
    indices = as_array(indices, **of_one)
    if indices.shape == (0,):
        return np.zeros(images, bool)
    if indices.dtype.kind not in "iu":
        raise TypeError(problem(**of_one, expected="indices, integers", got=f"an array of {indices.dtype}"))
    if indices.ndim != 1:
        raise ValueError(problem(**of_one, expected="indices of shape (k,)", got=f"shape {indices.shape}"))
    if not 0 <= indices.min() <= indices.max() < images:
        wanted = f"indices of {images:,} images"
        raise ValueError(problem("wrong", "compare_pairs", wanted, f"{indices.min()} to {indices.max()} for {name!r}"))
    mask = np.zeros(images, bool)
    mask[indices] = True
    return mask


def indistinguishable(pairs: pd.DataFrame, *, level: float = 0.05) -> list[tuple[str, ...]]:
    """Return the groups of systems of which no two can be told apart, from the table of `compare_pairs`.

    Two can be told apart when their adjusted p-value is below ``level``. Groups are as large as possible, and may
    overlap: that a is not told apart from b, nor b from c, does not make a and c equal. Systems stand in the order of
    the table, groups in that of their systems; one that is told apart from all others is a group of its own.

    Raises ``TypeError`` for what is no such table, ``ValueError`` for p-values or a level outside [0, 1].
    """
    if not isinstance(pairs, pd.DataFrame) or "adjusted" not in pairs or pairs.index.nlevels != 2:
        raise TypeError(problem("pairs", "indistinguishable", "a table of compare_pairs", type(pairs).__name__))
    adjusted = check_values(pairs["adjusted"], ("pairs",), name="pairs['adjusted']", function="indistinguishable")
    if not ((adjusted >= 0) & (adjusted <= 1)).all():
        got = f"values from {adjusted.min():g} to {adjusted.max():g}"
        raise ValueError(problem("pairs['adjusted']", "indistinguishable", "p-values from 0 to 1", got))
    check_fraction(level, name="level", function="indistinguishable")
    names = list(dict.fromkeys(name for pair in pairs.index for name in pair))
    alike: dict[str, set[str]] = {name: set() for name in names}
    for first, second in pairs.index[pairs["adjusted"] >= level]:
        alike[first].add(second)
        alike[second].add(first)
    groups = [sorted(group, key=names.index) for group in _cliques(set(), set(names), set(), alike)]
    return [tuple(group) for group in sorted(groups, key=lambda group: [names.index(name) for name in group])]


def _cliques(group: set[str], more: set[str], seen: set[str], alike: Mapping[str, set[str]]) -> list[set[str]]:
    """Return the largest groups around ``group``. Source: Bron and Kerbosch (1973), algorithm 457, CACM 16:575."""
    if not more and not seen:
        return [group]
    pivot = max(sorted(more | seen), key=lambda name: len(more & alike[name]))  # its neighbours can wait
    found, more, seen = [], set(more), set(seen)
    for name in sorted(more - alike[pivot]):
        found += _cliques(group | {name}, more & alike[name], seen & alike[name], alike)
        more.remove(name)
        seen.add(name)
    return found


def pareto_front(costs: Sequence[float], errors: Sequence[float]) -> np.ndarray:
    """Return (bool, one a system) which are on the front: no other is cheaper and as good, or better and as cheap.

    Both are lists or arrays of shape (n,). Raises ``TypeError`` or ``ValueError`` for others, for different lengths,
    and for what is not finite.
    """
    x, y = (
        check_values(values, ("n",), name=name, function="pareto_front")
        for values, name in ((costs, "costs"), (errors, "errors"))
    )
    if len(x) != len(y):
        got = f"{len(x)} costs and {len(y)} errors"
        raise ValueError(problem("costs", "pareto_front", "finite numbers, as many as errors", got))
    points = np.array([x, y])
    no_worse = (points[:, :, None] <= points[:, None, :]).all(axis=0)  # [i, j]: i is as cheap and as good as j
    better = no_worse & (points[:, :, None] < points[:, None, :]).any(axis=0)
    return np.asarray(~better.any(axis=0))
