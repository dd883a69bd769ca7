"""Grids of maps of numbers: one picture on one Axes however many maps, and one colour bar that names their unit.

Zero has the colour of an empty tile. Signed maps are red where they are positive and blue where they are negative,
other maps the darker the stronger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.ticker import MaxNLocator

from mnist_helpers.common.checks import check_positive_int
from mnist_helpers.plotting.charts import DARK, new_axes

LEVELS = 31  # as many as an eye can tell; more would only swell stored pictures. Odd: the middle one is zero
# ColorBrewer's RdBu and Purples (Brewer 2003): safe for the colour-blind. The pale end is grey, to show on paper.
SIGNED = LinearSegmentedColormap.from_list("signed", ["#2166AC", "#82BBDB", "#EFEFEF", "#F49A76", "#B2182B"], LEVELS)
STRENGTH = LinearSegmentedColormap.from_list("strength", ["#EFEFEF", "#9E9AC8", "#3F007D"], LEVELS)
SHADE, SHADE_COLOR = 0.14, "#CDCDCD"  # how dark strokes lie over a map, and what that makes of an empty tile
AGAINST, FOR = "\N{LEFTWARDS ARROW} against", "for \N{RIGHTWARDS ARROW}"


def _gap(size: int) -> int:
    """Pixels between tiles of ``size`` pixels: 2 for an MNIST digit."""
    return max(1, round(size / 14))


def canvas(tiles: np.ndarray, head: int = 0) -> np.ndarray:
    """Return tiles (rows, columns, height, width), NaN where none is, as one picture, ``head`` pixels above each."""
    rows, columns, height, width = tiles.shape
    gap, top = _gap(width), _gap(height) + head
    padded = np.pad(tiles, ((0, 0), (0, 0), (top, 0), (0, gap)), constant_values=np.nan)
    return padded.transpose(0, 2, 1, 3).reshape(rows * (height + top), columns * (width + gap))[:, :-gap]


def centres(shape: tuple[int, ...], head: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the x of the columns and the y of the rows of a canvas of tiles of ``shape``."""
    rows, columns, height, width = shape
    top = _gap(height) + head
    across = np.arange(columns) * (width + _gap(width)) + (width - 1) / 2
    return across, np.arange(rows) * (height + top) + top + (height - 1) / 2


def axes_for(
    shape: tuple[int, ...], ax: Axes | None, *, head: int = 0, left: float = 0.1, edges: float = 0.8
) -> tuple[Axes, np.ndarray, np.ndarray]:
    """Return Axes for tiles of ``shape`` and the centres of its columns and rows.

    ``left`` and ``edges`` are inches for the names of the rows, and for the colour bar and what stands on top.
    """
    rows, columns, height, width = shape
    inches = min(0.85, 8.5 / columns)
    tall = inches * rows * (height + _gap(height) + head) / (width + _gap(width))
    ax = new_axes(ax, max(4.2, columns * inches + left), tall + edges)
    ax.spines[:].set_visible(False)
    ax.set(xticks=[], yticks=[])
    ax.tick_params(length=0)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    return ax, *centres(shape, head)


def colors_for(values: np.ndarray, *, signed: bool | None = None, percent: float = 100) -> dict[str, Any]:
    """Return the colours of ``values``: symmetric about 0 if one is negative (or ``signed``), else from 0.

    The scale ends where ``percent`` of the values lie inside it, as a few extreme ones would make all others pale.
    """
    sizes = np.abs(values)
    limit = float(np.percentile(sizes, percent)) or float(sizes.max()) or 1.0
    if (values < 0).any() if signed is None else signed:
        return {"cmap": SIGNED, "vmin": -limit, "vmax": limit}
    return {"cmap": STRENGTH, "vmin": 0.0, "vmax": limit}


def draw(ax: Axes, tiles: np.ndarray, head: int = 0, *, bar: str | None = None, **colors: Any) -> None:
    """Draw tiles on ``ax``, with a colour bar named ``bar`` below; its ends point where values lie beyond it."""
    picture = canvas(tiles, head)
    image = ax.imshow(picture, interpolation="nearest", **colors)
    if bar is None:
        return
    slack = 1e-9 * colors["vmax"]  # rounding is no value beyond the scale
    less, more = np.nanmin(picture) < colors["vmin"] - slack, np.nanmax(picture) > colors["vmax"] + slack
    figure: Any = ax.figure
    at: dict[str, Any] = {"location": "bottom", "shrink": min(1, 4 / (ax.get_window_extent().width / figure.dpi))}
    at |= {"aspect": 30, "pad": 0.02, "extend": ("neither", "min", "max", "both")[less + 2 * more]}
    ticks = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10])
    figure.colorbar(image, ax=ax, label=bar, ticks=ticks, **at).outline.set_visible(False)


def shade(ax: Axes, tiles: np.ndarray) -> None:
    """Lay the strokes of digits faintly over the maps in the same places, so that a map can be read as a digit."""
    picture = np.nan_to_num(canvas(tiles))
    strokes = np.ma.masked_less_equal(picture, picture.max() / 2)
    ax.imshow(strokes, cmap=ListedColormap(["black"]), alpha=SHADE, interpolation="nearest", zorder=1)


def draw_numbered(
    maps: np.ndarray, names: Sequence[str], columns: int, *, function: str, bar: str, ax: Axes | None, **colors: Any
) -> Axes:
    """Draw maps (n, height, width) in rows of ``columns``, each under its name, with a colour bar named ``bar``."""
    n, height, width = maps.shape
    columns = min(n, check_positive_int(columns, name="columns", function=function))
    tiles, head = np.full((-(-n // columns) * columns, height, width), np.nan), -(-height * 22 // 100)
    tiles[:n] = maps
    tiles = tiles.reshape(-1, columns, height, width)
    ax, across, down = axes_for(tiles.shape, ax, head=head)
    for i, name in enumerate(names):
        y = down[i // columns] - (height + 1) / 2
        ax.text(across[i % columns], y, name, ha="center", va="bottom", fontsize=9, color=DARK)
    draw(ax, tiles, head, bar=bar, **colors)
    return ax
