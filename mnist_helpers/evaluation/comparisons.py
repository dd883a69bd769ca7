"""Many systems side by side: which differences are real, and which accuracy is worth its cost."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mnist_helpers.common.checks import problem
from mnist_helpers.evaluation.accuracy import paired_test, wilson_interval

IMAGES = 10_000  # in MNIST's test set


def difference_interval(first: float, second: float, *, n: tuple[int, int] = (IMAGES, IMAGES)) -> tuple[float, float]:
    """Return the 95 % interval of the difference ``first - second`` of two accuracies.

    Two measurements are combined of which no more is known than accuracy and number of images; where both saw the same
    images, `mcnemar` sees more.

    Parameters
    ----------
    first, second : float
        Accuracies, 0 to 1.
    n : tuple of two int
        How many images each was measured on.

    Returns
    -------
    low, high : float
        -1 to 1.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17:873, method 10.
    """
    for name, accuracy in (("first", first), ("second", second)):
        if not 0 <= accuracy <= 1:
            raise ValueError(problem(name, "difference_interval", "an accuracy from 0 to 1", accuracy))
    low, high = wilson_interval(round(first * n[0]), n[0])
    other_low, other_high = wilson_interval(round(second * n[1]), n[1])
    difference = first - second
    return (
        float(difference - np.hypot(first - low, other_high - second)),
        float(difference + np.hypot(high - first, second - other_low)),
    )


def holm(p_values: npt.ArrayLike) -> np.ndarray:
    """Return p-values (float64) adjusted for how many tests were made, so that each compares with the level.

    With 66 tests at 5 %, about three find a difference where there is none. Below an adjusted 5 %, the
    probability of even one such find among all tests is at most 5 %.

    Parameters
    ----------
    p_values : sequence of float
        0 to 1, one per test.

    References
    ----------
    Holm (1979), Scand. J. Statistics 6:65.
    """
    p = np.asarray(p_values, float)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(problem("p_values", "holm", "a list of numbers from 0 to 1", p_values))
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    # the smallest times their number, the next times one less, ...; none smaller than the one before it
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return adjusted


def compare_pairs(wrong: Mapping[str, np.ndarray], *, images: int = IMAGES) -> pd.DataFrame:
    """Compare all pairs of systems by McNemar's exact test, with Holm's correction for their number.

    Parameters
    ----------
    wrong : mapping of str to ndarray of int, shape (k,)
        The indices of the images that each system gets wrong, of the same ``images`` images.
    images : int
        How many there are.

    Returns
    -------
    DataFrame
        One row a pair, indexed by the names ``first`` and ``second`` in the order of ``wrong``: ``only_first`` and
        ``only_second``, how many images only this one of the two gets right; ``p_value``; ``adjusted``, the same after
        Holm.
    """
    masks = {name: _mask(indices, images, name) for name, indices in wrong.items()}
    if len(masks) < 2:
        raise ValueError(problem("wrong", "compare_pairs", "two systems or more", list(wrong)))
    rows = {}
    for first, second in combinations(masks, 2):
        only_first = int((masks[second] & ~masks[first]).sum())
        only_second = int((masks[first] & ~masks[second]).sum())
        rows[first, second] = only_first, only_second, paired_test(only_first, only_second, images).p_value
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["only_first", "only_second", "p_value"])
    table.index = pd.MultiIndex.from_tuples(rows, names=["first", "second"])
    return table.assign(adjusted=holm(table["p_value"]))


def _mask(indices: np.ndarray, images: int, name: str) -> np.ndarray:
    indices = np.asarray(indices)
    if indices.size and (indices.dtype.kind not in "iu" or indices.min() < 0 or indices.max() >= images):
        got = f"{indices.dtype} from {indices.min()} to {indices.max()} for {name!r}"  # a mask is none
        raise ValueError(problem("wrong", "compare_pairs", f"indices of {images:,} images", got))
    mask = np.zeros(images, bool)
    mask[indices.astype(int)] = True
    return mask


def indistinguishable(pairs: pd.DataFrame, *, level: float = 0.05) -> list[tuple[str, ...]]:
    """Return the groups of systems of which no two can be told apart.

    Two can be told apart when their adjusted p-value is below ``level``. Groups are as large as possible, and may
    overlap: that a is not told apart from b, nor b from c, does not make a and c equal.

    Parameters
    ----------
    pairs : DataFrame
        The table of `compare_pairs`.
    level : float
        0 to 1.

    Returns
    -------
    list of tuple of str
        Systems in the order of the table, groups in that of their systems; one that is told apart from all others is a
        group of its own.
    """
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


def pareto_front(costs: npt.ArrayLike, errors: npt.ArrayLike) -> np.ndarray:
    """Return (bool, one per system) which are on the front: no other is cheaper and as good, or better and as cheap.

    Parameters
    ----------
    costs, errors : sequence of float
        Finite, one each a system.
    """
    points = np.array([costs, errors], float)
    if not np.isfinite(points).all():
        raise ValueError(problem("costs", "pareto_front", "finite, as errors must be", "NaN or infinite values"))
    no_worse = (points[:, :, None] <= points[:, None, :]).all(axis=0)  # [i, j]: i is as cheap and as good as j
    better = no_worse & (points[:, :, None] < points[:, None, :]).any(axis=0)
    return np.asarray(~better.any(axis=0))
