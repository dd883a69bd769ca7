"""Executed notebooks as web pages that need nothing else: no other file, no other host."""

import base64
import hashlib
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import PreformattedString, Tag
from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from mnist_helpers.prose import to_html, without_navigation
from mnist_helpers.series import Lesson

TEMPLATES = Path(__file__).with_name("templates")
_ACTIVE = ("script", "iframe", "frame", "frameset", "object", "embed", "base", "meta", "link")
_READ_AS_TEXT = ("noscript", "noembed", "noframes", "plaintext", "template", "textarea", "title", "xmp")
_NAME = re.compile(r"[a-z][\w:.-]*", re.IGNORECASE | re.ASCII)
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
            for data in (output.data for output in cell.outputs if "text/html" in output.get("data", {})):
                data["text/html"] = _without_sections(data["text/html"])
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


def _without_sections(html: str) -> str:
    """Return HTML without marked sections, which it does not have: they are text, on some of which parsers give up."""
    return html.replace("<![", "&lt;![")


def _without_foreign_scripts(html: str, script: str) -> str:
    """Return a page without what acts and came with the notebook; a browser would refuse most by the policy, too.

    Browsers and Python's parser disagree on where comments and the like end, and on what is text within some tags. So
    none of these are left, nor names that are none: every "<" that remains begins a tag that was looked at here.
    """
    soup = BeautifulSoup(html, "html.parser")
    own = {id(node) for node in (soup.head.descendants if soup.head else ())}
    own |= {id(tag) for tag in soup.find_all("script")[-1:] if tag.string == script and not tag.attrs}
    for node in list(soup.descendants)[1:]:  # the first is the page's doctype
        if node.decomposed or id(node) in own:
            continue
        if isinstance(node, PreformattedString):
            node.extract()
        elif isinstance(node, Tag):
            _disarm(node)
    return str(soup)


def _disarm(tag: Tag) -> None:
    """Remove a stranger's tag that acts, or what makes it act."""
    if tag.name in _ACTIVE or not _NAME.fullmatch(tag.name) or (tag.name == "style" and "<" in tag.get_text()):
        tag.decompose()
        return
    if tag.name == "plaintext" or (tag.name in _READ_AS_TEXT and tag.find(True)):
        tag.unwrap()
        return
    for name, value in list(tag.attrs.items()):
        active = name.startswith("on") or _ACTIVE_ADDRESS.match(re.sub(r"[\s\0-\x1f]", "", str(value)))
        if active or not _NAME.fullmatch(name):
            del tag[name]


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
        html = to_html(
            source,
            directory=resources.get("metadata", {}).get("path", ""),
            attachments=cell.get("attachments", {}),
            notebook_link=self.notebook_link,
        )
        return _without_sections(html)
