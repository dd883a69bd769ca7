"""Learning rates over a run, and what a range test found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from mnist_helpers.common.checks import (
    as_array,
    check_attributes,
    check_mapping,
    check_positive_int,
    check_values,
    problem,
)
from mnist_helpers.plotting.charts import COLORS, DARK, MARKERS, new_axes, tidy
from mnist_helpers.plotting.curves import LINES

if TYPE_CHECKING:
    from mnist_helpers.training.range_test import RangeTest


def plot_learning_rates(
    schedules: Mapping[str, np.ndarray], *, epochs: int | None = None, ax: Axes | None = None
) -> Axes:
    """Draw one named line for each of ``schedules``: name -> learning rates of all steps, shape (steps,).

    With ``epochs`` every line spans that many epochs, so that runs with batches of different sizes compare; else the
    axis counts steps. Raises TypeError or ValueError for no schedule, or for rates that are no numbers, negative or not
    finite.
    """
    check_mapping(schedules, kind="learning rates", name="schedules", function="plot_learning_rates")
    checked = {name: _check_rates(rates, name) for name, rates in schedules.items()}
    if epochs is not None:
        check_positive_int(epochs, name="epochs", function="plot_learning_rates")
    ax = new_axes(ax, 8, 3.8)
    for i, (name, rates) in enumerate(checked.items()):
        steps = np.arange(len(rates))
        x = steps if epochs is None else steps * epochs / len(rates)
        style: dict[str, Any] = {"color": COLORS[i % 7], "linestyle": LINES[i % 7], "linewidth": 1.8}
        style |= {"marker": MARKERS[i % 7], "markersize": 4.5, "markevery": (i / 20, 0.12)}
        ax.plot(x, rates, label=name, **style)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="step" if epochs is None else "epoch", ylabel="learning rate", title="Learning rate during training")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, handlelength=3)
    tidy(ax)
    return ax


def _check_rates(rates: Any, name: str) -> np.ndarray:
    array = as_array(rates, name=f"schedules[{name!r}]", function="plot_learning_rates")
    array = array.astype(float) if array.dtype.kind in "fiu" else np.empty((0, 0))
    if array.ndim != 1 or not array.size or not np.isfinite(array).all() or array.min() < 0:
        wanted = "arrays of shape (steps,) of finite rates, 0 or more"
        raise ValueError(problem("schedules", "plot_learning_rates", wanted, f"{name!r} of shape {array.shape}"))
    return array


def plot_range_test(result: RangeTest, *, ax: Axes | None = None) -> Axes:
    """Draw the loss against the growing learning rate of a range test, each batch and smoothed, on logarithmic axes.

    The rate at which the smoothed loss falls fastest is marked. ``result`` has the arrays ``learning_rates``,
    ``losses`` and ``smoothed`` of the same shape (k,) and the number ``steepest``.
    Raises TypeError for another object, ValueError for other shapes, or what is not finite.
    """
    of_result: dict[str, Any] = {"name": "result", "function": "plot_range_test"}
    names = ("learning_rates", "losses", "smoothed")
    check_attributes(result, (*names, "steepest"), kind="a RangeTest", **of_result)
    rates, losses, smoothed = (as_array(getattr(result, name), **of_result) for name in names)
    if rates.ndim != 1 or not rates.shape == losses.shape == smoothed.shape:
        got = f"{rates.shape}, {losses.shape} and {smoothed.shape}"
        raise ValueError(problem("result", "plot_range_test", "a RangeTest with arrays of the same shape (k,)", got))
    rates, losses, smoothed = (check_values(each, ("k",), **of_result) for each in (rates, losses, smoothed))
    if rates.min() <= 0:
        raise ValueError(problem("result", "plot_range_test", "a RangeTest with rates above 0", f"{rates.min():g}"))
    ax = new_axes(ax, 8, 3.8)
    batches = ax.plot(rates, losses, ".", color=COLORS[4], markersize=5, label="one batch")
    line = ax.plot(rates, smoothed, "-", color=COLORS[0], linewidth=2, label="smoothed")
    height = float(np.interp(np.log(result.steepest), np.log(rates), smoothed))
    ax.plot([result.steepest], [height], "o", color=COLORS[3])
    at: dict[str, Any] = {"textcoords": "offset points", "va": "bottom", "color": DARK}
    ax.annotate(f"falls fastest at {result.steepest:.2g}", (result.steepest, height), (8, 4), **at)
    positive = min(losses.min(), smoothed.min()) > 0
    ax.set(xscale="log", xlabel="learning rate (logarithmic)", ylabel="loss (logarithmic)" if positive else "loss")
    if positive:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_title("Loss while the learning rate grows")
    ax.legend(handles=[*batches, *line], frameon=False)
    tidy(ax, "both")
    return ax
