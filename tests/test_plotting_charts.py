"""Tests of the charts: bars, texts, colours, ticks and error bars, read back from the artists."""

from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from artists import (  # noqa: E402
    CLOUD,
    COUNTS,
    CURVES,
    HIGHS,
    HISTORY,
    LOWS,
    POINTS,
    SYSTEMS,
    TABLE,
    bar_ends,
    make_evaluation,
    make_split,
    texts,
    ticks,
)
from matplotlib.colors import to_rgb  # noqa: E402

from mnist_helpers import plotting  # noqa: E402


@pytest.fixture(autouse=True)
def nothing_is_shown(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show was called"))
    yield
    plt.close("all")


CALLS = {
    "distribution": lambda ax=None: plotting.plot_class_distribution(make_split([0, 1], "train"), ax=ax),
    "variance": lambda ax=None: plotting.plot_explained_variance([0.5, 0.3], mark=1, ax=ax),
    "scatter": lambda ax=None: plotting.plot_scatter(*CLOUD, ax=ax),
    "heatmap": lambda ax=None: plotting.plot_heatmap(np.eye(3), ax=ax),
    "accuracies": lambda ax=None: plotting.plot_accuracies(SYSTEMS, ax=ax),
    "history": lambda ax=None: plotting.plot_history({"run": HISTORY}, ax=ax),
    "bars": lambda ax=None: plotting.plot_grouped_bars(TABLE, ax=ax),
    "parameters": lambda ax=None: plotting.plot_parameters_accuracy(POINTS, ax=ax),
    "curves": lambda ax=None: plotting.plot_curves(CURVES, ax=ax),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_axes(call):
    current, other = plt.subplots(1, 2)[1]
    plt.sca(current)
    assert call(other) is other and other.has_data() and not current.has_data()
    new = call()
    assert new.figure is not other.figure and not current.has_data()
    assert 2 <= new.figure.get_figwidth() <= 9


@pytest.mark.parametrize("normalize", [True, False])
def test_class_distribution(normalize):
    labels = [0] * 6 + [7] * 2, [0, 9]
    splits = make_split(labels[0], "train"), make_split(labels[1], "validation")
    ax = plotting.plot_class_distribution(*splits, normalize=normalize)
    assert len(ax.containers) == 2
    for bars, of_split in zip(ax.containers, labels, strict=True):
        counts = [of_split.count(digit) for digit in range(10)]
        expected = np.array(counts) / (len(of_split) if normalize else 1)
        np.testing.assert_allclose([bar.get_height() for bar in bars], expected)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train (8)", "validation (2)"]
    assert ticks(ax.xaxis) == list("0123456789")
    assert ax.yaxis.get_major_formatter()(0.5) == ("50%" if normalize else "0")


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
    assert [[bar.get_height() for bar in series] for series in bars] == TABLE.T.to_numpy().tolist()
    for i, series in enumerate(bars):
        np.testing.assert_allclose(bar_ends(series.errorbar), np.column_stack([LOWS.iloc[:, i], HIGHS.iloc[:, i]]))
    assert ticks(ax.xaxis) == ["SGD", "Adam"] and ax.get_xlabel() == "optimizer"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["MSE", "hinge"]
    assert ax.get_ylim()[0] == 0 and ax.get_ylabel() == "accuracy"


def test_grouped_bars_say_when_they_do_not_start_at_0():
    ax = plotting.plot_grouped_bars(TABLE, ylabel="accuracy", fmt=".0%", start=0.9)
    assert ax.get_ylim()[0] == 0.9 and "bars start at 90%" in ax.get_ylabel() and ax.get_ylim()[1] < 1.01


def test_grouped_bars_of_one_series_need_no_legend_and_skip_missing_values():
    ax = plotting.plot_grouped_bars(pd.DataFrame({"loss": [1.5, np.nan]}, index=["a", "b"]))
    assert ax.get_legend() is None and ax.get_ylabel() == "loss" and texts(ax) == ["1.50", ""]


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
    assert [text.get_position() for text in ax.texts] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert (ticks(ax.yaxis), ticks(ax.xaxis)) == (["SGD", "Adam"], ["MSE", "hinge"])
    assert ax.get_ylabel() == "optimizer"


@pytest.mark.parametrize("cmap", ["Blues", "viridis"])  # light to dark, dark to light
def test_heatmap_texts_can_be_read(cmap):
    ax = plotting.plot_heatmap(np.linspace(0, 1, 30).reshape(5, 6), cmap=cmap)
    for text, value in zip(ax.texts, np.linspace(0, 1, 30), strict=True):
        behind = matplotlib.colormaps[cmap](value)[:3]
        weights = [0.299, 0.587, 0.114]
        assert abs(np.dot(to_rgb(text.get_color()), weights) - np.dot(behind, weights)) > 0.35


def test_heatmap_formats_labels_and_colour_bar():
    whole = plotting.plot_heatmap(np.array([[1135, 0]]), row_labels=["a"], column_labels=["b", "c"], row_title="true")
    assert texts(whole) == ["1135", "0"] and ticks(whole.xaxis) == ["b", "c"] and whole.get_ylabel() == "true"
    assert texts(plotting.plot_heatmap(np.array([[0.125, np.nan]]))) == ["0.12", ""]
    assert len(whole.figure.axes) == 1
    plain = plotting.plot_heatmap(np.eye(40), annotate=False)
    assert not plain.texts and len(plain.figure.axes) == 2 and len(plain.get_xticks()) < 40


def test_confusion_in_percent_and_counts():
    percent, counts = plotting.plot_confusion(SimpleNamespace(confusion=COUNTS))
    assert percent.figure is counts.figure
    rows = COUNTS / COUNTS.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(percent.images[0].get_array(), 100 * rows)
    assert percent.images[0].get_clim() == (0, 100)
    assert texts(percent) == [f"{100 * share:.1f}" if share else "" for share in rows.ravel()]
    assert texts(counts) == [str(count) if count else "" for count in COUNTS.ravel()]
    for ax in (percent, counts):
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
        assert ax.yaxis_inverted() and ticks(ax.xaxis) == ticks(ax.yaxis) == list("0123456789")
    errors = COUNTS.sum() - np.trace(COUNTS)
    assert f"{errors} errors in {COUNTS.sum():,}" in counts.get_title()


def test_confusion_diagonal_is_out_of_the_colour_scale():
    counts = plotting.plot_confusion(COUNTS)[1]
    cells = counts.images[0].get_array()
    assert np.ma.getmaskarray(cells).diagonal().all() and np.ma.count(cells) == 90
    assert counts.images[0].get_clim() == (0, 30)  # the commonest error, not the diagonal
    assert len(counts.patches) == 10  # framed
    assert all(sum(to_rgb(counts.texts[11 * i].get_color())) < 1 for i in range(10))  # dark on white


def test_confusion_without_errors_and_with_an_absent_class():
    percent, counts = plotting.plot_confusion(np.diag([5, 0, 7]))
    assert texts(percent) == ["100.0", *[""] * 7, "100.0"] and counts.images[0].get_clim() == (0, 1)


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
        (plotting.plot_class_distribution, "'splits' parameter of plot_class_distribution must be one split"),
        (lambda: plotting.plot_class_distribution(make_split(np.empty(0, int), "test")), "'splits' .* n >= 1"),
        (lambda: plotting.plot_grouped_bars(pd.DataFrame()), "'table' parameter of plot_grouped_bars"),
        (lambda: plotting.plot_grouped_bars(TABLE, intervals=(LOWS, HIGHS[:1])), r"'intervals' .* of shape \(2, 2\)"),
        (lambda: plotting.plot_grouped_bars(TABLE, intervals=(HIGHS, LOWS)), "'intervals' .* enclose the values"),
        (lambda: plotting.plot_grouped_bars(TABLE, intervals=(LOWS,)), "a pair .* Got 1 parts"),
        (lambda: plotting.plot_grouped_bars(TABLE, start=0.96), "'start' .* below the smallest value, 0.95. Got 0.96"),
        (lambda: plotting.plot_accuracies({}), "'evaluations' parameter of plot_accuracies"),
        (lambda: plotting.plot_accuracies(SYSTEMS, reported={"CNN": 0.9}), r"'reported' .* among .* Got \['CNN'\]"),
        (lambda: plotting.plot_accuracies(SYSTEMS, reported={"SVM": 94.43}), "'reported' .* Got up to 94.43 instead"),
        (lambda: plotting.plot_heatmap(np.zeros(3)), r"'matrix' parameter of plot_heatmap .* Got shape \(3,\)"),
        (lambda: plotting.plot_heatmap(np.zeros((0, 3))), "'matrix' .* not empty"),
        (lambda: plotting.plot_heatmap(np.eye(2), row_labels="abc"), "'row_labels' .* must be 2 labels. Got 3"),
        (lambda: plotting.plot_heatmap(np.eye(2), column_labels="a"), "'column_labels' .* must be 2 labels. Got 1"),
        (lambda: plotting.plot_confusion(np.zeros((2, 3), int)), "'evaluation_or_matrix' parameter of plot_confusion"),
        (lambda: plotting.plot_confusion(np.array([[1, -1], [0, 1]])), "square matrix of counts"),
        (lambda: plotting.plot_confusion(np.eye(2)), "Got shape .* of float64"),
        (lambda: plotting.plot_confusion(COUNTS, axes=["one"]), "'axes' .* two Axes. Got 1"),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert not plt.get_fignums()  # nothing half-drawn is left behind
