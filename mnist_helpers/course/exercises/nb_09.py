"""Graders of notebook 09: steps on another loss, a cosine by hand, a network with a schedule, walkers at rest."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mnist_helpers.common.profile import is_full
from mnist_helpers.course.exercises.grading import (
    Answer,
    as_array,
    as_number,
    called,
    check_network,
    diagnosis,
    exercise,
    validation_accuracy,
)
from mnist_helpers.data.mnist import Digits

GOAL = 0.03  # mean distance of the walkers; halving every 50 steps ends at 0.037, the best there is at 0.023
FACTORS = [{"factor": factor} for factor in (3, 4, 5, 6)]  # of the loss, factor times x squared
_ENOUGH = 0.95  # of the validation images, after three or four epochs of 10,000 training images


@exercise("09-1", "The steeper the loss, the smaller the largest rate.", variants=FACTORS)
def steps_on_a_steeper_loss(answer: Answer, factor: int) -> str | None:
    """Grade (best rate, largest rate that does not diverge) for the loss ``factor`` x squared."""
    given, slope = as_array(answer, (2,)).astype(float), 2 * factor
    best, limit = 1 / slope, 2 / slope
    mistakes = {
        "The right two numbers, in the wrong order.": (limit, best),
        f"These are the rates for the loss x², whose slope is 2x. Here the slope is {slope}x.": (1 / 2, 1.0),
        f"That would be right for a slope of {factor}x. What is the slope of {factor}x²?": (1 / factor, 2 / factor),
        "With the second rate the walker still arrives. When does a step lead as far as it came from?": (best, best),
    }
    place = "The second rate is right, the first is not." if abs(given[1] - limit) < 0.005 else ""
    place = "The first rate is right, the second is not." if abs(given[0] - best) < 0.005 else place
    general = f"{place} One step takes x to x - rate · {slope}x, that is x · (1 - {slope} · rate).".strip()
    return diagnosis(given, (best, limit), mistakes, general, atol=0.005)


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


@exercise(
    "09-3",
    "Schedule and training end together. How much worse is the same network at a constant rate?",
    needs_digits=True,
)
def network_with_a_schedule(answer: Answer, digits: Digits) -> str | None:
    """Grade a network compiled with a schedule that ends, low, when its training does."""
    from mnist_helpers.common.backend import keras

    check_network(answer)
    accuracy = validation_accuracy(answer, digits)
    schedule, taken = answer.optimizer._learning_rate, int(answer.optimizer.iterations.numpy())
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return "Its learning rate is a number. Hand a schedule to the optimizer, where the number stands now."
    if hint := _fit_of(schedule, taken):
        return hint
    if accuracy > (_ENOUGH if is_full(digits.source) else 0.3):
        return None
    return f"The schedule fits, but it reads {accuracy:.1%} of the validation images: more epochs, or another peak?"


def _fit_of(schedule: Any, taken: int) -> str | None:
    """Return what is wrong with a schedule for a training of so many steps, None if it ends when the training does."""
    from mnist_helpers.training.schedules import learning_rates, length_of

    length = length_of(schedule)
    said = f"Your schedule is {length} steps long, and the training took {taken} steps."
    if length is not None and length < taken:
        return f"{said} A step is one batch, not one epoch; and if `fit` ran twice, build the network anew."
    if length is not None and length > taken:
        return f"{said} The low rates at its end were never used. How many batches are there in all epochs?"
    rates = learning_rates(schedule, taken)
    if rates[-1] > rates.max() / 10:
        fallen = f"The rate comes down from {rates.max():.2g} to {rates[-1]:.2g} only."
        return f"{fallen} It should end below a tenth of its peak."
    return None


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
