"""Tests of the curves: lines, bands, marks and their names, read back from the artists."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from artists import boxes, check_axes, legend, texts

from mnist_helpers import plotting

CURVES = {"dense": ([0, 1, 2], [0.9, 0.7, 0.4], [0.8, 0.6, 0.3], [0.95, 0.8, 0.5])}
CURVES["CNN"] = ([0, 1, 2], [0.91, 0.8, 0.41], [0.8, 0.6, 0.3], [0.95, 0.9, 0.5])
RATES = {"constant": np.full(40, 0.1), "falling": np.linspace(0.2, 0, 20)}
CALLS = {
    "curves": lambda ax=None: plotting.plot_curves(CURVES, ax=ax),
    "rates": lambda ax=None: plotting.plot_learning_rates(RATES, ax=ax),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_axes(call):
    check_axes(call)


def look_different(lines, features=("get_color", "get_linestyle", "get_marker")):
    return all(len({str(getattr(line, feature)()) for line in lines}) == len(lines) for feature in features)


def test_curves():
    ax = plotting.plot_curves(CURVES, xlabel="shift (pixels)", ylabel="accuracy", percent=True)
    assert len(ax.lines) == len(ax.collections) == 2
    for line, band, (x, y, lows, highs) in zip(ax.lines, ax.collections, CURVES.values(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([x, y]))
        outline = {tuple(corner) for corner in band.get_paths()[0].vertices}
        assert outline == set(zip(x, lows, strict=True)) | set(zip(x, highs, strict=True))
    assert look_different(ax.lines)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("shift (pixels)", "accuracy")
    assert ax.yaxis.get_major_formatter()(0.5) == "50%"


def test_names_of_lines_do_not_touch():
    curves = {f"line {i}": ([0, 1], [0.5, 0.5 + i / 1e4], [0, 0], [1, 1]) for i in range(7)}
    ax = plotting.plot_curves(curves)
    assert texts(ax) == list(curves)  # from low to high
    assert not any(one.overlaps(other) for one, other in combinations(boxes(ax.texts), 2))


def test_learning_rates_by_step():
    ax = plotting.plot_learning_rates(RATES)
    assert [line.get_label() for line in ax.lines] == legend(ax) == ["constant", "falling"]
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), RATES["falling"])
    np.testing.assert_array_equal(ax.lines[1].get_xdata(), np.arange(20))
    assert ax.get_xlabel() == "step" and ax.get_ylim()[0] == 0 and look_different(ax.lines)


def test_learning_rates_by_epoch_share_an_axis():
    ax = plotting.plot_learning_rates(RATES, epochs=10)
    assert ax.get_xlabel() == "epoch"
    assert [line.get_xdata()[len(line.get_xdata()) // 2] for line in ax.lines] == [5, 5]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plotting.plot_curves({"a": ([1], [1], [2], [3])}), r"curves\['a'\].* enclose the values"),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert not plt.get_fignums()  # nothing half-drawn is left behind
