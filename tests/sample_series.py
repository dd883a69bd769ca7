"""A small series with all that a page can hold, for the tests of pages, editions and slides."""

import base64
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_output
from sample_notebooks import code, text, write

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
FIRST = """# 00 *First* steps: a start

[Contents](#Map) · [01 Second →](01_sécond.ipynb)

**What you will learn here:** what a `cell` is; how to
see [it](https://keras.io); and more.

**Time:** 1.5 minutes to read, no time to run; it is **short**. **Before this:** nothing.
"""
SECOND = """# 01 Second <b> & last

[← 00 First](00_first.ipynb) · [Contents](00_first.ipynb#Map)

A very long word: {}. See [the map](00_first.ipynb#Map), [99 %](#And-99-%25?) and [the table](results/table.csv).

| {} | b |
|---|---|
| 1 | 2 |
"""
HINT = "### Exercise 01-1: add (warm-up)\n\nAdd.\n\n<details><summary>Hint</summary>\n\nUse *plus*.\n\n</details>"


def picture(source: str, alt: str | list[str] | None = None, count: int = 1) -> NotebookNode:
    cell = code(source)
    data = {"image/png": PIXEL, "text/plain": "<Figure>"}
    cell.outputs = [new_output("display_data", data=data) for _ in range(count)]
    if alt is not None:
        cell.metadata["alt"] = alt
    return cell


def write_series(folder: Path) -> Path:
    """Two notebooks with links, pictures, tables and an exercise with hint and solution, and what lies beside them."""
    long = "word_" * 60
    for name, content in (("results/table.csv", b"a,b\n1,2\n"), ("pictures/one.png", base64.b64decode(PIXEL))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    write(
        folder / "00_first.ipynb",
        text(FIRST),
        text("## Map\n\n- [01](01_sécond.ipynb)\n\n![one](pictures/one.png) and $x^2$"),
        code("print(1)", printed="1\n", count=1),
    )
    write(
        folder / "01_sécond.ipynb",
        text(SECOND.format(long, long)),
        picture(f"draw('{long}')", "A pixel"),
        text("## And 99 %?\n\nProse."),
        code("table = open('results/table.csv').read()\nprint(table)", printed=f"{long}\n", count=2),
        text(HINT),
        code("answer = ...\nprint('open')", printed="open\n", tags=["exercise"], count=3),
        code("answer = 1 + 1\nprint('the secret')", printed="the secret\n", tags=["solution"], count=4),
        text("## What we saw\n\nIt.\n\n[← 00 First](00_first.ipynb) · [Contents](00_first.ipynb#Map)"),
    )
    return folder
