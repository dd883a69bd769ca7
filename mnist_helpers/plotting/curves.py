"""Lines and points, each with its name beside it instead of in a legend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from mnist_helpers.checks import check_labels, check_positive_int, problem
from mnist_helpers.plotting.charts import COLORS, DARK, MARKERS, bar_lengths, new_axes, percent_ticks, tidy

# Paul Tol's "muted" scheme, its palest colours replaced: ten classes need more than Okabe and Ito give. Digits 0 to 9.
CLASS_COLORS = (
    *("#332288", "#CC6677", "#117733", "#56B4E9", "#882255"),
    *("#999933", "#44AA99", "#AA4499", "#E69F00", "#444444"),
)
LINES = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)), ":", (0, (3, 1)))
# Where a name may stand beside its point: the ways there, in points, near ones first.
WAYS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1), (2, 1), (-2, 1), (2, -1), (-2, -1))
PLACES = np.array([(x * far, y * far) for far in (7, *range(16, 120, 8)) for x, y in WAYS])


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
    try:
        curve = np.asarray(numbers, dtype=float)
    except ValueError:
        curve = np.empty(0)
    if curve.ndim != 2 or len(curve) != 4 or not curve.size:
        got = f"{name!r} with lengths {[np.size(part) for part in numbers]}"
        raise ValueError(problem("curves", "plot_curves", "tuples (x, y, lows, highs) of the same length", got))
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
    Raises ValueError for no curve, arrays of different lengths, or bounds that do not enclose y.
    """
    if not curves:
        raise ValueError(problem("curves", "plot_curves", "one curve or more", "none"))
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
    Raises ValueError for no history, one without ``metric``, or a ``test`` run that is not among ``histories``.
    """
    _check_histories(histories, metric, test or {})
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
    if not histories or not all(len(history) for history in histories.values()):
        raise ValueError(problem("histories", "plot_history", "one table or more, none empty", "none, or an empty one"))
    for name, history in histories.items():
        if metric not in history:
            wanted = f"a column of {name!r}: {list(history.columns)}"
            raise ValueError(problem("metric", "plot_history", wanted, repr(metric)))
    if unknown := [name for name in test if name not in histories]:
        raise ValueError(problem("test", "plot_history", f"values of runs among {list(histories)}", str(unknown)))


def plot_explained_variance(ratios: Sequence[float], *, mark: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw the cumulative share of variance that the first 1, 2, ... components explain.

    ``ratios`` are fractions, as in scikit-learn's ``explained_variance_ratio_``; ``mark`` components are pointed out.
    Raises ValueError for ratios that are negative or add up to more than 1, or for more marked components than ratios.
    """
    shares = np.asarray(ratios, dtype=float)
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


def plot_parameters_accuracy(points: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw accuracy with its interval against the number of parameters, on a logarithmic axis, each point named.

    ``points`` has the columns parameters, accuracy, low, high (fractions, absolute bounds) and label.
    Raises ValueError for a missing column, no row, a number of parameters below 1, or bounds that miss the accuracy.
    """
    function, columns = "plot_parameters_accuracy", ["parameters", "accuracy", "low", "high", "label"]
    if missing := [column for column in columns if column not in points]:
        raise ValueError(problem("points", function, f"a table with the columns {columns}", f"one without {missing}"))
    if not len(points) or not (points["parameters"] >= 1).all():
        raise ValueError(problem("points", function, "one row or more, of 1 parameter or more", f"{len(points)} rows"))
    x, y, low, high = (points[column].to_numpy(float) for column in columns[:4])
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
    Raises ValueError for another rank, or for labels of another length.
    """
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] < 2 or not len(points):
        raise ValueError(problem("points", "plot_scatter", "of shape (n, 2 or more), n >= 1", f"shape {points.shape}"))
    if explained is not None and len(explained) < 2:
        raise ValueError(problem("explained", "plot_scatter", "two shares or more", str(list(explained))))
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
