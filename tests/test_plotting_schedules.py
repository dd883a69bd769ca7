"""Tests of the pictures of learning rates: lines, marks and axes, read back from the artists."""

from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from artists import texts, ticks  # noqa: E402

from mnist_helpers import plotting  # noqa: E402

RATES = {"constant": np.full(40, 0.1), "falling": np.linspace(0.2, 0, 20)}
RESULT = SimpleNamespace(
    learning_rates=np.array([1e-4, 1e-3, 1e-2, 1e-1]),
    losses=np.array([2.3, 2.2, 0.5, 9.0]),
    smoothed=np.array([2.3, 2.0, 1.0, 8.0]),
    steepest=1e-2,
)


@pytest.fixture(autouse=True)
def nothing_is_shown(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show was called"))
    yield
    plt.close("all")


def test_learning_rates_by_step():
    ax = plotting.plot_learning_rates(RATES)
    assert [line.get_label() for line in ax.lines] == ["constant", "falling"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["constant", "falling"]
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), RATES["falling"])
    np.testing.assert_array_equal(ax.lines[1].get_xdata(), np.arange(20))
    assert ax.get_xlabel() == "step" and ax.get_ylim()[0] == 0
    for feature in ("get_color", "get_linestyle", "get_marker"):
        assert getattr(ax.lines[0], feature)() != getattr(ax.lines[1], feature)()


def test_learning_rates_by_epoch_share_an_axis():
    ax = plotting.plot_learning_rates(RATES, epochs=10)
    assert ax.get_xlabel() == "epoch"
    assert [line.get_xdata()[len(line.get_xdata()) // 2] for line in ax.lines] == [5, 5]


def test_range_test():
    _, mine = plt.subplots()
    ax = plotting.plot_range_test(RESULT, ax=mine)
    assert ax is mine
    batches, smoothed, mark = ax.lines
    np.testing.assert_array_equal(batches.get_ydata(), RESULT.losses)
    np.testing.assert_array_equal(smoothed.get_ydata(), RESULT.smoothed)
    np.testing.assert_array_equal(smoothed.get_xdata(), RESULT.learning_rates)
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (1e-2, pytest.approx(1.0))
    assert texts(ax) == ["falls fastest at 0.01"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    ax.figure.canvas.draw()
    assert {"0.5", "1", "2", "5"} <= set(ticks(ax.yaxis))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one batch", "smoothed"]


def test_a_negative_loss_is_drawn_on_a_plain_axis():
    result = SimpleNamespace(**vars(RESULT) | {"losses": RESULT.losses - 1})
    assert plotting.plot_range_test(result).get_yscale() == "linear"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plotting.plot_learning_rates({}), "'schedules' parameter of plot_learning_rates .* Got none"),
        (lambda: plotting.plot_learning_rates({"a": [[0.1]]}), r"'schedules' .* Got 'a' of shape \(1, 1\)"),
        (lambda: plotting.plot_learning_rates({"a": []}), "'schedules' .* Got 'a'"),
        (lambda: plotting.plot_learning_rates({"a": [0.1, -0.1]}), "'schedules' .* Got 'a'"),
        (lambda: plotting.plot_learning_rates({"a": [np.nan]}), "'schedules' .* Got 'a'"),
        (lambda: plotting.plot_learning_rates({"a": "fast"}), "'schedules' .* Got 'a'"),
        (lambda: plotting.plot_learning_rates(RATES, epochs=0), "'epochs' parameter of plot_learning_rates"),
        (
            lambda: plotting.plot_range_test(SimpleNamespace(**vars(RESULT) | {"losses": np.ones(3)})),
            r"'result' parameter of plot_range_test .* Got \(4,\), \(3,\)",
        ),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert not plt.get_fignums()  # nothing half-drawn is left behind
