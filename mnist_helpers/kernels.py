"""Execute one notebook in a kernel of its own: of this interpreter, watched, and gone afterwards."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import nbformat
import psutil
import zmq
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

from mnist_helpers.series import first_line

OK, FAILED = "ok", "failed"
_PATHS = ("MNIST_DATA", "MNIST_CACHE", "MNIST_CHECKPOINTS", "KERAS_HOME")
_TICK = 0.5  # seconds between two looks at the clock and at the kernel's memory

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())
_log.propagate = False  # what goes wrong is in the result; nbclient's own lines would tear the progress bar


@dataclass(frozen=True)
class NotebookResult:
    """How the execution of one notebook went.

    status : "ok" or "failed". seconds : wall-clock time. cells : number of code cells.
    peak_mb : highest memory of the kernel in MB as seen every half second, None if it never ran.
    failed_cell : number of the failing code cell, from 1; None when none failed or none was reached.
    """

    name: str
    status: str
    seconds: float
    cells: int
    peak_mb: float | None = None
    failed_cell: int | None = None
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether every cell was executed."""
        return self.status == OK

    @property
    def place(self) -> str:
        """Where it failed, for people: "cell 5 of 23"; empty when it did not, or before the first cell."""
        return "" if self.failed_cell is None else f"cell {self.failed_cell} of {self.cells}"


def kernel_environment(
    *, profile: str, standin: bool, base: Mapping[str, str] | None = None, strict: bool = True
) -> dict[str, str]:
    """Return the environment variables that a notebook's kernel gets.

    ``standin`` tells that MNIST is not to be had, so that no kernel asks the network again. ``base`` is ``os.environ``
    unless given. What the user set wins, but for the profile and the plotting backend that the pictures need.
    """
    environment = dict(os.environ if base is None else base)
    for name in _PATHS:  # the kernel works in notebooks/, where a relative path would mean another place
        if environment.get(name):
            environment[name] = str(Path(environment[name]).expanduser().absolute())
    environment["MNIST_PROFILE"] = profile
    environment["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    environment.setdefault("MNIST_STRICT", "1" if strict else "0")
    if standin:
        environment["MNIST_STANDIN"] = "always"
    return environment


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells that have something to execute."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook without its stored outputs, so that none of them can be taken for a new one.

    Raises ``OSError`` or ``ValueError`` when it cannot be read.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except OSError:
        raise
    except Exception as error:  # nbformat lets through whatever a malformed file happens to trip over
        raise ValueError(f"not a readable notebook: {first_line(error)}") from error
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def execute(
    path: Path, *, environment: Mapping[str, str], timeout: int, progress: Callable[[int, int], None] | None = None
) -> tuple[NotebookNode, NotebookResult]:
    """Execute a notebook from a clean kernel in its own directory; return it with its outputs, and the result.

    The file is not written. A notebook that fails does not raise: it comes back with the outputs up to the error.
    ``timeout`` : seconds a cell may take. ``progress(cell, cells)`` : called often while cell number ``cell`` runs.
    Raises ``KeyboardInterrupt`` when interrupted, after the kernel was shut down.
    """
    started = time.perf_counter()
    notebook = nbformat.v4.new_notebook()
    client = None
    error: Exception | None = None
    try:
        notebook = read_notebook(path)
        client = _Client(notebook, timeout=timeout, progress=progress)
        asyncio.run(client.complete(cwd=str(path.parent), env=dict(environment), stdout=DEVNULL, stderr=DEVNULL))
    except (CellControlSignal, RuntimeError, ValueError, OSError) as problem:
        error = problem
    seconds = time.perf_counter() - started
    _drop_emptied_outputs(notebook)
    peak = client.peak_mb if client else None
    cells = len(code_cells(notebook))
    if error is None:
        return notebook, NotebookResult(path.stem, OK, seconds, cells, peak)
    message = _describe(error, timeout, client.exit_status if client else None)
    failed_cell = client.cell if client and client.cell else None
    _show_error(notebook, failed_cell, message)
    return notebook, NotebookResult(path.stem, FAILED, seconds, cells, peak, failed_cell, message)


def _drop_emptied_outputs(notebook: NotebookNode) -> None:
    """Remove what a progress bar leaves: an output that was emptied at the end, but is still there."""
    for cell in code_cells(notebook):
        cell.outputs = [
            output
            for output in cell.outputs
            if output.output_type != "display_data" or any(text for text in output.data.values())
        ]


def _describe(error: Exception, timeout: int, exit_status: int | None) -> str:
    if isinstance(error, CellExecutionError):
        return strip_ansi(f"{error.ename}: {error.evalue}").strip()
    if isinstance(error, CellTimeoutError):
        return f"timeout: the cell took longer than {timeout} s"
    if isinstance(error, DeadKernelError):
        return f"the kernel died {_how(exit_status)}"
    return str(error) or type(error).__name__


def _how(exit_status: int | None) -> str:
    if exit_status is None or exit_status >= 0:
        return f"(exit status {exit_status})"
    name = signal.Signals(-exit_status).name
    return f"({name}{': killed from outside, or out of memory' if name == 'SIGKILL' else ''})"


def _show_error(notebook: NotebookNode, failed_cell: int | None, message: str) -> None:
    """Put the error below the cell when the kernel could not say it itself, so that the page shows it too."""
    if failed_cell is None:
        notebook.cells.insert(0, nbformat.v4.new_markdown_cell(f"**This notebook was not executed:** {message}"))
        return
    cell = code_cells(notebook)[failed_cell - 1]
    if not any(output.output_type == "error" for output in cell.outputs):
        cell.outputs.append(nbformat.v4.new_output("error", ename="Error", evalue=message, traceback=[message]))


class _ThisInterpreter(KernelSpecManager):
    """Whatever kernels are installed for the user, start the one of the interpreter that runs this."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return self.kernel_spec_class(resource_dir=str(RESOURCES), **get_kernel_dict())


class _Client(NotebookClient):
    """nbclient's client, which can be interrupted and watches the clock and the memory while a cell runs."""

    def __init__(self, notebook: NotebookNode, *, timeout: int, progress: Callable[[int, int], None] | None) -> None:
        super().__init__(
            notebook, timeout=timeout, iopub_timeout=60, coalesce_streams=True, record_timing=False, log=_log
        )
        self.on_cell_execute = self._next_cell
        self.on_cell_executed = self._look
        self.cell = 0
        self.cells = len(code_cells(notebook))
        self.peak_mb: float | None = None
        self.exit_status: int | None = None
        self._progress = progress or (lambda cell, cells: None)

    def create_kernel_manager(self) -> AsyncKernelManager:
        encryption = "auto" if zmq.has("curve") else "disabled"  # without it, the kernel warns on stderr
        self.km = AsyncKernelManager(
            kernel_name="python3", kernel_spec_manager=_ThisInterpreter(), transport_encryption=encryption
        )
        return self.km

    async def complete(self, **kernel_options: Any) -> None:
        """Execute all cells; raise ``asyncio.CancelledError`` when interrupted."""
        task = asyncio.current_task()
        try:
            await self.async_execute(**kernel_options)
        except Exception:
            if task is not None and task.cancelling():  # nbclient takes a cancelled cell for a dead kernel
                raise asyncio.CancelledError from None
            raise

    @asynccontextmanager
    async def async_setup_kernel(self, **kernel_options: Any) -> AsyncGenerator[None, None]:
        """Start the kernel and stop it at the end. nbclient's own version takes Ctrl-C away from asyncio."""
        self.create_kernel_manager()
        watch = None
        self.shutdown_kernel = "immediate"
        try:
            await self.async_start_new_kernel(**kernel_options)
            await self.async_start_new_kernel_client()
            watch = asyncio.create_task(self._watch())
            yield
            self.shutdown_kernel = "graceful"
        finally:
            if watch is not None:
                watch.cancel()
            if self.km is not None:
                self.exit_status = await self.km.provisioner.poll() if self.km.provisioner else None
                await self._async_cleanup_kernel()

    def _next_cell(self, cell: NotebookNode, cell_index: int) -> None:
        self.cell += 1
        self._look()

    def _look(self, **_: Any) -> None:
        """Report the progress and note the kernel's memory."""
        self._progress(self.cell, self.cells)
        pid = getattr(self.km.provisioner, "pid", None) if self.km else None
        with suppress(psutil.Error):  # it may be gone before we are
            memory = psutil.Process(pid).memory_info().rss if pid else 0
            self.peak_mb = max(self.peak_mb or 0.0, memory / 2**20)

    async def _watch(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(_TICK)
