"""The notebooks as tests: nbval in lax mode, in the smoke profile, with a claim that does not hold being an error.

Outputs are compared in cells tagged ``nbval-check-output``. On the stand-in data only those also tagged ``any-data``,
whose output is the same whatever the digits are, stay compared.
"""

import os
import time
from collections.abc import Generator
from functools import cache
from pathlib import Path
from queue import Empty
from unittest import mock

import pytest
from nbval import plugin
from nbval.kernel import RunningKernel

_LOOK = 1.0  # seconds between two looks whether the kernel is still alive


@cache
def _real() -> bool:
    """Whether the real MNIST is to be had; asked once, so that no kernel waits for the network again."""
    from mnist_helpers import load_mnist

    return load_mnist().source == "mnist"


def _environment() -> dict[str, str]:
    """What a kernel gets beside the user's own variables; relative paths would be wrong where it works."""
    given = {
        name: os.environ[name]
        for name in ("MNIST_DATA", "MNIST_CACHE", "MNIST_CHECKPOINTS", "KERAS_HOME")
        if os.environ.get(name)
    }
    settings = {name: str(Path(value).expanduser().absolute()) for name, value in given.items()}
    settings["MNIST_PROFILE"] = os.environ.get("MNIST_PROFILE") or "smoke"
    settings["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    return settings | {"MNIST_STRICT": "1"} | ({} if _real() else {"MNIST_STANDIN": "always"})


class _Kernel(RunningKernel):
    """nbval's kernel, with the environment of the series, and noticed at once when it dies."""

    def __init__(self, *arguments, **options):
        with mock.patch.dict(os.environ, _environment()):
            super().__init__(*arguments, **options)

    def execute_cell_input(self, cell_input, allow_stdin=None):
        # with history, as people execute a cell: without it, IPython shows a value in spite of a semicolon after it
        return self.kc.execute(cell_input, allow_stdin=allow_stdin, stop_on_error=False)

    def await_reply(self, msg_id, timeout=None):
        # nbval waits out the whole time of the cell for an answer that a dead kernel will never give
        end = time.monotonic() + (timeout or float("inf"))
        while True:
            try:
                return super().await_reply(msg_id, timeout=min(_LOOK, max(end - time.monotonic(), 0)))
            except Empty:
                if not self.is_alive():
                    raise RuntimeError("the kernel died while it executed this cell") from None
                if time.monotonic() >= end:
                    raise


def pytest_configure() -> None:
    plugin.RunningKernel = _Kernel


def pytest_runtest_setup(item: pytest.Item) -> None:
    if not isinstance(item, plugin.IPyNbCell):
        return
    if broken := getattr(item.parent, "broken_cell", None):
        pytest.skip(f"{broken} of this notebook did not run to its end")
    if item.options["check"] and not _real() and "any-data" not in item.cell.metadata.get("tags", []):
        item.options["check"] = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Generator[None, pytest.TestReport, None]:
    """Remember a cell that failed, other than by its output, so that those after it do not fail in its wake."""
    report = yield
    if isinstance(item, plugin.IPyNbCell) and report.failed and "Cell outputs differ" not in str(call.excinfo.value):
        item.parent.broken_cell = item.name
    return report
