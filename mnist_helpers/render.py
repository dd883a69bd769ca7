"""Executed notebooks as web pages that need nothing else: no other file, no other host."""

import base64
import hashlib
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from mnist_helpers.prose import to_html, without_navigation
from mnist_helpers.series import Lesson

TEMPLATES = Path(__file__).with_name("templates")
_ACTIVE = ("script", "iframe", "object", "embed", "base", "meta", "link")
_ACTIVE_ADDRESS = re.compile(r"(javascript|vbscript):", re.IGNORECASE)
_SECTION = re.compile(r'<h2 id="([^"]+)">(.*?)<a class="anchor-link"', re.DOTALL)


def read_template(name: str) -> str:
    """Return the text of a file in the templates folder."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def policy(script: str = "") -> str:
    """Return a Content-Security-Policy: nothing from anywhere, no script but this one, styles and pictures inline."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f"'sha256-{digest}'" if script else "'none'"
    own = f"script-src {allowed}; style-src 'unsafe-inline'; img-src data:"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def page(
    notebook: NotebookNode,
    *,
    lesson: Lesson,
    directory: Path,
    previous: Lesson | None = None,
    following: Lesson | None = None,
) -> str:
    """Return an executed notebook as a self-contained HTML page with links to its neighbours in the series.

    Pictures that its prose names are taken from ``directory``. A picture that a cell drew has the alternative text in
    the cell's metadata, ``alt``: a string, or a list of them for several pictures. Cells tagged "solution" are folded.
    """
    shown = deepcopy(notebook)
    for cell in shown.cells:
        if cell.cell_type == "markdown":  # the page has a navigation of its own
            cell.source = without_navigation(cell.source)
    site = {"title": lesson.title, "previous": previous, "following": following}
    html = export(shown, "page", directory=directory, notebook_link="{}.html".format, site=site)
    sections = "".join(f'<li><a href="#{anchor}">{title}</a></li>' for anchor, title in _SECTION.findall(html))
    return html.replace("<li>sections</li>", sections, 1)


def export(
    notebook: NotebookNode,
    template: str,
    *,
    directory: Path,
    notebook_link: Callable[[str], str | None],
    site: dict[str, Any],
) -> str:
    """Return a notebook as HTML by a template, with the style sheet and the script of the template's name.

    ``notebook_link`` : see ``prose.to_html``. ``site`` : what else the template needs.
    """
    described = deepcopy(notebook)
    described.metadata.pop("widgets", None)
    for cell in described.cells:
        if cell.cell_type == "code":
            _describe_pictures(cell)
    exporter = _Exporter(
        template_file=f"{template}.html.j2",
        extra_template_paths=[str(TEMPLATES)],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    exporter.notebook_link = notebook_link
    script = read_template(f"{template}.js")
    styles = read_template("cells.css") + read_template(f"{template}.css")
    own = {"style": styles, "script": script, "policy": policy(script), **site}
    html, _ = exporter.from_notebook_node(described, {"metadata": {"path": str(directory)}, "site": own})
    return _without_foreign_scripts(html, script)


def _without_foreign_scripts(html: str, script: str) -> str:
    """Return a page without what acts and came with the notebook; a browser would refuse it by the policy, too."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(True):
        if tag.parent and tag.parent.name == "head":
            continue
        if tag.name in _ACTIVE and not (tag.name == "script" and tag.string == script):
            tag.decompose()
            continue
        for name, value in list((tag.attrs or {}).items()):
            if name.startswith("on") or _ACTIVE_ADDRESS.match(re.sub(r"[\s\0-\x1f]", "", str(value))):
                del tag[name]
    return str(soup)


def _describe_pictures(cell: NotebookNode) -> None:
    given = cell.metadata.get("alt", [])
    texts = [given] if isinstance(given, str) else list(given)
    lines = [line for line in cell.source.splitlines() if line.strip()]
    default = f"Picture drawn by: {lines[-1].strip()}" if lines else "Picture"
    pictures = [output for output in cell.outputs if any(mime.startswith("image/") for mime in output.get("data", {}))]
    for number, output in enumerate(pictures):
        output.metadata["alt"] = texts[number] if number < len(texts) else default


class _Exporter(HTMLExporter):
    notebook_link: Callable[[str], str | None]

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        cell, resources = context.get("cell", {}), context.get("resources", {})
        return to_html(
            source,
            directory=resources.get("metadata", {}).get("path", ""),
            attachments=cell.get("attachments", {}),
            notebook_link=self.notebook_link,
        )
