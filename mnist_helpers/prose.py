"""The prose of a notebook as HTML that needs no other file: formulas are pictures, and files come along in links."""

import base64
import io
import mimetypes
import re
from collections.abc import Callable
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

_MAX_BYTES = 2**20  # of a file that comes along in a link
_LINK = r"\[[^\]]*\]\([^)]*\)"
_NAVIGATION = re.compile(rf"{_LINK}(?:\s*·\s*{_LINK})*")


def to_html(
    markdown: str, *, directory: str, attachments: dict[str, Any], notebook_link: Callable[[str], str | None]
) -> str:
    """Return Markdown as HTML. Pictures and files that it names are taken from ``directory`` and embedded.

    ``notebook_link`` : gets the name of another notebook, without its ending, and returns the address of its page, or
    None where there is no page; the link then becomes plain text.
    """
    renderer = _Renderer(escape=False, embed_images=True, attachments=attachments, path=directory)
    renderer.notebook_link = notebook_link
    return MarkdownWithMath(renderer=renderer).render(markdown)


def without_navigation(markdown: str) -> str:
    """Return Markdown without the paragraphs that are nothing but links to the notebooks before and after."""
    paragraphs = markdown.split("\n\n")
    return "\n\n".join(part for part in paragraphs if not _is_navigation(part))


def _is_navigation(paragraph: str) -> bool:
    is_links = _NAVIGATION.fullmatch(paragraph.strip()) is not None
    return is_links and any(sign in paragraph for sign in ("[← ", " →]", "[Contents]("))


class _Renderer(IPythonRenderer):
    notebook_link: Callable[[str], str | None]

    def link(self, text: str, url: str, title: str | None = None) -> str:
        target, hash_sign, anchor = url.partition("#")
        if target.endswith(".ipynb") and "/" not in target:
            page = self.notebook_link(unquote(target.removesuffix(".ipynb")))
            return text if page is None else super().link(text, page + hash_sign + anchor, title)
        if target and ":" not in target and (file := self._file(target)):
            return _enclosed(text, file)
        return super().link(text, url, title)

    def _file(self, target: str) -> Path | None:
        """Return the file that a link names; none outside of the folder, whatever a notebook says that came along."""
        folder = Path(self.path).resolve()
        file = (folder / unquote(target)).resolve()
        return file if file.is_relative_to(folder) and file.is_file() else None

    def _html_embed_images(self, html: str) -> str:
        # nbconvert's own version closes what the block leaves open: <details>, whose text follows as Markdown
        return re.sub(r"<img\b[^>]*>", lambda found: super(_Renderer, self)._html_embed_images(found[0]), html)

    def table(self, text: str) -> str:
        return f'<div class="scroll"><table>{text}</table></div>'

    def inline_math(self, body: str) -> str:
        return _formula(body, size=10.5)

    def block_math(self, body: str) -> str:
        return f'<p class="formula">{_formula(body, size=13)}</p>'


def _enclosed(text: str, file: Path) -> str:
    """Return a link that holds the file itself; for a large one, only its text."""
    if file.stat().st_size > _MAX_BYTES:
        return text
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    data = base64.b64encode(file.read_bytes()).decode()
    return f'<a download="{escape(file.name)}" href="data:{kind};base64,{data}">{text}</a>'


@lru_cache(maxsize=256)
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
    style = f"vertical-align: -{depth:.1f}pt"
    return f'<img alt="{escape(formula)}" class="formula" style="{style}" src="data:image/svg+xml;base64,{data}">'
