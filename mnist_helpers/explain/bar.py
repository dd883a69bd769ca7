"""A progress bar for explanations that take longer than a moment; gone when they end, like that of training."""

import time
from types import TracebackType

from mnist_helpers.common.text import duration
from mnist_helpers.training import progress

_PATIENCE = 1.0  # seconds: what is done by then shows no bar, and leaves no empty output in a notebook
_REFRESH = 0.25


class Bar:
    """Show how much of ``total`` is done, on a terminal or in a notebook, inside of a ``with`` block."""

    def __init__(self, name: str, total: int, *, show: bool = True) -> None:
        self._name, self._total, self._show = name, total, show
        self._done = 0
        self._start = self._shown_at = time.perf_counter()
        self._line: progress.NotebookLine | progress.TerminalLine | None = None

    def __enter__(self) -> "Bar":
        return self

    def step(self, count: int = 1) -> None:
        """Add to what is done."""
        self._done += count
        now = time.perf_counter()
        if not self._show or now - self._start < _PATIENCE or now - self._shown_at < _REFRESH:
            return
        self._shown_at = now
        self._line = self._line or progress.notebook_line() or progress.terminal_line()
        share = self._done / self._total
        self._line.show(share, f"{self._name}: {share:.0%}, {duration(now - self._start)}")

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._line is not None:
            self._line.close()
