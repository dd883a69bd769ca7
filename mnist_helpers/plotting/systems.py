"""Many systems in one picture: what their accuracy costs, and which of them cannot be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import offset_copy

from mnist_helpers.common.checks import check_mapping, check_positive_int, check_sequence, problem
from mnist_helpers.evaluation.accuracy import wilson_interval
from mnist_helpers.plotting.charts import COLORS, DARK, new_axes, percent_ticks, tidy
from mnist_helpers.plotting.inputs import bar_lengths, check_table
from mnist_helpers.plotting.points import name_points

_COLUMNS = ["training_flops", "error", "low", "high", "front", "label"]


def plot_cost(points: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the error of each system with its interval against the operations of its training, both logarithmic.

    ``points`` has the columns training_flops; error, low and high (fractions, absolute bounds); front (bool): these are
    filled and joined by a line of steps, below which no system lies; and label, "" for a system without a name.
    Raises TypeError or ValueError for a missing column, no row, or what is not above 0.
    """
    numbers = check_table(points, _COLUMNS, numbers=_COLUMNS[:4], name="points", function="plot_cost")
    if not (numbers > 0).all():
        raise ValueError(problem("points", "plot_cost", "a table with all numbers above 0", f"{numbers.min():g}"))
    x, y, low, high = numbers.T
    lengths = bar_lengths(y, low, high, name="points", function="plot_cost")
    front = points["front"].to_numpy(bool)
    ax = new_axes(ax, 9, 5.5)
    for chosen, color, fill, name in ((~front, "#777777", "white", "others"), (front, COLORS[0], COLORS[0], "front")):
        style: dict[str, Any] = {"fmt": "o", "color": color, "markerfacecolor": fill, "elinewidth": 1.2, "label": name}
        ax.errorbar(x[chosen], y[chosen], lengths[:, chosen], **style)
    ax.set(xscale="log", yscale="log")
    steps = _steps(x[front], y[front])
    ax.plot(*steps.T, color=COLORS[0], linewidth=1.2, zorder=1)
    ax.margins(x=0.1, y=0.1)
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_minor_formatter(NullFormatter())
    percent_ticks(ax.yaxis)
    ax.set(xlabel="floating-point operations of training (logarithmic)", ylabel="error (logarithmic)")
    ax.set_title("What accuracy costs")
    tidy(ax, "both")
    names = points["label"].to_numpy()
    name_points(ax, pd.DataFrame({"x": x, "y": y, "low": low, "high": high, "label": names}), steps)
    return ax


def _steps(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return a line (n, 2) that goes from each point to the right, and then down to the next one."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    line = [np.stack([x[:1], y[:1]], axis=1)]
    for i in range(1, len(x)):
        line.append(np.stack([np.geomspace(x[i - 1], x[i], 40), np.full(40, y[i - 1])], axis=1))
        line.append(np.stack([np.full(20, x[i]), np.geomspace(y[i - 1], y[i], 20)], axis=1))
    return np.concatenate(line)


def plot_indistinguishable(
    errors: Mapping[str, int], groups: Sequence[Sequence[str]], *, images: int = 10_000, ax: Axes | None = None
) -> Axes:
    """Draw systems ranked by their errors, with 95 % intervals, and a bar for each group that cannot be told apart.

    errors : how many of ``images`` each system gets wrong; drawn as shares, logarithmic, the fewest on top.
    groups : names, as `indistinguishable` gives them; a group of one gets no bar. A dot on a bar is a member of it.
    Raises TypeError or ValueError for no system, no error, or a group with a name that is not in ``errors``.
    """
    function = "plot_indistinguishable"
    images = check_positive_int(images, name="images", function=function)
    for name, count in check_mapping(errors, kind="numbers of errors", name="errors", function=function).items():
        if check_positive_int(count, name=f"errors[{name!r}]", function=function) > images:
            raise ValueError(problem(f"errors[{name!r}]", function, f"at most {images} images", str(count)))
    wanted = {"kind": "groups of names", "name": "groups", "function": function}
    groups = [check_sequence(group, **wanted) for group in check_sequence(groups, **wanted)]
    if unknown := {str(name) for group in groups for name in group} - set(errors):
        raise ValueError(problem("groups", function, f"names among {list(errors)}", str(sorted(unknown))))
    names = sorted(errors, key=lambda name: errors[name])
    counts = np.array([errors[name] for name in names])
    bounds = np.array([wilson_interval(int(count), images) for count in counts])
    lengths = bar_lengths(counts / images, *bounds.T, name="errors", function=function)
    ax, rows = new_axes(ax, 9, 1.2 + 0.36 * len(names)), np.arange(len(names))
    ax.errorbar(counts / images, rows, xerr=lengths, fmt="o", color=COLORS[0], elinewidth=2, capsize=4)
    ax.set_xscale("log")
    ax.set_yticks(rows, names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    ax.xaxis.set_minor_formatter(NullFormatter())
    percent_ticks(ax.xaxis)
    ax.set(xlabel="error (logarithmic)", title="Who cannot be told apart: each bar joins one group")
    tidy(ax, "x")
    right, figure = ax.get_yaxis_transform(), ax.get_figure(root=True)
    for row, count in enumerate(counts):
        ax.text(1.02, row, f"{count}", transform=right, va="center")
    places = [sorted(names.index(name) for name in group) for group in groups if len(group) > 1]
    for i, place in enumerate(sorted(places)):
        bar: dict[str, Any] = {"color": DARK, "marker": "o", "markersize": 5, "linewidth": 2.5, "clip_on": False}
        ax.plot(np.ones(len(place)), place, transform=offset_copy(right, figure, 48 + 14 * i, units="points"), **bar)
    return ax
