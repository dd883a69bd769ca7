"""The notebooks as tests: nbval in lax mode, in the smoke profile, with a claim that does not hold being an error.

Outputs are compared in cells tagged ``nbval-check-output``. On the stand-in data only those also tagged ``any-data``,
whose output is the same whatever the digits are, stay compared.
"""

import os
import time
from collections.abc import Generator
from functools import cache
from queue import Empty
from unittest import mock

import pytest
from nbval import plugin
from nbval.kernel import RunningKernel

from mnist_helpers.data.budget import PROFILES
from mnist_helpers.data.mnist import REAL, load_mnist
from mnist_helpers.kernels import kernel_environment

_LOOK = 1.0  # seconds between two looks whether the kernel is still alive


@cache
def _real() -> bool:
    """Whether the real MNIST is to be had; asked once, so that no kernel waits for the network again."""
    return load_mnist().source == REAL


class _Kernel(RunningKernel):
    """nbval's kernel, with the environment of the series, and noticed at once when it dies."""

    def __init__(self, *arguments, **options):
        profile = os.environ.get("MNIST_PROFILE") or "smoke"
        assert profile in PROFILES, f"MNIST_PROFILE must be one of {PROFILES}, not {profile!r}"
        with mock.patch.dict(os.environ, kernel_environment(profile=profile, standin=not _real())):
            super().__init__(*arguments, **options)

    def execute_cell_input(self, cell_input, allow_stdin=None):
        # with history, as people execute a cell: without it, IPython shows a value in spite of a semicolon behind it
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
