"""Tests of the charts: bars, lines, texts, colours, ticks and error bars, read back from the artists."""

from itertools import combinations
from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402
from matplotlib.text import Text  # noqa: E402

from mnist_helpers import plotting  # noqa: E402


@pytest.fixture(autouse=True)
def nothing_is_shown(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show was called"))
    yield
    plt.close("all")


def make_split(labels, name):
    return SimpleNamespace(labels=np.asarray(labels), name=name)


def make_evaluation(accuracy, low, high, split="test", n=1000):
    return SimpleNamespace(accuracy=accuracy, interval=(low, high), labels=np.zeros(n, int), split=split)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def bar_ends(container):
    """Return the ends (n, 2) of the error bars, low to high."""
    segments = np.array(container.lines[2][0].get_segments())  # (n, 2 ends, x and y)
    return segments[:, :, 0 if container.has_xerr else 1]


def boxes(labels):
    labels[0].figure.canvas.draw()
    return [Text.get_window_extent(label) for label in labels]


TABLE = pd.DataFrame({"MSE": [0.97, 0.98], "hinge": [0.95, 0.99]}, index=pd.Index(["SGD", "Adam"], name="optimizer"))
LOWS, HIGHS = TABLE - 0.02, TABLE + 0.01
SYSTEMS = {"LeNet": make_evaluation(0.99, 0.983, 0.994), "SVM": make_evaluation(0.94, 0.923, 0.953)}
CURVES = {"dense": ([0, 1, 2], [0.9, 0.7, 0.4], [0.8, 0.6, 0.3], [0.95, 0.8, 0.5])}
CURVES["CNN"] = ([0, 1, 2], [0.91, 0.8, 0.41], [0.8, 0.6, 0.3], [0.95, 0.9, 0.5])
HISTORY = pd.DataFrame({"accuracy": [0.8, 0.9, 0.95], "val_accuracy": [0.85, 0.9, 0.91], "loss": [3.0, 2, 1]})
POINTS = pd.DataFrame({"parameters": [1e3, 1e5], "accuracy": [0.9, 0.99], "low": [0.88, 0.98], "high": [0.91, 0.995]})
POINTS["label"] = ["small", "large"]
CLOUD = np.random.default_rng(0).normal(size=(200, 3)), np.arange(200) % 10
COUNTS = np.full((10, 10), 2) + np.diag(np.full(10, 900))
COUNTS[4, 9], COUNTS[0, 1] = 30, 0
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


def test_explained_variance():
    ax = plotting.plot_explained_variance([0.5, 0.3, 0.1], mark=2)
    curve, _, dot = ax.lines
    np.testing.assert_array_equal(curve.get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(curve.get_ydata(), [0.5, 0.8, 0.9])
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (2, pytest.approx(0.8))
    assert texts(ax) == ["2 components: 80.0%"]
    assert len(plotting.plot_explained_variance([0.5]).lines) == 1


def test_scatter_shows_each_class_in_its_colour_and_as_its_digit():
    points, labels = CLOUD
    ax = plotting.plot_scatter(points, labels, explained=[0.097, 0.071, 0.06])
    assert len(ax.collections) == 10
    assert len({tuple(group.get_facecolor()[0]) for group in ax.collections}) == 10
    for digit, group in enumerate(ax.collections):
        np.testing.assert_allclose(group.get_offsets(), points[labels == digit, :2])
        np.testing.assert_allclose(ax.texts[digit].xy, points[labels == digit, :2].mean(axis=0))
    outlines = {group.get_paths()[0].vertices.tobytes() for group in ax.collections}
    assert len(outlines) == 10  # ten shapes of marker, for readers without colour
    assert texts(ax) == list("0123456789")
    assert "9.7%" in ax.get_xlabel() and "7.1%" in ax.get_ylabel()


def test_scatter_moves_the_names_of_close_classes_apart():
    random = np.random.default_rng(3)
    ax = plotting.plot_scatter(random.normal(size=(2000, 2)), random.integers(0, 10, 2000))
    places = [text.get_position() for text in ax.texts]
    assert min(np.hypot(*np.subtract(*pair)) for pair in combinations(places, 2)) > 12  # points


def test_history():
    runs = {"dense": HISTORY, "CNN": HISTORY + 0.01}
    ax = plotting.plot_history(runs, test={"CNN": 0.9907})
    lines = {line.get_label(): line for line in ax.lines}
    assert list(lines) == ["dense, training", "dense, validation", "CNN, training", "CNN, validation", "CNN, test"]
    np.testing.assert_array_equal(lines["dense, training"].get_ydata(), HISTORY["accuracy"])
    np.testing.assert_array_equal(lines["dense, validation"].get_ydata(), HISTORY["val_accuracy"])
    np.testing.assert_array_equal(lines["dense, validation"].get_xdata(), [1, 2, 3])
    assert [line.get_linestyle() for line in lines.values()] == ["--", "-", "--", "-", ":"]
    assert set(lines["CNN, test"].get_ydata()) == {0.9907}
    for feature in ("get_color", "get_marker"):
        dense, cnn = (getattr(lines[f"{name}, validation"], feature)() for name in runs)
        assert dense != cnn
    assert set(texts(ax)) == {"dense", "CNN", "CNN, test 99.07%"}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "validation", "test"]


def test_history_of_another_metric_and_a_resumed_run():
    resumed = HISTORY.set_index(pd.Index([4, 5, 6], name="epoch"))
    ax = plotting.plot_history({"run": resumed}, metric="loss")
    assert len(ax.lines) == 1 and ax.get_ylabel() == "loss"  # no val_loss in this table
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [4, 5, 6])


def test_curves():
    ax = plotting.plot_curves(CURVES, xlabel="shift (pixels)", ylabel="accuracy", percent=True)
    assert len(ax.lines) == len(ax.collections) == 2
    for line, band, (x, y, lows, highs) in zip(ax.lines, ax.collections, CURVES.values(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([x, y]))
        outline = {tuple(corner) for corner in band.get_paths()[0].vertices}
        assert outline == set(zip(x, lows, strict=True)) | set(zip(x, highs, strict=True))
    for feature in ("get_color", "get_linestyle", "get_marker"):
        assert getattr(ax.lines[0], feature)() != getattr(ax.lines[1], feature)()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("shift (pixels)", "accuracy")
    assert ax.yaxis.get_major_formatter()(0.5) == "50%"


def test_names_of_lines_do_not_touch():
    curves = {f"line {i}": ([0, 1], [0.5, 0.5 + i / 1e4], [0, 0], [1, 1]) for i in range(7)}
    ax = plotting.plot_curves(curves)
    assert texts(ax) == list(curves)  # from low to high
    assert not any(one.overlaps(other) for one, other in combinations(boxes(ax.texts), 2))


def test_parameters_accuracy():
    ax = plotting.plot_parameters_accuracy(POINTS)
    assert ax.get_xscale() == "log"
    (dots,) = ax.containers
    np.testing.assert_allclose(dots.lines[0].get_xydata(), POINTS[["parameters", "accuracy"]])
    np.testing.assert_allclose(bar_ends(dots), POINTS[["low", "high"]])
    assert [(text.get_text(), text.xy[0]) for text in ax.texts] == [("small", 1e3), ("large", 1e5)]


def test_names_of_points_do_not_touch_and_stay_inside():
    random = np.random.default_rng(0)
    many = pd.DataFrame({"parameters": 10 ** random.uniform(4, 6.5, 12), "accuracy": random.uniform(0.97, 0.997, 12)})
    many = many.assign(low=many["accuracy"] - 0.002, high=many["accuracy"] + 0.0015, label="a name of a network")
    ax = plotting.plot_parameters_accuracy(many)
    placed, frame = boxes(ax.texts), ax.get_window_extent()
    assert not any(one.overlaps(other) for one, other in combinations(placed, 2))
    assert all(frame.contains(*box.min) and frame.contains(*box.max) for box in placed)


def replaced(**columns):
    return POINTS.assign(**columns)


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
        (lambda: plotting.plot_explained_variance([[0.5]]), "'ratios' parameter of plot_explained_variance"),
        (lambda: plotting.plot_explained_variance([90, 5]), "'ratios' .* at most 1. Got .* 95 instead"),
        (lambda: plotting.plot_explained_variance([0.5], mark=2), "'mark' .* at most 1. Got 2"),
        (lambda: plotting.plot_scatter(np.zeros(5), np.zeros(5, int)), "'points' parameter of plot_scatter"),
        (lambda: plotting.plot_scatter(np.zeros((5, 2)), np.zeros(4, int)), r"'labels' .* \(5,\). Got shape \(4,\)"),
        (lambda: plotting.plot_scatter(*CLOUD, explained=[0.1]), "'explained' .* two shares"),
        (lambda: plotting.plot_history({}), "'histories' parameter of plot_history"),
        (lambda: plotting.plot_history({"run": HISTORY[:0]}), "'histories' .* none empty"),
        (lambda: plotting.plot_history({"run": HISTORY}, metric="f1"), "'metric' .* a column of 'run'.* Got 'f1'"),
        (lambda: plotting.plot_history({"run": HISTORY}, test={"x": 1}), r"'test' .* among \['run'\]. Got \['x'\]"),
        (lambda: plotting.plot_curves({}), "'curves' parameter of plot_curves"),
        (lambda: plotting.plot_curves({"a": ([1], [1, 2], [1], [2])}), r"Got 'a' with lengths \[1, 2, 1, 1\]"),
        (lambda: plotting.plot_curves({"a": ([1], [1], [2], [3])}), "'curves' .* enclose the values"),
        (lambda: plotting.plot_parameters_accuracy(POINTS.drop(columns="low")), r"Got one without \['low'\]"),
        (lambda: plotting.plot_parameters_accuracy(replaced(parameters=0)), "of 1 parameter or more"),
        (lambda: plotting.plot_parameters_accuracy(replaced(low=0.95)), "'points' .* enclose the values"),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert not plt.get_fignums()  # nothing half-drawn is left behind
