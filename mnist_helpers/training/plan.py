"""A training run before it starts: its settings, checked, and the key they are filed under."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mnist_helpers.common.backend import keras
from mnist_helpers.common.checks import CLASSES, check_choice, check_labels, check_positive_int, problem
from mnist_helpers.data.mnist import check_digits
from mnist_helpers.training.schedules import check_length, total_steps
from mnist_helpers.training.signature import (
    describe_callback,
    describe_loss,
    describe_model,
    describe_optimizer,
    digest_of_weights,
)
from mnist_helpers.training.store import key_of

KEEP = ("weights", "int8", "predictions")


@dataclass(frozen=True)
class Plan:
    """Everything that decides the outcome of one run, checked."""

    model: keras.Model
    digits: Any
    epochs: int
    batch_size: int
    optimizer: keras.optimizers.Optimizer
    loss: Any
    seed: int
    callbacks: tuple[keras.callbacks.Callback, ...]
    warm_start: bool
    keep: str
    key: str = ""

    def description(self) -> dict[str, Any]:
        """Return the settings as plain data; everything that can change the result is in it."""
        return {
            "model": describe_model(self.model),
            "start": digest_of_weights(self.model) if self.warm_start else "fresh",
            "loss": describe_loss(self.loss),
            "optimizer": describe_optimizer(self.optimizer),
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "callbacks": [describe_callback(callback) for callback in self.callbacks],
            "keep": self.keep,
            "data": [self.digits.train.digest, self.digits.validation.digest],
        }


def make_plan(
    model: Any,
    digits: Any,
    epochs: Any,
    batch_size: Any,
    optimizer: Any,
    loss: Any,
    seed: Any,
    callbacks: tuple[Any, ...],
    warm_start: bool,
    keep: Any,
) -> Plan:
    """Check the arguments of ``train`` and return them as a plan. Raises ``TypeError`` or ``ValueError``."""
    check_model(model, digits, function="train")
    if not all(isinstance(callback, keras.callbacks.Callback) for callback in callbacks):
        raise TypeError(problem("callbacks", "train", "a sequence of Keras callbacks", repr(callbacks)))
    plan = Plan(
        model,
        digits,
        check_positive_int(epochs, name="epochs", function="train"),
        check_positive_int(batch_size, name="batch_size", function="train"),
        fresh_optimizer(optimizer, function="train"),
        known_loss(loss, function="train"),
        check_positive_int(seed, name="seed", function="train", minimum=0),
        callbacks,
        warm_start,
        check_choice(keep, KEEP, name="keep", function="train"),
    )
    _check_plateau(plan)
    check_length(plan.optimizer, total_steps(digits, epochs=plan.epochs, batch_size=plan.batch_size))
    return replace(plan, key=key_of(plan.description()))


def _check_plateau(plan: Plan) -> None:
    """Refuse a callback that would fail in the middle of training, when it first lowers the rate of a schedule."""
    plateau = any(isinstance(callback, keras.callbacks.ReduceLROnPlateau) for callback in plan.callbacks)
    rate = getattr(plan.optimizer, "_learning_rate", None)
    if plateau and isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        wanted = "without ReduceLROnPlateau where the optimizer's learning rate is a schedule"
        raise ValueError(problem("callbacks", "train", wanted, f"one, and the schedule {type(rate).__name__}"))


def check_model(model: Any, digits: Any, *, function: str) -> None:
    """Raise ``TypeError`` or ``ValueError`` for what are no digits, or no built Keras model for their images.

    A model takes the images (n, height, width, 1) and returns scores of shape (n, 10).
    """
    check_digits(digits, function=function)
    if not isinstance(model, keras.Model):
        raise TypeError(problem("model", function, "a Keras model", type(model).__name__))
    if not model.built or not hasattr(model, "output_shape"):  # a subclass that was called is built, and has no shapes
        got = f"{model.name!r}, {'without one' if model.built else 'not built'}"
        raise ValueError(problem("model", function, "built, with an explicit Input", got))
    shape = digits.train.images.shape[1:]
    if model.input_shape != (None, *shape):
        raise ValueError(problem("model", function, f"a network for images of shape {shape}", f"{model.input_shape}"))
    if model.output_shape != (None, CLASSES):
        wanted = f"a network with one output of shape {(None, CLASSES)}, a number for each digit"
        raise ValueError(problem("model", function, wanted, f"{model.output_shape}"))
    for name in ("validation", "test"):
        other = getattr(digits, name).images.shape[1:]
        if other != shape:
            wanted = f"of shape (n, {', '.join(map(str, shape))}), like those of training"
            raise ValueError(problem(f"digits.{name}.images", function, wanted, f"shape (n, {str(other)[1:]}"))


def fresh_optimizer(optimizer: Any, *, function: str) -> keras.optimizers.Optimizer:
    """Return a fresh optimizer with the same settings, or raise ``ValueError``."""
    try:
        return keras.optimizers.deserialize(keras.optimizers.serialize(keras.optimizers.get(optimizer)))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        wanted = "the name of a Keras optimizer or an optimizer"
        raise ValueError(problem("optimizer", function, wanted, repr(optimizer))) from error


def known_loss(loss: Any, *, function: str) -> Any:
    """Return the loss of this name, or the loss itself, or raise ``ValueError``."""
    wanted = "the name of a Keras loss or a loss"
    try:
        known = keras.losses.get(loss)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(problem("loss", function, wanted, repr(loss))) from error
    if known is None:  # for Keras, None is the loss of a model that is not trained
        raise ValueError(problem("loss", function, wanted, "None"))
    return known


def targets_for(loss: Any, labels: np.ndarray) -> np.ndarray:
    """Return labels, int64 digits of shape (n,), in the form that a loss compares with the outputs.

    Digits for a sparse loss; float32 of shape (n, 10) otherwise: -1 and 1 for a hinge loss, else one-hot.

    Raises ``ValueError`` for what is no loss, ``TypeError`` or ``ValueError`` for labels that are no digits.
    """
    loss = known_loss(loss, function="targets_for")
    labels = check_labels(labels, function="targets_for")
    name = getattr(loss, "name", getattr(loss, "__name__", str(loss)))
    if "sparse" in name:
        return labels
    one_hot = np.eye(CLASSES, dtype=np.float32)[labels]
    return 2 * one_hot - 1 if "hinge" in name and "categorical" not in name else one_hot
