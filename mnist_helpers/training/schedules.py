"""Learning rates that change during training: the length of a run, one-cycle schedules, and whether the two agree."""

from typing import Any

import numpy as np

from mnist_helpers.common.backend import keras
from mnist_helpers.common.checks import check_fraction, check_positive, check_positive_int, problem
from mnist_helpers.data.budget import Budget
from mnist_helpers.data.mnist import check_digits

_SCHEDULES = keras.optimizers.schedules
# Keras's own that say the rates of an array of steps as well as of one
_ELEMENTWISE = (
    _SCHEDULES.CosineDecay,
    _SCHEDULES.CosineDecayRestarts,
    _SCHEDULES.ExponentialDecay,
    _SCHEDULES.InverseTimeDecay,
    _SCHEDULES.PiecewiseConstantDecay,
    _SCHEDULES.PolynomialDecay,
)


def total_steps(digits: Any, *, epochs: int, batch_size: int = 128) -> int:
    """Return how many optimizer steps ``train`` takes on these digits: one a batch, the last short one included.

    ``epochs`` and ``batch_size`` are those given to ``train``; the images are as many as the budget of the digits has.
    Raises ``TypeError`` or ``ValueError`` for what are no ``Digits``, and for numbers below 1.
    """
    check_digits(digits, function="total_steps")
    epochs = check_positive_int(epochs, name="epochs", function="total_steps")
    batch_size = check_positive_int(batch_size, name="batch_size", function="total_steps")
    return epochs * -(-Budget.of(digits).images(len(digits.train)) // batch_size)


def one_cycle(
    peak: float, steps: int, *, warmup: float = 0.3, start: float = 0.04, end: float = 0.0
) -> keras.optimizers.schedules.CosineDecay:
    """Return a schedule that rises to ``peak`` in a line and falls from it as a cosine, over ``steps`` steps in all.

    Parameters
    ----------
    peak : the highest learning rate, above 0; reached after the share ``warmup`` of the steps, in [0, 1).
    steps : length of the run, see ``total_steps``.
    start, end : shares of ``peak``, in [0, 1]: the first rate (without a warm-up, the peak is the first), and the rate
        that the cosine has come down to after the last step.

    Source: Smith and Topin (2018), "Super-convergence"; the cosine as in fast.ai's and PyTorch's one-cycle policy.
    Raises ``TypeError`` or ``ValueError`` for a value out of range.
    """
    peak = check_positive(peak, name="peak", function="one_cycle")
    steps = check_positive_int(steps, name="steps", function="one_cycle")
    warmup = check_fraction(warmup, name="warmup", function="one_cycle", high_included=False)
    start = check_fraction(start, name="start", function="one_cycle")
    end = check_fraction(end, name="end", function="one_cycle")
    rising = min(round(warmup * steps), steps - 1)
    if not rising:
        return _SCHEDULES.CosineDecay(peak, steps, alpha=end)
    return _SCHEDULES.CosineDecay(start * peak, steps - rising, alpha=end, warmup_target=peak, warmup_steps=rising)


def learning_rates(schedule: Any, steps: int) -> np.ndarray:
    """Return the rates (float32, shape (steps,)) of steps 0, 1, ... of a Keras schedule, or of a constant rate.

    Raises ``TypeError`` or ``ValueError`` for what is neither a schedule nor a number above 0, and for steps below 1.
    """
    steps = check_positive_int(steps, name="steps", function="learning_rates")
    if not isinstance(schedule, _SCHEDULES.LearningRateSchedule):
        rate = check_positive(schedule, name="schedule", function="learning_rates")
        return np.full(steps, rate, np.float32)
    if type(schedule) is _SCHEDULES.CosineDecay and schedule.warmup_target is not None:
        return _warm_cosine(schedule, np.arange(steps, dtype=np.float32))
    if type(schedule) in _ELEMENTWISE:
        return _array(schedule(keras.ops.arange(steps, dtype="float32")))
    return np.array([_array(schedule(step)) for step in range(steps)], np.float32)


def _warm_cosine(schedule: keras.optimizers.schedules.CosineDecay, steps: np.ndarray) -> np.ndarray:
    """Return all rates at once: Keras itself can say only one at a time, a millisecond each."""
    start, peak, rising = schedule.initial_learning_rate, schedule.warmup_target, schedule.warmup_steps
    falling = _SCHEDULES.CosineDecay(peak, schedule.decay_steps, alpha=schedule.alpha)
    line = start + (peak - start) * steps / max(rising, 1)
    return np.where(steps < rising, line, _array(falling(np.maximum(steps - rising, 0)))).astype(np.float32)


def _array(tensor: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor), np.float32)


def check_length(optimizer: keras.optimizers.Optimizer, steps: int, *, function: str = "train") -> None:
    """Raise ``ValueError`` when an optimizer's schedule has an end, and it is not at ``steps`` steps.

    A cosine that is longer than the run never reaches its low rates, and one that is shorter stays at the last of
    them. Schedules without an end (exponential, inverse-time, piecewise constant, restarts) always pass.
    """
    schedule = getattr(getattr(optimizer, "inner_optimizer", optimizer), "_learning_rate", None)
    length = _length(schedule)
    if length is not None and length != steps:
        wanted = f"as long as the run, {steps:,} steps (total_steps(digits, epochs=..., batch_size=...) computes them)"
        got = f"a {type(schedule).__name__} of {length:,} steps"
        raise ValueError(problem("optimizer", function, f"one whose learning-rate schedule is {wanted}", got))


def _length(schedule: Any) -> int | None:
    """Return the steps after which a schedule stays as it is; None for one without an end, and for a constant rate."""
    if isinstance(schedule, _SCHEDULES.CosineDecay):
        return schedule.decay_steps + (schedule.warmup_steps if schedule.warmup_target is not None else 0)
    if isinstance(schedule, _SCHEDULES.PolynomialDecay) and not schedule.cycle:
        return schedule.decay_steps
    return None
