"""Build the site: the lessons with their results, the API reference, the glossary. ``make docs``; also used by tools.run.

    python -m tools.site [-W] [other options of sphinx-build]

The sources, docs/ and the notebooks, are gathered in build/source, where Sphinx finds them.
"""

import base64
import inspect
import re
import subprocess
import sys
from copy import deepcopy
from datetime import date
from importlib import import_module
from pathlib import Path
from types import ModuleType

import nbformat
from nbformat import NotebookNode
from sphinx.cmd.build import build_main

from tools.series import NAVIGATION, NOTEBOOKS, ROOT, find, read, shown, tags

DOCS = ROOT / "docs"
PARTS = ("data", "models", "evaluation", "training", "explain", "plotting", "live", "course")  # of the API reference
SUMMARY = 130  # characters on a card, about


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
    files = {str(path.relative_to(DOCS)): path.read_bytes() for path in DOCS.glob("*.md")} | api_pages()
    pages = {path.name: results_of(path, executed) for path in find(notebooks=notebooks)}
    for pattern in ("pictures/*", "results/*.csv"):
        files |= {str(path.relative_to(notebooks)): path.read_bytes() for path in notebooks.glob(pattern)}
    cards = []
    for name, notebook in pages.items():
        stem = Path(name).stem
        picture, alt = cover(notebook)
        if picture:
            files[f"covers/{stem}.png"] = picture
        cards.append(card(stem, notebook, alt if picture else None))
        files[name] = nbformat.writes(prepared(notebook)).encode()
    files["cards.txt"] = "\n".join([":::::{grid} 1 2 2 3", ":gutter: 3", *cards, ":::::"]).encode()
    _write(source, files)
    status = build_main(["-q", "-j", "auto", "-c", str(DOCS), *options, str(source), str(output)])
    for name, notebook in pages.items():  # what is downloaded is the notebook itself
        (output / "_sources" / name).write_text(nbformat.writes(notebook), encoding="utf-8")
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
    """Return a notebook as it was executed just now; where it was not, with the results stored in it, and their date."""
    notebook = read(path)
    new = executed and executed / path.name
    if new and new.is_file():
        again = read(new)
        if [cell.source for cell in again.cells] == [cell.source for cell in notebook.cells]:
            return again
    log = ["git", "-C", str(path.parent), "log", "-1", "--format=%cs", "--", path.name]
    stored = subprocess.run(log, capture_output=True, text=True, check=False).stdout.strip()
    notebook.metadata.executed = {"date": stored, "profile": "full", "source": "mnist", "error": ""}
    return notebook


def prepared(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook in the terms of myst-nb: folded solutions, folded code, alternative texts; no links of its own."""
    notebook = deepcopy(notebook)
    for cell in notebook.cells:
        known, hidden = tags(cell), cell.metadata.get("jupyter", {})
        settings = {}
        if alt := cell.metadata.get("alt"):
            settings["image"] = {"alt": alt}
        if "solution" in known:
            known.append("hide-cell")
            settings["code_prompt_show"] = "Show the solution"
        elif hidden.get("source_hidden"):
            known.append("hide-input")
        cell.metadata.update({"tags": known, "mystnb": settings})
        if cell.cell_type == "markdown":
            cell.source = NAVIGATION.sub("", cell.source).strip()
    notebook.cells = [cell for cell in notebook.cells if cell.source.strip()]
    return notebook


def cover(notebook: NotebookNode) -> tuple[bytes | None, str]:
    """Return the picture for a lesson's card, that of the cell with ``"cover": true`` or else the largest, and its text."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                found.append((bool(cell.metadata.get("cover")), len(png), png, cell.metadata.get("alt", "")))
    _, _, png, alt = max(found, default=(False, 0, "", ""))
    return (base64.b64decode(png), alt) if png else (None, "")


def card(name: str, notebook: NotebookNode, alt: str | None) -> str:
    """Return a lesson's card: title, what one learns there, minutes, and when it was executed."""
    first = notebook.cells[0].source if notebook.cells else ""
    title = re.search(r"(?m)^# (.+)$", first)
    learn = re.search(
        r"\*\*(?:What you will learn|After this notebook you can)[^*]*\*\*:?(.*?)(?=\n\s*\n|\*\*[A-Z]|\Z)", first, re.S
    )
    minutes = re.search(r"(\d+) minutes", first)
    done = notebook.metadata.executed
    notes = [f"{minutes[1]} min"] if minutes else []
    if done.error:
        notes.append(f"failed in {done.error.split(':')[0]}")
    if done.date:
        notes.append(f"executed {date.fromisoformat(done.date):%-d %b %Y}")
    if (done.profile, done.source) != ("full", "mnist"):
        notes.append("small profile" if done.source == "mnist" else "stand-in digits")
    image = [f":img-top: covers/{name}.png", f":img-alt: {' '.join(alt.split())}"] if alt is not None else []
    text = _clauses(re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", learn[1])) if learn else ""
    options = [f":link: {name}", ":link-type: doc", ":class-card: lesson", *image]
    return "\n".join(
        [
            f"::::{{grid-item-card}} {title[1] if title else name}",
            *options,
            text,
            ":::{card-footer}",
            " · ".join(notes),
            ":::",
            "::::",
        ]
    )


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
        try:
            module = import_module(f"mnist_helpers.{part}")
        except ModuleNotFoundError:
            continue
        names = [f"mnist_helpers.{name}" for name in package.__all__ if _home(getattr(package, name)) == part]
        inside = [(f"mnist_helpers.{part}.{name}", getattr(module, name)) for name in getattr(module, "__all__", ())]
        for name, value in inside:
            if isinstance(value, ModuleType):
                names += [f"{name}.{each}" for each, made in vars(value).items() if _is_public(each, made, value)]
            elif callable(value) and f"mnist_helpers.{name.rpartition('.')[2]}" not in names:
                names.append(name)
        if names:
            pages[f"api/{part}.md"] = _api_page(part, module, package, names).encode()
    return pages


def _home(value: object) -> str:
    """Return the part of the library that a function or class comes from."""
    module = "" if isinstance(value, ModuleType) else getattr(value, "__module__", "")
    return f"{module}..".split(".")[1]


def _is_public(name: str, value: object, module: ModuleType) -> bool:
    return not name.startswith("_") and inspect.isroutine(value) and value.__module__ == module.__name__


def _api_page(part: str, module: ModuleType, package: ModuleType, names: list[str]) -> str:
    lines = [f"# {part.capitalize()}", "", inspect.getdoc(module) or "", "", "```{eval-rst}", ".. autosummary::", ""]
    lines += [f"   ~{name}" for name in names] + [""]
    for name in names:
        value = package
        for each in name.split(".")[1:]:
            value = getattr(value, each)
        lines += [f".. auto{'class' if inspect.isclass(value) else 'function'}:: {name}"]
        lines += ["   :members:", ""] if inspect.isclass(value) else [""]
    return "\n".join([*lines, "```", ""])


def jupyter_slug(heading: str) -> str:
    """Return the anchor that Jupyter gives to a heading."""
    return heading.replace(" ", "-")


if __name__ == "__main__":
    sys.exit(build(ROOT / "build" / "html", tuple(sys.argv[1:])))
