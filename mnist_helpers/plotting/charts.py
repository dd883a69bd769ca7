"""Charts of numbers by system or by class: bars and matrices, drawn by seaborn, and dots with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.patches import Rectangle

from mnist_helpers.common.checks import problem
from mnist_helpers.common.text import counted
from mnist_helpers.plotting.theme import (
    COLORS,
    DARK,
    HATCHES,
    MIDDLE,
    Style,
    bar_lengths,
    grid_lines,
    new_axes,
    percent_ticks,
)

if TYPE_CHECKING:
    from mnist_helpers.evaluation.accuracy import Evaluation

_EMPTY = "#D9D9D9"  # a cell without a value


def draw_bars(ax: Axes, table: pd.DataFrame) -> list[BarContainer]:
    """Draw one group of bars per row, and one colour and hatch per column; a missing value leaves a gap."""
    rows, columns = table.shape
    long = pd.DataFrame(
        {
            "row": np.repeat(np.arange(rows), columns),
            "column": np.tile(np.arange(columns), rows),
            "value": table.to_numpy(float).ravel(),
        }
    )
    colors = [COLORS[i % 7] for i in range(columns)]
    style: Style = {"saturation": 1, "width": 0.84, "edgecolor": "white", "linewidth": 0.5, "legend": False, "ax": ax}
    sns.barplot(long, x="row", y="value", hue="column", palette=colors, errorbar=None, **style)
    drawn = [bars for bars in ax.containers if isinstance(bars, BarContainer)][-columns:]
    for i, (bars, name) in enumerate(zip(drawn, table.columns, strict=True)):
        bars.set_label(str(name))
        for bar in bars:
            bar.set_hatch(HATCHES[i % 7])
    ax.set_xticks(range(rows), [str(row) for row in table.index])
    ax.tick_params(axis="x", length=0)
    if columns > 1:
        ax.legend(handles=drawn, loc="lower left", bbox_to_anchor=(0, 1), ncols=min(columns, 5), borderaxespad=0.2)
    grid_lines(ax)
    return drawn


def plot_grouped_bars(
    table: pd.DataFrame,
    *,
    intervals: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    ylabel: str = "",
    fmt: str = ".2f",
    start: float = 0.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw a table as bars with their values written above: a group for each row, a colour for each column.

    Parameters
    ----------
    table : DataFrame
        Of numbers; NaN leaves a gap.
    intervals : pair of array-like, optional
        Tables (lows, highs) shaped like ``table``: absolute bounds.
    ylabel : str
        What the values are.
    fmt : str
        Format of the values, for fractions ``".2%"``.
    start : float
        Where the value axis starts; if not at 0, the axis says so.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    values = table.to_numpy(float)
    if start and start >= np.nanmin(values):
        expected = f"below the smallest value, {np.nanmin(values)}"
        raise ValueError(problem("start", "plot_grouped_bars", expected, str(start)))
    lengths = np.zeros((2, *values.shape))
    if intervals is not None:
        lows, highs = intervals
        lengths = bar_lengths(values, lows, highs, "intervals", "plot_grouped_bars")
    ax = new_axes(ax, 8.6, 4.2)
    crowded = values.size > 16
    for bars, column, length in zip(draw_bars(ax, table), values.T, np.moveaxis(lengths, -1, 0), strict=True):
        there = ~np.isnan(column)
        _write_values(bars, [format(value, fmt) for value in column[there]], length[:, there], crowded, values.size > 8)
    top, bottom = np.nanmax(values + lengths[1]), min(start, np.nanmin(values))
    ax.set_ylim(bottom, top + (0.22 if crowded else 0.1) * (top - bottom))
    if fmt.endswith("%"):
        percent_ticks(ax.yaxis)
    label = ylabel or (str(table.columns[0]) if table.shape[1] == 1 else "")
    ax.set_ylabel(f"{label} (bars start at {format(start, fmt)})".strip() if start else label)
    ax.set_xlabel(str(table.index.name or ""))
    return ax


def _write_values(bars: BarContainer, texts: list[str], lengths: np.ndarray, crowded: bool, small: bool) -> None:
    """Write a text above each bar, and above its interval, if it has one; lengths (2, bars) are those of intervals."""
    ax = bars[0].axes
    x, heights = (np.array([getattr(bar, f"get_{what}")() for bar in bars]) for what in ("x", "height"))
    x += bars[0].get_width() / 2
    if lengths.any():
        ax.errorbar(x, heights, lengths, fmt="none", ecolor=DARK, elinewidth=1, capsize=2.5)
    style: Style = {"textcoords": "offset points", "ha": "center", "va": "bottom"}
    style |= {"rotation": 90 if crowded else 0, "fontsize": 9 if small else 11}
    for at, height, above, text in zip(x, heights, lengths[1], texts, strict=True):
        ax.annotate(text, (at, height + above), (0, 3), **style)


def plot_accuracies(
    evaluations: Mapping[str, Evaluation], *, reported: Mapping[str, float] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the accuracy of each system with its 95 % interval, the first on top.

    Parameters
    ----------
    evaluations : mapping of str to Evaluation
        By the name of the system.
    reported : mapping of str to float, optional
        Published accuracies (fractions) of some of the systems, drawn as diamonds; NaN draws none.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    names, told = list(evaluations), dict(reported or {})
    if unknown := [name for name in told if name not in evaluations]:
        expected = f"accuracies of systems among {names}"
        raise ValueError(problem("reported", "plot_accuracies", expected, str(unknown)))
    if any(value > 1 for value in told.values()):
        raise ValueError(problem("reported", "plot_accuracies", "fractions up to 1", str(max(told.values()))))
    accuracies = np.array([each.accuracy for each in evaluations.values()])
    lows, highs = np.array([each.interval for each in evaluations.values()]).T
    lengths = bar_lengths(accuracies, lows, highs, "evaluations", "plot_accuracies")
    ax, rows = new_axes(ax, 8, 1.4 + 0.4 * len(names)), np.arange(len(names))
    ax.errorbar(accuracies, rows, xerr=lengths, label="measured", fmt="o", color=COLORS[0], elinewidth=2, capsize=4)
    if told:
        style: Style = {"marker": "D", "linestyle": "", "markerfacecolor": "white", "color": COLORS[3], "markersize": 9}
        ax.plot([told.get(name, np.nan) for name in names], rows, label="reported", zorder=1.9, **style)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=2, ncols=2)
    for row, accuracy in enumerate(accuracies):
        ax.text(1.02, row, f"{accuracy:.2%}", transform=ax.get_yaxis_transform(), va="center")
    ax.set_yticks(rows, names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    percent_ticks(ax.xaxis)
    read = {(each.split, len(each.labels)) for each in evaluations.values()}
    which = "".join(f" on {n:,} {split} images" for split, n in read) if len(read) == 1 else ""
    ax.set_title(f"Accuracy{which}, with 95 % intervals")
    grid_lines(ax, "x")
    return ax


def plot_heatmap(
    matrix: np.ndarray | pd.DataFrame,
    *,
    annotate: bool = True,
    fmt: str | None = None,
    row_labels: Sequence[object] | None = None,
    column_labels: Sequence[object] | None = None,
    row_title: str = "",
    column_title: str = "",
    cmap: str = "Blues",
    ax: Axes | None = None,
    **options: object,
) -> Axes:
    """Draw a matrix as coloured cells with their values.

    Parameters
    ----------
    matrix : ndarray or DataFrame, shape (rows, columns)
        A cell that is NaN stays grey and empty. A DataFrame brings its own labels and titles.
    annotate : bool
        Whether values are written into the cells; if not, a colour bar tells them.
    fmt : str, optional
        Format such as ``".1f"``. By default whole numbers are written in full and others with two decimals.
    row_labels, column_labels : sequence, optional
    row_title, column_title : str
    cmap : str
        Name of a colour map.
    ax : Axes, optional
        By default that of a new figure.
    **options
        For `seaborn.heatmap`, such as ``vmin`` and ``vmax``.

    Returns
    -------
    Axes
    """
    if isinstance(matrix, pd.DataFrame):
        row_labels = matrix.index if row_labels is None else row_labels
        column_labels = matrix.columns if column_labels is None else column_labels
        row_title, column_title = row_title or matrix.index.name or "", column_title or matrix.columns.name or ""
    values = np.asarray(matrix)
    if values.ndim != 2:
        raise ValueError(problem("matrix", "plot_heatmap", "of shape (rows, columns)", f"shape {values.shape}"))
    rows, columns = values.shape
    ax = new_axes(ax, min(9, 1.8 + 0.75 * columns), min(8, 1.2 + 0.55 * rows))
    settings: Style = {"annot": annotate, "cbar": not annotate, "square": rows == columns}
    settings["fmt"] = fmt or ("d" if values.dtype.kind in "iu" else ".2f")
    settings["annot_kws"] = {"fontsize": 9.5 if columns > 6 else 11}
    settings["xticklabels"] = _cell_names(column_labels, columns)
    settings["yticklabels"] = _cell_names(row_labels, rows)
    ax.set_facecolor(_EMPTY)
    sns.heatmap(values, ax=ax, cmap=cmap, **settings | options)
    _tidy_cells(ax, column_title, row_title)
    return ax


def _cell_names(labels: Sequence[object] | None, cells: int) -> list[str] | str | bool:
    if cells > 30:  # more names cannot be read: seaborn chooses some
        return "auto"
    return True if labels is None else [str(label) for label in labels]


def _tidy_cells(ax: Axes, xlabel: str, ylabel: str) -> None:
    ax.tick_params(axis="both", length=0, labelrotation=0)
    ax.set(xlabel=xlabel, ylabel=ylabel)


def plot_confusion(evaluation_or_matrix: Evaluation | np.ndarray, *, axes: Sequence[Axes] | None = None) -> np.ndarray:
    """Draw the confusion matrix twice: rows are true classes, columns predicted ones.

    First in percent of each true class; then as counts, coloured without the diagonal, beside which no error would
    show. Cells without images are left blank.

    Parameters
    ----------
    evaluation_or_matrix : Evaluation or ndarray of int, shape (k, k)
    axes : pair of Axes, optional
        By default those of a new figure.

    Returns
    -------
    ndarray of two Axes
    """
    counts = np.asarray(getattr(evaluation_or_matrix, "confusion", evaluation_or_matrix))
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.dtype.kind not in "iu":
        wanted, got = "an Evaluation or a square matrix of counts", f"shape {counts.shape} of {counts.dtype}"
        raise ValueError(problem("evaluation_or_matrix", "plot_confusion", wanted, got))
    pair = (
        plt.subplots(1, 2, figsize=(10, 5.2), layout="constrained")[1] if axes is None else np.array(list(axes)).ravel()
    )
    totals, diagonal = counts.sum(axis=1, keepdims=True), np.eye(len(counts), dtype=bool)
    percent = 100 * counts / np.where(totals, totals, 1)
    style: Style = {
        "cmap": "Blues",
        "cbar": False,
        "square": True,
        "fmt": "",
        "annot_kws": {"fontsize": 8.5},
        "vmin": 0,
    }
    sns.heatmap(percent, annot=_texts(percent, ".1f"), vmax=100, ax=pair[0], **style)
    largest = max(1, counts[~diagonal].max(initial=1))
    sns.heatmap(counts, annot=_texts(counts, "d"), mask=diagonal, vmax=largest, ax=pair[1], **style)
    for i, count in enumerate(counts.diagonal()):
        if count:
            pair[1].text(i + 0.5, i + 0.5, str(count), ha="center", va="center", fontsize=8.5)
        # a frame, as a grey fill would pass for a colour of the scale in print
        pair[1].add_patch(Rectangle((i, i), 1, 1, fill=False, edgecolor=MIDDLE, linewidth=0.8))
    for ax in pair:
        _tidy_cells(ax, "predicted class", "true class")
    pair[0].set_title("Percent of each true class")
    errors = counted(int(counts[~diagonal].sum()), "error")
    pair[1].set_title(f"Images ({errors} in {counts.sum():,})")
    return pair


def _texts(values: np.ndarray, fmt: str) -> np.ndarray:
    return np.array([[format(value, fmt) if value else "" for value in row] for row in values])
