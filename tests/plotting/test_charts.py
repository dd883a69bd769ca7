"""Tests of the charts: bars, texts, colours, ticks and error bars, read back from the artists."""

from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from artists import bar_ends, check_axes, legend, texts, ticks
from matplotlib.colors import to_rgb

from mnist_helpers import plotting

TABLE = pd.DataFrame({"MSE": [0.97, 0.98], "hinge": [0.95, 0.99]}, index=pd.Index(["SGD", "Adam"], name="optimizer"))
LOWS, HIGHS = TABLE - 0.02, TABLE + 0.01
COUNTS = np.full((10, 10), 2) + np.diag(np.full(10, 900))
COUNTS[4, 9], COUNTS[0, 1] = 30, 0


def make_evaluation(accuracy, low, high, split="test", n=1000):
    return SimpleNamespace(accuracy=accuracy, interval=(low, high), labels=np.zeros(n, int), split=split)


SYSTEMS = {"LeNet": make_evaluation(0.99, 0.983, 0.994), "SVM": make_evaluation(0.94, 0.923, 0.953)}
CALLS = {
    "heatmap": lambda ax=None: plotting.plot_heatmap(np.eye(3), ax=ax),
    "accuracies": lambda ax=None: plotting.plot_accuracies(SYSTEMS, ax=ax),
    "bars": lambda ax=None: plotting.plot_grouped_bars(TABLE, ax=ax),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_axes(call):
    check_axes(call)


def test_bars_differ_in_colour_and_hatch_and_do_not_overlap():
    ax = plotting.plot_grouped_bars(pd.DataFrame(np.ones((2, 6)), columns=list("abcdef")))
    first = [bars[0] for bars in ax.containers]
    assert len({bar.get_facecolor() for bar in first}) == len({bar.get_hatch() for bar in first}) == 6
    spans = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches)
    assert all(left[1] <= right[0] + 1e-9 for left, right in zip(spans, spans[1:], strict=False))


def test_grouped_bars():
    ax = plotting.plot_grouped_bars(TABLE, intervals=(LOWS, HIGHS), ylabel="accuracy", fmt=".1%")
    assert texts(ax) == ["97.0%", "98.0%", "95.0%", "99.0%"]
    bars = [container for container in ax.containers if hasattr(container, "patches")]
    errors = [container for container in ax.containers if hasattr(container, "has_yerr")]
    assert [[bar.get_height() for bar in series] for series in bars] == TABLE.T.to_numpy().tolist()
    for i, (series, error) in enumerate(zip(bars, errors, strict=True)):
        np.testing.assert_allclose(bar_ends(error), np.column_stack([LOWS.iloc[:, i], HIGHS.iloc[:, i]]))
        middles = [bar.get_x() + bar.get_width() / 2 for bar in series]
        np.testing.assert_allclose([segment[0, 0] for segment in error.lines[2][0].get_segments()], middles)
        assert [text.xy[0] for text in ax.texts[2 * i : 2 * i + 2]] == middles
    assert ticks(ax.xaxis) == ["SGD", "Adam"] and ax.get_xlabel() == "optimizer" and legend(ax) == ["MSE", "hinge"]
    assert ax.get_ylim()[0] == 0 and ax.get_ylabel() == "accuracy"


def test_grouped_bars_say_when_they_do_not_start_at_0():
    ax = plotting.plot_grouped_bars(TABLE, ylabel="accuracy", fmt=".0%", start=0.9)
    assert ax.get_ylim()[0] == 0.9 and "bars start at 90%" in ax.get_ylabel() and ax.get_ylim()[1] < 1.01


def test_grouped_bars_of_one_series_need_no_legend_and_skip_missing_values():
    ax = plotting.plot_grouped_bars(pd.DataFrame({"loss": [1.5, np.nan, 0.5]}, index=["a", "b", "c"]))
    assert ax.get_legend() is None and ax.get_ylabel() == "loss" and texts(ax) == ["1.50", "0.50"]
    np.testing.assert_allclose([text.xy[0] for text in ax.texts], [0, 2], atol=1e-9)
    assert ticks(ax.xaxis) == ["a", "b", "c"]


def test_accuracies():
    ax = plotting.plot_accuracies(SYSTEMS, reported={"SVM": 0.9443, "LeNet": float("nan")})
    (dots,) = ax.containers
    np.testing.assert_allclose(dots.lines[0].get_xdata(), [0.99, 0.94])
    np.testing.assert_allclose(bar_ends(dots), [(0.983, 0.994), (0.923, 0.953)])
    assert ticks(ax.yaxis) == ["LeNet", "SVM"] and ax.yaxis_inverted()  # the first is on top
    assert texts(ax) == ["99.00%", "94.00%"]
    (diamonds,) = [line for line in ax.lines if line.get_label() == "reported"]
    np.testing.assert_array_equal(diamonds.get_xdata(), [np.nan, 0.9443])
    assert "1,000 test images" in ax.get_title() and "95 %" in ax.get_title()
    assert ax.xaxis.get_major_formatter()(0.985) == "98.5%"


def test_accuracies_on_different_splits_and_at_the_limit():
    rounded = make_evaluation(1.0, 0.99, 0.9999999999999999, split="train")
    ax = plotting.plot_accuracies(SYSTEMS | {"k-NN": rounded})
    assert "images" not in ax.get_title() and ax.get_legend() is None


def test_heatmap_of_a_table():
    ax = plotting.plot_heatmap(TABLE, fmt=".1%")
    assert texts(ax) == ["97.0%", "95.0%", "98.0%", "99.0%"]  # row after row
    assert [text.get_position() for text in ax.texts] == [(0.5, 0.5), (1.5, 0.5), (0.5, 1.5), (1.5, 1.5)]
    assert ax.yaxis_inverted() and (ticks(ax.yaxis), ticks(ax.xaxis)) == (["SGD", "Adam"], ["MSE", "hinge"])
    assert ax.get_ylabel() == "optimizer" and len(ax.figure.axes) == 1


@pytest.mark.parametrize("cmap", ["Blues", "viridis"])  # light to dark, dark to light
def test_heatmap_texts_can_be_read(cmap):
    ax = plotting.plot_heatmap(np.linspace(0, 1, 30).reshape(5, 6), cmap=cmap)
    for text, value in zip(ax.texts, np.linspace(0, 1, 30), strict=True):
        behind, weights = matplotlib.colormaps[cmap](value)[:3], [0.299, 0.587, 0.114]
        assert abs(np.dot(to_rgb(text.get_color()), weights) - np.dot(behind, weights)) > 0.3


def test_heatmap_formats_labels_gaps_and_colour_bar():
    whole = plotting.plot_heatmap(np.array([[1135, 0]]), row_labels=["a"], column_labels=["b", "c"], row_title="true")
    assert texts(whole) == ["1135", "0"] and ticks(whole.xaxis) == ["b", "c"] and whole.get_ylabel() == "true"
    assert texts(plotting.plot_heatmap(np.array([[0.125, np.nan]]))) == ["0.12"]
    plain = plotting.plot_heatmap(np.eye(40), annotate=False, vmax=2)
    assert not plain.texts and len(plain.figure.axes) == 2 and len(plain.get_xticks()) < 40
    assert plain.collections[0].get_clim() == (0, 2)


def test_confusion_in_percent_and_counts():
    percent, counts = plotting.plot_confusion(SimpleNamespace(confusion=COUNTS))
    assert percent.figure is counts.figure
    rows = COUNTS / COUNTS.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(percent.collections[0].get_array(), 100 * rows)
    assert percent.collections[0].get_clim() == (0, 100)
    assert texts(percent) == [f"{100 * share:.1f}" if share else "" for share in rows.ravel()]
    found = {(text.get_position()): text.get_text() for text in counts.texts}
    for (row, column), count in np.ndenumerate(COUNTS):
        assert found[column + 0.5, row + 0.5] == (str(count) if count else "")
    for ax in (percent, counts):
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
        assert ax.yaxis_inverted() and ticks(ax.xaxis) == ticks(ax.yaxis) == list("0123456789")
    errors = COUNTS.sum() - np.trace(COUNTS)
    assert f"{errors} errors in {COUNTS.sum():,}" in counts.get_title()


def test_confusion_diagonal_is_out_of_the_colour_scale():
    counts = plotting.plot_confusion(COUNTS)[1]
    cells = counts.collections[0].get_array()
    assert np.ma.getmaskarray(cells).diagonal().all() and np.ma.count(cells) == 90
    assert counts.collections[0].get_clim() == (0, 30)  # the commonest error, not the diagonal
    assert len(counts.patches) == 10  # framed


def test_confusion_without_errors_and_with_an_absent_class():
    percent, counts = plotting.plot_confusion(np.diag([5, 0, 7]))
    assert texts(percent) == ["100.0", *[""] * 7, "100.0"] and counts.collections[0].get_clim() == (0, 1)


def test_confusion_axes():
    current = plt.subplots()[1]
    mine = plt.subplots(1, 2)[1]
    plt.sca(current)
    assert plotting.plot_confusion(COUNTS, axes=tuple(mine)).tolist() == mine.tolist()
    assert plotting.plot_confusion(COUNTS)[0].figure not in (current.figure, mine[0].figure)
    assert not current.has_data()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plotting.plot_grouped_bars(TABLE, intervals=(HIGHS, LOWS)), "'intervals' .* enclose the values"),
        (lambda: plotting.plot_grouped_bars(TABLE, start=0.96), "'start' .* below the smallest value, 0.95. Got 0.96"),
        (lambda: plotting.plot_accuracies(SYSTEMS, reported={"CNN": 0.9}), r"'reported' .* among .* Got \['CNN'\]"),
        (lambda: plotting.plot_accuracies(SYSTEMS, reported={"SVM": 94.43}), "'reported' .* Got 94.43 instead"),
        (lambda: plotting.plot_heatmap(np.zeros(3)), r"'matrix' parameter of plot_heatmap .* Got shape \(3,\)"),
        (lambda: plotting.plot_confusion(np.zeros((2, 3), int)), "'evaluation_or_matrix' parameter of plot_confusion"),
        (lambda: plotting.plot_confusion(np.eye(2)), "Got shape .* of float64"),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert not plt.get_fignums()  # nothing half-drawn is left behind
