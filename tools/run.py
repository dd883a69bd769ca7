"""Execute the notebooks, each in a kernel of its own, and build the site from them: ``make run``.

    python -m tools.run [02 ...] [--profile smoke] [--in-place] [--timeout SECONDS]

A notebook that fails does not keep the others from running. Executed notebooks are left in build/notebooks, the site in
build/html. With ``--in-place`` outputs are also stored in the notebooks, which may then publish results.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from tools import site
from tools.series import NOTEBOOKS, ROOT, find, read

TIMEOUT = 3600  # seconds; a cell may train a network
_PATHS = ("MNIST_DATA", "MNIST_CACHE", "MNIST_CHECKPOINTS", "KERAS_HOME")


@dataclass
class Result:
    """How one notebook went: code cells, the last one executed, seconds, highest memory in MB, and any error."""

    name: str
    cells: int = 0
    cell: int = 0
    seconds: float = 0.0
    peak_mb: float = 0.0
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether every cell was executed."""
        return not self.error

    @property
    def place(self) -> str:
        """Where it is, or where it failed."""
        return f"cell {self.cell} of {self.cells}" if self.cell else "before its first cell"


def kernel_environment(profile: str, source: str, *, authors: bool = False) -> dict[str, str]:
    """Return the environment variables of a kernel; where MNIST is not to be had, it does not ask the network again."""
    # a kernel works in notebooks/, where a relative path would mean another place
    paths = {name: str(Path(os.environ[name]).expanduser().absolute()) for name in _PATHS if os.environ.get(name)}
    settings = {"MNIST_PROFILE": profile, "MNIST_STRICT": "1", "MNIST_AUTHORS": "1" if authors else "0"}
    settings["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    settings["TQDM_DISABLE"] = "1"  # its bars are widgets, which would stay in the outputs
    return os.environ | paths | settings | ({} if source == REAL else {"MNIST_STANDIN": "always"})


def execute(
    path: Path,
    environment: Mapping[str, str],
    *,
    timeout: int = TIMEOUT,
    progress: Callable[[Result], None] = lambda result: None,
) -> tuple[NotebookNode, Result]:
    """Execute a notebook to its end or first error; return it with its outputs, and how it went. No file is written.

    ``timeout`` holds for each cell, in seconds; ``progress`` is called when a cell begins.
    """
    result, started = Result(path.stem), time.perf_counter()
    try:
        notebook = read(path)
    except Exception as error:  # nbformat lets through whatever a malformed file happens to trip over
        result.error = f"not a readable notebook: {error}"
        return nbformat.v4.new_notebook(), result
    for cell in notebook.cells:  # an old output must not be taken for a new one
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    result.cells = len(code)

    def next_cell(cell: NotebookNode, cell_index: int) -> None:
        result.cell += 1
        progress(result)

    def keep_ctrl_c(notebook: NotebookNode) -> None:  # nbclient would end this kernel only
        with suppress(NotImplementedError):
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)

    client = NotebookClient(
        notebook, timeout=timeout, kernel_name="python3", record_timing=False, coalesce_streams=True
    )
    client.on_cell_execute, client.on_notebook_start = next_cell, keep_ctrl_c
    client.log.disabled = True  # what goes wrong is in the result
    with _watched(client, result):
        try:
            client.execute(cwd=str(path.parent), env=dict(environment), stdout=DEVNULL, stderr=DEVNULL)
        except CellExecutionError as error:
            result.error = strip_ansi(f"{error.ename}: {error.evalue}").strip()
        except CellTimeoutError:
            result.error = f"the cell took longer than {timeout} s (--timeout)"
        except DeadKernelError:
            result.error = "the kernel died: perhaps there was not enough memory"
        except (RuntimeError, OSError) as error:
            result.error = f"{type(error).__name__}: {error}"
    result.seconds = time.perf_counter() - started
    for cell in code:  # a progress bar leaves an output that was emptied
        cell.outputs = [o for o in cell.outputs if o.output_type != "display_data" or any(o.data.values())]
    if result.error and result.cell and not any(o.output_type == "error" for o in code[result.cell - 1].outputs):
        said = nbformat.v4.new_output("error", ename="Error", evalue=result.error, traceback=[result.error])
        code[result.cell - 1].outputs.append(said)  # the kernel itself could not say it any more
    return notebook, result


@contextmanager
def _watched(client: NotebookClient, result: Result) -> Iterator[None]:
    """Note the highest memory of a client's kernel four times a second, and leave no kernel behind."""
    done = threading.Event()
    kernel: list[psutil.Process] = []

    def look() -> None:
        while not done.wait(0.25):
            with suppress(psutil.Error, AttributeError):  # it is not there yet, or is gone
                if not kernel and (pid := client.km.provisioner.pid):  # psutil takes None for this very process
                    kernel.append(psutil.Process(pid))
                if kernel:
                    result.peak_mb = max(result.peak_mb, kernel[0].memory_info().rss / 2**20)

    threading.Thread(target=look, daemon=True).start()
    try:
        yield
    finally:
        done.set()
        with suppress(psutil.Error, IndexError):
            kernel[0].kill()


def store_outputs(path: Path, executed: NotebookNode) -> None:
    """Write outputs and counts of an executed notebook into its file; nothing else in it changes."""
    notebook = read(path)
    if [cell.source for cell in notebook.cells] != [cell.source for cell in executed.cells]:
        raise ValueError("the file was changed while it was being executed; its outputs were not stored")
    for cell, new in zip(notebook.cells, executed.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = new.outputs, new.execution_count
    atomic_write(path, (nbformat.writes(notebook) + "\n").encode())


def run(
    paths: Sequence[Path],
    output: Path,
    *,
    profile: str = "full",
    source: str = REAL,
    timeout: int = TIMEOUT,
    store: bool = False,
) -> list[Result]:
    """Execute notebooks in order and write each to ``output``; ``store`` also stores the outputs of the good ones."""
    results: list[Result] = []
    environment = kernel_environment(profile, source, authors=store)
    bar = tqdm(total=len(paths), bar_format="{desc} |{bar}| {elapsed}", leave=False, disable=None, dynamic_ncols=True)

    def progress(result: Result) -> None:
        if not bar.disable:
            bar.n = len(results) + (result.cell - 1) / result.cells
            bar.set_description_str(f"notebook {len(results) + 1} of {len(paths)}, {result.name}, {result.place}")

    with bar:
        for path in paths:
            notebook, result = execute(path, environment, timeout=timeout, progress=progress)
            if store and result.ok:
                try:
                    store_outputs(path, notebook)
                except (OSError, ValueError) as error:
                    result.error = str(error)
            error = "" if result.ok else f"{result.place}: {result.error}"
            notebook.metadata.executed = {
                "date": time.strftime("%Y-%m-%d"),
                "profile": profile,
                "source": source,
                "error": error,
            }
            atomic_write(output / path.name, (nbformat.writes(notebook) + "\n").encode())
            results.append(result)
            how = "ok" if result.ok else f"FAILED in {result.place}"
            line = f"notebook {len(results)} of {len(paths)}, {result.name}: {how}, {duration(result.seconds)}"
            bar.write(line, file=sys.stderr)
    return results


def summary(results: Sequence[Result]) -> str:
    """Return the table for the end, and below it every failure with notebook, cell and error."""
    width = max(len(result.name) for result in results)
    lines = [f"{'notebook':{width}}  {'status':6}  {'cells':>5}  {'time':>12}  {'memory':>8}"]
    for each in results:
        status, memory = "ok" if each.ok else "FAILED", f"{each.peak_mb:.0f} MB"
        lines.append(f"{each.name:{width}}  {status:6}  {each.cells:5}  {duration(each.seconds):>12}  {memory:>8}")
    failed = [each for each in results if not each.ok]
    total = duration(sum(each.seconds for each in results))
    lines.append(f"{len(results) - len(failed)} of {len(results)} executed without an error, in {total}")
    return "\n".join(lines + [f"FAILED {each.name}, {each.place}: {each.error}" for each in failed])


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute a command line; return 0, 1 if something failed, 2 if asked wrongly, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tools.run", description="Execute the notebooks, build the site.")
    parser.add_argument("selection", nargs="*", help="such as 02 or 02_linear; all notebooks if none")
    parser.add_argument("--profile", choices=PROFILES, default=os.environ.get("MNIST_PROFILE") or "full")
    parser.add_argument("--in-place", action="store_true", help="also store the outputs in the notebooks")
    parser.add_argument("--timeout", type=int, default=TIMEOUT, help="seconds that one cell may take (3600)")
    parser.add_argument("--notebooks", type=Path, default=NOTEBOOKS, help="their folder")
    parser.add_argument("--output", type=Path, default=ROOT / "build", help="where notebooks/ and html/ are written")
    options = parser.parse_args(arguments)
    paths = find(options.selection, options.notebooks)
    from mnist_helpers import load_mnist

    try:
        source = load_mnist().source  # fetched once, for all kernels
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if options.in_place and (options.profile, source) != ("full", REAL):
        parser.error("outputs are stored (--in-place) only in the full profile, on the real MNIST")
    choices = {"profile": options.profile, "timeout": options.timeout, "store": options.in_place}
    executed = options.output / "notebooks"
    try:
        results = run(paths, executed, source=source, **choices)
        print(summary(results))
        pages = site.build(options.output / "html", notebooks=options.notebooks, executed=executed)
    except KeyboardInterrupt:
        print("\nInterrupted. What was finished before is whole.", file=sys.stderr)
        return 130
    return pages if all(result.ok for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
