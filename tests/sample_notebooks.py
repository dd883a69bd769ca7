"""Small notebooks for the tests of what executes, renders and checks notebooks."""

from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="


def code(source: str, *, printed: str = "", tags: Sequence[str] = (), count: int | None = None) -> NotebookNode:
    """A code cell; with ``printed``, that is its stored output."""
    outputs = [new_output("stream", name="stdout", text=printed)] if printed else []
    return new_code_cell(source, outputs=outputs, execution_count=count, metadata={"tags": list(tags)} if tags else {})


def text(source: str) -> NotebookNode:
    return new_markdown_cell(source)


def picture(source: str, alt: str) -> NotebookNode:
    cell = code(source)
    cell.outputs = [new_output("display_data", data={"image/png": PIXEL, "text/plain": "<Figure>"})]
    cell.metadata["alt"] = alt
    return cell


def write(path: Path, *cells: NotebookNode | str) -> Path:
    """Write a notebook; a string is a code cell without outputs."""
    notebook = new_notebook(cells=[code(cell) if isinstance(cell, str) else cell for cell in cells])
    notebook.metadata.kernelspec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata.language_info = {"name": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def lesson(path: Path) -> Path:
    """Write a notebook with all that a lesson can hold."""
    return write(
        path,
        text(
            "# 01 Pixels\n\n[← 00 Start](00_start_here.ipynb) · [Contents](00_start_here.ipynb#Map)\n\n"
            "**What you will learn:** what a *pixel* is; and more.\n\n**Time:** 15 minutes to read."
        ),
        text("## Look\n\nSee [the start](00_start_here.ipynb), and $x^2$ but `$y$`."),
        picture("draw()", "A grey pixel"),
        text("It is grey."),
        text("### Exercise 01-1\n\nAdd.\n\n<details><summary>Hint</summary>\n\nUse *plus*.\n\n</details>"),
        code("answer = ...\nprint('open')", printed="open\n", tags=["exercise"], count=2),
        code("answer = 1 + 1\nprint('the secret')", printed="the secret\n", tags=["solution"], count=3),
    )
