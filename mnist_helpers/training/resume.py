"""The state of an unfinished training run, kept after every epoch."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mnist_helpers.common.backend import keras
from mnist_helpers.training import store as checkpoints

HISTORY = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


def history_frame(rows: Sequence[Mapping[str, float]]) -> pd.DataFrame:
    """Return the rows of a history as a table with the index "epoch"."""
    return pd.DataFrame(list(rows)).set_index("epoch")[list(HISTORY)]


@dataclass(frozen=True)
class State:
    """How far a run has come: finished epochs, their rows, seconds of training, whether a callback has stopped it."""

    epoch: int = 0
    rows: tuple[dict[str, float], ...] = ()
    seconds: float = 0.0
    stopped: bool = False

    def after_epoch(self, logs: Mapping[str, float], seconds: float, stopped: bool) -> "State":
        """Return the state one epoch later."""
        row = {"epoch": self.epoch + 1} | {key: float(value) for key, value in logs.items()}
        return replace(
            self, epoch=self.epoch + 1, rows=(*self.rows, row), seconds=self.seconds + seconds, stopped=stopped
        )


class SteadyCallbacks(keras.callbacks.CallbackList):
    """Callbacks that live through many calls of ``fit`` as if they were one.

    Each epoch is a ``fit`` of its own; without this, early stopping would start to count anew in every epoch.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback], bar: keras.callbacks.Callback, model: Any):
        self.users = [deepcopy(callback) for callback in callbacks]
        self._logs = _LastLogs()
        super().__init__([*self.users, self._logs, bar], add_history=True, model=model)
        super().on_train_begin()

    @property
    def last_logs(self) -> dict[str, float]:
        """Loss and metrics of the last epoch, and the learning rate it ended with."""
        return self._logs.last

    def on_train_begin(self, logs: Any = None) -> None:
        """Do nothing: training began once, when this object was made."""

    def on_train_end(self, logs: Any = None) -> None:
        """Do nothing: training ends in ``finish``."""

    def finish(self) -> None:
        """End the training: early stopping puts its best weights back here."""
        super().on_train_end()


class _LastLogs(keras.callbacks.Callback):
    last: dict[str, float]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.last = dict(logs or {})
        self.last["learning_rate"] = self.rate  # the one that this epoch began with


def save(state: State, model: keras.Model, callbacks: SteadyCallbacks, name: str, key: str) -> None:
    """Keep everything that the next epoch depends on: weights, optimizer, dropout's seeds, callbacks."""
    arrays = {f"m{i}": _array(variable) for i, variable in enumerate(model.variables)}
    arrays |= {f"o{i}": _array(variable) for i, variable in enumerate(model.optimizer.variables)}
    plain = []
    for i, callback in enumerate(callbacks.users):
        values, weights = _callback_state(callback)
        plain.append(values)
        arrays |= {f"c{i}_{j}": weight for j, weight in enumerate(weights)}
    record = {"epoch": state.epoch, "rows": state.rows, "seconds": state.seconds, "stopped": state.stopped}
    checkpoints.write(f"{name} unfinished", key, arrays, record | {"callbacks": plain}, compress=False)


def load(model: keras.Model, callbacks: SteadyCallbacks, name: str, key: str) -> State:
    """Put an unfinished run's state into a freshly compiled model and its callbacks, and return how far it came.

    A state that does not fit (of another architecture, or of another maker) is passed over with a warning, and nothing
    is changed.
    """
    found = checkpoints.find(f"{name} unfinished", key)
    if found is None:
        return State()
    model.optimizer.build(model.trainable_variables)
    variables = {f"m{i}": variable for i, variable in enumerate(model.variables)}
    variables |= {f"o{i}": variable for i, variable in enumerate(model.optimizer.variables)}
    try:
        state = _state(found.record)
        _check_arrays(found.arrays, variables, model, callbacks.users)
        kept = list(zip(callbacks.users, _plain(found.record["callbacks"]), strict=True))
    except (KeyError, ValueError, TypeError) as error:
        checkpoints.refuse(found.path, error)
        return State()
    for array_name, variable in variables.items():
        variable.assign(found.arrays[array_name])
    for i, (callback, values) in enumerate(kept):
        _restore(callback, values, found.arrays, f"c{i}_")
    return state


def _state(record: Mapping[str, Any]) -> State:
    """Return the state that a record tells of; raises what reading it raises, or ``ValueError`` for no true state."""
    state = State(record["epoch"], tuple(record["rows"]), record["seconds"], record["stopped"])
    numbers = [state.seconds, *(row[column] for row in state.rows for column in HISTORY)]
    if type(state.stopped) is not bool or not all(type(number) in (int, float) for number in numbers):
        raise ValueError("its record holds text where numbers belong")
    if state.epoch < 1 or [row["epoch"] for row in state.rows] != list(range(1, state.epoch + 1)):
        raise ValueError("its history does not hold every epoch once")
    return state


def _check_arrays(
    arrays: Mapping[str, np.ndarray], variables: Mapping[str, Any], model: keras.Model, callbacks: Sequence[Any]
) -> None:
    """Raise ``KeyError`` or ``ValueError`` unless there is an array for every variable, and no stranger."""
    wanted = {name: _form(_array(variable)) for name, variable in variables.items()}
    weights = [_form(weight) for weight in model.get_weights()]
    for i, callback in enumerate(callbacks):
        best = [f"c{i}_{j}" for j in range(sum(name.startswith(f"c{i}_") for name in arrays))]
        stops = isinstance(callback, keras.callbacks.EarlyStopping) and best  # these it puts back into the model
        wanted |= dict(zip(best, weights if stops else [_form(arrays[name]) for name in best], strict=True))
    misfits = [name for name, form in wanted.items() if _form(arrays[name]) != form]
    if misfits or len(arrays) != len(wanted):
        raise ValueError(f"its arrays {misfits or sorted(arrays.keys() - wanted.keys())} have other shapes or types")


def _form(array: np.ndarray) -> tuple[Any, Any]:
    return array.shape, array.dtype


def _plain(values: Any) -> list[dict[str, Any]]:
    if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
        raise TypeError("its record holds no attributes of callbacks")
    return values


def _restore(callback: Any, values: dict[str, Any], arrays: Mapping[str, np.ndarray], prefix: str) -> None:
    known = vars(callback)
    for key, value in values.items():
        if _is_counter(value) and (known.get(key, "") is None or _is_counter(known.get(key))):
            known[key] = value  # a file of someone else must not change anything but counters
    names = sorted((name for name in arrays if name.startswith(prefix)), key=lambda name: int(name.split("_")[1]))
    if names:
        callback.best_weights = [arrays[name] for name in names]


def forget(name: str, key: str) -> None:
    """Remove the state of a run that is finished, where that can be done; it is never used again."""
    path = checkpoints.user_directory() / checkpoints.file_name(f"{name} unfinished", key)
    with suppress(OSError):  # a read-only folder, or none
        path.unlink(missing_ok=True)


def _array(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable))


def _callback_state(callback: keras.callbacks.Callback) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Return a callback's plain attributes (counters, best value) and the best weights it holds."""
    plain = {}
    for key, value in vars(callback).items():
        if _is_counter(value) and np.isfinite(value):
            plain[key] = value.item() if isinstance(value, np.number) else value
    return plain, list(getattr(callback, "best_weights", None) or [])


def _is_counter(value: Any) -> bool:
    return isinstance(value, bool | int | float | np.number)
