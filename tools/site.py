"""Build the site: lessons with their results, API reference, glossary: ``make docs``, and the end of ``make run``.

    python -m tools.site [-W] [other options of sphinx-build]

The sources, docs/ and the notebooks, are gathered in build/source, where Sphinx finds them.
"""

import base64
import html
import inspect
import re
import subprocess
import sys
from copy import deepcopy
from datetime import date
from importlib import import_module
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
from nbformat import NotebookNode
from sphinx.cmd.build import build_main

from tools.series import NAVIGATION, NOTEBOOKS, ROOT, find, read, shown, tags

DOCS = ROOT / "docs"
PARTS = ("data", "models", "evaluation", "training", "explain", "plotting", "live", "course")  # of the API reference
SUMMARY = 130  # characters on a card, about
_LEARN = re.compile(
    r"\*\*(?:What you will learn|After this notebook you can)[^*]*\*\*:?(.*?)(?=\n\s*\n|\*\*[A-Z]|\Z)", re.DOTALL
)


def build(
    output: Path, options: tuple[str, ...] = (), *, notebooks: Path = NOTEBOOKS, executed: Path | None = None
) -> int:
    """Build the site into ``output``; return Sphinx's exit status.

    Parameters
    ----------
    output : Path
    options : tuple of str
        More options of ``sphinx-build``, such as "-W".
    notebooks, executed : Path
        The notebooks with their stored results, and a folder with the same ones as executed just now, if there is one.
    """
    source = output.parent / "source"
    own = [path for pattern in ("*.md", "*.ipynb") for path in DOCS.glob(pattern)]
    files = {path.name: path.read_bytes() for path in own} | api_pages()
    pages = {path: results_of(path, executed) for path in find(notebooks=notebooks)}
    for pattern in ("pictures/*", "results/*.csv"):
        files |= {str(path.relative_to(notebooks)): path.read_bytes() for path in notebooks.glob(pattern)}
    files["training.html"] = live_figure(read(DOCS / "gallery.ipynb"), "live_training").encode()
    cards = []
    for path, notebook in pages.items():
        picture, alt = cover(notebook)
        if picture:
            files[f"covers/{path.stem}.png"] = picture
        cards.append(card(path, notebook, alt if picture else None))
        files[path.name] = nbformat.writes(prepared(notebook)).encode()
    files["cards.txt"] = "\n".join([":::::{grid} 1 2 2 3", ":gutter: 3", *cards, ":::::"]).encode()
    _write(source, files)
    status = build_main(["-q", "-j", "auto", "-c", str(DOCS), *options, str(source), str(output)])
    for path, notebook in pages.items():  # what is downloaded is the notebook itself
        (output / "_sources" / path.name).write_text(nbformat.writes(notebook), encoding="utf-8")
    print(f"The site is {shown(output / 'index.html')}")
    return status


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Make a folder hold these files and no others; what is there already stays untouched, so that Sphinx skips it."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def results_of(path: Path, executed: Path | None) -> NotebookNode:
    """Return a notebook as it was executed just now; where it was not, with the results stored in it."""
    notebook = read(path)
    if executed and (executed / path.name).is_file():
        again = read(executed / path.name)
        if [cell.source for cell in again.cells] == [cell.source for cell in notebook.cells]:
            return again
    return notebook


def prepared(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook in the terms of myst-nb: folded solutions, alternative texts; no links to neighbours."""
    notebook = deepcopy(notebook)
    for cell in notebook.cells:
        known, settings = tags(cell), {}
        if alt := cell.metadata.get("alt"):
            settings["image"] = {"alt": alt}
        if "solution" in known:
            known.append("hide-cell")
            settings["code_prompt_show"] = "Show the solution"
            settings["code_prompt_hide"] = "Hide the solution"
        elif cell.metadata.get("jupyter", {}).get("source_hidden"):
            known.append("hide-input")
        cell.metadata.update({"tags": known, "mystnb": settings})
        if cell.cell_type == "markdown":
            cell.source = _unbroken(NAVIGATION.sub("", cell.source).strip())
        else:
            cell.outputs = [part for output in cell.outputs for part in _readable(output)]
    notebook.cells = [cell for cell in notebook.cells if cell.source.strip()]
    return notebook


def _unbroken(text: str) -> str:
    """Keep a number and its percent sign in one line, outside of code, formulas, and headings, which have anchors."""
    parts = re.split(r"(```.*?```|`[^`]*`|\$[^$]*\$|^#.*?$)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if i % 2 else re.sub(r"(?<=\d) (?=%)", "\u00a0", part) for i, part in enumerate(parts))


def _readable(output: NotebookNode) -> list[NotebookNode]:
    """Let long printed sentences wrap, as they do in JupyterLab, and tables not; align words in tables to the left."""
    if "text/html" in output.get("data", {}):
        page = output.data["text/html"]
        output.data["text/html"] = re.sub(r"<td>(?!NaN<)(?=[^<]*[A-Za-z]{3})", '<td class="words">', page)
    if output.output_type != "stream" or "\x1b" in output.text:
        return [output]
    lines, sentences = output.text.splitlines(), [False]
    for line in lines:
        begins = line[:1] in ("✓", "✗", "–") or len(line) > 60
        sentences.append(not re.search(r"\S {2,}\S", line) and (begins or (line.startswith("  ") and sentences[-1])))
    parts = []
    for wraps, group in groupby(zip(lines, sentences[1:], strict=True), key=lambda pair: pair[1]):
        text = "\n".join(line for line, _ in group)
        page = f'<pre class="sentences">{html.escape(text)}</pre>'
        parts.append(
            nbformat.v4.new_output("display_data", {"text/plain": text, "text/html": page})
            if wraps
            else nbformat.v4.new_output("stream", name=output.name, text=text)
        )
    return parts


def live_figure(notebook: NotebookNode, name: str) -> str:
    """Return the stored output of a live figure, for another page: ``name`` is that of its script."""
    outputs = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    return next(data["text/html"] for data in outputs if f'data-figure="{name}"' in data.get("text/html", ""))


def cover(notebook: NotebookNode) -> tuple[bytes, str]:
    """Return the picture for a lesson's card and its text: of the cell with ``"cover": true``, or else the largest."""
    found = [
        (
            bool(cell.metadata.get("cover")),
            len(output.data["image/png"]),
            output.data["image/png"],
            cell.metadata.get("alt", ""),
        )
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    _, _, png, alt = max(found, default=(False, 0, "", ""))
    return base64.b64decode(png), alt


def card(path: Path, notebook: NotebookNode, alt: str | None) -> str:
    """Return a lesson's card: title, what one learns there, minutes, and when it was executed."""
    first = notebook.cells[0].source if notebook.cells else ""
    title, learn, minutes = re.search(r"(?m)^# (.+)$", first), _LEARN.search(first), re.search(r"(\d+) minutes", first)
    notes = [f"{minutes[1]} min"] if minutes else []
    if done := notebook.metadata.get("executed"):
        notes += [f"failed in {done.error.split(':')[0]}"] if done.error else []
        notes.append(f"executed {_day(done.date)}")
        if (done.profile, done.source) != ("full", "mnist"):
            notes.append("small profile" if done.source == "mnist" else "stand-in digits")
    else:
        log = ["git", "-C", str(path.parent), "log", "-1", "--format=%cs", "--", path.name]
        stored = subprocess.run(log, capture_output=True, text=True, check=False).stdout.strip()
        notes += [f"updated {_day(stored)}"] if stored else []
    options = [f":link: {path.stem}", ":link-type: doc", ":class-card: lesson"]
    if alt is not None:
        options += [f":img-top: covers/{path.stem}.png", f":img-alt: {' '.join(alt.split())}"]
    text = _clauses(re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", learn[1])) if learn else ""
    footer = [":::{card-footer}", " · ".join(notes), ":::", "::::"]
    return "\n".join([f"::::{{grid-item-card}} {title[1] if title else path.stem}", *options, text, *footer])


def _day(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%b %Y}"


def _clauses(text: str) -> str:
    """Return the first sentence of a text; of a long one as many clauses as fit on a card."""
    first, *others = re.split(r"(?<=[.!?])\s", " ".join(text.split()))[0].rstrip(".").split("; ")
    for clause in others:
        if len(first) + len(clause) > SUMMARY:
            break
        first += f"; {clause.removeprefix('and ')}"
    return f"{first[:1].upper()}{first[1:]}."


def api_pages() -> dict[str, bytes]:
    """Return a page of the API reference for each part of the library, with everything that it makes public."""
    package = import_module("mnist_helpers")
    pages = {}
    for part in PARTS:
        module = import_module(f"mnist_helpers.{part}")
        found = {
            name: value
            for name, value in _public(package, "mnist_helpers") + _public(module, module.__name__)
            if f"{value.__module__}.".startswith(f"mnist_helpers.{part}.")
        }
        short = {value: name for name, value in reversed(found.items())}  # the first, shorter path of each
        lines = [
            f"# {part.capitalize()}",
            "",
            inspect.getdoc(module) or "",
            "",
            "```{eval-rst}",
            ".. autosummary::",
            "   :nosignatures:",
            "",
        ]
        lines += [f"   ~{name}" for value, name in reversed(short.items())] + [""]
        for value, name in reversed(short.items()):
            kind = "class" if inspect.isclass(value) else "function"
            lines += [f".. auto{kind}:: {name}", "   :members:" if kind == "class" else "", ""]
        pages[f"api/{part}.md"] = "\n".join([*lines, "```", ""]).encode()
    return pages


def _public(module: ModuleType, path: str) -> list[tuple[str, Any]]:
    """Return the public functions and classes of a module, with the path under which they are imported."""
    found = []
    for name in getattr(module, "__all__", () if hasattr(module, "__path__") else vars(module)):
        value = None if name.startswith("_") else getattr(module, name)
        if isinstance(value, ModuleType) and value.__name__.count(".") == 2:  # a module for itself: leaderboard.record
            found += [each for each in _public(value, f"{path}.{name}") if each[1].__module__ == value.__name__]
        elif inspect.isclass(value) or inspect.isfunction(value):
            found.append((f"{path}.{name}", value))
    return found


def jupyter_slug(heading: str) -> str:
    """Return the anchor that Jupyter gives to a heading."""
    return heading.replace(" ", "-")


if __name__ == "__main__":
    sys.exit(build(ROOT / "build" / "html", tuple(sys.argv[1:])))
