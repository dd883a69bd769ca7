"""Graders of notebook 09: steps on another loss, a cosine by hand, seeds against seeds, a schedule for the walkers."""

import math
from collections.abc import Callable

import numpy as np

from mnist_helpers.course.exercises.grading import Answer, as_array, as_number, called, diagnosis, exercise

GOAL = 0.03  # mean distance of the walkers; halving every 50 steps ends at 0.037, the best there is at 0.023


@exercise("09-1", "The steeper the loss, the smaller the largest rate.")
def steps_on_a_steeper_loss(answer: Answer) -> str | None:
    """Grade (best rate, largest rate that does not diverge) for the loss 3 x squared."""
    given = as_array(answer, (2,)).astype(float)
    mistakes = {
        "The right two numbers, in the wrong order.": (1 / 3, 1 / 6),
        "These are the rates for the loss x², whose slope is 2x. Here the slope is 6x.": (1 / 2, 1.0),
        "That would be right for a slope of 3x. What is the slope of 3x²?": (1 / 3, 2 / 3),
        "With the second rate the walker still arrives. When does a step lead as far as it came from?": (1 / 6, 1 / 6),
    }
    place = "The second rate is right, the first is not." if abs(given[1] - 1 / 3) < 0.005 else ""
    place = "The first rate is right, the second is not." if abs(given[0] - 1 / 6) < 0.005 else place
    general = f"{place} One step takes x to x - rate · 6x, that is x · (1 - 6 · rate).".strip()
    return diagnosis(given, (1 / 6, 1 / 3), mistakes, general, atol=0.005)


_STEPS, _PEAK = 200, 0.01


def _cosine(step: int, waves: float = 0.5) -> float:
    return _PEAK / 2 * (1 + math.cos(2 * math.pi * waves * step / _STEPS))


_COSINE_MISTAKES: dict[str, Callable[[int], float]] = {
    "That is twice as high as it should be. A cosine goes from 1 to -1; where should the rate go from and to?": (
        lambda s: 2 * _cosine(s)
    ),
    "That goes below zero. A cosine goes from 1 to -1: lift it by 1, and halve it.": lambda s: 2 * _cosine(s) - _PEAK,
    "That is a whole wave: it ends where it began. Half a wave is wanted.": lambda s: _cosine(s, 1.0),
    "That is a quarter of a wave. It does not end gently.": lambda s: _PEAK * math.cos(math.pi * s / 2 / _STEPS),
    "That is a straight line.": lambda s: _PEAK * (1 - s / _STEPS),
    "That is the way up: it begins at zero.": lambda s: _PEAK - _cosine(s),
    "The cosine of NumPy and of math takes radians, not degrees.": (
        lambda s: _PEAK / 2 * (1 + math.cos(180 * s / _STEPS))
    ),
    "The peak is missing: the shape is right.": lambda s: _cosine(s) / _PEAK,
}


@exercise("09-2", "It begins and ends gently, without a setting of its own.")
def cosine_by_hand(answer: Answer) -> str | None:
    """Grade a function (step, steps, peak) that does what Keras's ``CosineDecay(peak, steps)`` does."""
    inside = [0, 37, 50, 100, 150, 200]
    given = [as_number(called(answer, step, _STEPS, _PEAK)) for step in inside]
    mistakes = {hint: [wrong(step) for step in inside] for hint, wrong in _COSINE_MISTAKES.items()}
    general = f"Step 0 of {_STEPS} should have the peak, step {_STEPS // 2} half of it, step {_STEPS} zero."
    if hint := diagnosis(given, [_cosine(step) for step in inside], mistakes, general, atol=1e-7):
        return hint
    beyond = [as_number(called(answer, step, _STEPS, _PEAK)) for step in (230, 400, 1000)]
    if not np.allclose(beyond, 0, atol=1e-7):
        return "Right up to the last step. After it, yours goes up again; the rate of CosineDecay stays at zero."
    return None


@exercise("09-3", "With few seeds, only large differences can be shown.")
def seeds_against_seeds(answer: Answer) -> str | None:
    """Grade a function of two groups of figures that returns the p-value of Welch's test, two-sided."""
    from scipy import stats

    groups = [([71.0, 90, 62, 83, 77], [95.0, 84, 92, 88, 90]), ([60.0, 64, 61], [75.0, 58, 92, 70, 81, 66])]
    welch = [stats.ttest_ind(*each, equal_var=False) for each in groups]
    given = [as_number(called(answer, *groups[0]))]
    if np.isclose(given[0], stats.ttest_rel(*groups[0]).pvalue, rtol=1e-4):
        return "That is a paired test. Which run of one group would belong to which of the other?"
    given.append(as_number(called(answer, *groups[1])))
    mistakes = {
        "That is the test statistic. The p-value says how often chance alone reaches it.": [
            abs(test.statistic) for test in welch
        ],
        "That is Student's test, which supposes that both groups spread alike. Welch's does not.": [
            stats.ttest_ind(*each).pvalue for each in groups
        ],
        "That is one-sided. Either group may be the better one.": [test.pvalue / 2 for test in welch],
        "That is not a p-value but 1 minus it.": [1 - test.pvalue for test in welch],
        "That is a test of ranks. It is a good one, too, but not Welch's.": [
            stats.mannwhitneyu(*each).pvalue for each in groups
        ],
        "That takes a bell curve for Student's distribution, and is too sure of itself with so few seeds.": [
            2 * stats.norm.sf(abs(test.statistic)) for test in welch
        ],
    }
    general = "SciPy has the test: look at the options of scipy.stats.ttest_ind, and return its pvalue."
    return diagnosis(np.abs(given), [test.pvalue for test in welch], mistakes, general, rtol=1e-4)


@exercise("09-4", "Long steps to arrive, shorter and shorter ones to come to rest: every schedule does that.")
def schedule_for_walkers(answer: Answer) -> str | None:
    """Grade 300 learning rates by where they bring the walkers of the toy, computed for every noise at once."""
    rates = as_array(answer, (300,)).astype(float)
    if rates.min() < 0:
        return "A negative rate goes uphill."
    with np.errstate(over="ignore", invalid="ignore"):
        left, spread = _walked(rates)
    if not left + spread < 10.5:  # they start at 10
        return "The walkers diverge. From which rate on does a step lead too far?"
    distance = _mean_distance(left, spread)
    if distance < GOAL:
        return None
    said = f"The walkers end at a distance of {distance:.3f} on average; below {GOAL} is wanted."
    if left > spread:
        return f"{said} They have not arrived yet: the rates are too small, or fall too early."
    if np.ptp(rates) < 1e-9:
        return f"{said} At a constant rate they never come to rest."
    if rates[:5].max() < 0.02:
        return f"{said} The first steps could be much longer."
    return f"{said} They arrive; how could they come closer to rest? Look at the last hundred rates."


def _walked(rates: np.ndarray) -> tuple[float, float]:
    """Return how far from 0 the walkers are on average but for noise, and the standard deviation that noise adds.

    A step takes x to (1 - 2 rate) x - rate * noise, where the noise has a standard deviation of 1; they start at 10.
    """
    middle, variance = 10.0, 0.0
    for rate in rates:
        middle, variance = (1 - 2 * rate) * middle, (1 - 2 * rate) ** 2 * variance + rate**2
    return abs(middle), math.sqrt(variance) if variance < math.inf else math.inf


def _mean_distance(middle: float, spread: float) -> float:
    """Return the mean of |x| for normally distributed x."""
    if not spread:
        return middle
    ratio = middle / spread
    return spread * math.sqrt(2 / math.pi) * math.exp(-(ratio**2) / 2) + middle * math.erf(ratio / math.sqrt(2))
