"""A training run before it starts: the learner's compiled network, the settings of ``train``, and their key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mnist_helpers.common.backend import keras
from mnist_helpers.common.checks import CLASSES, check_choice, check_positive_int, problem
from mnist_helpers.common.profile import shrunk
from mnist_helpers.common.types import Plain
from mnist_helpers.data import Digits
from mnist_helpers.data.mnist import check_digits
from mnist_helpers.training.keys import (
    decay_exceptions,
    describe_callback,
    describe_loss,
    describe_model,
    describe_optimizer,
    digest_of_weights,
    key_of,
)
from mnist_helpers.training.schedules import check_length, total_steps

KEEP = ("weights", "int8", "predictions")
_COMPILE = 'model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])'


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of one run, checked."""

    model: keras.Model
    digits: Digits
    epochs: int
    batch_size: int
    seed: int
    callbacks: tuple[keras.callbacks.Callback, ...]
    warm_start: bool
    keep: str
    optimizer: Plain  # its configuration, as the learner compiled it and before a callback changes its rate
    spared: list[str]  # words in the names of variables that the optimizer spares weight decay
    loss: keras.losses.Loss | Callable
    options: Plain  # metrics and whatever else the model was compiled with
    description: Plain
    key: str

    @classmethod
    def of(
        cls,
        model: keras.Model,
        digits: Digits,
        *,
        epochs: int,
        batch_size: int,
        seed: int,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        warm_start: bool = False,
        keep: str = "weights",
    ) -> "Recipe":
        """Check the arguments of ``train``, and return them with what the model was compiled with.

        Raises
        ------
        TypeError, ValueError
            A bad argument, naming it; among others a model that is not compiled.
        """
        _check_model(model, digits)
        callbacks = tuple(callbacks)
        if not all(isinstance(callback, keras.callbacks.Callback) for callback in callbacks):
            raise TypeError(problem("callbacks", "train", "a sequence of Keras callbacks", repr(callbacks)))
        epochs = shrunk(check_positive_int(epochs, name="epochs", function="train"), "epochs", digits.source)
        batch_size = check_positive_int(batch_size, name="batch_size", function="train")
        seed = check_positive_int(seed, name="seed", function="train", minimum=0)
        check_choice(keep, KEEP, name="keep", function="train")
        loss, options = _compiled_with(model)
        _check_rate(model.optimizer, callbacks)
        check_length(model.optimizer, total_steps(digits, epochs=epochs, batch_size=batch_size))
        description = {
            "model": describe_model(model),
            "start": digest_of_weights(model) if warm_start else "fresh",
            "loss": describe_loss(loss),
            "optimizer": describe_optimizer(model.optimizer),
            "epochs": epochs,
            "batch_size": batch_size,
            "seed": seed,
            "callbacks": [describe_callback(callback) for callback in callbacks],
            "keep": keep,
            "data": [digits.train.digest, digits.validation.digest],
        }
        given = (model, digits, epochs, batch_size, seed, callbacks, warm_start, keep)
        optimizer = keras.optimizers.serialize(model.optimizer), decay_exceptions(model.optimizer)
        return cls(*given, *optimizer, loss, options, description, key_of(description))

    def compile(self, *, for_training: bool) -> None:
        """Compile the model with a fresh copy of the optimizer, as the learner compiled it.

        For training, its metrics must tell the accuracy; afterwards, they are the learner's own again.
        """
        options = dict(self.options)
        if for_training and "accuracy" not in (options.get("metrics") or []):
            options["metrics"] = ["accuracy"]
        optimizer = keras.optimizers.deserialize(self.optimizer)
        if self.spared:
            optimizer.exclude_from_weight_decay(var_names=self.spared)
        self.model.compile(optimizer=optimizer, loss=self.loss, **options)

    def targets(self, labels: np.ndarray) -> np.ndarray:
        """Return labels in the form that the loss compares with the outputs, see `targets_for`."""
        return targets_for(self.loss, labels)


def targets_for(loss: str | keras.losses.Loss | Callable, labels: np.ndarray) -> np.ndarray:
    """Return labels in the form that a loss compares with the outputs of a network.

    Parameters
    ----------
    loss : str, function or keras.losses.Loss
        Its name tells what it needs.
    labels : ndarray of int64, shape (n,)

    Returns
    -------
    ndarray
        The digits themselves for a sparse loss; else float32 of shape (n, 10), -1 and 1 for a hinge loss, and one-hot
        rows for any other.
    """
    loss = keras.losses.get(loss)
    name = getattr(loss, "name", getattr(loss, "__name__", str(loss)))
    if "sparse" in name:
        return labels
    one_hot = np.eye(CLASSES, dtype=np.float32)[labels]
    return 2 * one_hot - 1 if "hinge" in name and "categorical" not in name else one_hot


def _compiled_with(model: keras.Model) -> tuple[keras.losses.Loss | Callable, Plain]:
    """Return the loss of a compiled model, and what else it was compiled with, without the optimizer."""
    options = dict(model.get_compile_config())
    if options.pop("loss_weights", None) is not None or isinstance(model.loss, dict | list):
        raise ValueError(problem("model", "train", "compiled with one loss, without weights", repr(model.loss)))
    del options["optimizer"], options["loss"]
    return keras.losses.get(model.loss), keras.saving.deserialize_keras_object(options)


def _check_model(model: object, digits: object) -> None:
    """Raise ``TypeError`` or ``ValueError`` for what are no digits, or no compiled Keras network for their images."""
    digits = check_digits(digits, function="train")
    if not isinstance(model, keras.Model):
        raise TypeError(problem("model", "train", "a Keras model", type(model).__name__))
    if not model.built or not hasattr(model, "output_shape"):  # a subclass that was called is built, and has no shapes
        got = f"{model.name!r}, {'without one' if model.built else 'not built'}"
        raise ValueError(problem("model", "train", "built, with an explicit Input", got))
    if not model.compiled or model.loss is None:
        got = f"{model.name!r}, which is not"
        raise ValueError(f"{problem('model', 'train', 'compiled', got)} For example: {_COMPILE}")
    shape = digits.train.images.shape[1:]
    if model.input_shape != (None, *shape):
        raise ValueError(problem("model", "train", f"a network for images of shape {shape}", f"{model.input_shape}"))
    if model.output_shape != (None, CLASSES):
        wanted = f"a network with one output of shape {(None, CLASSES)}, a number for each digit"
        raise ValueError(problem("model", "train", wanted, f"{model.output_shape}"))


def _check_rate(optimizer: keras.optimizers.Optimizer, callbacks: Sequence[keras.callbacks.Callback]) -> None:
    """Refuse a learning rate that cannot train, and a callback that would fail when it first lowers a schedule."""
    rate = getattr(optimizer, "_learning_rate", None)
    scheduled = isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)
    if scheduled and any(isinstance(callback, keras.callbacks.ReduceLROnPlateau) for callback in callbacks):
        wanted = "without ReduceLROnPlateau where the optimizer's learning rate is a schedule"
        raise ValueError(problem("callbacks", "train", wanted, f"one, and the schedule {type(rate).__name__}"))
    if not scheduled:
        value = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
        if not 0 < value < np.inf:
            raise ValueError(problem("model", "train", "compiled with a learning rate above 0 and finite", f"{value}"))
