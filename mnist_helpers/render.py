"""Executed notebooks as web pages that need nothing else: no other file, no other host."""

import base64
import io
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, pass_context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from mnist_helpers.files import atomic_write
from mnist_helpers.kernels import NotebookResult
from mnist_helpers.runs import duration

# nbconvert's page asks other hosts for scripts: RequireJS and widgets, which nothing here needs, MathJax, for which
# formulas are drawn as pictures instead, and Mermaid.
_PAGE = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_css -%}
<style>
body.jp-Notebook { max-width: 60rem; margin: 0 auto; padding: 0.5rem; overflow: auto; }
.jp-Notebook img { max-width: 100%; height: auto; }
.jp-OutputArea-output { overflow-x: auto; }
@media (max-width: 40rem) { .jp-InputPrompt, .jp-OutputPrompt { display: none !important; } }
</style>
{%- endblock -%}
{%- block data_png scoped -%}
{{ super() | replace('<img ', '<img alt="' ~ (output.metadata.alt | e) ~ '" ', 1) }}
{%- endblock -%}
{%- block data_jpg scoped -%}
{{ super() | replace('<img ', '<img alt="' ~ (output.metadata.alt | e) ~ '" ', 1) }}
{%- endblock -%}
{%- block data_svg scoped -%}
{{ super() | replace('<img ', '<img alt="' ~ (output.metadata.alt | e) ~ '" ', 1) }}
{%- endblock -%}
"""

_INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The MNIST notebooks</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.45rem 0.6rem 0.45rem 0; border-bottom: 1px solid #8886; }
td.seconds, th.seconds { text-align: right; white-space: nowrap; }
.error, .note { font-size: 0.875rem; overflow-wrap: anywhere; }
.note { opacity: 0.75; }
.failed { font-weight: bold; }
</style>
</head>
<body>
<main>
<h1>The MNIST notebooks</h1>
<p>{{ rows | selectattr("status", "equalto", "ok") | list | length }} of {{ rows | length }} executed without an error,
in {{ duration(rows | sum(attribute="seconds")) }}.</p>
<table>
<thead><tr><th>Notebook</th><th>Status</th><th class="seconds">Seconds</th></tr></thead>
<tbody>
{%- for row in rows %}
<tr>
<td><a href="{{ row.name | urlencode }}.html">{{ row.name }}</a>
<div class="note">{{ row.profile }} profile, {{ row.source }}, {{ row.finished }}</div>
{%- if row.error %}<div class="error">{{ row.place }}{{ ": " if row.place }}{{ row.error }}</div>{% endif %}</td>
<td class="{{ row.status }}">{{ "✓" if row.status == "ok" else "✗" }} {{ row.status }}</td>
<td class="seconds">{{ "%.1f" | format(row.seconds) }}</td>
</tr>
{%- endfor %}
</tbody>
</table>
</main>
</body>
</html>
"""


@dataclass(frozen=True)
class IndexRow:
    """What the index says of one notebook; ``finished`` is the local time, to the minute."""

    name: str
    status: str
    seconds: float
    profile: str
    source: str
    finished: str
    place: str = ""
    error: str | None = None

    @classmethod
    def of(cls, result: NotebookResult, *, profile: str, source: str) -> "IndexRow":
        """Return the row for a notebook that was executed just now."""
        now = datetime.now().strftime("%Y-%m-%d %H:%M")
        seconds = round(result.seconds, 1)
        return cls(result.name, result.status, seconds, profile, source, now, result.place, result.error)


def page(notebook: NotebookNode, *, title: str, directory: Path) -> str:
    """Return an executed notebook as a self-contained HTML page.

    Pictures that its prose names are taken from ``directory``. A picture that a cell drew has the alternative text in
    the cell's metadata, ``alt``: a string, or a list of them for several pictures.
    """
    described = deepcopy(notebook)
    described.metadata.pop("widgets", None)
    for cell in described.cells:
        if cell.cell_type == "code":
            _describe_pictures(cell)
    exporter = _Exporter(raw_template=_PAGE, embed_images=True)
    html, _ = exporter.from_notebook_node(described, {"metadata": {"name": title, "path": str(directory)}})
    return html


def _describe_pictures(cell: NotebookNode) -> None:
    given = cell.metadata.get("alt", [])
    texts = [given] if isinstance(given, str) else list(given)
    lines = [line for line in cell.source.splitlines() if line.strip()]
    default = f"Picture drawn by: {lines[-1].strip()}" if lines else "Picture"
    pictures = [output for output in cell.outputs if any(mime.startswith("image/") for mime in output.get("data", {}))]
    for number, output in enumerate(pictures):
        output.metadata["alt"] = texts[number] if number < len(texts) else default


class _Exporter(HTMLExporter):
    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        cell, resources = context.get("cell", {}), context.get("resources", {})
        renderer = _Renderer(
            escape=False,
            embed_images=True,
            attachments=cell.get("attachments", {}),
            path=resources.get("metadata", {}).get("path", ""),
        )
        return MarkdownWithMath(renderer=renderer).render(source)


class _Renderer(IPythonRenderer):
    """Markdown with formulas as pictures, and links between notebooks that lead to their pages."""

    def link(self, text: str, url: str, title: str | None = None) -> str:
        target, hash_sign, anchor = url.partition("#")
        if target.endswith(".ipynb") and "/" not in target:
            url = target.removesuffix(".ipynb") + ".html" + hash_sign + anchor
        return super().link(text, url, title)

    def inline_math(self, body: str) -> str:
        return _formula(body, size=10.5)

    def block_math(self, body: str) -> str:
        return f'<p style="text-align: center">{_formula(body, size=13)}</p>'


def _formula(tex: str, *, size: float) -> str:
    """Return a formula as a picture with its TeX as alternative text, or as that text where it cannot be drawn."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import math_to_image

    picture = io.BytesIO()
    formula = " ".join(tex.split())
    properties = FontProperties(size=size, math_fontfamily="cm")
    try:
        depth = math_to_image(f"${formula}$", picture, prop=properties, dpi=72, format="svg")
    except ValueError:  # mathtext knows a large part of TeX, not all
        return f"<code>{escape(formula)}</code>"
    data = base64.b64encode(picture.getvalue()).decode()
    alt = escape(formula, quote=True)
    return f'<img alt="{alt}" style="vertical-align: -{depth:.1f}pt" src="data:image/svg+xml;base64,{data}">'


def write_index(directory: Path, rows: Sequence[IndexRow], *, order: Sequence[str]) -> None:
    """Write index.html with these rows and those of earlier runs whose pages are still there, in the order given."""
    state = directory / "results.json"
    known = {row.name: row for row in _read_rows(state) if (directory / f"{row.name}.html").is_file()}
    known |= {row.name: row for row in rows}
    ordered = [known[name] for name in order if name in known]
    template = Environment(autoescape=True).from_string(_INDEX)
    atomic_write(state, json.dumps([asdict(row) for row in ordered], indent=1).encode())
    atomic_write(directory / "index.html", template.render(rows=ordered, duration=duration).encode())


def _read_rows(state: Path) -> list[IndexRow]:
    try:
        return [IndexRow(**row) for row in json.loads(state.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):  # none yet, or written by another version: the pages are made anew
        return []
