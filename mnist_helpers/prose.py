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
_MAX_PICTURE_BYTES = 8 * 2**20
_ATTACHED = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
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

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Return a picture that holds all its data, or its alternative text where there is none to show."""
        source = self._src_to_base64(url)
        if source is None and (":" not in url or url.startswith("attachment:")):
            return text
        return super(IPythonRenderer, self).image(text, source or url, title)  # nbconvert's own may raise

    def _src_to_base64(self, src: str) -> str | None:
        """Return the address that holds a picture's data; None for one that is not to be had, or not here."""
        scheme, colon, name = src.partition(":")
        if colon:
            return self._attached(name) if scheme == "attachment" else None
        file = self._file(src)
        kind = mimetypes.guess_type(file.name)[0] if file else None
        if file is None or kind is None or not kind.startswith("image/"):
            return None
        content = _read(file, _MAX_PICTURE_BYTES)
        return None if content is None else _data_address(kind, content)

    def _attached(self, name: str) -> str | None:
        bundle = self.attachments.get(name) or self.attachments.get(unquote(name)) or {}
        return next((f"data:{kind};base64,{bundle[kind]}" for kind in _ATTACHED if kind in bundle), None)

    def _file(self, target: str) -> Path | None:
        """Return the file that the prose names; none outside of the folder, whatever a stranger's notebook says."""
        try:
            folder = Path(self.path).resolve()
            file = (folder / unquote(target)).resolve()
            return file if file.is_relative_to(folder) and file.is_file() else None
        except (OSError, ValueError, RuntimeError):  # a name that is too long or has a NUL in it, or links in a circle
            return None

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
    """Return a link that holds the file itself; for a large or unreadable one, only its text."""
    if (content := _read(file, _MAX_BYTES)) is None:
        return text
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f'<a download="{escape(file.name)}" href="{_data_address(kind, content)}">{text}</a>'


def _read(file: Path, limit: int) -> bytes | None:
    """Return the content of a file of ``limit`` bytes or fewer; None where it is larger, or cannot be read."""
    try:
        with file.open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError:
        return None
    return content if len(content) <= limit else None


def _data_address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


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
    except (ValueError, RuntimeError):  # mathtext knows a large part of TeX, not all, and gives up on deep nesting
        return f"<code>{escape(formula)}</code>"
    data = base64.b64encode(picture.getvalue()).decode()
    style = f"vertical-align: -{depth:.1f}pt"
    return f'<img alt="{escape(formula)}" class="formula" style="{style}" src="data:image/svg+xml;base64,{data}">'
