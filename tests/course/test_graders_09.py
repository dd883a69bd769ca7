"""The exercises of notebook 09: right answers pass, usual mistakes get the hint meant for them."""

import math

import numpy as np
import pytest
from graders import OPEN, RIGHT, judged
from scipy import stats

from mnist_helpers.course.exercises import nb_09

test_steps_on_a_steeper_loss = judged(
    "09-1",
    [
        ((1 / 6, 1 / 3), RIGHT),
        ([0.167, 0.333], RIGHT),
        ((..., 0.3), OPEN),
        ((1 / 3, 1 / 6), "wrong order"),
        ((0.5, 1.0), "slope is 2x"),
        ((1 / 3, 2 / 3), "slope of 3x²"),
        ((1 / 6, 1 / 6), "still arrives"),
        ((1 / 6, 0.5), "The first rate is right"),
        ((0.1, 1 / 3), "The second rate is right"),
        ((0.01, 0.02), "1 - 6"),
        (0.2, "two numbers. Yours has one number"),
        (("a", "b"), "should be numbers, in an array or a list. This is a tuple of str"),
    ],
)


def cosine(step, steps, peak):
    return peak / 2 * (1 + math.cos(math.pi * step / steps))


test_cosine_by_hand = judged(
    "09-2",
    [
        (lambda s, n, p: cosine(min(s, n), n, p), RIGHT),
        (lambda s, n, p: np.float64(cosine(s, n, p)) if s < n else 0, RIGHT),
        (lambda s, n, p: ..., OPEN),
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


def welch_by_hand(first, second):
    a, b = np.var(first, ddof=1) / len(first), np.var(second, ddof=1) / len(second)
    freedom = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1))
    return 2 * stats.t.sf(abs(np.mean(first) - np.mean(second)) / math.sqrt(a + b), freedom)


def by_norm(first, second):
    return 2 * stats.norm.sf(abs(stats.ttest_ind(first, second, equal_var=False).statistic))


def welch(**options):
    return lambda first, second: stats.ttest_ind(first, second, equal_var=False, **options)


test_seeds_against_seeds = judged(
    "09-3",
    [
        (welch_by_hand, RIGHT),
        (lambda a, b: welch()(a, b).pvalue, RIGHT),
        (lambda a, b: ..., OPEN),
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


STEP = np.arange(300)


test_a_schedule_for_the_walkers = judged(
    "09-4",
    [
        (0.5 / (STEP + 1), RIGHT),
        (list(1 / (STEP + 2)), RIGHT),
        (0.2 * 0.98**STEP, RIGHT),
        (..., OPEN),
        (0.5 / (STEP[:200] + 1), "300 numbers. Yours has 200"),
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


@pytest.mark.parametrize("rates", [0.2 * 0.5 ** (STEP // 50), 0.5 / (STEP + 1), np.full(300, 0.2 / 32)])
def test_the_distance_is_that_of_many_walkers(rates):
    random, walkers = np.random.default_rng(5), np.full(20_000, 10.0)
    for rate in rates:
        walkers = walkers - rate * (2 * walkers + random.normal(size=20_000))
    distance = nb_09._mean_distance(*nb_09._walked(rates))
    assert distance == pytest.approx(np.abs(walkers).mean(), rel=0.02)
