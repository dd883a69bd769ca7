"""Comparisons of many systems: against statsmodels, SciPy, and lists checked one by one."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from mnist_helpers.evaluation.comparisons import (
    compare_pairs,
    difference_interval,
    holm,
    indistinguishable,
    pareto_front,
)

WRONG = {"a": np.arange(10), "b": np.arange(5, 16), "c": np.arange(3, 40), "d": np.array([], np.int64)}


@pytest.mark.parametrize(("first", "second", "n"), [(99, 96, (100, 100)), (9860, 4888, (10_000, 5000)), (9, 9, (9, 9))])
def test_the_interval_of_a_difference_is_that_of_statsmodels(first, second, n):
    expected = confint_proportions_2indep(first, n[0], second, n[1], method="newcomb", compare="diff")
    assert difference_interval(first / n[0], second / n[1], n=n) == pytest.approx(expected, abs=1e-9)


def test_holm_is_that_of_statsmodels():
    p = np.random.default_rng(0).random(40) ** 4
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]).shape == (0,)


def test_all_pairs_are_compared_as_mcnemar_does_and_corrected():
    table = compare_pairs(WRONG, images=100)
    assert list(table.index) == list(combinations("abcd", 2))
    for (first, second), row in table.iterrows():
        one, other = set(WRONG[first].tolist()), set(WRONG[second].tolist())
        assert (row["only_first"], row["only_second"]) == (len(other - one), len(one - other))
        counts = [[0, row["only_first"]], [row["only_second"], 0]]
        assert row["p_value"] == pytest.approx(reference_mcnemar(counts, exact=True).pvalue)
    assert table["adjusted"].to_numpy() == pytest.approx(multipletests(table["p_value"], method="holm")[1])


def pairs_of(alike, names):
    """A table in which exactly the pairs ``alike`` are not told apart."""
    index = pd.MultiIndex.from_tuples(combinations(names, 2))
    return pd.DataFrame({"adjusted": [1.0 if "".join(pair) in alike else 0.01 for pair in index]}, index=index)


@pytest.mark.parametrize(
    ("alike", "groups"),
    [
        ("", "a b c d"),
        ("ab bc", "ab bc d"),  # not transitive: a and c differ
        ("ab bc ac", "abc d"),
        ("ab ac ad bc bd cd", "abcd"),
        ("ac bd", "ac bd"),
        ("ab ad bc cd", "ab ad bc cd"),
    ],
)
def test_groups_are_as_large_as_they_can_be(alike, groups):
    found = indistinguishable(pairs_of(alike.split(), "abcd"))
    assert ["".join(group) for group in found] == groups.split()


def test_groups_of_many_systems_against_all_subsets():
    rng, names = np.random.default_rng(3), "abcdefgh"
    alike = ["".join(pair) for pair in combinations(names, 2) if rng.random() < 0.6]
    whole = [
        set(group)
        for size in range(1, 9)
        for group in combinations(names, size)
        if all("".join(pair) in alike for pair in combinations(group, 2))
    ]
    largest = sorted("".join(sorted(group)) for group in whole if not any(group < other for other in whole))
    assert ["".join(group) for group in indistinguishable(pairs_of(alike, names))] == largest


def test_the_level_decides():
    pairs = pairs_of([], "ab").assign(adjusted=0.03)
    assert indistinguishable(pairs) == [("a",), ("b",)]
    assert indistinguishable(pairs, level=0.01) == [("a", "b")]


def test_the_front_holds_what_nothing_beats():
    costs, errors = [1, 2, 3, 2, 4, 4], [9, 7, 7, 8, 3, 3]
    assert pareto_front(costs, errors).tolist() == [True, True, False, False, True, True]
    assert pareto_front([1], [1]).tolist() == [True]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: difference_interval(98.2, 0.9), "'first' parameter of difference_interval must be .* Got 98.2"),
        (lambda: holm([0.1, 1.2]), "'p_values' parameter of holm must be a list of numbers from 0 to 1"),
        (lambda: compare_pairs({"a": [1]}), "'wrong' parameter of compare_pairs must be two systems or more"),
        (lambda: compare_pairs({"a": [1], "b": [100]}, images=100), "indices of 100 images. Got .* 100 for 'b'"),
        (lambda: compare_pairs({"a": [1], "b": [True, False]}, images=2), "indices of 2 images. Got bool"),
        (lambda: pareto_front([1, np.nan], [1, 2]), "'costs' parameter of pareto_front must be finite"),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call()
