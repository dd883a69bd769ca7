"""A progress bar for training that is gone when training ends, in a notebook and in a terminal."""

import html
import sys
import time
from collections.abc import Mapping

from tqdm import tqdm

from mnist_helpers.common.backend import keras
from mnist_helpers.common.text import duration

_REFRESH = 0.25  # seconds


class TrainingProgress(keras.callbacks.Callback):
    """Show epoch, batch, accuracies and elapsed time while a model trains; leave nothing behind.

    Parameters
    ----------
    name : str
        Of the network.
    epochs, batches : int
        Of the whole run, and of one epoch.
    """

    def __init__(self, name: str, epochs: int, batches: int):
        super().__init__()
        self._name, self._epochs, self._batches = name, epochs, batches
        self._epoch, self._validated = 0, ""
        self._shown_at, self._start = 0.0, time.perf_counter()
        self._line = notebook_line() or TerminalLine()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, object] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, object] | None = None) -> None:
        if time.perf_counter() - self._shown_at >= _REFRESH:
            accuracy = f", training accuracy {logs['accuracy']:.1%}" if logs and "accuracy" in logs else ""
            self._show((batch + 1) / self._batches, f"batch {batch + 1} of {self._batches}{accuracy}")

    def on_test_begin(self, logs: Mapping[str, object] | None = None) -> None:
        self._show(1.0, "validating")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, object] | None = None) -> None:
        if logs and "val_accuracy" in logs:
            self._validated = f", validation accuracy {logs['val_accuracy']:.1%} after epoch {epoch + 1}"
        self._show(1.0, "done")

    def on_train_end(self, logs: Mapping[str, object] | None = None) -> None:
        self._show(1.0, "measuring the finished network")

    def _show(self, share: float, what: str) -> None:
        self._shown_at = time.perf_counter()
        text = f"{self._name}: epoch {self._epoch + 1} of {self._epochs}, {what}{self._validated}"
        self._line.show((self._epoch + share) / self._epochs, f"{text}, {duration(self._shown_at - self._start)}")

    def close(self) -> None:
        """Take the bar away."""
        self._line.close()


class TerminalLine:
    """A line of a terminal that is overwritten; nothing where standard error is no terminal."""

    def __init__(self) -> None:
        self._bar = tqdm(total=1.0, leave=False, bar_format="{desc}", disable=not sys.stderr.isatty())

    def show(self, done: float, text: str) -> None:
        """Show which share is done, 0 to 1, and a text."""
        self._bar.set_description_str(f"[{'=' * round(20 * done):<20}] {text}")

    def close(self) -> None:
        """Take the line away."""
        self._bar.close()


class NotebookLine:
    """An output that is emptied at the end: a stored notebook keeps no trace of the bar."""

    def __init__(self, display: tqdm) -> None:
        self._handle = display({"text/plain": ""}, raw=True, display_id=True)

    def show(self, done: float, text: str) -> None:
        """Show which share is done, 0 to 1, and a text."""
        bar = f'<progress value="{done:.3f}" max="1" style="width: 12em"></progress> {html.escape(text)}'
        self._handle.update({"text/html": bar, "text/plain": text}, raw=True)

    def close(self) -> None:
        """Empty the output."""
        self._handle.update({"text/plain": ""}, raw=True)


def notebook_line() -> NotebookLine | None:
    """Return a new output of the running notebook, or None outside of one."""
    if "ipykernel" not in sys.modules:
        return None
    from IPython import get_ipython
    from IPython.display import display

    shell = get_ipython()
    return NotebookLine(display) if shell is not None and hasattr(shell, "kernel") else None
