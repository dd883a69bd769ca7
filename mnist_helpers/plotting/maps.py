"""What networks look at: attributions, with a named colour scale.

Zero has the colour of an empty tile, red is positive and blue negative.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from mnist_helpers.common.checks import problem
from mnist_helpers.plotting.digits import Grid, check_pictures
from mnist_helpers.plotting.theme import DARK, SIGNED

_SHADE, _SHADE_COLOR = 0.14, "#CDCDCD"  # how dark strokes lie over a map, and what that makes of an empty tile
_PERCENT = 99.5  # of the pixels lie inside a scale: a few are extreme
_DIRECTIONS = "\N{LEFTWARDS ARROW} against     {}     for \N{RIGHTWARDS ARROW}"


def _limit(values: np.ndarray) -> float:
    """Return where a scale ends so that nearly all values lie inside it, and few extreme ones do not rule."""
    sizes = np.abs(values)
    return float(np.percentile(sizes, _PERCENT)) or float(sizes.max()) or 1.0


def _draw(grid: Grid, tiles: np.ndarray, limit: float, bar: str) -> None:
    """Draw maps, with a colour bar named ``bar`` below whose ends point where values lie beyond it."""
    image = grid.ax.imshow(grid.picture(tiles), interpolation="nearest", cmap=SIGNED, vmin=-limit, vmax=limit)
    slack = 1e-9 * limit  # rounding is no value beyond the scale
    less, more = np.nanmin(tiles) < -limit - slack, np.nanmax(tiles) > limit + slack
    figure = grid.ax.get_figure(root=True)
    shrink = min(1, 4 / (grid.ax.get_window_extent().width / figure.dpi))  # type: ignore[union-attr]
    figure.colorbar(  # type: ignore[union-attr]
        image,
        ax=grid.ax,
        label=bar,
        ticks=MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]),
        location="bottom",
        shrink=shrink,
        aspect=30,
        pad=0.02,
        extend=("neither", "min", "max", "both")[less + 2 * more],
    ).outline.set_visible(False)


def _shade(grid: Grid, tiles: np.ndarray) -> None:
    """Lay the strokes of digits faintly over the maps in the same places, so that a map can be read as a digit."""
    picture = np.nan_to_num(grid.picture(tiles))
    strokes = np.ma.masked_less_equal(picture, picture.max() / 2)
    grid.ax.imshow(strokes, cmap=ListedColormap(["black"]), alpha=_SHADE, interpolation="nearest", zorder=1)


def plot_attributions(
    images: np.ndarray,
    values: np.ndarray,
    *,
    labels: np.ndarray,
    predictions: np.ndarray,
    classes: Sequence[int] = range(10),
    unit: str = "SHAP value",
    ax: Axes | None = None,
) -> Axes:
    """Draw how each pixel speaks for (red) or against (blue) each class: one row per image, one column per class.

    The image stands left of its row, and faintly in its maps. The predicted class is framed; the true one has a dark
    corner.

    Parameters
    ----------
    images : ndarray, shape (n, height, width, 1)
    values : ndarray, shape (n, height, width, k)
        They share one symmetric scale that covers 99.5 % of them; a pointed end of the colour bar says that some lie
        beyond it.
    labels, predictions : ndarray of int, shape (n,)
        True and predicted classes.
    classes : sequence of int
        The k classes of ``values``.
    unit : str
        Name of the quantity, for the colour bar.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    pictures = check_pictures(images, "plot_attributions")
    n, height, width = pictures.shape
    if np.shape(values) != (n, height, width, len(classes)):
        wanted = f"of shape {(n, height, width, len(classes))}"
        raise ValueError(problem("values", "plot_attributions", wanted, f"shape {np.shape(values)}"))
    digits, colored = np.full((2, n, 1 + len(classes), height, width), np.nan)
    digits[:, 0], colored[:, 1:] = pictures, np.transpose(values, (0, 3, 1, 2))
    grid = Grid(digits.shape, ax, left=1.2, edges=1.7)
    grid.draw_ink(digits)
    _shade(grid, np.where(np.isnan(colored), np.nan, pictures[:, None]))
    grid.name_columns(["digit", *classes])
    grid.ax.set_xlabel("evidence about class", labelpad=6, x=(1 + len(classes) / 2) / (1 + len(classes)))
    names = [f"true {true}\npredicted {guess}" for true, guess in zip(labels, predictions, strict=True)]
    grid.ax.set_yticks(grid.y, names, fontsize=10)
    for row, column in np.argwhere(np.asarray(predictions)[:, None] == np.asarray(classes)):
        _frame(grid.ax, grid.x[1 + column], grid.y[row], height, width)
    for row, column in np.argwhere(np.asarray(labels)[:, None] == np.asarray(classes)):
        _corner(grid.ax, grid.x[1 + column], grid.y[row], height, width)
    _explain_marks(grid.ax)
    _draw(grid, colored, _limit(values), _DIRECTIONS.format(unit))
    return grid.ax


def _frame(ax: Axes, x: float, y: float, height: int, width: int) -> None:
    corner = (x - (width + 1) / 2, y - (height + 1) / 2)
    ax.add_patch(Rectangle(corner, width + 1, height + 1, fill=False, clip_on=False, edgecolor=DARK, linewidth=2))


def _corner(ax: Axes, x: float, y: float, height: int, width: int) -> None:
    """Draw a dark triangle in the upper right corner of the tile about (x, y)."""
    right, top, side = x + width / 2, y - height / 2, width / 4
    ax.fill([right, right - side, right], [top, top, top + side], color=DARK, linewidth=0, zorder=3)


def _explain_marks(ax: Axes) -> None:
    handles = [
        Rectangle((0, 0), 1, 1, fill=False, edgecolor=DARK, linewidth=2, label="predicted class"),
        Line2D([], [], linestyle="", marker=[(-1, 1), (1, 1), (1, -1), (-1, 1)], color=DARK, label="true class"),
        Rectangle((0, 0), 1, 1, facecolor=_SHADE_COLOR, label="strokes of the digit"),
    ]
    ax.legend(
        handles=handles,
        handlelength=1.2,
        handleheight=1.0,
        columnspacing=1.5,
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        ncols=3,
    )
