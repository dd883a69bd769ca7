"""What networks look at: attributions, importance maps, feature maps, kernels and deletion curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from scipy import stats

from mnist_helpers.common.checks import as_array, check_labels, check_mapping, check_values, problem
from mnist_helpers.plotting.charts import DARK, percent_ticks
from mnist_helpers.plotting.curves import plot_curves
from mnist_helpers.plotting.digits import INK
from mnist_helpers.plotting.inputs import check_names, check_pictures
from mnist_helpers.plotting.tiles import (
    AGAINST,
    FOR,
    SHADE_COLOR,
    axes_for,
    colors_for,
    draw,
    draw_numbered,
    shade,
)

PERCENT = 99.5  # of the pixels lie inside the scale of attributions, which have a few extreme values


def plot_attributions(
    images: np.ndarray,
    values: np.ndarray,
    *,
    labels: np.ndarray,
    predictions: np.ndarray,
    classes: Sequence[int] | None = None,
    unit: str = "SHAP value",
    ax: Axes | None = None,
) -> Axes:
    """Draw how each pixel speaks for (red) or against (blue) each class: one row an image, one column a class.

    ``images`` (n, height, width, 1) stand left of their rows, and faintly in their maps; ``values``
    (n, height, width, k) share one symmetric scale, whose quantity ``unit`` names; ``classes`` are the k digits
    (0 to 9 if k is 10). The predicted class is framed, the true one has a dark corner.
    The scale covers 99.5 % of the values; a pointed end of the colour bar says that some lie beyond it.
    Raises TypeError or ValueError for other shapes, values that are not finite, or labels outside 0-9.
    """
    function = "plot_attributions"
    pictures = check_pictures(images, function)
    n, height, width = pictures.shape
    maps = check_values(values, (*pictures.shape, "k"), name="values", function=function)
    truth = check_labels(labels, function=function, n=n)
    predicted = check_labels(predictions, function=function, name="predictions", n=n)
    columns = check_labels(
        range(10) if classes is None else classes, function=function, name="classes", n=maps.shape[3]
    )
    digits, colored = np.full((2, n, 1 + len(columns), height, width), np.nan)
    digits[:, 0], colored[:, 1:] = pictures, maps.transpose(0, 3, 1, 2)
    ax, across, down = axes_for(digits.shape, ax, left=1, edges=1.5)
    draw(ax, digits, cmap=INK, vmin=0, vmax=max(1, pictures.max()))
    shade(ax, np.where(np.isnan(colored), np.nan, pictures[:, None]))
    ax.set_xticks(across, ["digit", *map(str, columns)], fontsize=12, color=DARK)
    ax.set_xlabel("evidence about class", labelpad=6, x=(1 + len(columns) / 2) / (1 + len(columns)))
    names = [f"true {true}\npredicted {guess}" for true, guess in zip(truth, predicted, strict=True)]
    ax.set_yticks(down, names, fontsize=8, color=DARK)
    for wanted, mark in ((predicted, _frame), (truth, _corner)):
        for row, column in zip(*np.nonzero(wanted[:, None] == columns), strict=True):
            mark(ax, across[1 + column], down[row], height, width)
    _explain_marks(ax)
    limits = colors_for(maps, signed=True, percent=PERCENT)
    draw(ax, colored, bar=f"{AGAINST}     {unit}     {FOR}", **limits)
    return ax


def _frame(ax: Axes, x: float, y: float, height: int, width: int) -> None:
    corner, style = (x - (width + 1) / 2, y - (height + 1) / 2), {"edgecolor": DARK, "linewidth": 2}
    ax.add_patch(Rectangle(corner, width + 1, height + 1, fill=False, clip_on=False, **style))  # type: ignore[arg-type]


def _corner(ax: Axes, x: float, y: float, height: int, width: int) -> None:
    """Draw a dark triangle in the upper right corner of the tile about (x, y)."""
    right, top, side = x + width / 2, y - height / 2, width / 4
    ax.fill([right, right - side, right], [top, top, top + side], color=DARK, linewidth=0, zorder=3)


def _explain_marks(ax: Axes) -> None:
    handles = [
        Rectangle((0, 0), 1, 1, fill=False, edgecolor=DARK, linewidth=2, label="predicted class"),
        Line2D([], [], linestyle="", marker=[(-1, 1), (1, 1), (1, -1), (-1, 1)], color=DARK, label="true class"),
        Rectangle((0, 0), 1, 1, facecolor=SHADE_COLOR, label="strokes of the digit"),
    ]
    at: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "ncols": 3, "frameon": False}
    ax.legend(handles=handles, handlelength=1.2, handleheight=1.0, columnspacing=1.5, **at)


def plot_maps(
    images: np.ndarray,
    maps: Mapping[str, np.ndarray],
    *,
    titles: Sequence[Any] | None = None,
    unit: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw importance maps under the digits they are about: one column an image, one row a method.

    ``maps`` gives name -> (n, height, width), drawn over the faint digit. A row with negative values is red (for) and
    blue (against), another the darker the more important. With ``unit`` all rows are of that unit and share one scale;
    without, each row is drawn relative to its own strongest pixels. Scales cover 99.5 % of the values.
    Raises TypeError or ValueError for no map, other shapes, values that are not finite, or another number of titles.
    """
    function = "plot_maps"
    pictures = check_pictures(images, function)
    heads = check_names(titles, len(pictures), name="titles", function=function) if titles is not None else None
    check_mapping(maps, kind="maps", name="maps", function=function)
    rows = np.stack([_check_map(each, pictures.shape, name) for name, each in maps.items()])
    if unit is None:
        rows /= np.array([colors_for(row, percent=PERCENT)["vmax"] for row in rows])[:, None, None, None]
    shared = colors_for(rows, percent=PERCENT)["vmax"] if unit else 1.0
    signed = (rows < 0).any(axis=(1, 2, 3)) | (unit is not None and bool((rows < 0).any()))
    kinds = np.unique(signed)
    tiles = np.concatenate([pictures[None], rows])  # (rows, columns, height, width)
    ax, across, down = axes_for(tiles.shape, ax, left=1.2, edges=0.6 + 0.6 * len(kinds))
    if heads:
        ax.set_xticks(across, heads, fontsize=9, color=DARK)
    ax.set_yticks(down, ["digit", *maps], color=DARK)
    draw(ax, _only(tiles, [0]), cmap=INK, vmin=0, vmax=max(1, pictures.max()))
    shade(ax, _only(np.broadcast_to(pictures, tiles.shape), range(1, len(tiles))))
    name = unit or "relative to the row's strongest"
    for kind in kinds:
        text = f"{AGAINST}     {name}     {FOR}" if kind else name
        limits = colors_for(np.array(shared), signed=kind)
        draw(ax, _only(tiles, 1 + np.flatnonzero(signed == kind)), bar=text, **limits)
    return ax


def _check_map(values: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    of_one: dict[str, Any] = {"name": f"maps[{name!r}]", "function": "plot_maps"}
    array = as_array(values, **of_one)
    return check_values(array[..., 0] if array.ndim == 4 and array.shape[-1] == 1 else array, shape, **of_one)


def _only(tiles: np.ndarray, rows: Any) -> np.ndarray:
    """Return the tiles with all rows but ``rows`` empty."""
    return np.where(np.isin(np.arange(len(tiles)), rows)[:, None, None, None], tiles, np.nan)


def plot_activations(
    maps: np.ndarray,
    *,
    filters: Sequence[Any] | None = None,
    rows: Sequence[Any] | None = None,
    columns: int = 8,
    shared: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw the feature maps of a layer, each with the number of its filter.

    Maps (height, width, k) or (1, height, width, k) of one image stand in rows of ``columns``; of several images
    (n, height, width, k), one row an image, named by ``rows``. ``filters`` are the numbers of the k filters (0 to
    k - 1). All maps share one scale, or with ``shared=False`` each is drawn relative to its own strongest pixel, so
    that weak maps show, too. Raises TypeError or ValueError for other shapes, values not finite, or another number of
    names.
    """
    function = "plot_activations"
    array = as_array(maps, name="maps", function=function)
    array = array[None] if array.ndim == 3 else array
    stack = check_values(array, ("n", "height", "width", "filters"), name="maps", function=function)
    stack, bar = stack.transpose(0, 3, 1, 2), "activation"  # (images, filters, height, width)
    numbers = check_names(filters, stack.shape[1], name="filters", function=function)
    names = check_names(rows, len(stack), name="rows", function=function)
    if not shared:
        strongest = np.abs(stack).max(axis=(2, 3), keepdims=True)
        stack, bar = stack / np.where(strongest, strongest, 1), "activation relative to the map's strongest"
    limits = colors_for(stack)
    if len(stack) == 1 and rows is None:
        return draw_numbered(stack[0], numbers, columns, function=function, bar=bar, ax=ax, **limits)
    ax, across, down = axes_for(stack.shape, ax, left=1.2, edges=1.2)
    ax.set_xticks(across, numbers, fontsize=9, color=DARK)
    ax.set_yticks(down, names, color=DARK)
    ax.set_xlabel("filter", labelpad=6)
    draw(ax, stack, bar=bar, **limits)
    return ax


def plot_kernels(
    kernels: np.ndarray, *, filters: Sequence[Any] | None = None, columns: int = 8, ax: Axes | None = None
) -> Axes:
    """Draw kernels (k, height, width) of a convolution on one symmetric scale: red adds, blue subtracts.

    ``filters`` are their numbers (0 to k - 1). Raises TypeError or ValueError for another rank or values that are not
    finite.
    """
    function = "plot_kernels"
    stack = check_values(kernels, ("filters", "height", "width"), name="kernels", function=function)
    numbers = check_names(filters, len(stack), name="filters", function=function)
    limits = colors_for(stack, signed=True)
    return draw_numbered(stack, numbers, columns, function=function, bar="weight", ax=ax, **limits)


def plot_deletion_curves(
    curves: Mapping[str, np.ndarray], *, fractions: Sequence[float] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the mean probability of the class while the most important pixels are removed first, one line a method.

    ``curves`` gives name -> probabilities (n, steps + 1) of n images, ``fractions`` (steps + 1,) the shares of the
    pixels removed (0 to 1 in equal steps). Bands are 95 % intervals of the mean over images, by Student's t.
    Raises TypeError or ValueError for no curve, fewer than 2 images, other shapes, or numbers outside [0, 1].
    """
    function = "plot_deletion_curves"
    check_mapping(curves, kind="curves", name="curves", function=function)
    shares = _shares(fractions, curves, function)
    lines = {name: (shares, *_mean_interval(values, len(shares), name)) for name, values in curves.items()}
    ax = plot_curves(lines, xlabel="pixels removed, most important first", ylabel="probability of the class", ax=ax)
    for text in list(ax.texts):  # all lines end where all pixels are gone: no place for names
        text.remove()
    ax.set(xlim=(0, shares[-1]), ylim=(0, 1.02))
    percent_ticks(ax.xaxis)
    percent_ticks(ax.yaxis)
    sizes = {len(values) for values in curves.values()}
    ax.set_title("Mean" + (f" of {sizes.pop():,} images" if len(sizes) == 1 else "") + ", with 95 % intervals")
    ax.legend(frameon=False, handlelength=3.5)
    return ax


def _shares(fractions: Any, curves: Mapping[str, Any], function: str) -> np.ndarray:
    """Return the shares of pixels removed, checked; by default equal steps, as many as the first curve has."""
    if fractions is None:
        name, first = next(iter(curves.items()))
        steps = as_array(first, name=f"curves[{name!r}]", function=function).shape or (0,)
        return np.linspace(0, 1, max(2, steps[-1]))
    shares = check_values(fractions, ("steps",), name="fractions", function=function)
    if len(shares) < 2 or not (np.diff(shares) > 0).all() or shares[0] < 0 or shares[-1] > 1:
        raise ValueError(problem("fractions", function, "rising, from 0 to 1 at most", str(fractions)))
    return shares


def _mean_interval(values: Any, steps: int, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, low and high (steps,) over the images of values (n, steps)."""
    name, function = f"curves[{name!r}]", "plot_deletion_curves"
    array = check_values(values, ("n", steps), name=name, function=function)
    if len(array) < 2 or array.min() < 0 or array.max() > 1:
        got = f"{len(array)} with values from {array.min():.3g} to {array.max():.3g}"
        raise ValueError(problem(name, function, "probabilities of 2 images or more", got))
    mean = array.mean(axis=0)
    half = stats.t.ppf(0.975, len(array) - 1) * stats.sem(array, axis=0)
    return mean, np.maximum(mean - half, 0), np.minimum(mean + half, 1)
