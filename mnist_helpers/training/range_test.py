"""Which learning rates can a network be trained with? A short training in which the rate grows with every step."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_helpers.common.backend import keras
from mnist_helpers.common.checks import check_positive, check_positive_int, problem
from mnist_helpers.data.budget import Budget
from mnist_helpers.training.plan import check_model, fresh_optimizer, known_loss, targets_for
from mnist_helpers.training.precision import trainable_copy
from mnist_helpers.training.train import DivergedError, seeded

_DIVERGED = 4.0  # times the best loss so far
_MEMORY = 0.8  # of the running mean that decides when to stop: about five steps
_REACH = 5  # steps to either side that count in the smoothed loss, with weights that fall in a line


@dataclass(frozen=True)
class RangeTest:
    """The losses of a training with a growing learning rate; float64 arrays of the same shape (k,), k >= 2.

    learning_rates : the rates of the steps that were taken; evenly spaced on a logarithmic axis.
    losses : the loss of each step's batch, just before the step with that rate.
    smoothed : a weighted mean of each loss and its neighbours up to four steps away on both sides.
    """

    learning_rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray

    @property
    def steepest(self) -> float:
        """The rate at which the smoothed loss, before its lowest point, falls fastest on a logarithmic axis of rates.

        A good peak for a schedule is near it.
        """
        slopes = np.gradient(self.smoothed, np.log(self.learning_rates))
        return float(self.learning_rates[slopes[: self.smoothed.argmin() + 1].argmin()])


def learning_rate_range_test(
    model: keras.Model,
    digits: Any,
    *,
    low: float = 1e-5,
    high: float = 1.0,
    steps: int = 100,
    batch_size: int = 128,
    optimizer: str | keras.optimizers.Optimizer = "adam",
    loss: Any = "sparse_categorical_crossentropy",
    seed: int = 0,
) -> RangeTest:
    """Train a fresh copy of ``model`` on ``digits.train`` while the learning rate grows from ``low`` to ``high``.

    Parameters
    ----------
    model : uncompiled Keras model, as for ``train``; it is never changed, and nothing is stored.
    low, high : the first and the last rate, 0 < low < high.
    steps : batches of ``batch_size`` images to train on, at least 2. The test ends before them when the loss, as a
        running mean, exceeds four times its best, or is no longer finite.
    optimizer : a name or a Keras optimizer; its own learning rate or schedule is left out.
    seed : decides initial weights, order of the images and dropout.

    Source: Smith (2017), "Cyclical learning rates for training neural networks", section 3.3; exponential growth and
    the end at four times the best loss as in fast.ai's learning-rate finder.

    Raises
    ------
    DivergedError : the loss is not finite from the first steps on. TypeError, ValueError : a bad argument, naming it.
    """
    function = "learning_rate_range_test"
    check_model(model, digits, function=function)
    rates = _rates(low, high, steps)
    batch_size = check_positive_int(batch_size, name="batch_size", function=function)
    seed = check_positive_int(seed, name="seed", function=function, minimum=0)
    optimizer = _without_schedule(fresh_optimizer(optimizer, function=function), rates[0])
    loss = known_loss(loss, function=function)
    with seeded(seed):
        trained = trainable_copy(model)
        trained.compile(optimizer=optimizer, loss=loss)
    split = Budget.of(digits).take(digits.train)
    batches = _batches(split.images, targets_for(loss, split.labels), batch_size, seed)
    losses = _losses(trained, rates, batches)
    if len(losses) < 2:
        raise DivergedError(f"The loss of {model.name} is not finite even at a learning rate of {rates[0]:.3g}.")
    return RangeTest(rates[: len(losses)], losses, _smoothed(losses))


def _rates(low: Any, high: Any, steps: Any) -> np.ndarray:
    function = "learning_rate_range_test"
    low = check_positive(low, name="low", function=function)
    high = check_positive(high, name="high", function=function)
    if not low < high:
        raise ValueError(problem("high", function, f"greater than low, {low:g}", f"{high:g}"))
    return np.geomspace(low, high, check_positive_int(steps, name="steps", function=function, minimum=2))


def _without_schedule(optimizer: keras.optimizers.Optimizer, rate: float) -> keras.optimizers.Optimizer:
    return type(optimizer).from_config(optimizer.get_config() | {"learning_rate": float(rate)})


def _batches(
    images: np.ndarray, targets: np.ndarray, batch_size: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield whole batches without end, in the order in which ``train`` would see them with this seed."""
    epoch = 0
    while True:
        order = np.random.default_rng([seed, epoch]).permutation(len(images))
        for start in range(0, max(len(order) - batch_size, 0) + 1, batch_size):
            batch = order[start : start + batch_size]  # a short one would be compiled for anew, and be noisier
            yield images[batch], targets[batch]
        epoch += 1


def _losses(model: keras.Model, rates: np.ndarray, batches: Iterator[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Train one step a rate, and return the losses up to the end or to the step at which training diverged."""
    losses: list[float] = []
    mean, best = 0.0, np.inf
    for rate, (images, targets) in zip(rates, batches, strict=False):
        model.optimizer.learning_rate = float(rate)
        loss = float(model.train_on_batch(images, targets))
        if not np.isfinite(loss):
            break
        losses.append(loss)
        mean = _MEMORY * mean + (1 - _MEMORY) * loss
        corrected = mean / (1 - _MEMORY ** len(losses))  # the mean began at 0
        best = min(best, corrected)
        if corrected > _DIVERGED * best:
            break
    return np.array(losses)


def _smoothed(losses: np.ndarray) -> np.ndarray:
    """Return weighted means over both sides, which unlike a running mean do not lag behind the rate."""
    weights = np.bartlett(2 * _REACH + 1)  # 0 at both ends
    half = np.convolve(np.ones(len(losses)), weights, mode="full")[_REACH:-_REACH]
    return np.convolve(losses, weights, mode="full")[_REACH:-_REACH] / half
