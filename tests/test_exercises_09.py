"""The exercises of notebook 09: right answers pass, usual mistakes get the hint meant for them."""

import math
import re

import numpy as np
import pytest
from scipy import stats

from mnist_helpers import check
from mnist_helpers.course.exercises import nb_09


def said(capsys, number, answer):
    check(number, answer)
    return capsys.readouterr().out


def judged(capsys, number, answer, hint):
    printed = said(capsys, number, answer)
    return printed == f"✓ {number}: right.\n" if hint is None else re.match(f"✗ {number}: .*{hint}", printed)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((1 / 6, 1 / 3), None),
        ([0.167, 0.333], None),
        ((..., 0.3), "not answered yet"),
        ((1 / 3, 1 / 6), "wrong order"),
        ((0.5, 1.0), "slope is 2x"),
        ((1 / 3, 2 / 3), "slope of 3x²"),
        ((1 / 6, 1 / 6), "still arrives"),
        ((1 / 6, 0.5), "The first rate is right"),
        ((0.1, 1 / 3), "The second rate is right"),
        ((0.01, 0.02), "1 - 6"),
        (0.2, "should have the shape"),
        (("a", "b"), "array of numbers"),
    ],
)
def test_steps_on_a_steeper_loss(capsys, answer, hint):
    assert judged(capsys, "09-1", answer, hint)


def cosine(step, steps, peak):
    return peak / 2 * (1 + math.cos(math.pi * step / steps))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda s, n, p: cosine(min(s, n), n, p), None),
        (lambda s, n, p: np.float64(cosine(s, n, p)) if s < n else 0, None),
        (lambda s, n, p: ..., "not answered yet"),
        (lambda s, n, p: None, "Is there a return"),
        (cosine, "goes up again"),
        (lambda s, n, p: 2 * cosine(s, n, p), "twice as high"),
        (lambda s, n, p: p * math.cos(math.pi * s / n), "below zero"),
        (lambda s, n, p: p / 2 * (1 + math.cos(2 * math.pi * s / n)), "whole wave"),
        (lambda s, n, p: p * math.cos(math.pi / 2 * s / n), "quarter of a wave"),
        (lambda s, n, p: p * (1 - s / n), "straight line"),
        (lambda s, n, p: p / 2 * (1 - math.cos(math.pi * s / n)), "the way up"),
        (lambda s, n, p: p / 2 * (1 + math.cos(180 * s / n)), "radians"),
        (lambda s, n, p: cosine(s, n, 1), "peak is missing"),
        (lambda s, n, p: 0.9 * cosine(s, n, p), "should have the peak"),
        (0.001, "should be a function"),
    ],
)
def test_cosine_by_hand(capsys, answer, hint):
    assert judged(capsys, "09-2", answer, hint)


def welch_by_hand(first, second):
    a, b = np.var(first, ddof=1) / len(first), np.var(second, ddof=1) / len(second)
    freedom = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1))
    return 2 * stats.t.sf(abs(np.mean(first) - np.mean(second)) / math.sqrt(a + b), freedom)


def by_norm(first, second):
    return 2 * stats.norm.sf(abs(stats.ttest_ind(first, second, equal_var=False).statistic))


def welch(**options):
    return lambda first, second: stats.ttest_ind(first, second, equal_var=False, **options)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (welch_by_hand, None),
        (lambda a, b: welch()(a, b).pvalue, None),
        (lambda a, b: ..., "not answered yet"),
        (lambda a, b: welch()(a, b).statistic, "test statistic"),
        (lambda a, b: -welch()(a, b).statistic, "test statistic"),
        (lambda a, b: stats.ttest_ind(a, b).pvalue, "Student's test"),
        (lambda a, b: welch(alternative="less")(a, b).pvalue, "one-sided"),
        (lambda a, b: 1 - welch()(a, b).pvalue, "1 minus"),
        (lambda a, b: stats.mannwhitneyu(a, b).pvalue, "test of ranks"),
        (by_norm, "bell curve"),
        (lambda a, b: stats.ttest_rel(a, b).pvalue, "paired test"),
        (lambda a, b: np.mean(a) - np.mean(b), "scipy.stats.ttest_ind"),
        (lambda a, b: welch()(a, b).pvalue < 0.05, "should be one number"),
        (welch(), "should be one number"),
    ],
)
def test_seeds_against_seeds(capsys, answer, hint):
    assert judged(capsys, "09-3", answer, hint)


STEP = np.arange(300)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (0.5 / (STEP + 1), None),
        (list(1 / (STEP + 2)), None),
        (0.2 * 0.98**STEP, None),
        (..., "not answered yet"),
        (0.5 / (STEP[:200] + 1), "should have the shape"),
        (np.full(300, 0.2), "never come to rest"),
        (np.full(300, 0.2 / 32), "not arrived"),
        (np.full(300, 1.05), "diverge"),
        (np.full(300, 1e200), "diverge"),
        (np.full(300, 0.0), "not arrived"),
        (-0.1 + 0 * STEP, "uphill"),
        (0.2 * 0.5 ** (STEP // 50), "last hundred rates"),
        (np.linspace(0.019, 0.01, 300), "could be much longer"),
        (np.full(300, np.nan), "not finite"),
    ],
)
def test_a_schedule_for_the_walkers(capsys, answer, hint):
    assert judged(capsys, "09-4", answer, hint)


@pytest.mark.parametrize("rates", [0.2 * 0.5 ** (STEP // 50), 0.5 / (STEP + 1), np.full(300, 0.2 / 32)])
def test_the_distance_is_that_of_many_walkers(rates):
    random, walkers = np.random.default_rng(5), np.full(20_000, 10.0)
    for rate in rates:
        walkers = walkers - rate * (2 * walkers + random.normal(size=20_000))
    distance = nb_09._mean_distance(*nb_09._walked(rates))
    assert distance == pytest.approx(np.abs(walkers).mean(), rel=0.02)
