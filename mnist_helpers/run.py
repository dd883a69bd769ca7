"""Execute the notebooks in order, render them, and say how it went: the work behind ``make run``."""

import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from mnist_helpers.common.checks import check_choice
from mnist_helpers.common.files import atomic_write
from mnist_helpers.common.text import duration
from mnist_helpers.data.budget import PROFILES, profile_from_environment
from mnist_helpers.data.mnist import REAL, load_mnist
from mnist_helpers.kernels import FAILED, NotebookResult, code_cells, execute, kernel_environment, read_notebook
from mnist_helpers.series import NOTEBOOKS, ROOT, RunError, find_notebooks, first_line
from mnist_helpers.site import IndexRow, Site

CELL_TIMEOUT = 3600  # seconds; a cell may train a network


def run(
    selection: Sequence[str] = (),
    *,
    profile: str | None = None,
    notebooks: Path = NOTEBOOKS,
    output: Path = ROOT / "build",
    timeout: int = CELL_TIMEOUT,
    in_place: bool = False,
) -> list[NotebookResult]:
    """Execute notebooks in order, each to the end or to its first error, and render them to ``output``/html.

    The other notebooks of the directory get pages with the results stored in them, unless they have a page already.

    ``profile`` : "full", "smoke", or None for the one of the environment. ``timeout`` : seconds a cell may take.
    ``in_place`` : also write the outputs back into the notebooks, which takes the full profile and the real MNIST.
    Raises ``RunError`` before anything is executed, ``KeyboardInterrupt`` when interrupted; no file is half-written.
    """
    profile = _profile(profile)
    paths = find_notebooks(notebooks, selection)
    if in_place and profile != "full":
        raise RunError("Outputs are stored in the notebooks (--in-place) only in the full profile.")
    _check_writable(output / "html", "The pages cannot be written ({}). Name another directory with --output.")
    if in_place:
        _check_writable(notebooks, "The outputs cannot be stored in the notebooks ({}). Leave out --in-place.")
    source = _data_source()
    if in_place and source != REAL:
        raise RunError("Outputs are stored in the notebooks (--in-place) only on the real MNIST, not on the stand-in.")
    environment = kernel_environment(profile=profile, standin=source != REAL)
    site = Site(output / "html", notebooks)
    results: list[NotebookResult] = []
    with _Progress(paths) as progress:
        for path in paths:
            result = _run_one(path, environment, timeout, site, in_place, progress)
            results.append(result)
            site.write_index([IndexRow.of(result, profile=profile, source=source)])
    site.complete()
    return results


def _profile(profile: str | None) -> str:
    if profile is not None:
        return check_choice(profile, PROFILES, name="profile", function="run")
    try:
        return profile_from_environment()
    except ValueError as error:
        raise RunError(str(error)) from error


def _check_writable(directory: Path, message: str) -> None:
    """Raise ``RunError`` where no file could be written, before an hour of work has none to show for it.

    Nothing is made yet: what is asked may still turn out to be refused for another reason.
    """
    try:
        existing = next(each for each in (directory, *directory.absolute().parents) if each.exists())
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise RunError(message.format(f"{directory}: {error.strerror}")) from error


def _data_source() -> str:
    """Return where the digits come from, having fetched them: once, so that no kernel waits for the network again."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            source = load_mnist().source
        except (OSError, ValueError) as error:
            raise RunError(getattr(error, "strerror", None) or str(error)) from error
    for warning in caught:
        print(f"warning: {warning.message}", file=sys.stderr)
    return source


def _run_one(
    path: Path, environment: Mapping[str, str], timeout: int, site: Site, in_place: bool, progress: "_Progress"
) -> NotebookResult:
    progress.start(path)
    before = b""
    with suppress(OSError):  # what cannot be read fails below, and says so
        before = path.read_bytes()
    notebook, result = execute(path, environment=environment, timeout=timeout, progress=progress.cell)
    if in_place and result.ok:  # before its page, which may fail, or be waited for no longer
        result = _with_problem(result, _store(path, notebook, before))
    result = _with_problem(result, site.write_page(path.stem, notebook))
    progress.done(result)
    return result


def _with_problem(result: NotebookResult, problem: str | None) -> NotebookResult:
    """Return a result that has failed if there was a problem, with it behind those that were before."""
    if problem is None:
        return result
    return replace(result, status=FAILED, error="; ".join(filter(None, (result.error, problem))))


def _store(path: Path, notebook: NotebookNode, before: bytes) -> str | None:
    """Store outputs in their notebook; return why that was not possible, or None. The others still have their turn."""
    try:
        store_outputs(path, notebook, before)
    except RunError as error:
        return str(error)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        return f"its outputs cannot be stored: {first_line(error)}"
    return None


def store_outputs(path: Path, notebook: NotebookNode, before: bytes) -> None:
    """Write an executed notebook over its file, without what changes from run to run.

    Raises ``RunError``, and writes nothing, when the file is not ``before`` any more: someone edited it meanwhile.
    """
    notebook = deepcopy(notebook)
    notebook.metadata.pop("widgets", None)
    notebook.metadata.kernelspec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        for volatile in ("execution", "ExecuteTime", "collapsed", "scrolled"):
            cell.metadata.pop(volatile, None)
    nbformat.validate(notebook)
    if path.read_bytes() != before:
        raise RunError("the file was changed while it was being executed; its outputs were not stored")
    atomic_write(path, (nbformat.writes(notebook) + "\n").encode())


def summary(results: Sequence[NotebookResult]) -> str:
    """Return the table printed at the end, and below it every failure with notebook, cell and error."""
    width = max(len(result.name) for result in results)
    lines = [f"{'notebook':{width}}  {'status':6}  {'cells':>5}  {'time':>12}  {'memory':>8}"]
    for result in results:
        memory = "-" if result.peak_mb is None else f"{result.peak_mb:.0f} MB"
        row = f"{result.name:{width}}  {result.status:6}  {result.cells:5}  {duration(result.seconds):>12}  {memory:>8}"
        lines.append(row)
    failed = [result for result in results if not result.ok]
    total = duration(sum(result.seconds for result in results))
    lines.append(f"{len(results) - len(failed)} of {len(results)} executed without an error, in {total}")
    lines += [f"FAILED {', '.join(filter(None, (result.name, result.place)))}: {result.error}" for result in failed]
    return "\n".join(lines)


class _Progress:
    """One line on a terminal: notebook i of n, cell j of m, elapsed. Elsewhere, one line for each notebook."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._notebooks = len(paths)
        self._number = 0
        self._label = ""
        self._bar: tqdm | None = None
        self._behind = 0  # code cells of the notebooks before this one
        self._sizes = {path: _size(path) for path in paths}

    def __enter__(self) -> "_Progress":
        if sys.stderr.isatty():
            self._bar = tqdm(
                total=sum(self._sizes.values()), bar_format="{desc} |{bar}| {elapsed}", leave=False, dynamic_ncols=True
            )
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def start(self, path: Path) -> None:
        self._number += 1
        self._label = f"notebook {self._number} of {self._notebooks}, {path.stem}"
        self._behind = sum(list(self._sizes.values())[: self._number - 1])
        if self._bar is None:
            print(f"{time.strftime('%H:%M:%S')} {self._label} ...", end=" ", file=sys.stderr, flush=True)
        self.cell(0, self._sizes[path])

    def cell(self, cell: int, cells: int) -> None:
        if self._bar is not None:
            self._bar.n = self._behind + max(cell - 1, 0)
            self._bar.set_description_str(f"{self._label}, cell {cell} of {cells}", refresh=True)

    def done(self, result: NotebookResult) -> None:
        place = f" at {result.place}" if result.place else ""
        line = f"{result.status}{place}, {duration(result.seconds)}"
        if self._bar is None:
            print(line, file=sys.stderr)
        else:
            self._bar.write(f"{self._label}: {line}", file=sys.stderr)


def _size(path: Path) -> int:
    """Return how many code cells a notebook has; 0 for one that cannot be read, which fails later and says so."""
    try:
        return len(code_cells(read_notebook(path)))
    except (OSError, ValueError):
        return 0
