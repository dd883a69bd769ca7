"""Charts of numbers by class or by system: bars, dots, points and matrices; and the look that all pictures share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.container import BarContainer
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from mnist_helpers.common.checks import (
    as_array,
    check_attributes,
    check_labels,
    check_sequence,
    check_values,
    problem,
)
from mnist_helpers.common.text import counted
from mnist_helpers.plotting.inputs import bar_lengths, check_accuracies, check_cell_names, check_reported

if TYPE_CHECKING:
    from mnist_helpers.data.mnist import Split
    from mnist_helpers.evaluation.accuracy import Evaluation

# Okabe and Ito (2008), "Color Universal Design"; the pale yellow is left out. A second sign goes with each colour.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000")
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "---", "+++")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DARK, FAINT = "#222222", "#DDDDDD"


def new_axes(ax: Axes | None, width: float, height: float) -> Axes:
    """``ax``, or the Axes of a new figure of ``width`` x ``height`` inches, whatever figure is current."""
    return plt.subplots(figsize=(width, height), layout="constrained")[1] if ax is None else ax


def tidy(ax: Axes, grid: str = "y") -> None:
    """Take away the frame and put faint grid lines behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis=grid, color=FAINT, linewidth=0.8)  # type: ignore[arg-type]
    ax.set_axisbelow(True)


def percent_ticks(axis: Axis) -> None:
    """Write fractions as percentages, with no more decimals than the ticks need."""
    axis.set_major_formatter(lambda fraction, _: f"{100 * fraction:.6g}%")


def _bars(ax: Axes, table: pd.DataFrame, lengths: np.ndarray | None = None) -> list[BarContainer]:
    """Draw one group of bars a row and one colour and hatch a column; ``lengths`` is (2, rows, columns)."""
    width, middle = 0.84 / table.shape[1], (table.shape[1] - 1) / 2
    drawn = []
    for i, name in enumerate(table.columns):
        style: dict[str, Any] = {
            "color": COLORS[i % 7],
            "hatch": HATCHES[i % 7],
            "edgecolor": "white",
            "linewidth": 0.5,
        }
        errors = None if lengths is None else lengths[:, :, i]
        bars = ax.bar(
            np.arange(len(table)) + (i - middle) * width,
            table.iloc[:, i].to_numpy(float),
            width,
            label=str(name),
            yerr=errors,
            error_kw={"ecolor": DARK, "elinewidth": 1, "capsize": 2.5},
            **style,
        )
        drawn.append(bars)
    ax.set_xticks(range(len(table)), [str(row) for row in table.index])
    ax.tick_params(axis="x", length=0)
    if table.shape[1] > 1:
        columns = min(table.shape[1], 5)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False, borderaxespad=0.2)
    tidy(ax)
    return drawn


def plot_class_distribution(*splits: Split, normalize: bool = True, ax: Axes | None = None) -> Axes:
    """Draw how many images of each class the splits hold, as grouped bars.

    ``normalize=True`` draws shares of each split, so that splits of different sizes compare; else counts.
    Raises TypeError or ValueError without a split, or for an empty one.
    """
    function = "plot_class_distribution"
    if not splits:
        raise ValueError(problem("splits", function, "one split or more", "none"))
    for split in splits:
        check_attributes(split, ("labels", "name"), kind="Splits", name="splits", function=function)
    labels = [check_labels(split.labels, function=function, name="splits") for split in splits]
    counts = np.array([np.bincount(of_split, minlength=10) for of_split in labels]).T  # (10, splits)
    names = [f"{split.name} ({len(split.labels):,})" for split in splits]
    ax = new_axes(ax, 8, 3.6)
    _bars(ax, pd.DataFrame(counts / counts.sum(axis=0) if normalize else counts, columns=names))
    if normalize:
        percent_ticks(ax.yaxis)
    else:
        ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.set(xlabel="class", ylabel="share of the split" if normalize else "images")
    title = "Images of each class" if len(splits) > 1 else f"Images of each class, {names[0]}"
    ax.set_title(title, pad=24 if len(splits) > 1 else 6)
    return ax


def plot_grouped_bars(
    table: pd.DataFrame,
    *,
    intervals: tuple[Any, Any] | None = None,
    ylabel: str = "",
    fmt: str = ".2f",
    start: float = 0.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw a table as bars with their values written above: a group for each row, a colour for each column.

    ``intervals`` is a pair (lows, highs) of tables or arrays shaped like ``table``: absolute bounds. ``fmt`` formats
    the values, for fractions ``".2%"``. ``start`` is where the value axis starts; when it is not 0 the axis says so.
    Raises TypeError or ValueError for an empty table, bounds that do not fit, or a ``start`` above the smallest value.
    """
    function = "plot_grouped_bars"
    if not isinstance(table, pd.DataFrame):
        raise TypeError(problem("table", function, "a table (pandas.DataFrame)", type(table).__name__))
    values = check_values(table, ("rows", "columns"), name="table", function=function, missing=True)
    if np.isnan(values).all():
        raise ValueError(problem("table", function, "a table with numbers", "NaN alone"))
    if intervals is not None:
        pair = {"kind": "a pair (lows, highs)", "name": "intervals", "function": function}
        if len(check_sequence(intervals, **pair)) != 2:
            raise ValueError(problem("intervals", function, "a pair (lows, highs)", f"{len(intervals)} parts"))
    if start and start >= np.nanmin(values):
        raise ValueError(problem("start", function, f"below the smallest value, {np.nanmin(values)}", str(start)))
    lengths = None if intervals is None else bar_lengths(values, *intervals, name="intervals", function=function)
    ax = new_axes(ax, 8.5, 4)
    crowded = values.size > 16
    for i, bars in enumerate(_bars(ax, table, lengths)):
        texts = ["" if np.isnan(value) else format(value, fmt) for value in values[:, i]]
        ax.bar_label(bars, texts, padding=2, fontsize=8 if values.size > 8 else 10, rotation=90 if crowded else 0)
    top, bottom = np.nanmax(values if lengths is None else values + lengths[1]), min(start, np.nanmin(values))
    ax.set_ylim(bottom, top + (0.18 if crowded else 0.08) * (top - bottom))
    if fmt.endswith("%"):
        percent_ticks(ax.yaxis)
    label = ylabel or (str(table.columns[0]) if table.shape[1] == 1 else "")
    ax.set_ylabel(f"{label} (bars start at {format(start, fmt)})".strip() if start else label)
    ax.set_xlabel(str(table.index.name or ""))
    return ax


def plot_accuracies(
    evaluations: Mapping[str, Evaluation], *, reported: Mapping[str, float] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the accuracy of each system with its 95 % interval, first on top; a diamond marks a ``reported`` accuracy.

    Accuracies are fractions. ``reported`` may leave systems out or hold NaN for them.
    Raises TypeError or ValueError for no evaluation, or a ``reported`` system that was not evaluated.
    """
    function, names = "plot_accuracies", list(check_accuracies(evaluations, "plot_accuracies"))
    told = check_reported(reported, names, function)
    accuracies = np.array([evaluation.accuracy for evaluation in evaluations.values()])
    lows, highs = np.array([evaluation.interval for evaluation in evaluations.values()], dtype=float).T
    lengths = bar_lengths(accuracies, lows, highs, name="evaluations", function=function)
    ax, rows = new_axes(ax, 8, 1.3 + 0.36 * len(names)), np.arange(len(names))
    style: dict[str, Any] = {"fmt": "o", "color": COLORS[0], "ecolor": COLORS[0], "elinewidth": 2, "capsize": 4}
    ax.errorbar(accuracies, rows, xerr=lengths, label="measured", **style)
    if reported:
        ax.plot(told, rows, "D", markerfacecolor="white", color=COLORS[3], label="reported", zorder=1.9, markersize=9)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=2, ncols=2, frameon=False)
    for row, accuracy in enumerate(accuracies):
        ax.text(1.02, row, f"{accuracy:.2%}", transform=ax.get_yaxis_transform(), va="center")
    ax.set_yticks(rows, names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    percent_ticks(ax.xaxis)
    read = {(each.split, len(each.labels)) for each in evaluations.values()}
    which = "".join(f" on {n:,} {split} images" for split, n in read) if len(read) == 1 else ""
    ax.set_title(f"Accuracy{which}, with 95 % intervals")
    tidy(ax, "x")
    return ax


def _cells(ax: Axes, values: np.ndarray, texts: list[list[str]] | None, **scale: Any) -> AxesImage:
    """Draw ``values`` as coloured cells, with ``texts`` dark on light cells and white on dark ones."""
    masked = np.ma.masked_invalid(values)
    image = ax.imshow(masked, **scale)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    luminance = image.to_rgba(masked)[..., :3] @ (0.299, 0.587, 0.114)
    for (row, column), text in np.ndenumerate(np.array(texts)) if texts else ():
        color = DARK if luminance[row, column] > 0.55 else "white"
        ax.text(column, row, text, ha="center", va="center", color=color, fontsize=8 if values.shape[1] > 6 else 10)
    return image


def plot_heatmap(
    matrix: np.ndarray | pd.DataFrame,
    *,
    annotate: bool = True,
    fmt: str | None = None,
    row_labels: Sequence[Any] | None = None,
    column_labels: Sequence[Any] | None = None,
    row_title: str = "",
    column_title: str = "",
    cmap: str = "Blues",
    ax: Axes | None = None,
) -> Axes:
    """Draw a matrix (rows, columns) as coloured cells with their values; NaN cells stay grey and empty.

    Without values (``annotate=False``) a colour bar tells them. ``fmt`` is a format such as ``".1f"``; by default whole
    numbers are written in full and others with two decimals. A DataFrame brings its own labels and titles.
    Raises TypeError or ValueError for another rank, an empty matrix, or labels of another length.
    """
    if isinstance(matrix, pd.DataFrame):
        row_labels = matrix.index if row_labels is None else row_labels
        column_labels = matrix.columns if column_labels is None else column_labels
        row_title, column_title = row_title or matrix.index.name or "", column_title or matrix.columns.name or ""
    values = as_array(matrix, name="matrix", function="plot_heatmap")
    if values.ndim != 2 or not values.size or values.dtype.kind not in "iuf":
        got = f"shape {values.shape} of {values.dtype}"
        raise ValueError(problem("matrix", "plot_heatmap", "a matrix of numbers, not empty", got))
    if np.isinf(values).any():
        raise ValueError(problem("matrix", "plot_heatmap", "finite, or NaN for empty cells", "infinite values"))
    check_cell_names(row_labels, column_labels, values.shape)
    fmt = fmt or ("d" if values.dtype.kind in "iu" else ".2f")
    texts = [["" if np.isnan(value) else format(value, fmt) for value in row] for row in values] if annotate else None
    rows, columns = values.shape
    ax = new_axes(ax, min(9, 1.8 + 0.75 * columns), min(8, 1.2 + 0.55 * rows))
    colors = mpl.colormaps[cmap].with_extremes(bad="#D9D9D9")
    image = _cells(ax, values, texts, cmap=colors, aspect="equal" if rows == columns else "auto")
    for axis, labels, cells in ((ax.yaxis, row_labels, rows), (ax.xaxis, column_labels, columns)):
        if cells <= 30:  # more names than that cannot be read: matplotlib chooses some numbers
            axis.set_ticks(range(cells), labels=None if labels is None else [str(label) for label in labels])
    ax.set(ylabel=row_title, xlabel=column_title)
    if not annotate:
        ax.figure.colorbar(image, ax=ax)
    return ax


def _pair_of_axes(axes: Any) -> np.ndarray:
    if axes is None:
        return plt.subplots(1, 2, figsize=(9, 4.8), layout="constrained")[1]
    listed = np.ravel(np.array(check_sequence(axes, kind="two Axes", name="axes", function="plot_confusion"), object))
    if len(listed) != 2:
        raise ValueError(problem("axes", "plot_confusion", "two Axes", str(len(listed))))
    if others := [type(each).__name__ for each in listed if not isinstance(each, Axes)]:
        raise TypeError(problem("axes", "plot_confusion", "two Axes", others[0]))
    return listed


def plot_confusion(evaluation_or_matrix: Evaluation | np.ndarray, *, axes: Sequence[Axes] | None = None) -> np.ndarray:
    """Draw the confusion matrix twice and return the two Axes: rows are true classes, columns predicted ones.

    First in percent of each true class; then as counts, coloured without the diagonal, beside which no error would
    show. Cells without images are left blank. Takes an ``Evaluation`` or counts of shape (k, k).
    Raises TypeError or ValueError for another shape or negative counts, or when ``axes`` are not two.
    """
    given = getattr(evaluation_or_matrix, "confusion", evaluation_or_matrix)
    counts = as_array(given, name="evaluation_or_matrix", function="plot_confusion")
    square = counts.ndim == 2 and counts.shape[0] == counts.shape[1] > 0
    if not square or counts.dtype.kind not in "iu" or (counts < 0).any():
        wanted, got = "an Evaluation or a square matrix of counts", f"shape {counts.shape} of {counts.dtype}"
        raise ValueError(problem("evaluation_or_matrix", "plot_confusion", wanted, got))
    pair = _pair_of_axes(axes)
    totals = counts.sum(axis=1, keepdims=True)
    percent = 100 * counts / np.where(totals, totals, 1)
    mistakes = np.where(np.eye(len(counts), dtype=bool), np.nan, counts)
    for ax, values, written, fmt in ((pair[0], percent, percent, ".1f"), (pair[1], mistakes, counts, "d")):
        texts = [[format(cell, fmt) if cell else "" for cell in row] for row in written]
        top = 100 if values is percent else max(1, np.nanmax(mistakes, initial=1))
        _cells(ax, values, texts, cmap=mpl.colormaps["Blues"].with_extremes(bad="white"), vmin=0, vmax=top)
        ax.set(xticks=range(len(counts)), yticks=range(len(counts)), xlabel="predicted class", ylabel="true class")
    for i in range(len(counts)):  # a frame, as a grey fill would pass for a colour of the scale in print
        pair[1].add_patch(Rectangle((i - 0.5, i - 0.5), 1, 1, fill=False, edgecolor="#888888", linewidth=0.8))
    pair[0].set_title("Percent of each true class")
    errors = counted(int(counts.sum() - np.trace(counts)), "error")
    pair[1].set_title(f"Images ({errors} in {counts.sum():,})")
    return pair
