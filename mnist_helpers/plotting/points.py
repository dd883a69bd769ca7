"""Points, each with its name beside it: accuracy against size, and digits on two components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from mnist_helpers.common.checks import as_array, check_fraction, check_labels, check_sequence, check_values, problem
from mnist_helpers.plotting.charts import COLORS, new_axes, percent_ticks, tidy
from mnist_helpers.plotting.inputs import bar_lengths, check_table

# Paul Tol's "muted" scheme, its palest colours replaced: ten classes need more than Okabe and Ito give. Digits 0 to 9.
CLASS_COLORS = (
    *("#332288", "#CC6677", "#117733", "#56B4E9", "#882255"),
    *("#999933", "#44AA99", "#AA4499", "#E69F00", "#444444"),
)
# Where a name may stand beside its point: the ways there, in points, near ones first.
WAYS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1), (2, 1), (-2, 1), (2, -1), (-2, -1))
PLACES = np.array([(x * far, y * far) for far in (7, *range(16, 120, 8)) for x, y in WAYS])


def plot_parameters_accuracy(points: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw accuracy with its interval against the number of parameters, on a logarithmic axis, each point named.

    ``points`` has the columns parameters, accuracy, low, high (fractions, absolute bounds) and label.
    Bounds that are not known (NaN, as those of a single run) draw no interval.
    Raises TypeError or ValueError for a missing column, no row, a number of parameters below 1, or bounds that miss the
    accuracy.
    """
    function, columns = "plot_parameters_accuracy", ["parameters", "accuracy", "low", "high", "label"]
    if isinstance(points, pd.DataFrame) and {"accuracy", "low", "high"} <= set(points):
        points = points.fillna({"low": points["accuracy"], "high": points["accuracy"]})
    x, y, low, high = check_table(points, columns, numbers=columns[:4], name="points", function=function).T
    if not (x >= 1).all():
        raise ValueError(problem("points", function, "systems of 1 parameter or more", f"{x.min():g}"))
    lengths = bar_lengths(y, low, high, name="points", function=function)
    ax = new_axes(ax, 8.5, max(5, 0.3 * len(points)))
    ax.errorbar(x, y, lengths, fmt="o", color=COLORS[0], ecolor=COLORS[4], elinewidth=2, capsize=3)
    ax.set_xscale("log")
    ax.margins(x=0.12, y=0.08)
    percent_ticks(ax.yaxis)
    ax.set(xlabel="parameters (logarithmic)", ylabel="accuracy", title="Accuracy against size, with 95 % intervals")
    tidy(ax, "both")
    name_points(ax, points.rename(columns={"parameters": "x", "accuracy": "y"}))
    return ax


def name_points(ax: Axes, points: pd.DataFrame, line: Any = ()) -> None:
    """Write each name near its point where it hides least, with a thin line to the point if it is not beside it.

    ``points`` has the columns x, y, low, high (of y) and label; a point with an empty label stays without a name.
    ``line`` holds points (n, 2) of a line that names should not lie on.
    """
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
    figure: Any = ax.get_figure(root=True)
    figure.draw_without_rendering()  # fixes the layout, so that extents are the final ones
    low, middle, high = (ax.transData.transform(points[["x", y]]) for y in ("low", "y", "high"))
    taken = np.hstack([low - 4, high + 4])  # boxes
    ink = np.tile(ax.transData.transform(np.reshape(line, (-1, 2))), 2)  # dots on the lines drawn so far
    for i, (at, name) in enumerate(zip(points[["x", "y"]].to_numpy(), points["label"], strict=True)):
        if not name:
            continue
        arrow = {"arrowstyle": "-", "color": "#999999", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 4}
        label = ax.annotate(str(name), at, (0, 0), textcoords="offset points", fontsize=9, arrowprops=arrow)
        size = Text.get_window_extent(label).size
        ends = middle[i] + PLACES * figure.dpi / 72
        corners = ends - size * (1 - np.sign(PLACES)) / 2
        boxes = np.hstack([corners - 2, corners + size + 2])
        dots = np.tile(middle[i] + np.linspace(0.1, 1, 12)[:, None, None] * (ends - middle[i]), 2)  # (12, places, 4)
        outside = (boxes[:, :2] < ax.bbox.min).any(axis=1) | (boxes[:, 2:] > ax.bbox.max).any(axis=1)
        hidden = _touch(boxes[:, None], taken).sum(axis=1) + 4 * outside
        crossed = _touch(boxes[:, None], ink).any(axis=1) | _touch(dots[:, :, None], np.delete(taken, i, 0)).any((0, 2))
        best = np.argmin(1000 * hidden + 200 * crossed + np.linalg.norm(PLACES, axis=1))
        (x, y), far = PLACES[best], np.abs(PLACES[best]).max() > 10
        label.set(position=(x, y), ha=("right", "center", "left")[np.sign(x) + 1])
        label.set(va=("top", "center", "bottom")[np.sign(y) + 1])
        label.arrow_patch.set_visible(far)  # type: ignore[union-attr]
        taken, ink = np.vstack([taken, boxes[best]]), np.vstack([ink, dots[:, best]]) if far else ink


def _touch(some: np.ndarray, others: np.ndarray) -> Any:
    """Whether boxes (..., 4) of left, bottom, right, top overlap."""
    return ((some[..., :2] < others[..., 2:]) & (some[..., 2:] > others[..., :2])).all(axis=-1)


def plot_scatter(
    points: np.ndarray, labels: np.ndarray, *, explained: Sequence[float] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the first two columns of ``points`` (n, 2 or more), each point as its digit, and each class at its mean.

    ``explained`` are the shares of variance of the components, fractions, for the axis labels.
    Raises TypeError or ValueError for another rank, or for labels of another length.
    """
    points = as_array(points, name="points", function="plot_scatter")
    if points.ndim != 2 or points.shape[1] < 2 or not len(points):
        raise ValueError(problem("points", "plot_scatter", "of shape (n, 2 or more), n >= 1", f"shape {points.shape}"))
    points = check_values(points, points.shape, name="points", function="plot_scatter")
    if explained is not None:
        listed = check_sequence(explained, kind="shares", name="explained", function="plot_scatter")
        if len(listed) < 2:
            raise ValueError(problem("explained", "plot_scatter", "two shares or more", str(listed)))
        explained = [check_fraction(each, name="explained", function="plot_scatter") for each in listed]
    labels = check_labels(labels, function="plot_scatter", n=len(points))
    ax = new_axes(ax, 7, 6)
    digits = np.unique(labels)
    for digit in digits:
        x, y = points[labels == digit, :2].T
        ax.scatter(x, y, s=28, marker=f"${digit}$", color=CLASS_COLORS[digit], alpha=0.6, linewidth=0, label=str(digit))
    shares = [f" ({share:.1%} of the variance)" for share in explained[:2]] if explained is not None else ["", ""]
    ax.set(xlabel=f"component 1{shares[0]}", ylabel=f"component 2{shares[1]}")
    ax.set_title(f"{len(points):,} digits on two components")
    tidy(ax, "both")
    _name_classes(ax, digits, np.array([points[labels == digit, :2].mean(axis=0) for digit in digits]))
    return ax


def _name_classes(ax: Axes, digits: np.ndarray, means: np.ndarray) -> None:
    """Write each digit large at the mean (k, 2) of its class, moved apart where two would touch."""
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
    wanted = ax.transData.transform(means) * 72 / ax.get_figure(root=True).dpi  # type: ignore[union-attr]
    places = wanted.copy()
    for _ in range(100):
        between = places[:, None] - places  # (k, k, 2)
        distance = np.linalg.norm(between, axis=2, keepdims=True) + 1e-9
        places += (between / distance * np.maximum(21 - distance, 0)).sum(axis=1) / 2
    halo = [withStroke(linewidth=4, foreground="white")]
    style: dict[str, Any] = {"size": 22, "weight": "bold", "path_effects": halo, "ha": "center", "va": "center"}
    for digit, mean, shift in zip(digits, means, places - wanted, strict=True):
        color = CLASS_COLORS[digit]
        ax.annotate(str(digit), mean, shift, textcoords="offset points", color=color, zorder=4, **style)
