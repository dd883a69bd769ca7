"""Lines with bands, each with its name beside it where there is room, instead of in a legend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mnist_helpers.common.checks import problem
from mnist_helpers.plotting.theme import (
    COLORS,
    DARK,
    LINES,
    MARKERS,
    Style,
    bar_lengths,
    grid_lines,
    new_axes,
    percent_ticks,
)

_APART = 14  # points between two names


def _name_ends(ax: Axes, ends: Iterable[tuple[float, str, str]]) -> None:
    """Write names (height, text, colour) at the right margin, moved apart where they would touch."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high)  # the names stand right for this range only
    heights, texts, colors = zip(*sorted(ends), strict=True)
    points = 0.8 * ax.get_window_extent().height * 72 / ax.get_figure(root=True).dpi / (high - low)  # type: ignore[union-attr]
    wanted = (np.array(heights) - low) * points
    places = wanted.copy()
    for _ in range(100):
        overlap = np.maximum(_APART - np.diff(places), 0) / 2
        places[:-1] -= overlap
        places[1:] += overlap
    for height, text, color, shift in zip(heights, texts, colors, places - wanted, strict=True):
        readable = tuple(0.65 * channel for channel in to_rgb(color))  # orange or sky blue words on white are not
        ax.annotate(
            text,
            (1, height),
            (6, shift),
            xycoords=ax.get_yaxis_transform(),
            textcoords="offset points",
            color=readable,
            va="center",
            annotation_clip=False,
        )


def plot_curves(
    curves: Mapping[str, Sequence[npt.ArrayLike]],
    *,
    xlabel: str = "",
    ylabel: str = "",
    percent: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw named lines, each with its interval as a band.

    Parameters
    ----------
    curves : mapping of str to (x, y, lows, highs)
        Arrays of the same length; lows and highs are absolute bounds of y.
    xlabel, ylabel : str
        What the axes show.
    percent : bool
        Whether y holds fractions, to be written as percentages.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    checked = {name: np.array([np.asarray(each, float) for each in curve]) for name, curve in curves.items()}
    for name, (_, y, lows, highs) in checked.items():
        bar_lengths(y, lows, highs, f"curves[{name!r}]", "plot_curves")
    ax = new_axes(ax, 8, 4.2)
    ends = [_draw_curve(ax, name, curve, i) for i, (name, curve) in enumerate(checked.items())]
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if percent:
        percent_ticks(ax.yaxis)
    grid_lines(ax, "both")
    _name_ends(ax, ends)
    return ax


def _draw_curve(ax: Axes, name: str, curve: np.ndarray, i: int) -> tuple[float, str, str]:
    """Draw line number ``i`` and return what is written where it ends."""
    x, y, lows, highs = curve
    color, every = COLORS[i % 7], max(1, len(x) // 12)
    ax.fill_between(x, lows, highs, color=color, alpha=0.2, linewidth=0)
    style: Style = {"linestyle": LINES[i % 7], "marker": MARKERS[i % 7], "markersize": 5.5, "markevery": every}
    ax.plot(x, y, color=color, label=name, linewidth=2, **style)
    return float(y[np.argmax(x)]), name, color


def plot_history(
    histories: Mapping[str, pd.DataFrame | Sequence[pd.DataFrame]],
    *,
    metric: str = "accuracy",
    test: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw training curves: the metric on the training images dashed, on the validation images solid.

    Parameters
    ----------
    histories : mapping of str to DataFrame, or to a list of DataFrames
        One row per epoch, with the columns ``metric`` and ``val_<metric>`` (without the latter, only the dashed line is
        drawn). Epochs are the index if that is named "epoch", else 1, 2, ... Of several tables, such as runs with
        different seeds, the mean is drawn, with a band from the lowest to the highest.
    metric : str
        One with "accuracy" in its name is a fraction, and is written in percent.
    test : mapping of str to float, optional
        Test values by run, drawn as dotted lines.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    share, told = "accuracy" in metric, dict(test or {})
    if unknown := [name for name in told if name not in histories]:
        raise ValueError(problem("test", "plot_history", f"values of runs among {list(histories)}", str(unknown)))
    tables = {name: _joined(name, given, metric) for name, given in histories.items()}
    ax, ends = new_axes(ax, 8, 4.4), []
    for i, (name, table) in enumerate(tables.items()):
        color, last = COLORS[i % 7], _draw_run(ax, name, table, metric, i)
        ends.append((last, name, color))
        if name in told:
            ax.axhline(told[name], color=color, linestyle=":", linewidth=1.8, label=f"{name}, test")
            ends.append((told[name], f"{name}, test {format(told[name], '.2%' if share else '.3g')}", color))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel=metric, title=f"{metric.capitalize()} during training")
    if share:
        percent_ticks(ax.yaxis)
    kinds: list[tuple[str, Any]] = [("training", "--"), ("validation", "-"), ("test", ":")][: 3 if told else 2]
    ax.legend(handles=[Line2D([], [], color=DARK, linestyle=line, label=kind) for kind, line in kinds])
    grid_lines(ax)
    _name_ends(ax, ends)
    return ax


def _joined(name: str, given: pd.DataFrame | Sequence[pd.DataFrame], metric: str) -> pd.DataFrame:
    """Return one table with a column "epoch" of one run or of several."""
    runs = [given] if isinstance(given, pd.DataFrame) else list(given)
    if missing := [list(run.columns) for run in runs if metric not in run]:
        raise ValueError(problem("metric", "plot_history", f"a column of {name!r}: {missing[0]}", repr(metric)))
    epochs = [run.index if run.index.name == "epoch" else np.arange(1, len(run) + 1) for run in runs]
    return pd.concat([run.reset_index(drop=True).assign(epoch=each) for run, each in zip(runs, epochs, strict=True)])


def _draw_run(ax: Axes, name: str, table: pd.DataFrame, metric: str, i: int) -> float:
    """Draw the lines of run number ``i`` and return the height at which the one to be named ends."""
    style: Style = {
        "color": COLORS[i % 7],
        "marker": MARKERS[i % 7],
        "markersize": 5,
        "markeredgewidth": 0,
        "legend": False,
    }
    style |= {"markevery": max(1, table["epoch"].nunique() // 10), "err_kws": {"linewidth": 0}}
    style["errorbar"] = ("pi", 100)  # from the lowest run to the highest
    last = metric
    for column, line, width, kind in ((metric, "--", 1.2, "training"), (f"val_{metric}", "-", 2, "validation")):
        if column in table:
            of_line: Style = {"linestyle": line, "linewidth": width, "label": f"{name}, {kind}"}
            sns.lineplot(table, x="epoch", y=column, ax=ax, **style | of_line)
            last = column
    return float(table.groupby("epoch")[last].mean().iloc[-1])


def plot_learning_rates(
    schedules: Mapping[str, np.ndarray], *, epochs: int | None = None, ax: Axes | None = None
) -> Axes:
    """Draw learning rates over a run, one line per schedule.

    Parameters
    ----------
    schedules : mapping of str to ndarray of shape (steps,)
        Learning rates of all steps.
    epochs : int, optional
        How many epochs every line spans, so that runs with batches of different sizes compare; by default the axis
        counts steps.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    ax = new_axes(ax, 8.6, 4)
    for i, (name, rates) in enumerate(schedules.items()):
        steps = np.arange(len(rates))
        x = steps if epochs is None else steps * epochs / len(rates)
        style: Style = {
            "linestyle": LINES[i % 7],
            "marker": MARKERS[i % 7],
            "markersize": 5,
            "markevery": (i / 20, 0.12),
        }
        ax.plot(x, rates, label=name, color=COLORS[i % 7], linewidth=1.8, **style)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="step" if epochs is None else "epoch", ylabel="learning rate", title="Learning rate during training")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), handlelength=3)
    grid_lines(ax)
    return ax
