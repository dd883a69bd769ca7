"""Where the notebooks of the series lie, and which of them are meant."""

import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
# the line with links to the neighbours, which pages and slides have anyway
NAVIGATION = re.compile(r"(?m)^\[[^\n]*\]\(00_start_here\.ipynb#[^)]*\)(?:[^\n]|\n(?!\n))*$")


def find(selection: Sequence[str] = (), notebooks: Path = NOTEBOOKS) -> list[Path]:
    """Return the notebooks of a folder in reading order; ``selection`` holds numbers ("2", "02") or names ("02_lin").

    Raises
    ------
    SystemExit
        There is no notebook, or none that fits a selection; the message says which there are.
    """
    paths = sorted(path for path in notebooks.glob("*.ipynb") if not path.name.startswith("."))
    if not paths:
        raise SystemExit(f"error: there is no notebook in {notebooks}")
    chosen = set()
    for wanted in selection:
        start = f"{int(wanted):02}_" if wanted.isdecimal() else Path(wanted).stem
        fitting = {path for path in paths if path.stem.startswith(start)}
        if not fitting:
            names = "\n  ".join(path.stem for path in paths)
            raise SystemExit(f"error: no notebook fits {wanted!r}. There are:\n  {names}")
        chosen |= fitting
    return [path for path in paths if path in chosen] if selection else paths


def read(path: Path) -> NotebookNode:
    """Read a notebook in the current format."""
    return nbformat.read(path, as_version=4)


def tags(cell: NotebookNode) -> list[str]:
    """Return the tags of a cell; the caller may change the list."""
    return list(cell.metadata.get("tags", []))


def shown(path: Path) -> str:
    """Return a path as a user would write it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
