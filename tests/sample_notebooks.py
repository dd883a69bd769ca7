"""Small notebooks for the tests of what executes, renders and checks notebooks."""

from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output


def code(source: str, *, printed: str = "", tags: Sequence[str] = (), count: int | None = None) -> NotebookNode:
    """A code cell; with ``printed``, that is its stored output."""
    outputs = [new_output("stream", name="stdout", text=printed)] if printed else []
    return new_code_cell(source, outputs=outputs, execution_count=count, metadata={"tags": list(tags)} if tags else {})


def text(source: str) -> NotebookNode:
    return new_markdown_cell(source)


def write(path: Path, *cells: NotebookNode | str) -> Path:
    """Write a notebook; a string is a code cell without outputs."""
    notebook = new_notebook(cells=[code(cell) if isinstance(cell, str) else cell for cell in cells])
    notebook.metadata.kernelspec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata.language_info = {"name": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path
