"""Points, each with its name beside it: systems by size or cost, systems ranked, and digits on two components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import offset_copy

from mnist_helpers.common.checks import problem
from mnist_helpers.evaluation.accuracy import wilson_interval
from mnist_helpers.plotting.theme import (
    COLORS,
    DARK,
    MIDDLE,
    Style,
    bar_lengths,
    grid_lines,
    new_axes,
    percent_ticks,
)

# Where a name may stand beside its point: the ways there, in points, near ones first.
_WAYS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1), (2, 1), (-2, 1), (2, -1), (-2, -1))
_PLACES = np.array([(x * far, y * far) for far in (7, *range(16, 120, 8)) for x, y in _WAYS])


def plot_cost(points: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the error of each system with its interval against the operations of its training, both logarithmic.

    Parameters
    ----------
    points : DataFrame
        Columns ``training_flops``; ``error``, ``low`` and ``high`` (fractions above 0, absolute bounds); ``front``
        (bool): these are filled and joined by a line of steps, below which no system lies; ``label``, "" for a system
        without a name.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    x, y, low, high = points[["training_flops", "error", "low", "high"]].to_numpy(float).T
    lengths = bar_lengths(y, low, high, "points", "plot_cost")
    front = points["front"].to_numpy(bool)
    ax = new_axes(ax, 8.6, 5.5)
    for chosen, color, fill, name in ((~front, MIDDLE, "white", "others"), (front, COLORS[0], COLORS[0], "front")):
        style: Style = {"fmt": "o", "color": color, "markerfacecolor": fill, "elinewidth": 1.2, "label": name}
        ax.errorbar(x[chosen], y[chosen], lengths[:, chosen], **style)
    ax.set(xscale="log", yscale="log")
    steps = _steps(x[front], y[front])
    ax.plot(*steps.T, color=COLORS[0], linewidth=1.2, zorder=1)
    ax.margins(x=0.1, y=0.17)
    ax.set_xlim(right=4 * ax.get_xlim()[1])  # room for the longest names
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_minor_formatter(NullFormatter())
    percent_ticks(ax.yaxis)
    ax.set(xlabel="floating-point operations of training (logarithmic)", ylabel="error (logarithmic)")
    ax.set_title("What accuracy costs")
    grid_lines(ax, "both")
    labels = points["label"].to_numpy()
    _name_points(ax, pd.DataFrame({"x": x, "y": y, "low": low, "high": high, "label": labels}), steps)
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


def _name_points(ax: Axes, points: pd.DataFrame, line: npt.ArrayLike = ()) -> None:
    """Write each name near its point where it hides least, with a thin line to the point if it is not beside it.

    ``points`` has the columns x, y, low, high (of y) and label; a point with an empty label stays without a name.
    ``line`` holds points (n, 2) of a line that names should not lie on.
    """
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()  # type: ignore[union-attr]  # fixes the layout: extents are the final ones
    low, middle, high = (ax.transData.transform(points[["x", y]]) for y in ("low", "y", "high"))
    taken = np.hstack([low - 4, high + 4])  # boxes
    ink = np.tile(ax.transData.transform(np.reshape(line, (-1, 2))), 2)  # dots on the lines drawn so far
    scale = figure.dpi / 72  # type: ignore[union-attr]
    for i in np.argsort(-points["x"].to_numpy(), kind="stable"):  # from the right, where names have the least room
        at, name = points[["x", "y"]].to_numpy()[i], points["label"].iloc[i]
        if name:
            box, dots = _name_point(ax, str(name), at, middle[i], np.delete(taken, i, 0), taken, ink, scale)
            taken, ink = np.vstack([taken, box]), np.vstack([ink, dots])


def _name_point(
    ax: Axes,
    name: str,
    at: np.ndarray,
    middle: np.ndarray,
    others: np.ndarray,
    taken: np.ndarray,
    ink: np.ndarray,
    scale: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Write one name; return its box (4,) and the dots (n, 4) of its line, in pixels."""
    measured = ax.annotate(name, tuple(at), (0, 0), textcoords="offset points", fontsize=10)
    size = Text.get_window_extent(measured).size
    measured.remove()
    ends = middle + _PLACES * scale
    corners = ends - size * (1 - np.sign(_PLACES)) / 2
    boxes = np.hstack([corners - 2, corners + size + 2])
    dots = np.tile(middle + np.linspace(0.1, 1, 40)[:, None, None] * (ends - middle), 2)  # (40, places, 4)
    outside = (boxes[:, :2] < ax.bbox.min).any(axis=1) | (boxes[:, 2:] > ax.bbox.max).any(axis=1)
    hidden = _touch(boxes[:, None], taken).sum(axis=1) + 4 * outside
    lines = np.vstack([others, ink + 2 * scale * np.array([-1, -1, 1, 1])])
    own = _touch(lines, np.hstack([middle - 12 * scale, middle + 12 * scale]))  # points crowd: on these it lies itself
    crossed = _touch(dots[:, :, None], lines[~own]).any(axis=(0, 2)) | _touch(boxes[:, None], ink).any(axis=1)
    best = np.argmin(1000 * hidden + 200 * crossed + np.linalg.norm(_PLACES, axis=1))
    (x, y), far = _PLACES[best], np.abs(_PLACES[best]).max() > 10
    side, level = np.sign(_PLACES[best]) + 1
    arrow: Style = {"arrowstyle": "-", "color": "#999999", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 4}
    arrow["relpos"] = (1 - side / 2, 1 - level / 2)  # the end of the line that was looked at, not the name's middle
    place: Style = {"ha": ("right", "center", "left")[side], "va": ("top", "center", "bottom")[level]}
    place |= {"textcoords": "offset points", "fontsize": 10, "arrowprops": arrow if far else None}
    ax.annotate(name, tuple(at), (x, y), **place)
    return boxes[best], dots[:, best] if far else np.empty((0, 4))


def _touch(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether boxes (..., 4) of left, bottom, right, top overlap."""
    return np.all((some[..., :2] < others[..., 2:]) & (some[..., 2:] > others[..., :2]), axis=-1)


def plot_indistinguishable(
    errors: Mapping[str, int], groups: Sequence[Sequence[str]], *, images: int = 10_000, ax: Axes | None = None
) -> Axes:
    """Draw systems ranked by their errors, with 95 % intervals, and a bar for each group that cannot be told apart.

    Parameters
    ----------
    errors : mapping of str to int
        How many images each system gets wrong, 1 or more; drawn as shares, logarithmic, the fewest on top.
    groups : sequence of sequences of str
        Names, as `indistinguishable` gives them. A dot on a bar is a member of it; a group of one gets no bar.
    images : int
        How many images there are.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    names = sorted(errors, key=lambda name: errors[name])
    if unknown := {name for group in groups for name in group} - set(errors):
        raise ValueError(problem("groups", "plot_indistinguishable", f"names among {names}", str(sorted(unknown))))
    counts = np.array([errors[name] for name in names])
    bounds = np.array([wilson_interval(int(count), images) for count in counts])
    lows, highs = bounds.T
    lengths = bar_lengths(counts / images, lows, highs, "errors", "plot_indistinguishable")
    ax, rows = new_axes(ax, 9, 1.2 + 0.38 * len(names)), np.arange(len(names))
    ax.errorbar(counts / images, rows, xerr=lengths, fmt="o", color=COLORS[0], elinewidth=2, capsize=4)
    ax.set_xscale("log")
    ax.set_yticks(rows, names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    ax.xaxis.set_minor_formatter(NullFormatter())
    percent_ticks(ax.xaxis)
    ax.set(xlabel="error (logarithmic)", title="Which systems cannot be told apart: each bar joins one group")
    grid_lines(ax, "x")
    right, figure = ax.get_yaxis_transform(), ax.get_figure(root=True)
    for row, count in enumerate(counts):
        ax.text(1.02, row, f"{count}", transform=right, va="center")
    places = [sorted(names.index(name) for name in group) for group in groups if len(group) > 1]
    style: Style = {"color": DARK, "marker": "o", "markersize": 5, "linewidth": 2.5, "clip_on": False}
    for i, place in enumerate(sorted(places)):
        ax.plot(np.ones(len(place)), place, transform=offset_copy(right, figure, 50 + 14 * i, units="points"), **style)
    return ax
