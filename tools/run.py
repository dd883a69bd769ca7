"""Execute the notebooks, each in a kernel of its own, and build the site from them: ``make run``.

    python -m tools.run [02 ...] [--profile smoke] [--in-place] [--timeout SECONDS]

A notebook that fails does not keep the others from running. Executed notebooks are left in build/notebooks, the site in
build/html. With ``--in-place`` the outputs are also stored in the notebooks themselves, which may then publish results.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from tqdm import tqdm

from mnist_helpers.common.files import atomic_write
from mnist_helpers.common.profile import PROFILES, REAL
from mnist_helpers.common.text import duration
from tools.series import NOTEBOOKS, ROOT, find, read

_PATHS = ("MNIST_DATA", "MNIST_CACHE", "MNIST_CHECKPOINTS", "KERAS_HOME")
_LOOK = 0.25  # seconds between two looks at a kernel's memory


@dataclass
class Result:
    """How one notebook went: its code cells, seconds, highest memory of its kernel (MB), and where and why it failed."""

    name: str
    cells: int = 0
    seconds: float = 0.0
    peak_mb: float = 0.0
    cell: int = 0  # the one that was executed last, from 1
    error: str = ""

    @property
    def place(self) -> str:
        """Name the failing cell."""
        return f"cell {self.cell} of {self.cells}" if self.cell else "before its first cell"


def kernel_environment(profile: str, source: str, *, authors: bool = False) -> dict[str, str]:
    """Return the environment variables of a kernel; on another ``source`` than MNIST it does not ask the network again."""
    # a kernel works in notebooks/, where a relative path would mean another place
    paths = {name: str(Path(os.environ[name]).expanduser().absolute()) for name in _PATHS if os.environ.get(name)}
    set_here = {"MNIST_PROFILE": profile, "MNIST_STRICT": "1", "MNIST_AUTHORS": "1" if authors else "0"}
    backend = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    return os.environ | paths | set_here | backend | ({} if source == REAL else {"MNIST_STANDIN": "always"})


class _Bar(tqdm):
    """On a terminal one line with notebook, cell and time, otherwise nothing."""

    def __init__(self, paths: Sequence[Path]) -> None:
        form = "{desc} |{bar}| {elapsed}"
        super().__init__(total=len(paths), bar_format=form, leave=False, disable=None, dynamic_ncols=True)

    def cell(self, number: int, result: Result) -> None:
        """Show which cell is being executed."""
        if not self.disable:
            self.n = number - 1 + max(result.cell - 1, 0) / max(result.cells, 1)
            where = f"notebook {number} of {self.total}, {result.name}, cell {result.cell} of {result.cells}"
            self.set_description_str(where, refresh=True)


def execute(
    path: Path, environment: Mapping[str, str], *, timeout: int = 3600, progress=lambda result: None
) -> tuple[NotebookNode, Result]:
    """Execute a notebook to its end or first error; return it with its outputs, and how it went. The file stays as it is.

    Parameters
    ----------
    path : Path
    environment : mapping
        All environment variables of the kernel, see `kernel_environment`.
    timeout : int
        Seconds that a cell may take.
    progress : callable
        Called with the `Result` so far whenever a cell begins.
    """
    result, started = Result(path.stem), time.perf_counter()
    try:
        notebook = read(path)
    except Exception as error:  # nbformat lets through whatever a malformed file happens to trip over
        notebook, result.error = nbformat.v4.new_notebook(), f"not a readable notebook: {error}"
        return notebook, result
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:  # an old output must not be taken for a new one
        cell.outputs, cell.execution_count = [], None
    code = [cell for cell in code if cell.source.strip()]
    result.cells = len(code)

    def next_cell(cell: NotebookNode, cell_index: int) -> None:
        result.cell += 1
        progress(result)

    def leave_ctrl_c_alone(notebook: NotebookNode) -> None:  # nbclient would only end this kernel
        with suppress(NotImplementedError):
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)

    hooks = {"on_cell_execute": next_cell, "on_notebook_start": leave_ctrl_c_alone}
    client = NotebookClient(notebook, timeout=timeout, kernel_name="python3", record_timing=False, **hooks)
    client.log.disabled = True  # what goes wrong is in the result
    with _memory(client, result):
        try:
            client.execute(cwd=str(path.parent), env=dict(environment), stdout=DEVNULL, stderr=DEVNULL)
        except (CellExecutionError, CellTimeoutError, DeadKernelError, RuntimeError, OSError) as error:
            result.error = _message(error, timeout)
    result.seconds = time.perf_counter() - started
    for cell in code:  # a progress bar leaves an output that was emptied
        cell.outputs = [o for o in cell.outputs if o.output_type != "display_data" or any(o.data.values())]
    if result.error and result.cell and not any(o.output_type == "error" for o in code[result.cell - 1].outputs):
        output = nbformat.v4.new_output("error", ename="Error", evalue=result.error, traceback=[result.error])
        code[result.cell - 1].outputs.append(output)  # the kernel itself could not say it any more
    return notebook, result


def _message(error: Exception, timeout: int) -> str:
    if isinstance(error, CellExecutionError):
        return strip_ansi(f"{error.ename}: {error.evalue}").strip()
    if isinstance(error, CellTimeoutError):
        return f"the cell took longer than {timeout} s (--timeout)"
    if isinstance(error, DeadKernelError):
        return "the kernel died: perhaps there was not enough memory"
    return f"{type(error).__name__}: {error}"


@contextmanager
def _memory(client: NotebookClient, result: Result) -> Iterator[None]:
    """Note the highest memory of a client's kernel, and leave no kernel behind."""
    done = threading.Event()
    kernel: list[psutil.Process] = []

    def watch() -> None:
        while not done.wait(_LOOK):
            with suppress(psutil.Error, AttributeError):  # it is not there yet, or is gone
                kernel[:] = kernel or [psutil.Process(client.km.provisioner.pid)]
                result.peak_mb = max(result.peak_mb, kernel[0].memory_info().rss / 2**20)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()
        with suppress(psutil.Error, IndexError):
            kernel[0].kill()


def store_outputs(path: Path, executed: NotebookNode) -> None:
    """Write outputs and counts of an executed notebook into its file; nothing else of it changes."""
    notebook = read(path)
    if [cell.source for cell in notebook.cells] != [cell.source for cell in executed.cells]:
        raise ValueError("the file was changed while it was being executed; its outputs were not stored")
    for cell, new in zip(notebook.cells, executed.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = new.outputs, new.execution_count
    atomic_write(path, (nbformat.writes(notebook) + "\n").encode())


def run(
    paths: Sequence[Path], output: Path, *, profile: str = "full", source: str = REAL, timeout: int = 3600, store=False
) -> list[Result]:
    """Execute notebooks in order, and write each to ``output``; ``store`` also stores the outputs of those that went well."""
    results = []
    environment = kernel_environment(profile, source, authors=store)
    with _Bar(paths) as bar:
        for number, path in enumerate(paths, start=1):
            notebook, result = execute(
                path, environment, timeout=timeout, progress=lambda result, number=number: bar.cell(number, result)
            )
            if store and not result.error:
                try:
                    store_outputs(path, notebook)
                except (OSError, ValueError) as error:
                    result.error = str(error)
            notebook.metadata.executed = {"date": time.strftime("%Y-%m-%d"), "profile": profile, "source": source}
            notebook.metadata.executed.error = f"{result.place}: {result.error}" if result.error else ""
            atomic_write(output / path.name, (nbformat.writes(notebook) + "\n").encode())
            how = f"FAILED, {result.place}" if result.error else "ok"
            line = f"notebook {number} of {len(paths)}, {path.stem}: {how}, {duration(result.seconds)}"
            bar.write(line, file=sys.stderr)
            results.append(result)
    return results


def summary(results: Sequence[Result]) -> str:
    """Return the table for the end, and below it every failure with notebook, cell and error."""
    width = max(len(result.name) for result in results)
    lines = [f"{'notebook':{width}}  {'status':6}  {'cells':>5}  {'time':>12}  {'memory':>8}"]
    for each in results:
        status, memory = "FAILED" if each.error else "ok", f"{each.peak_mb:.0f} MB"
        lines.append(f"{each.name:{width}}  {status:6}  {each.cells:5}  {duration(each.seconds):>12}  {memory:>8}")
    failed = [each for each in results if each.error]
    total = duration(sum(each.seconds for each in results))
    lines.append(f"{len(results) - len(failed)} of {len(results)} executed without an error, in {total}")
    return "\n".join(lines + [f"FAILED {each.name}, {each.place}: {each.error}" for each in failed])


def _source(profile: str) -> str:
    """Return where the digits come from, having fetched them once for all kernels."""
    from mnist_helpers import load_mnist

    try:
        return load_mnist().source
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute a command line; return its exit status: 0, 1 when something failed, 2 when asked wrongly, 130 on Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tools.run", description="Execute the notebooks, build the site.")
    parser.add_argument("selection", nargs="*", help="such as 02 or 02_linear; all notebooks if none")
    parser.add_argument("--profile", choices=PROFILES, default=os.environ.get("MNIST_PROFILE") or "full")
    parser.add_argument("--in-place", action="store_true", help="also store the outputs in the notebooks")
    parser.add_argument("--timeout", type=int, default=3600, help="seconds that one cell may take (3600)")
    parser.add_argument("--notebooks", type=Path, default=NOTEBOOKS, help="their folder")
    parser.add_argument("--output", type=Path, default=ROOT / "build", help="where notebooks/ and html/ are written")
    options = parser.parse_args(arguments)
    paths = find(options.selection, options.notebooks)
    source = _source(options.profile)
    if options.in_place and (options.profile, source) != ("full", REAL):
        parser.error("outputs are stored (--in-place) only in the full profile, on the real MNIST")
    executed = options.output / "notebooks"
    try:
        choices = {"profile": options.profile, "timeout": options.timeout, "store": options.in_place}
        results = run(paths, executed, source=source, **choices)
        print(summary(results))
        from tools import site

        pages = site.build(options.output / "html", notebooks=options.notebooks, executed=executed)
    except KeyboardInterrupt:
        print("\nInterrupted. What was finished before is whole.", file=sys.stderr)
        return 130
    return 1 if any(result.error for result in results) else pages


if __name__ == "__main__":
    sys.exit(main())
