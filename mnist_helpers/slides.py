"""A notebook as slides for class: one file that needs no network.

nbconvert's own slides fetch reveal.js from another host, and no Python package brings it along. These need a few lines
of script only: a slide for each section, cut where it grows too long, arrow keys, and all slides in a row when printed.
"""

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from mnist_helpers.common.files import atomic_write
from mnist_helpers.prose import without_navigation
from mnist_helpers.render import export
from mnist_helpers.series import NOTEBOOKS, ROOT, Lesson, RunError, find_notebooks, first_line

_LINES = 21  # on a slide
_WIDTH = 95  # characters in a line of prose
_PICTURE = 14  # lines that a picture takes
_HEADING = re.compile(r"^(#{1,3})\s+(.+)$", re.MULTILINE)


def write_slides(
    selection: Sequence[str] = (), *, notebooks: Path = NOTEBOOKS, output: Path = ROOT / "build" / "slides"
) -> list[Path]:
    """Write each chosen notebook, with the results stored in it, as ``output``/NAME.slides.html; return the files.

    Raises ``RunError`` when nothing fits the selection, or a notebook cannot be read.
    """
    written = []
    for path in find_notebooks(notebooks, selection):
        try:
            notebook = nbformat.read(path, as_version=4)
        except Exception as error:  # nbformat lets through whatever a malformed file happens to trip over
            raise RunError(f"{path.name}: not a readable notebook: {first_line(error)}") from error
        try:
            html = deck(notebook, name=path.stem, directory=path.parent).encode(errors="replace")
        except Exception as error:  # as do nbconvert and what it builds upon
            raise RunError(f"{path.name}: it cannot be rendered: {first_line(error)}") from error
        target = output / f"{path.stem}.slides.html"
        atomic_write(target, html)
        written.append(target)
    return written


def deck(notebook: NotebookNode, *, name: str, directory: Path) -> str:
    """Return a notebook as a self-contained HTML page of slides.

    A slide begins at each heading, and where a section grows longer than a slide, or where the cell's slide type says
    so ("slide", "subslide"). Cells of slide type "skip" or "notes" are left out; solutions are folded.
    """
    cells = list(_cells(notebook))
    introduction = next((cell.source for cell in cells if cell.cell_type == "markdown"), "")
    shown = nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)
    first = True
    section = ""
    for group in _slides(cells):
        heading = _HEADING.search(group[0].source) if group[0].cell_type == "markdown" else None
        group[0].metadata["slide_start"] = True
        group[0].metadata["slide_section"] = "" if heading or first else section
        group[-1].metadata["slide_end"] = True
        section = re.sub(r"[*`]", "", heading[2]) if heading else section
        first = False
    site = {"title": Lesson.of(name, introduction).title}
    return export(shown, "slides", directory=directory, notebook_link=lambda _: None, site=site)


def _cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the cells that are shown, each Markdown cell cut before its headings, without links to other notebooks."""
    for cell in nbformat.from_dict(notebook).cells:
        if _type(cell) in ("skip", "notes"):
            continue
        if cell.cell_type != "markdown":
            yield cell
            continue
        for number, part in enumerate(_parts(without_navigation(cell.source))):
            again = nbformat.from_dict(cell)
            again.source = part
            if number:
                again.id, again.metadata = f"{cell.get('id', '')[:60]}-{number}", {}
            yield again


def _parts(markdown: str) -> Iterator[str]:
    """Cut Markdown before its headings, but not inside of code."""
    lines: list[str] = []
    fenced = False
    for line in markdown.splitlines():
        if not fenced and _HEADING.match(line) and any(lines):
            yield "\n".join(lines)
            lines = []
        fenced ^= line.lstrip().startswith("```")
        lines.append(line)
    if "".join(lines).strip():
        yield "\n".join(lines)


def _slides(cells: Sequence[NotebookNode]) -> list[list[NotebookNode]]:
    slides: list[list[NotebookNode]] = []
    used = 0.0
    for cell in cells:
        lines = _lines(cell)
        if not slides or _begins(cell) or (used + lines > _LINES and not _leads(slides[-1])):
            slides.append([])
            used = 0.0
        slides[-1].append(cell)
        used += lines
    return slides


def _begins(cell: NotebookNode) -> bool:
    heading = cell.cell_type == "markdown" and _HEADING.match(cell.source.lstrip())
    return bool(heading) or _type(cell) in ("slide", "subslide")


def _leads(slide: Sequence[NotebookNode]) -> bool:
    """Tell whether all that stands on the slide so far is a heading, with a line or two."""
    return sum(map(_lines, slide)) <= 4


def _type(cell: NotebookNode) -> str:
    return str(cell.metadata.get("slideshow", {}).get("slide_type", ""))


def _lines(cell: NotebookNode) -> float:
    """Return about how many lines of a slide a cell takes."""
    if "solution" in cell.metadata.get("tags", []):
        return 2
    if cell.cell_type == "markdown":
        return 1 + sum(max(1, math.ceil(len(line) / _WIDTH)) for line in cell.source.splitlines() if line.strip())
    return 2 + cell.source.count("\n") + sum(map(_output_lines, cell.get("outputs", [])))


def _output_lines(output: NotebookNode) -> float:
    data = output.get("data", {})
    if any(mime.startswith("image/") for mime in data):
        return _PICTURE
    return 1 + str(output.get("text", data.get("text/plain", ""))).count("\n")
