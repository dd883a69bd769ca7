"""What networks look at: attributions, importance, feature maps and kernels, each with a named colour scale.

Zero has the colour of an empty tile, red is positive and blue negative. What has a size only is purple, the darker the
stronger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from scipy import stats

from mnist_helpers.common.checks import problem
from mnist_helpers.plotting.curves import plot_curves
from mnist_helpers.plotting.digits import Grid, check_pictures, in_rows
from mnist_helpers.plotting.theme import DARK, POSITIVE, SIGNED, STRENGTH, percent_ticks

_SHADE, _SHADE_COLOR = 0.14, "#CDCDCD"  # how dark strokes lie over a map, and what that makes of an empty tile
_PERCENT = 99.5  # of the pixels lie inside a scale: a few are extreme
_DIRECTIONS = "\N{LEFTWARDS ARROW} against     {}     for \N{RIGHTWARDS ARROW}"


def _limit(values: np.ndarray, percent: float = 100) -> float:
    """Return where a scale ends so that ``percent`` of the values lie inside it, and few extreme ones do not rule."""
    sizes = np.abs(values)
    return float(np.percentile(sizes, percent)) or float(sizes.max()) or 1.0


def _draw(grid: Grid, tiles: np.ndarray, limit: float, cmap: Colormap, bar: str) -> None:
    """Draw maps, with a colour bar named ``bar`` below whose ends point where values lie beyond it."""
    low = -limit if cmap is SIGNED else 0.0
    image = grid.ax.imshow(grid.picture(tiles), interpolation="nearest", cmap=cmap, vmin=low, vmax=limit)
    slack = 1e-9 * limit  # rounding is no value beyond the scale
    less, more = np.nanmin(tiles) < low - slack, np.nanmax(tiles) > limit + slack
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
    _draw(grid, colored, _limit(values, _PERCENT), SIGNED, _DIRECTIONS.format(unit))
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


def plot_maps(
    images: np.ndarray,
    maps: Mapping[str, np.ndarray],
    *,
    titles: Sequence[object] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw importance maps under the digits they are about: one column per image, one row per method.

    Parameters
    ----------
    images : ndarray, shape (n, height, width, 1)
        They also lie faintly over their maps.
    maps : mapping of str to ndarray of shape (n, height, width)
        A row with negative values is red (for) and blue (against), another the darker the more important. Each row is
        drawn relative to its own strongest pixels: its scale covers 99.5 % of its values.
    titles : sequence, optional
        One per image.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    pictures = check_pictures(images, "plot_maps")
    for name, each in maps.items():
        if np.shape(each) != pictures.shape:
            wanted = f"of shape {pictures.shape}"
            raise ValueError(problem(f"maps[{name!r}]", "plot_maps", wanted, f"shape {np.shape(each)}"))
    rows = np.stack([np.asarray(each, float) / _limit(each, _PERCENT) for each in maps.values()])
    signed = (rows < 0).any(axis=(1, 2, 3))
    tiles = np.concatenate([pictures[None], rows])  # (rows, columns, height, width)
    kinds = np.unique(signed)
    grid = Grid(tiles.shape, ax, left=1.6, edges=0.6 + 0.7 * len(kinds))
    if titles is not None:
        grid.name_columns(titles)
    grid.ax.set_yticks(grid.y, ["digit", *maps])
    grid.draw_ink(_only(tiles, [0]))
    _shade(grid, _only(np.broadcast_to(pictures, tiles.shape), range(1, len(tiles))))
    name = "relative to the row's strongest"
    for kind in kinds:
        chosen = _only(tiles, 1 + np.flatnonzero(signed == kind))
        _draw(grid, chosen, 1.0, SIGNED if kind else STRENGTH, _DIRECTIONS.format(name) if kind else name)
    return grid.ax


def _only(tiles: np.ndarray, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the tiles with all rows but ``rows`` empty."""
    return np.where(np.isin(np.arange(len(tiles)), rows)[:, None, None, None], tiles, np.nan)


def plot_activations(maps: np.ndarray, *, columns: int = 8, ax: Axes | None = None) -> Axes:
    """Draw the feature maps that a layer gives for one image, each with the number of its filter, on one scale.

    The scale is that of kernels: red is positive, blue negative. It covers 99.5 % of the values.

    Parameters
    ----------
    maps : ndarray, shape (height, width, filters)
    columns : int
        Maps in a row.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    stack = np.asarray(maps)
    if stack.ndim != 3:
        wanted = "of shape (height, width, filters), the maps of one image"
        raise ValueError(problem("maps", "plot_activations", wanted, f"shape {stack.shape}"))
    cmap = SIGNED if (stack < 0).any() else POSITIVE
    return _plot_numbered(stack.transpose(2, 0, 1), columns, _limit(stack, _PERCENT), cmap, "activation", ax)


def plot_kernels(kernels: np.ndarray, *, columns: int = 8, ax: Axes | None = None) -> Axes:
    """Draw the kernels of a convolution with their numbers, on one symmetric scale: red adds, blue subtracts.

    Parameters
    ----------
    kernels : ndarray, shape (filters, height, width)
    columns : int
        Kernels in a row.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    stack = check_pictures(kernels, "plot_kernels")
    return _plot_numbered(stack, columns, _limit(stack), SIGNED, "weight", ax)


def _plot_numbered(maps: np.ndarray, columns: int, limit: float, cmap: Colormap, bar: str, ax: Axes | None) -> Axes:
    tiles = in_rows(maps, columns)
    grid = Grid(tiles.shape, ax, lines=1, edges=0.9)
    grid.name_tiles(range(len(maps)), maps.shape[1])
    _draw(grid, tiles, limit, cmap, bar)
    return grid.ax


def plot_deletion_curves(curves: Mapping[str, np.ndarray], *, ax: Axes | None = None) -> Axes:
    """Draw the mean probability of the class while the most important pixels are removed first, one line per method.

    Parameters
    ----------
    curves : mapping of str to ndarray of shape (n, steps)
        Probabilities for n images, from no pixel removed to all, in equal steps: see `explain.deletion_curve`.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
        Bands are 95 % intervals of the mean over the images, by Student's t.
    """
    lines = {name: _mean_interval(np.asarray(values, float)) for name, values in curves.items()}
    ax = plot_curves(lines, xlabel="pixels removed, most important first", ylabel="probability of the class", ax=ax)
    for text in list(ax.texts):  # all lines end where all pixels are gone: no place for names
        text.remove()
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    percent_ticks(ax.xaxis)
    percent_ticks(ax.yaxis)
    n = len(next(iter(curves.values())))
    ax.set_title(f"Mean of {n:,} images, with 95 % intervals")
    ax.legend(handlelength=3.5)
    return ax


def _mean_interval(values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return shares removed, mean, low and high (steps,) over the images of values (n, steps)."""
    mean, half = values.mean(axis=0), stats.t.ppf(0.975, len(values) - 1) * stats.sem(values, axis=0)
    return np.linspace(0, 1, len(mean)), mean, np.maximum(mean - half, 0), np.minimum(mean + half, 1)
