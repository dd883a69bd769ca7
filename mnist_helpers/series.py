"""The series: where its notebooks lie, in which order they are read, and what each says of itself."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
_LINE = 120  # characters of a summary, about


class RunError(Exception):
    """What was asked of the notebooks cannot be done; the message says why."""


@dataclass(frozen=True)
class Lesson:
    """What the first cell of a notebook says of it; texts are plain, and empty where it says nothing.

    name : of the file, without its ending. summary : about one line. time : such as "10 minutes to read".
    """

    name: str
    title: str
    summary: str = ""
    time: str = ""

    @classmethod
    def of(cls, name: str, introduction: str) -> "Lesson":
        """Read title, summary and time from the Markdown of a notebook's first cell."""
        title = re.search(r"^#\s+(.+)$", introduction, re.MULTILINE)
        learned = _labelled("What you will learn", introduction)
        time = re.split(r"[;:]|\.(?:\s|$)", _labelled("Time", introduction))[0]
        return cls(name, _plain(title[1]) if title else name, _first_clauses(learned), time)


def lessons(directory: Path = NOTEBOOKS) -> list[Lesson]:
    """Return what the notebooks of a directory say of themselves, in reading order; of an unreadable one, its name."""
    return [Lesson.of(path.stem, _introduction(path)) for path in find_notebooks(directory)]


def _introduction(path: Path) -> str:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return next(("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"), "")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def _labelled(label: str, introduction: str) -> str:
    """Return the text behind a bold label, up to the next one or the end of the paragraph."""
    found = re.search(rf"\*\*{label}[^*]*:\*\*(.*?)(?=\n\s*\n|\*\*[A-Z]|\Z)", introduction, re.DOTALL)
    return _plain(found[1]) if found else ""


def _plain(markdown: str) -> str:
    return " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`$]", r"\1", markdown).split())


def _first_clauses(text: str) -> str:
    """Return the first sentence; of a long one, as many clauses as fit into a line, but at least one."""
    sentence = re.split(r"(?<=[.!?])\s", text)[0].rstrip(".")
    first, *others = sentence.split("; ")
    if len(first) > _LINE:
        first = first.split(": ")[0]
    for clause in others:
        if len(first) + len(clause) > _LINE:
            break
        first += f"; {clause.removeprefix('and ')}"
    return first[:1].upper() + first[1:]


def find_notebooks(directory: Path = NOTEBOOKS, selection: Sequence[str] = ()) -> list[Path]:
    """Return the notebooks of a directory in reading order; with a selection, only those.

    A selection is a number ("2", "02") or the beginning of a name ("02_linear").
    Raises ``RunError`` when a selection fits none, or the directory holds none.
    """
    # regular files only: to open a pipe would wait for ever
    notebooks = sorted(path for path in directory.glob("*.ipynb") if path.is_file() and not path.name.startswith("."))
    if not notebooks:
        raise RunError(f"There is no notebook in {shown(directory)}.")
    chosen: set[Path] = set()
    for wanted in selection:
        fitting = {path for path in notebooks if _fits(path.stem, wanted)}
        if not fitting:
            names = "\n  ".join(path.stem for path in notebooks)
            raise RunError(f"No notebook fits {wanted!r}. There are:\n  {names}")
        chosen |= fitting
    return [path for path in notebooks if path in chosen] if selection else notebooks


def _fits(name: str, wanted: str) -> bool:
    number = name.split("_")[0]
    if wanted.isdecimal():
        return number.isdecimal() and int(number) == int(wanted)
    return bool(wanted) and name.startswith(Path(wanted).name.removesuffix(".ipynb"))


def first_line(error: Exception) -> str:
    """Return the first line of an error's message; where it says nothing, its type."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


def shown(path: Path) -> str:
    """Return a path as the user would write it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
