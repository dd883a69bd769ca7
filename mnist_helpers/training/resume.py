"""The state of an unfinished training run, kept after every epoch.

Keras's own ``BackupAndRestore`` brings back weights and optimizer, but not what callbacks have counted: a run with
early stopping or a plateau schedule that was killed would go on differently than if it had not been.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from mnist_helpers.common.backend import keras
from mnist_helpers.common.types import Plain
from mnist_helpers.training import store

HISTORY = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


class DivergedError(ArithmeticError):
    """The loss, on the training or the validation images, became infinite or not a number."""


def history_frame(rows: Sequence[Mapping[str, float]]) -> pd.DataFrame:
    """Return the rows of a history as a table with the index "epoch"."""
    return pd.DataFrame(list(rows)).set_index("epoch")[list(HISTORY)]


@dataclass
class Progress:
    """How far a run has come: the rows of its finished epochs, seconds of training, whether a callback stopped it."""

    rows: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    stopped: bool = False

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.rows)


class KeepState(keras.callbacks.Callback):
    """Record each epoch, stop a run that diverges, and keep everything that the next epoch depends on.

    Must be the last of the callbacks: it keeps what the others have counted in an epoch, and puts it back after they
    were reset when training began.
    """

    def __init__(
        self, name: str, key: str | None, callbacks: Sequence[keras.callbacks.Callback], clock: Callable[[], float]
    ):
        super().__init__()
        self.name, self.key, self.callbacks, self.clock = name, key, list(callbacks), clock
        self.progress = Progress()
        self._restored: list[tuple[Plain, list[np.ndarray]]] = []

    def load(self, model: keras.Model) -> Progress:
        """Put the state of an unfinished run, if there is one that fits, into a freshly compiled model."""
        found = _read(self.name, self.key) if self.key else None
        if found is None:
            return self.progress
        try:
            variables = _variables(model)
            arrays = [found.arrays[name] for name in variables]
            if [array.shape for array in arrays] != [tuple(variable.shape) for variable in variables.values()]:
                raise ValueError("its arrays have other shapes")
            kept = zip(self.callbacks, found.record["callbacks"], strict=True)
            restored = [(dict(values), _best(found.arrays, i)) for i, (_, values) in enumerate(kept)]
            progress = Progress(list(found.record["rows"]), found.record["seconds"], found.record["stopped"])
            history_frame(progress.rows)
        except (KeyError, ValueError, TypeError) as error:
            store.refuse(found.path, error)
            return self.progress
        for array, variable in zip(arrays, variables.values(), strict=True):
            variable.assign(array)
        self.progress, self._restored = progress, restored
        return progress

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        for callback, (values, best) in zip(self.callbacks, self._restored, strict=False):
            vars(callback).update(values)
            if best:
                callback.best_weights = best

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self._began = self.clock()
        self._rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        row = {name: float((logs or {}).get(name, np.nan)) for name in HISTORY[:-1]}
        for name, value in row.items():
            if not np.isfinite(value):
                raise DivergedError(
                    f"The {name} of {self.name} became {value} in epoch {epoch + 1}. "
                    "A smaller learning rate, or inputs scaled to [0, 1], usually helps."
                )
        self.progress.rows.append({"epoch": epoch + 1, **row, "learning_rate": self._rate})
        self.progress.seconds += self.clock() - self._began
        self.progress.stopped = bool(self.model.stop_training)
        if self.key:
            self._save()

    def _save(self) -> None:
        arrays = {name: _array(variable) for name, variable in _variables(self.model).items()}
        for i, callback in enumerate(self.callbacks):
            arrays |= {f"c{i}_{j}": weight for j, weight in enumerate(getattr(callback, "best_weights", None) or [])}
        state = self.progress
        record = {"rows": state.rows, "seconds": state.seconds, "stopped": state.stopped}
        record["callbacks"] = [_counters(callback) for callback in self.callbacks]
        store.write(f"{self.name} unfinished", self.key or "", arrays, record, compress=False)


def forget(name: str, key: str) -> None:
    """Remove the state of a run that is finished, where that can be done; it is never used again."""
    with suppress(OSError):  # a read-only folder, or none
        _path(name, key).unlink(missing_ok=True)


def _path(name: str, key: str) -> Path:
    return store.user_directory() / store.file_name(f"{name} unfinished", key)


def _read(name: str, key: str) -> store.Checkpoint | None:
    path = _path(name, key)
    try:
        return store.read(path, key) if path.is_file() else None
    except (OSError, ValueError) as error:
        store.refuse(path, error)
        return None


def _variables(model: keras.Model) -> Plain:
    """Return all that training changes: weights and dropout's seeds ("m0", ...), and the optimizer's ("o0", ...)."""
    model.optimizer.build(model.trainable_variables)
    variables = {f"m{i}": variable for i, variable in enumerate(model.variables)}
    return variables | {f"o{i}": variable for i, variable in enumerate(model.optimizer.variables)}


def _array(variable: keras.Variable) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable))


def _best(arrays: Mapping[str, np.ndarray], i: int) -> list[np.ndarray]:
    count = sum(name.startswith(f"c{i}_") for name in arrays)
    return [arrays[f"c{i}_{j}"] for j in range(count)]


def _counters(callback: keras.callbacks.Callback) -> Plain:
    """Return a callback's plain numbers: what it has counted, and its best value."""
    numbers = {key: value for key, value in vars(callback).items() if isinstance(value, bool | int | float | np.number)}
    plain = {key: value.item() if isinstance(value, np.number) else value for key, value in numbers.items()}
    return {key: value for key, value in plain.items() if np.isfinite(value)}
