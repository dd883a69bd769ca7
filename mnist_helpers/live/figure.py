"""What all live figures share: how data, script and picture become one output that is alive in Lab and on a page."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import os
import re
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure as Picture

from mnist_helpers.common.types import Plain

SIGNED = LinearSegmentedColormap.from_list("signed", ["#0b6fb8", "#ffffff", "#d1470b"])  # as in style.css
SCRIPTS = Path(__file__).with_name("js")
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";$', re.MULTILINE)
_BLOCK = re.compile(r'<(?P<tag>script|style) data-mnist-live="(?P<key>[^"]+)"[^>]*>.*?</(?P=tag)>', re.DOTALL)
_EXPORT = re.compile(r"^export (default )?((?:async )?(?:function|const) (\w+))", re.MULTILINE)


class LiveFigure:
    """A figure that moves. A subclass names its script and gives ``data``, ``alt`` and a ``picture``.

    Attributes
    ----------
    script : str
        The module in ``live/js`` that draws the figure; its default export is called as ``(element, data, host)``.
    asks_kernel : bool
        Whether the figure is worth more with a kernel. Then it is shown through anywidget wherever a live front end
        is there, and its ``host.ask(question)`` is answered by `answer`.
    """

    script: ClassVar[str]
    asks_kernel: ClassVar[bool] = False

    def data(self) -> Plain:
        """What the script gets: JSON, in which arrays, `Rounded` arrays and `Asset` objects may stand anywhere."""
        raise NotImplementedError

    @property
    def alt(self) -> str:
        """One or two sentences that say what there is to see and to do, for screen readers and in place of pictures."""
        raise NotImplementedError

    def picture(self) -> Picture:
        """Return a still picture for GitHub, paper, and pages without JavaScript (see `row_of_tiles`)."""
        raise NotImplementedError

    def still(self) -> str:
        """Return the HTML that stands where no script runs: the picture with its text."""
        return f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{_png(self.picture())}">'

    def answer(self, question: Plain) -> Plain:
        """Answer what the script asks the kernel; both are plain JSON."""
        raise NotImplementedError

    def to_html(self) -> str:
        """Return the output for pages: the picture, and the scripts and data that put the live figure in its place."""
        spec, assets = self._packed()
        text = _json(spec)
        key, registry = _digest(text), f"mnistLive{_digest(*map(_source, sorted(_all_scripts())), _style())}"
        parts = [_block("style", f"style-{registry}", _style())]
        parts += [_block("script", name, text, ' type="application/json"') for name, text in assets.items()]
        parts.append(_block("script", key, text, ' type="application/json"'))
        for name in _needed(self.script):
            code = f"window.{registry} ??= {{}};\n{_as_part(name)}(window.{registry});"
            parts.append(_block("script", f"{name}-{registry}", code))
        return "\n".join(
            [
                f'<div class="mnist-live" data-figure="{self.script}" data-spec="{key}">',
                self.still(),
                "</div>",
                *parts,
                f"<script>window.{registry}.core.start(window.{registry});</script>",
            ]
        )

    def widget(self) -> Any:
        """Return the figure as an anywidget, connected to this kernel."""
        import anywidget
        import traitlets

        spec, assets = self._packed()
        content = {**spec, "assets": {key: json.loads(text) for key, text in assets.items()}}
        kind = type(
            type(self).__name__,
            (anywidget.AnyWidget,),
            {"_esm": esm(self.script), "_css": _style(), "spec": traitlets.Dict().tag(sync=True)},
        )
        widget = kind(spec=content)
        widget.on_msg(self._reply)
        return widget

    def _reply(self, widget: Any, message: Plain, buffers: list) -> None:
        widget.send({"id": message["id"], "answer": self.answer(message["question"])})

    def _packed(self) -> tuple[Plain, dict[str, str]]:
        """Return the data with their arrays packed, and the assets that they refer to, by their keys."""
        assets: dict[str, str] = {}
        return {"label": self.alt, "data": _pack(self.data(), assets)}, assets

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Plain:
        bundle = {"text/plain": repr(self), "text/html": self.to_html()}
        if self.asks_kernel and has_live_front_end():
            shown = self.widget()._repr_mimebundle_()
            bundle |= shown[0] if isinstance(shown, tuple) else shown
        return bundle

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.alt}"


class Asset:
    """Data that several figures of a page may share, such as the weights of a network; stored once on a page."""

    def __init__(self, content: object) -> None:
        self.content = content


class Rounded:
    """An array as whole numbers of 8 or 16 bits, with one scale for each index of its last axis.

    Parameters
    ----------
    array : float array
        Of any shape; matrices and kernels get one scale for each unit or filter, vectors one for all.
    bits : 8 or 16

    Attributes
    ----------
    values : int8 or int16 array, the whole numbers
    scale : float32 (units,)
    """

    def __init__(self, array: np.ndarray, bits: int = 8) -> None:
        array = np.asarray(array, np.float32)
        top = 2 ** (bits - 1) - 1
        axes = tuple(range(array.ndim - 1)) if array.ndim > 1 else None
        largest = np.atleast_1d(np.abs(array).max(axis=axes))
        self.scale = (np.where(largest > 0, largest, 1) / top).astype(np.float32)
        self.values = np.rint(array / self.scale).astype(np.int8 if bits == 8 else np.int16)

    @property
    def array(self) -> np.ndarray:
        """The array as the browser sees it: float32, whole numbers times scale."""
        return self.values * self.scale


def has_live_front_end() -> bool:
    """Tell whether somebody sits in front of this kernel: it was started for a notebook in JupyterLab or VS Code."""
    return "JPY_SESSION_NAME" in os.environ or "VSCODE_PID" in os.environ


def share(page: str) -> str:
    """Return the HTML of a page with each script, style and asset of its live figures only where it comes first."""
    seen: set[str] = set()

    def keep(found: re.Match[str]) -> str:
        again = found["key"] in seen
        seen.add(found["key"])
        return "" if again else found[0]

    return _BLOCK.sub(keep, page)


def row_of_tiles(tiles: Mapping[str, np.ndarray], *, width: float = 8.0) -> tuple[Picture, np.ndarray]:
    """Draw 2-D arrays in one row, each under its title; return the picture and its axes.

    Parameters
    ----------
    tiles : mapping of titles to 2-D arrays
        Without negative numbers: ink on white, from 0 to the maximum. With: orange above zero, blue below.
    width : float
        Inches.
    """
    picture = Picture(figsize=(width, width / len(tiles) + 0.4), dpi=100, layout="constrained")
    axes = np.atleast_1d(picture.subplots(1, len(tiles)))
    for ax, (title, array) in zip(axes, tiles.items(), strict=True):
        largest = np.abs(array).max() or 1
        signed = array.min() < 0
        ax.imshow(array, cmap=SIGNED if signed else "gray_r", vmin=-largest if signed else 0, vmax=largest)
        ax.set_title(title, fontsize=11)
        ax.set_xticks([])
        ax.set_yticks([])
    return picture, axes


# ---- packing


def _pack(value: object, assets: dict[str, str]) -> Any:
    if isinstance(value, Asset):
        text = _json(_pack(value.content, assets))
        assets[_digest(text)] = text
        return {"asset": _digest(text)}
    if isinstance(value, Rounded):
        return {**_pack(value.values, assets), "scale": [float(scale) for scale in value.scale]}
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value)
        if array.dtype.kind in "fb" or array.dtype.itemsize == 8:
            array = array.astype(np.float32 if array.dtype.kind == "f" else np.int32)
        packed = base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()
        return {"dtype": str(array.dtype), "shape": list(array.shape), "zlib": packed}
    if isinstance(value, Mapping):
        return {str(name): _pack(one, assets) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_pack(one, assets) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def _json(value: object) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def _png(picture: Picture) -> str:
    buffer = io.BytesIO()
    picture.savefig(buffer, format="png", metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode()


def _block(tag: str, key: str, content: str, attributes: str = "") -> str:
    return f'<{tag} data-mnist-live="{key}"{attributes}>{content}</{tag}>'


# ---- scripts: modules in the repository, plain functions on a page, since a page opened as a file loads no modules


@cache
def _source(name: str) -> str:
    return (SCRIPTS / f"{name}.js").read_text(encoding="utf-8")


@cache
def _style() -> str:
    return (SCRIPTS / "style.css").read_text(encoding="utf-8")


def _all_scripts() -> list[str]:
    return [path.stem for path in SCRIPTS.glob("*.js")]


def _needed(name: str) -> list[str]:
    """Return the modules that a module imports, theirs first, and itself last."""
    found: list[str] = []
    for match in _IMPORT.finditer(_source(name)):
        found += [one for one in _needed(match[2]) if one not in found]
    return [*found, name]


def _as_part(name: str) -> str:
    """Return a module as a function that takes the modules before it and adds its own exports to them."""
    code = _source(name)
    exports = [f"default: {match[3]}" if match[1] else match[3] for match in _EXPORT.finditer(code)]
    code = _IMPORT.sub(lambda match: f"const {{{match[1]}}} = modules.{match[2]};", code)
    code = _EXPORT.sub(lambda match: match[2], code)
    return f"((modules) => {{\n{code}\nmodules.{name} = {{ {', '.join(exports)} }};\n}})"


def esm(name: str) -> str:
    """Return a figure's script, with all that it imports, as one module for anywidget."""
    parts = "\n".join(f"{_as_part(part)}(modules);" for part in _needed(name))
    render = f"(context) => modules.core.attach(context, modules.{name}.default)"
    return f"const modules = {{}};\n{parts}\nexport default {{ render: {render} }};\n"
