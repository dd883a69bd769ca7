"""Learning rates that change during training: the length of a run, one-cycle schedules, and whether the two agree."""

import numpy as np

from mnist_helpers.common.backend import keras
from mnist_helpers.common.checks import check_fraction, check_positive, check_positive_int, problem
from mnist_helpers.common.profile import shrunk
from mnist_helpers.data import Digits

_SCHEDULES = keras.optimizers.schedules


def total_steps(digits: Digits, *, epochs: int, batch_size: int = 32) -> int:
    """Return how many optimizer steps `train` takes on these digits: one per batch, the last short one included.

    Parameters
    ----------
    digits : Digits
    epochs, batch_size : int
        As given to `train`, at least 1.
    """
    epochs = check_positive_int(epochs, name="epochs", function="total_steps")
    batch_size = check_positive_int(batch_size, name="batch_size", function="total_steps")
    return shrunk(epochs, "epochs", digits.source) * -(-len(digits.train) // batch_size)


def one_cycle(
    peak: float, steps: int, *, warmup: float = 0.3, start: float = 0.04, end: float = 0.0
) -> keras.optimizers.schedules.CosineDecay:
    """Return a schedule that rises to a peak in a line and falls from it as a cosine.

    Parameters
    ----------
    peak : float
        The highest learning rate, above 0; reached after the share ``warmup`` of the steps, in [0, 1).
    steps : int
        Length of the run, see `total_steps`.
    start, end : float
        Shares of ``peak``, in [0, 1]: the first rate (without a warm-up, the peak is the first), and the rate that the
        cosine has come down to after the last step.

    Raises
    ------
    TypeError, ValueError
        A value out of range, naming it.

    References
    ----------
    Smith and Topin (2018), "Super-convergence"; the cosine as in fast.ai's and PyTorch's one-cycle policy.
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


def learning_rates(schedule: keras.optimizers.schedules.LearningRateSchedule | float, steps: int) -> np.ndarray:
    """Return the rates of steps 0, 1, ... of a Keras schedule, or of a constant rate.

    Parameters
    ----------
    schedule : keras.optimizers.schedules.LearningRateSchedule or float
    steps : int
        At least 1.

    Returns
    -------
    ndarray of float32, shape (steps,)
    """
    steps = check_positive_int(steps, name="steps", function="learning_rates")
    if not isinstance(schedule, _SCHEDULES.LearningRateSchedule):
        rate = check_positive(schedule, name="schedule", function="learning_rates")
        return np.full(steps, rate, np.float32)
    every = keras.ops.vectorized_map(schedule, keras.ops.arange(steps, dtype="float32"))
    return np.asarray(keras.ops.convert_to_numpy(every), np.float32)


def check_length(optimizer: keras.optimizers.Optimizer, steps: int) -> None:
    """Raise ``ValueError`` when an optimizer's schedule has an end, and it is not at ``steps`` steps.

    A cosine that is longer than the run never reaches its low rates, and one that is shorter stays at the last of
    them. Schedules without an end (exponential, inverse-time, piecewise constant, restarts) always pass.
    """
    schedule = getattr(optimizer, "_learning_rate", None)
    length = length_of(schedule)
    if length is not None and length != steps:
        wanted = f"as long as the run, {steps:,} steps (total_steps(digits, epochs=..., batch_size=...) computes them)"
        got = f"a {type(schedule).__name__} of {length:,} steps"
        raise ValueError(problem("model", "train", f"compiled with a learning-rate schedule {wanted}", got))


def length_of(schedule: object) -> int | None:
    """Return the steps after which a schedule stays as it is; None for one without an end, and for a constant rate."""
    if isinstance(schedule, _SCHEDULES.CosineDecay):
        return schedule.decay_steps + (schedule.warmup_steps if schedule.warmup_target is not None else 0)
    if isinstance(schedule, _SCHEDULES.PolynomialDecay) and not schedule.cycle:
        return schedule.decay_steps
    return None
