"""Lines and points, each with its name beside it instead of in a legend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mnist_helpers.common.checks import (
    as_array,
    check_mapping,
    check_positive_int,
    check_sequence,
    check_values,
    problem,
)
from mnist_helpers.plotting.charts import COLORS, DARK, MARKERS, new_axes, percent_ticks, tidy
from mnist_helpers.plotting.inputs import bar_lengths

LINES = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)), ":", (0, (3, 1)))


def _name_ends(ax: Axes, ends: Iterable[tuple[float, str, str]]) -> None:
    """Write names (height, text, colour) at the right margin, moved apart where they would touch."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high)  # the names stand right for this range only
    heights, texts, colors = zip(*sorted(ends), strict=True)
    points = 0.8 * ax.get_window_extent().height * 72 / ax.figure.dpi / (high - low)
    wanted = (np.array(heights) - low) * points
    places = wanted.copy()
    for _ in range(100):
        overlap = np.maximum(12.5 - np.diff(places), 0) / 2
        places[:-1] -= overlap
        places[1:] += overlap
    for height, text, color, shift in zip(heights, texts, colors, places - wanted, strict=True):
        at: dict[str, Any] = {"xy": (1, height), "xycoords": ax.get_yaxis_transform(), "textcoords": "offset points"}
        readable = 0.65 * np.array(to_rgb(color))  # orange or sky blue words on white are not
        ax.annotate(text, xytext=(6, shift), color=readable, va="center", annotation_clip=False, **at)


def _check_curve(numbers: Any, name: str) -> np.ndarray:
    """Return x, y, lows, highs as one float array (4, n)."""
    of_one: dict[str, Any] = {"name": f"curves[{name!r}]", "function": "plot_curves"}
    wanted = "tuples (x, y, lows, highs) of the same length"
    parts = check_sequence(numbers, kind=wanted, **of_one)
    arrays = [as_array(part, **of_one) for part in parts]
    if len(arrays) != 4 or any(part.ndim != 1 or part.shape != arrays[0].shape for part in arrays):
        got = f"{name!r} with lengths {[part.size for part in arrays]}"
        raise ValueError(problem("curves", "plot_curves", wanted, got))
    curve = check_values(arrays, (4, "points"), **of_one)
    bar_lengths(*curve[1:], name="curves", function="plot_curves")
    return curve


def plot_curves(
    curves: Mapping[str, tuple[Any, Any, Any, Any]],
    *,
    xlabel: str = "",
    ylabel: str = "",
    percent: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw one named line with its interval as a band for each of ``curves``: name -> (x, y, lows, highs).

    ``percent=True`` writes the fractions of the y axis as percentages.
    Raises TypeError or ValueError for no curve, arrays of different lengths, or bounds that do not enclose y.
    """
    check_mapping(curves, kind="curves", name="curves", function="plot_curves")
    checked = {name: _check_curve(numbers, name) for name, numbers in curves.items()}
    ax, ends = new_axes(ax, 8, 4), []
    for i, (name, (x, y, lows, highs)) in enumerate(checked.items()):
        color = COLORS[i % 7]
        ax.fill_between(x, lows, highs, color=color, alpha=0.2, linewidth=0)
        ax.plot(
            x,
            y,
            color=color,
            linestyle=LINES[i % 7],
            marker=MARKERS[i % 7],
            markersize=5,
            markevery=max(1, len(x) // 12),
            label=name,
        )
        ends.append((y[np.argmax(x)], name, color))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if percent:
        percent_ticks(ax.yaxis)
    tidy(ax, "both")
    _name_ends(ax, ends)
    return ax


def plot_history(
    histories: Mapping[str, pd.DataFrame],
    *,
    metric: str = "accuracy",
    test: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw training curves: ``metric`` dashed and ``val_<metric>`` solid for each run, one row of the table an epoch.

    Epochs are the index of the table if that is named "epoch", else 1, 2, ...
    ``test`` gives test values by run, drawn as dotted horizontal lines. A metric with "accuracy" in its name is a
    fraction and is written in percent. A table without ``val_<metric>`` gets its dashed line only.
    Raises TypeError or ValueError for no history, one without ``metric``, or a ``test`` run that is not among
    ``histories``.
    """
    _check_histories(histories, metric, {} if test is None else test)
    share = "accuracy" in metric
    ax, ends = new_axes(ax, 8, 4.2), []
    for i, (name, history) in enumerate(histories.items()):
        color, last = COLORS[i % 7], _draw_run(ax, name, history, metric, i)
        ends.append((last, name, color))
        if test and name in test:
            ax.axhline(test[name], color=color, linestyle=":", linewidth=1.8, label=f"{name}, test")
            ends.append((test[name], f"{name}, test {format(test[name], '.2%' if share else '.3g')}", color))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel=metric, title=f"{metric.capitalize()} during training")
    if share:
        percent_ticks(ax.yaxis)
    kinds: dict[str, Any] = {"training": "--", "validation": "-", "test": ":"}
    handles = [Line2D([], [], color=DARK, linestyle=line, label=kind) for kind, line in kinds.items()]
    ax.legend(handles=handles if test else handles[:2], frameon=False)
    tidy(ax)
    _name_ends(ax, ends)
    return ax


def _draw_run(ax: Axes, name: str, history: pd.DataFrame, metric: str, i: int) -> float:
    """Draw the lines of run number ``i`` and return the height at which the one to be named ends."""
    epochs = history.index if history.index.name == "epoch" else np.arange(1, len(history) + 1)
    style: dict[str, Any] = {"color": COLORS[i % 7], "marker": MARKERS[i % 7], "markersize": 4.5}
    style["markevery"] = max(1, len(history) // 10)
    ax.plot(epochs, history[metric], "--", linewidth=1.2, label=f"{name}, training", **style)
    if f"val_{metric}" not in history:
        return history[metric].iloc[-1]
    ax.plot(epochs, history[f"val_{metric}"], "-", linewidth=2, label=f"{name}, validation", **style)
    return history[f"val_{metric}"].iloc[-1]


def _check_histories(histories: Mapping[str, pd.DataFrame], metric: str, test: Mapping[str, float]) -> None:
    function = "plot_history"
    check_mapping(histories, kind="tables", name="histories", function=function)
    for name, history in histories.items():
        if not isinstance(history, pd.DataFrame):
            raise TypeError(problem("histories", function, "tables (pandas.DataFrame)", type(history).__name__))
        if not len(history):
            raise ValueError(problem("histories", function, "one table or more, none empty", "an empty one"))
        if metric not in history:
            wanted = f"a column of {name!r}: {list(history.columns)}"
            raise ValueError(problem("metric", function, wanted, repr(metric)))
        for column in {metric, f"val_{metric}"} & set(history.columns):
            of_one = f"histories[{name!r}][{column!r}]"
            check_values(history[column], ("epochs",), name=of_one, function=function)
    if not isinstance(test, Mapping):
        raise TypeError(problem("test", function, "a mapping of names to numbers", type(test).__name__))
    if unknown := [name for name in test if name not in histories]:
        raise ValueError(problem("test", "plot_history", f"values of runs among {list(histories)}", str(unknown)))
    for name, value in test.items():
        check_values(value, (), name=f"test[{name!r}]", function=function)


def plot_explained_variance(ratios: Sequence[float], *, mark: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw the cumulative share of variance that the first 1, 2, ... components explain.

    ``ratios`` are fractions, as in scikit-learn's ``explained_variance_ratio_``; ``mark`` components are pointed out.
    Raises TypeError or ValueError for ratios that are negative or add up to more than 1, or for more marked components
    than ratios.
    """
    shares = as_array(ratios, name="ratios", function="plot_explained_variance")
    shares = check_values(shares, shares.shape or ("n",), name="ratios", function="plot_explained_variance")
    if shares.ndim != 1 or not shares.size or not (shares >= 0).all() or shares.sum() > 1 + 1e-6:
        wanted = "a list of fractions with a sum of at most 1"
        raise ValueError(
            problem("ratios", "plot_explained_variance", wanted, f"shape {shares.shape}, {shares.sum():.3g}")
        )
    if mark is not None and check_positive_int(mark, name="mark", function="plot_explained_variance") > len(shares):
        raise ValueError(problem("mark", "plot_explained_variance", f"at most {len(shares)}", str(mark)))
    total, ax = np.cumsum(shares), new_axes(ax, 7.5, 3.8)
    ax.plot(np.arange(1, len(total) + 1), total, color=COLORS[0], linewidth=2)
    if mark is not None:
        height = total[mark - 1]
        ax.plot([mark, mark, 0], [0, height, height], ":", color=DARK, linewidth=1.2)
        ax.plot([mark], [height], "o", color=COLORS[3])
        side = 1 if mark < len(total) / 2 else -1  # half-way down, the curve is far from either side
        at: dict[str, Any] = {"textcoords": "offset points", "ha": "left" if side > 0 else "right"}
        ax.annotate(f"{mark} components: {height:.1%}", (mark, height / 2), (6 * side, 0), **at)
    percent_ticks(ax.yaxis)
    ax.set(xlabel="components", ylabel="variance explained", xlim=0, ylim=(0, 1.02))
    ax.set_title("Variance explained by the first components")
    tidy(ax)
    return ax
