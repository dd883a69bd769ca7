"""A training history as files for other tools: a CSV table and TensorBoard events."""

from pathlib import Path

import pandas as pd

from mnist_helpers.files import atomic_write


def write_csv(history: pd.DataFrame, path: Path) -> None:
    """Write a history as CSV, one row an epoch; an older file is replaced, never appended to."""
    atomic_write(path, history.to_csv(float_format="%.6g").encode())


def write_tensorboard(history: pd.DataFrame, folder: Path) -> None:
    """Write a history as TensorBoard scalars, in the folders "train" and "validation" as Keras does.

    An event file of an earlier call is replaced: a run shown twice is still one curve.
    """
    from tensorboard.summary import Writer

    parts = {"train": [c for c in history if not c.startswith("val_")], "validation": ["val_loss", "val_accuracy"]}
    for part, columns in parts.items():
        directory = folder / part
        for old in directory.glob("events.out.tfevents.*"):
            old.unlink()
        writer = Writer(str(directory))
        for epoch, row in history.iterrows():
            for column in columns:
                writer.add_scalar(f"epoch_{column.removeprefix('val_')}", row[column], step=int(epoch))
        writer.close()
