"""Tests of the curves and scatter plots: lines, points, bands and their names, read back from the artists."""

from itertools import combinations

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from artists import CLOUD, CURVES, HISTORY, POINTS, bar_ends, boxes, texts  # noqa: E402

from mnist_helpers import plotting  # noqa: E402


@pytest.fixture(autouse=True)
def nothing_is_shown(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show was called"))
    yield
    plt.close("all")


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


def test_a_single_run_has_no_interval():
    ax = plotting.plot_parameters_accuracy(POINTS.assign(low=np.nan, high=np.nan))
    (bars,) = (container for container in ax.containers)
    assert all(np.ptp(segment[:, 1]) == 0 for segment in bars.lines[2][0].get_segments())
    plt.close(ax.figure)
