"""Notebooks with their stored results as reveal.js slides that need no network: ``make slides NOTEBOOK=04``.

    python -m tools.slides [04 ...]

A rule gives each cell its slide type: headings of the first two levels begin a slide, others a slide below it; prose
after a picture becomes a speaker note; solutions and hints are left out. A cell with a slide type of its own
(``slideshow.slide_type`` in its metadata) is obeyed. What does not fit on a slide is carried over to the next.
"""

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import sphinx_revealjs
from latex2mathml.converter import convert
from nbconvert import SlidesExporter
from nbformat import NotebookNode

from tools.series import NAVIGATION, NOTEBOOKS, ROOT, find, read, shown, tags

REVEAL = Path(sphinx_revealjs.__file__).parent / "_static" / "revealjs"
_FORMULA = re.compile(r"(`[^`]*`)|\$([^$\n]+)\$")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]*\)")  # to another notebook, or a place in this one
_HINT = re.compile(r"<details>.*?</details>", re.DOTALL)


def write_slides(
    selection: Sequence[str] = (), notebooks: Path = NOTEBOOKS, output: Path = ROOT / "build" / "slides"
) -> list[Path]:
    """Write a deck for each chosen notebook; return the files."""
    if not (output / "reveal.js").is_dir():
        shutil.copytree(REVEAL, output / "reveal.js")
    template = {"template_file": "slides.html.j2", "extra_template_paths": [str(Path(__file__).parent)]}
    exporter = SlidesExporter(**template, reveal_url_prefix="reveal.js", reveal_theme="white", embed_images=True)
    written = []
    for path in find(selection, notebooks):
        place = {"metadata": {"name": path.stem, "path": str(path.parent)}}
        html, _ = exporter.from_notebook_node(with_slide_types(read(path)), resources=place)
        written.append(output / f"{path.stem}.slides.html")
        written[-1].write_text(html, encoding="utf-8")
    return written


def with_slide_types(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook with a slide type in every cell, formulas as MathML, and no links to other pages."""
    picture = False
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _LINK.sub(r"\1", _HINT.sub("", NAVIGATION.sub("", cell.source))).strip()
            cell.source = _FORMULA.sub(lambda found: found[1] or convert(found[2]), cell.source)
        chosen = cell.metadata.get("slideshow", {}).get("slide_type")
        cell.metadata.slideshow = {"slide_type": chosen or slide_type(cell, after_picture=picture)}
        picture = any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
        cells += [cell] if cell.source else []
    notebook.cells = cells
    return notebook


def slide_type(cell: NotebookNode, *, after_picture: bool) -> str:
    """Return the slide type that a cell gets by the rule above."""
    if "solution" in tags(cell) or (cell.metadata.get("jupyter", {}).get("source_hidden") and not cell.get("outputs")):
        return "skip"
    if cell.cell_type == "markdown":
        if heading := re.match(r"#+ ", cell.source):
            return "slide" if len(heading[0]) <= 3 else "subslide"
        if after_picture:
            return "notes"
    return "-"


if __name__ == "__main__":
    for deck in write_slides(sys.argv[1:]):
        print(shown(deck))
