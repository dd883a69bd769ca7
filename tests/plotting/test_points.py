"""Pictures of many systems: the artists hold the numbers that were given."""

from itertools import combinations, product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from artists import bar_ends, boxes, check_axes, texts, ticks
from matplotlib.text import Text

from mnist_helpers import plotting, wilson_interval

COSTS = pd.DataFrame(
    {
        "training_flops": [1e12, 1e13, 2e12, 5e13],
        "error": [0.02, 0.01, 0.03, 0.004],
        "low": [0.015, 0.008, 0.02, 0.003],
        "high": [0.025, 0.013, 0.04, 0.006],
        "front": [True, True, False, True],
        "label": ["LeNet-5", "inception", "", "deep"],
    },
    index=["w", "x", "y", "z"],
)
ERRORS = {"b": 45, "a": 34, "c": 64, "d": 120}
GROUPS = [("a", "b"), ("b", "c"), ("d",)]


CALLS = {
    "cost": lambda ax=None: plotting.plot_cost(COSTS, ax=ax),
    "indistinguishable": lambda ax=None: plotting.plot_indistinguishable(ERRORS, GROUPS, ax=ax),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_axes(call):
    check_axes(call)


def test_cost_is_drawn_on_logarithmic_axes_with_intervals_and_names():
    ax = plotting.plot_cost(COSTS)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    others, front = ax.containers
    assert front.lines[0].get_xydata() == pytest.approx(COSTS.loc[COSTS["front"], ["training_flops", "error"]])
    assert others.lines[0].get_xydata() == pytest.approx(np.array([[2e12, 0.03]]))
    assert bar_ends(front) == pytest.approx(COSTS.loc[COSTS["front"], ["low", "high"]].to_numpy())
    assert sorted(texts(ax)) == ["LeNet-5", "deep", "inception"]
    assert front.lines[0].get_markerfacecolor() != others.lines[0].get_markerfacecolor()


def test_the_front_is_a_line_of_steps_that_never_lies_above_a_system():
    ax = plotting.plot_cost(COSTS)
    (line,) = [line for line in ax.lines if len(line.get_xdata()) > 10]
    x, y = line.get_data()
    assert (np.diff(x) > -1e-3 * x[1:]).all() and (np.diff(y) < 1e-12).all()
    assert y[np.argmin(np.abs(np.log(x / 5e12)))] == pytest.approx(0.02)  # level until the next system
    for _, point in COSTS.iterrows():
        assert point["error"] >= y[x <= point["training_flops"] * 1.0001].min() - 1e-9


def test_names_keep_off_each_other():
    first, second, third = boxes(plotting.plot_cost(COSTS).texts)
    assert not first.overlaps(second) and not first.overlaps(third) and not second.overlaps(third)


def test_systems_are_ranked_and_groups_are_bars():
    ax = plotting.plot_indistinguishable(ERRORS, GROUPS)
    assert ticks(ax.yaxis) == ["a", "b", "c", "d"] and ax.yaxis_inverted()
    assert texts(ax) == ["34", "45", "64", "120"]
    (drawn,) = ax.containers
    assert drawn.lines[0].get_xdata() == pytest.approx(np.array([34, 45, 64, 120]) / 10_000)
    expected = [[1 - high, 1 - low] for low, high in (wilson_interval(10_000 - n, 10_000) for n in (34, 45, 64, 120))]
    assert bar_ends(drawn) == pytest.approx(np.array(expected))
    bars = [list(line.get_ydata()) for line in ax.lines if list(line.get_xdata()) == [1, 1]]
    assert bars == [[0, 1], [1, 2]]


def test_bars_stand_apart_inside_the_figure():
    ax = plotting.plot_indistinguishable(ERRORS, [*GROUPS, ("a", "c", "d")])
    ax.figure.canvas.draw()
    places = [line.get_window_extent().x1 for line in ax.lines if set(line.get_xdata()) == {1}]
    assert len(set(np.round(places))) == 3 and max(places) < ax.figure.bbox.x1
    assert max(text.get_window_extent().x1 for text in ax.texts) < min(places)


def test_names_of_points_do_not_touch_and_stay_inside():
    random = np.random.default_rng(0)
    many = pd.DataFrame(
        {"training_flops": 10 ** random.uniform(12, 14.5, 12), "error": random.uniform(0.003, 0.03, 12)}
    )
    many = many.assign(low=many["error"] * 0.9, high=many["error"] * 1.2, front=False, label="a name of a network")
    many.loc[0, "front"] = True
    ax = plotting.plot_cost(many)
    placed, frame = boxes(ax.texts), ax.get_window_extent()
    assert not any(one.overlaps(other) for one, other in combinations(placed, 2))
    assert all(frame.contains(*box.min) and frame.contains(*box.max) for box in placed)


def test_the_line_to_a_name_ends_where_it_was_looked_for():
    crowd = pd.DataFrame({"error": np.geomspace(0.02, 0.022, 8), "training_flops": np.geomspace(1e12, 2e12, 8)})
    crowd = crowd.assign(low=crowd["error"] * 0.9, high=crowd["error"] * 1.1, front=False, label="a longer name")
    crowd.loc[0, "front"] = True
    ax = plotting.plot_cost(crowd)
    ax.figure.draw_without_rendering()
    far = [name for name in ax.texts if name.arrow_patch is not None]
    assert len(far) > 3
    for name in far:
        line = name.arrow_patch.get_transform().transform_path(name.arrow_patch.get_path()).vertices
        box = Text.get_window_extent(name)
        ends = [*product((box.x0, (box.x0 + box.x1) / 2, box.x1), (box.y0, (box.y0 + box.y1) / 2, box.y1))]
        assert np.linalg.norm(np.array(ends) - line[0], axis=1).min() < 8  # a corner, or the middle of a side


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plotting.plot_cost(COSTS.assign(low=0.5)), "'points' .* bounds that enclose the values"),
        (lambda: plotting.plot_indistinguishable(ERRORS, [("a", "e")]), r"'groups' .* Got \['e'\]"),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert not plt.get_fignums()
