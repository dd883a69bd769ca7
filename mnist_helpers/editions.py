"""Editions of the notebooks: the one for students, without solutions and without results."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from mnist_helpers.common.files import atomic_write
from mnist_helpers.kernels import read_notebook
from mnist_helpers.series import NOTEBOOKS, ROOT, RunError, find_notebooks, shown

SOLUTION = "solution"  # the tag of cells that students do not get
_BESIDE = ("pictures/*", "results/*.csv")  # what prose and cells name; stored networks are found by the library
_SAID = re.compile(r"[^.!?]*\bsolutions?\b[^.!?]*\bfolded\b[^.!?]*[.!?]")  # a sentence that says where solutions are
_RECORD = ".edition.json"  # digests of all that was ever written here: a file with another one was changed by someone


@dataclass
class Edition:
    """What became of each file: written anew, as it was already, or kept because a student changed it."""

    directory: Path
    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        notebooks = sum(name.endswith(".ipynb") for name in self.written + self.unchanged)
        lines = [f"{notebooks} notebooks without solutions and results are in {shown(self.directory)}"]
        if self.kept:
            lines.append("Kept, because they were changed there since they were written (--force replaces them):")
            lines += [f"  {name}" for name in self.kept]
        return "\n".join(lines)


def write_student_edition(
    selection: Sequence[str] = (),
    *,
    notebooks: Path = NOTEBOOKS,
    output: Path = ROOT / "build" / "student",
    force: bool = False,
) -> Edition:
    """Write the notebooks without solutions and results, and the pictures and tables beside them.

    A file that someone changed in ``output`` is kept, unless ``force``. No file is ever half-written.
    Raises ``RunError`` when nothing fits the selection, a notebook cannot be read, or ``output`` is the source itself.
    """
    if output.resolve() == notebooks.resolve():
        raise RunError("The edition for students cannot be written over the notebooks that it is made from.")
    files = dict(_files(find_notebooks(notebooks, selection), notebooks))
    edition, record = Edition(output), _Record(output)
    for name, content in files.items():
        target = output / name
        present = target.read_bytes() if target.is_file() else None
        if present == content:
            edition.unchanged.append(name)
        elif present is None or force or record.knows(name, present):
            record.add(name, content)  # first: stopped in between, the file must not be taken for a student's
            atomic_write(target, content)
            edition.written.append(name)
        else:
            edition.kept.append(name)
    return edition


def student_version(path: Path) -> bytes:
    """Return a notebook as students get it: no cell tagged "solution" and no word of it, no outputs, no counts."""
    try:
        notebook = read_notebook(path)
    except (OSError, ValueError) as error:
        raise RunError(f"{path.name}: {error}") from error
    notebook.cells = [cell for cell in notebook.cells if SOLUTION not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = "\n\n".join(_SAID.sub("", part) for part in cell.source.split("\n\n"))
    notebook.metadata.pop("widgets", None)
    return (nbformat.writes(notebook) + "\n").encode()


def _files(paths: Sequence[Path], notebooks: Path) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        yield path.name, student_version(path)
    for pattern in _BESIDE:
        for path in sorted(notebooks.glob(pattern)):
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(notebooks).as_posix(), path.read_bytes()


class _Record:
    """The digests of all versions that were written into a folder."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / _RECORD
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            self._digests = {str(name): [str(digest) for digest in digests] for name, digests in stored.items()}
        except (OSError, ValueError, AttributeError, TypeError, RecursionError):  # none, or damaged: nothing is known
            self._digests = {}

    def knows(self, name: str, content: bytes) -> bool:
        return _digest(content) in self._digests.get(name, [])

    def add(self, name: str, content: bytes) -> None:
        digests = self._digests.setdefault(name, [])
        if _digest(content) not in digests:
            digests.append(_digest(content))
            atomic_write(self._path, json.dumps(self._digests, indent=1).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
