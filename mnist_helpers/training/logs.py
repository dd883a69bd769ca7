"""A training history as files for other tools: a CSV table and TensorBoard events."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from mnist_helpers.common.checks import problem
from mnist_helpers.common.files import atomic_write


class LogWarning(UserWarning):
    """A training history could not be written to a file; the run itself is not touched by that."""


def check_logs(csv_log: Any, tensorboard: Any, *, function: str) -> None:
    """Refuse logs that cannot be written before an epoch is trained. Raises ``TypeError`` or ``ValueError``."""
    for value, name, kind in ((csv_log, "csv_log", "file"), (tensorboard, "tensorboard", "folder")):
        if value is not None and not isinstance(value, str | Path):
            raise TypeError(problem(name, function, f"the path of a {kind}", f"{value!r} ({type(value).__name__})"))
        try:
            if value is not None:
                _try(Path(value), folder=kind == "folder")
        except (OSError, ValueError) as error:
            wanted = f"the path of a {kind} that can be written"
            raise ValueError(problem(name, function, wanted, f"{str(value)!r} ({error})")) from error


def _try(path: Path, *, folder: bool) -> None:
    if path.is_dir() and not folder:
        raise IsADirectoryError("it is a folder")
    directory = path if folder else path.parent
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory):
        pass


def write_csv(history: pd.DataFrame, path: Path) -> None:
    """Write a history as CSV, one row an epoch; an older file is replaced, never appended to.

    What cannot be written (on a full disk) costs a ``LogWarning``: the run in memory is not lost.
    """
    try:
        atomic_write(path, history.to_csv(float_format="%.6g").encode())
    except OSError as error:
        _warn(path, error)


def write_tensorboard(history: pd.DataFrame, folder: Path) -> None:
    """Write a history as TensorBoard scalars, in the folders "train" and "validation" as Keras does.

    An event file of an earlier call is replaced: a run shown twice is still one curve. What cannot be written costs a
    ``LogWarning``.
    """
    parts = {"train": [c for c in history if not c.startswith("val_")], "validation": ["val_loss", "val_accuracy"]}
    try:
        for part, columns in parts.items():
            _write_events(history[columns], folder / part)
    except Exception as error:  # TensorFlow's errors of files are no OSError
        _warn(folder, error)


def _write_events(history: pd.DataFrame, directory: Path) -> None:
    from tensorboard.summary import Writer

    old = list(directory.glob("events.out.tfevents.*"))
    writer = Writer(str(directory))
    for epoch, row in history.iterrows():
        for column, value in row.items():
            writer.add_scalar(f"epoch_{column.removeprefix('val_')}", value, step=int(epoch))
    writer.close()
    for file in old:
        file.unlink()


def _warn(path: Path, error: Exception) -> None:
    warnings.warn(f"The history could not be written to {path}: {error}", LogWarning, stacklevel=4)
