"""Lines with bands, each with its name beside it where there is room, instead of in a legend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator

from mnist_helpers.plotting.theme import (
    COLORS,
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
