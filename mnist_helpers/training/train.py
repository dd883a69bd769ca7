"""Train a network reproducibly, resumably, and only once."""

import contextlib
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mnist_helpers.common.backend import keras
from mnist_helpers.common.text import counted, duration
from mnist_helpers.data.budget import Budget
from mnist_helpers.training import resume
from mnist_helpers.training import store as checkpoints
from mnist_helpers.training.cost import known_training_flops
from mnist_helpers.training.logs import check_logs, write_csv, write_tensorboard
from mnist_helpers.training.plan import Plan, make_plan, targets_for
from mnist_helpers.training.precision import trainable_copy, training_device, training_format
from mnist_helpers.training.progress import TrainingProgress
from mnist_helpers.training.weights import packed, unpacked


class DivergedError(ArithmeticError):
    """The loss, on the training or the validation images, became infinite or not a number."""


@dataclass(frozen=True, repr=False)
class Run:
    """A trained network and how it came to be.

    history : one row an epoch that was really trained (index "epoch" from 1); columns loss, accuracy, val_loss,
        val_accuracy, learning_rate.
    seconds : wall time of training, over all its sessions. train_accuracy, validation_accuracy : 0 to 1, of the final
        weights. full : whether it is a complete run of the full profile on the real MNIST.
    training_flops : floating-point operations of the epochs that were trained; None where they cannot be counted.
    predictions : with ``keep="predictions"``, int64 digits of shape (n,) for "validation" and "test"; else empty.
    model : the trained network; None where a checkpoint kept the predictions only.
    """

    name: str
    parameters: int
    model: keras.Model | None
    history: pd.DataFrame
    seconds: float
    from_checkpoint: bool
    train_accuracy: float
    validation_accuracy: float
    seed: int
    device: str
    full: bool
    predictions: dict[str, np.ndarray] = field(default_factory=dict)
    checkpoint: str | None = None
    training_flops: int | None = None

    @property
    def epochs(self) -> int:
        """Number of epochs that were trained."""
        return len(self.history)

    def __repr__(self) -> str:
        return (
            f"{self.name}: {self.parameters:,} parameters, {_told(self)}, "
            f"validation accuracy {self.validation_accuracy:.2%}"
        )


def train(
    model: keras.Model,
    digits: Any,
    *,
    epochs: int,
    batch_size: int = 128,
    optimizer: str | keras.optimizers.Optimizer = "adam",
    loss: Any = "sparse_categorical_crossentropy",
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    warm_start: bool = False,
    keep: str = "weights",
    retrain: bool = False,
    csv_log: str | Path | None = None,
    tensorboard: str | Path | None = None,
) -> Run:
    """Train a copy of ``model`` on ``digits.train``, or load it when exactly this was trained before.

    Parameters
    ----------
    model : uncompiled Keras model for images of the digits' shape; it is never changed. The copy starts from fresh
        weights drawn from ``seed``, unless ``warm_start``: then from the weights that ``model`` has.
    epochs, batch_size : at least 1.
    optimizer : a name or a Keras optimizer; its settings are copied, so one object may serve many runs. A schedule
        with an end must be as long as the run, ``total_steps(digits, ...)``.
    loss : a name or a Keras loss. Labels are given as it needs them: digits for a sparse loss, -1 and 1 for a hinge
        loss, one-hot rows otherwise.
    seed : decides initial weights, order of the images and dropout. Same seed, same machine: same weights.
    callbacks : Keras callbacks, such as ``EarlyStopping(restore_best_weights=True)``; copied, fresh in every run.
    keep : what a checkpoint holds: "weights" (16 bits each), "int8" (8 bits for each weight of a kernel, for large
        networks), or "predictions" for one of many runs of a study, of which only the predicted digits of the
        validation and test images are needed later (10 kB instead of megabytes).
    retrain : train although a checkpoint exists.
    csv_log : file that gets the history after every epoch. tensorboard : folder that gets it as TensorBoard events.
        Where neither can be written any more (a full disk), a ``LogWarning`` says so.

    A run that was killed goes on from its last finished epoch. The weights are rounded as ``keep`` says when training
    ends, so that a run and its checkpoint are the same network. The environment variable MNIST_PRECISION=bfloat16
    trains faster on processors with matrix units for that format.

    Raises
    ------
    DivergedError : loss or val_loss is no longer finite. TypeError, ValueError : a bad argument, naming it.
    """
    plan = make_plan(model, digits, epochs, batch_size, optimizer, loss, seed, tuple(callbacks), warm_start, keep)
    check_logs(csv_log, tensorboard, function="train")
    name = model.name
    applies = checkpoints.checkpoints_apply(digits.source)
    run = _stored(plan, name) if applies and not retrain else None
    if run is not None:
        print(f"{name}: loaded ({_told(run)}); retrain=True trains it anew")
    else:
        run = _trained(plan, name, applies, csv_log, tensorboard)
        print(f"{name}: trained ({_told(run)})")
    if csv_log is not None:
        write_csv(run.history, Path(csv_log))
    if tensorboard is not None:
        write_tensorboard(run.history, Path(tensorboard))
    return run


def _told(run: Run) -> str:
    return f"{counted(run.epochs, 'epoch')} in {duration(run.seconds)}"


def _stored(plan: Plan, name: str) -> Run | None:
    found = checkpoints.find(name, plan.key)
    if found is None:
        return None
    try:
        return _from_checkpoint(plan, name, found)
    except (KeyError, ValueError, TypeError) as error:  # whole, but of another architecture or another maker
        checkpoints.refuse(found.path, error)
        return None


def _from_checkpoint(plan: Plan, name: str, found: checkpoints.Checkpoint) -> Run:
    model, predictions = None, {}
    if plan.keep != "predictions":
        model = keras.models.clone_model(plan.model)
        model.set_weights(unpacked(found.arrays, len(model.weights)))
    else:
        predictions = {split: found.arrays[split].astype(np.int64) for split in ("validation", "test")}
    record = found.record
    return Run(
        name,
        plan.model.count_params(),
        model,
        resume.history_frame(record["history"]),
        float(record["seconds"]),
        from_checkpoint=True,
        train_accuracy=float(record["train_accuracy"]),
        validation_accuracy=float(record["validation_accuracy"]),
        seed=plan.seed,
        device=record["device"],
        full=True,
        predictions=predictions,
        checkpoint=found.path.name,
        training_flops=known_training_flops(plan.model, images=len(plan.digits.train), epochs=len(record["history"])),
    )


def _trained(plan: Plan, name: str, applies: bool, csv_log: Any, tensorboard: Any) -> Run:
    budget = Budget.of(plan.digits)
    train_split = budget.take(plan.digits.train)
    settings = plan.description()  # before training: a callback may change the optimizer's learning rate
    with seeded(plan.seed):
        model = trainable_copy(plan.model)
        if plan.warm_start:
            model.set_weights(plan.model.get_weights())
        model.compile(optimizer=plan.optimizer, loss=plan.loss, metrics=["accuracy"])
    bar = TrainingProgress(name, plan.epochs, -(-len(train_split) // plan.batch_size))
    try:
        rows, seconds = _epochs(plan, model, train_split, bar, applies, csv_log)
    finally:
        bar.close()
    weights = packed(model.get_weights(), int8=plan.keep == "int8")
    if training_format() != "float32":
        model = keras.models.clone_model(plan.model)  # the trained network computes in float32
    model.set_weights(unpacked(weights, len(model.weights)))
    predictions = {"validation": _predict(model, plan.digits.validation)}
    if plan.keep == "predictions":
        predictions["test"] = _predict(model, plan.digits.test)
    run = Run(
        name,
        model.count_params(),
        model,
        resume.history_frame(rows),
        seconds,
        from_checkpoint=False,
        train_accuracy=_share_right(_predict(model, train_split), train_split),
        validation_accuracy=_share_right(predictions["validation"], plan.digits.validation),
        seed=plan.seed,
        device=training_device(),
        full=budget.full,
        predictions=predictions if plan.keep == "predictions" else {},
        training_flops=known_training_flops(plan.model, images=len(train_split), epochs=len(rows)),
    )
    return _kept(run, plan, weights, settings) if applies else run


def _epochs(
    plan: Plan, model: keras.Model, train_split: Any, bar: TrainingProgress, applies: bool, csv_log: Any
) -> tuple[Sequence[dict[str, float]], float]:
    """Train epoch by epoch, so that each one can be the last of this process."""
    targets = targets_for(plan.loss, train_split.labels)
    callbacks = resume.SteadyCallbacks(plan.callbacks, bar, model)
    state = resume.load(model, callbacks, model.name, plan.key) if applies else resume.State()
    while state.epoch < plan.epochs and not state.stopped:
        start = time.perf_counter()
        row = _fit_epoch(plan, model, train_split.images, targets, callbacks, state.epoch)
        state = state.after_epoch(row, time.perf_counter() - start, bool(model.stop_training))
        if csv_log is not None:
            write_csv(resume.history_frame(state.rows), Path(csv_log))
        if applies and state.epoch < plan.epochs:
            resume.save(state, model, callbacks, model.name, plan.key)
    callbacks.finish()
    return state.rows, state.seconds


def _fit_epoch(
    plan: Plan,
    model: keras.Model,
    images: np.ndarray,
    targets: np.ndarray,
    callbacks: resume.SteadyCallbacks,
    epoch: int,
) -> dict[str, float]:
    order = np.random.default_rng([plan.seed, epoch]).permutation(len(images))
    watched = Budget.of(plan.digits).take(plan.digits.validation)
    model.fit(
        images[order],
        targets[order],
        batch_size=plan.batch_size,
        shuffle=False,  # shuffled above, from the seed and the epoch alone: a resumed run sees the same order
        initial_epoch=epoch,
        epochs=epoch + 1,
        validation_data=(watched.images, targets_for(plan.loss, watched.labels)),
        validation_batch_size=512,
        callbacks=callbacks,
        verbose=0,
    )
    row = {column: callbacks.last_logs[column] for column in resume.HISTORY}
    for column, value in row.items():
        if not np.isfinite(value):
            raise DivergedError(
                f"The {column} of {model.name} became {value} in epoch {epoch + 1}. "
                "A smaller learning rate, or inputs scaled to [0, 1], usually helps."
            )
    return row


def _kept(run: Run, plan: Plan, weights: dict[str, np.ndarray], settings: dict[str, Any]) -> Run:
    arrays = {split: values.astype(np.uint8) for split, values in run.predictions.items()} or weights
    record = {
        "name": run.name,
        "description": settings,
        "history": run.history.reset_index().to_dict("records"),
        "seconds": run.seconds,
        "train_accuracy": run.train_accuracy,
        "validation_accuracy": run.validation_accuracy,
        "device": run.device,
    }
    path = checkpoints.write(run.name, plan.key, arrays, record)
    if path is None:
        return run  # and the state stays: the next time, only what came after it is trained again
    resume.forget(run.name, plan.key)
    return replace(run, checkpoint=path.name)


def _predict(model: keras.Model, split: Any) -> np.ndarray:
    return np.asarray(model.predict(split.images, batch_size=512, verbose=0).argmax(axis=1), np.int64)


def _share_right(predictions: np.ndarray, split: Any) -> float:
    return float(np.mean(predictions == split.labels))


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw initial weights and dropout from ``seed``, and leave Python's and NumPy's own generators as they were."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
