"""No wrong array is drawn, and none leaves half a picture behind."""

from types import SimpleNamespace

import bad_arrays as bad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from artists import COUNTS, CURVES, HIGHS, HISTORY, LOWS, POINTS, SYSTEMS, TABLE
from bad_arrays import IMAGES, JUNK, LABELS, NOTHING, Case, assert_refused, good_split
from hypothesis import strategies as st

from mnist_helpers import Evaluation, plotting

SPLIT = good_split()
EVALUATION = Evaluation((LABELS + 1) % 10, LABELS, None, "test", "mnist")
MAPS = IMAGES[..., 0]
VALUES = np.repeat(IMAGES, 10, axis=3)
FRACTIONS = np.linspace(0, 1, 5)
DELETED = {"a": np.full((3, 5), 0.5)}
RATES = {"a": np.array([0.1, 0.2])}
COST = pd.DataFrame({"training_flops": [1e9, 1e12], "error": [0.02, 0.01], "low": [0.01, 0.005], "high": [0.03, 0.02]})
COST = COST.assign(front=True, label="a")
TEST = {"run": 0.9}
RESULT = {"learning_rates": RATES["a"], "losses": np.ones(2), "smoothed": np.ones(2), "steepest": 0.1}

PICTURES = bad.bad_pictures()
OTHERS = bad.bad_labels()
SPLITS = bad.bad_splits(images=PICTURES)
WRONG_NAMES = JUNK.filter(lambda value: not isinstance(value, str)) | st.sampled_from(["a", ["a"], np.arange(3), []])
EVALUATIONS = NOTHING | st.just(SimpleNamespace(predictions=LABELS)) | st.builds(
    lambda name, labels: SimpleNamespace(**{"predictions": LABELS, "labels": LABELS, "split": "test"} | {name: labels}),
    st.sampled_from(["predictions", "labels"]),
    OTHERS,
)  # fmt: skip
ACCURACIES = NOTHING | st.sampled_from([98.0, -0.1, np.nan, None, "0.9", FRACTIONS]).map(
    lambda accuracy: SimpleNamespace(**vars(SYSTEMS["SVM"]) | {"accuracy": accuracy})
)
TABLES = NOTHING | st.sampled_from(
    [pd.DataFrame(), TABLE.astype(str), TABLE * np.nan, TABLE * np.inf, TABLE.to_numpy()]
)
MATRICES = JUNK | st.none() | bad.wrong_shapes((None, None)) | bad.retyped(COUNTS, complex, object, str, bool)


def numbers(good, *right, low=None, high=None):
    """Wrong arrays in the place of ``good``; beyond ``low`` and ``high`` there is nothing good, either."""
    beyond = [value for value in (low, high) if value is not None]
    return bad.bad_numbers(good, right=right, spoils=(np.nan, np.inf, -np.inf, *beyond)) | st.none()


def tables(good, columns):
    """Wrong tables: none, without a column, without a row, with a column of text, NaN, infinity or negative numbers."""
    changed = st.builds(
        lambda column, value: good.assign(**{column: value}),
        st.sampled_from(columns),
        st.sampled_from(["many", np.nan, np.inf, -1.0, 1j]),
    )
    return NOTHING | changed | st.sampled_from([good.iloc[:0], good.to_numpy()]) | st.sampled_from(columns).map(
        lambda column: good.drop(columns=column)
    )  # fmt: skip


def histories():
    """Wrong training histories, and good ones with a wrong column."""
    columns, values = st.sampled_from(["accuracy", "val_accuracy"]), st.sampled_from(["high", np.nan, np.inf, 1j])
    changed = st.builds(lambda column, value: HISTORY.assign(**{column: value}), columns, values)
    return NOTHING | changed | st.sampled_from([HISTORY.iloc[:0], HISTORY.to_numpy(), [0.9, 0.95]])


def result(**changes):
    return SimpleNamespace(**RESULT | changes)


def curves(good, places=4):
    """Wrong (x, y, lows, highs): one of the four is wrong, or they are not four."""
    part = numbers(np.asarray(good[0], float), (3,))
    changed = st.builds(
        lambda place, wrong: tuple(wrong if i == place else each for i, each in enumerate(good)),
        st.integers(0, places - 1),
        part,
    )
    return NOTHING | changed | st.sampled_from([good[:3], (*good, good[0]), ([], [], [], [])])


RESULTS = NOTHING | st.builds(
    lambda name, wrong: result(**{name: wrong}),
    st.sampled_from(["learning_rates", "losses", "smoothed"]),
    numbers(RATES["a"], (2,)),
)


def told(value):
    """Whether something was given at all, as nothing is the default."""
    return value is not None and not (isinstance(value, dict) and not value)


COUNT = NOTHING | st.sampled_from([0, -1, 2.5, np.nan, 10_001])
SHARE = NOTHING.filter(lambda value: type(value) not in (float, bool)) | st.sampled_from([np.inf, FRACTIONS])
REPORTED = bad.bad_entries({}, SHARE | st.sampled_from([98.0, -1.0])).filter(told)
ATTRIBUTED = {"labels": LABELS, "predictions": LABELS}


def attributions(**changes):
    return plotting.plot_attributions(**{"images": IMAGES, "values": VALUES} | ATTRIBUTED | changes)


def given(function, parameter, call, wrong):
    return Case(f"plot_{function}", parameter, call, wrong)


CASES = [
    given(
        "class_distribution",
        "splits",
        plotting.plot_class_distribution,
        NOTHING
        | OTHERS.map(lambda x: bad.split_of(labels=x)).filter(
            lambda split: not (isinstance(split.labels, np.ndarray) and split.labels.shape in {(5,), (7,)})
        ),
    ),
    given("grouped_bars", "table", plotting.plot_grouped_bars, TABLES),
    given("grouped_bars", "intervals", lambda x: plotting.plot_grouped_bars(TABLE, intervals=x), JUNK),
    given(
        "grouped_bars",
        "intervals",
        lambda x: plotting.plot_grouped_bars(TABLE, intervals=(x, HIGHS)),
        numbers(LOWS.to_numpy(), (2, 2), high=2.0),
    ),
    given("accuracies", "evaluations", plotting.plot_accuracies, bad.bad_entries(SYSTEMS, ACCURACIES)),
    given(
        "accuracies",
        "reported",
        lambda x: plotting.plot_accuracies(SYSTEMS | {"bad": SYSTEMS["SVM"]}, reported=x),
        REPORTED,
    ),
    given("heatmap", "matrix", plotting.plot_heatmap, MATRICES | st.just(np.where(COUNTS, np.inf, 1))),
    given(
        "heatmap",
        "row_labels",
        lambda x: plotting.plot_heatmap(np.eye(5), row_labels=x),
        JUNK,
    ),
    given("heatmap", "column_labels", lambda x: plotting.plot_heatmap(np.eye(5), column_labels=x), JUNK),
    given(
        "confusion",
        "evaluation_or_matrix",
        plotting.plot_confusion,
        MATRICES | st.sampled_from([COUNTS[1:], -COUNTS, COUNTS * 1.5]),
    ),
    given("confusion", "axes", lambda x: plotting.plot_confusion(COUNTS, axes=x), JUNK),
    given("curves", "curves", plotting.plot_curves, bad.bad_entries(CURVES, curves(CURVES["CNN"]))),
    given("history", "histories|metric", plotting.plot_history, bad.bad_entries({"run": HISTORY}, histories())),
    given(
        "history",
        "test",
        lambda x: plotting.plot_history({"run": HISTORY, "bad": HISTORY}, test=x),
        bad.bad_entries(TEST, SHARE | st.just(np.nan)).filter(told),
    ),
    given(
        "explained_variance",
        "ratios",
        plotting.plot_explained_variance,
        numbers(np.array([0.5, 0.2]), (None,), low=-0.1, high=0.9),
    ),
    given(
        "parameters_accuracy",
        "points",
        plotting.plot_parameters_accuracy,
        tables(POINTS, ["parameters", "accuracy", "low"]),
    ),
    given(
        "scatter",
        "points",
        lambda x: plotting.plot_scatter(x, LABELS),
        numbers(np.ones((6, 3)), (6, 2), (6, 3)).filter(
            lambda x: not (isinstance(x, np.ndarray) and x.ndim == 2 and x.shape[1] > 1 and len(x) != 6 and len(x))
        ),
    ),
    given("scatter", "labels", lambda x: plotting.plot_scatter(np.ones((6, 3)), x), OTHERS),
    given(
        "scatter",
        "explained",
        lambda x: plotting.plot_scatter(np.ones((6, 3)), LABELS, explained=x),
        JUNK | st.sampled_from([[0.5], [0.5, "a"], [0.5, np.nan], [90, 5]]),
    ),
    given("digits", "images", plotting.plot_digits, PICTURES),
    given("digits", "titles", lambda x: plotting.plot_digits(IMAGES, titles=x), JUNK),
    given("mean_image", "images", plotting.plot_mean_image, PICTURES),
    given("samples", "split", plotting.plot_samples, SPLITS),
    given("errors", "split", lambda x: plotting.plot_errors(EVALUATION, x), SPLITS),
    given("errors", "evaluation|split", lambda x: plotting.plot_errors(x, SPLIT), EVALUATIONS),
    given("confusion_examples", "split", lambda x: plotting.plot_confusion_examples(EVALUATION, x), SPLITS),
    given("confusion_examples", "evaluation|split", lambda x: plotting.plot_confusion_examples(x, SPLIT), EVALUATIONS),
    given("attributions", "images", lambda x: attributions(images=x, values=VALUES), PICTURES),
    given("attributions", "values", lambda x: attributions(values=x), numbers(VALUES, (6, 8, 8, 10))),
    given("attributions", "labels", lambda x: attributions(labels=x), OTHERS),
    given("attributions", "predictions", lambda x: attributions(predictions=x), OTHERS),
    given("attributions", "classes", lambda x: attributions(values=VALUES[..., :6], classes=x), OTHERS),
    given("maps", "images", lambda x: plotting.plot_maps(x, {"a": MAPS}), PICTURES),
    given(
        "maps", "maps", lambda x: plotting.plot_maps(IMAGES, x), bad.bad_entries({"a": MAPS}, numbers(MAPS, MAPS.shape))
    ),
    given("maps", "titles", lambda x: plotting.plot_maps(IMAGES, {"a": MAPS}, titles=x), WRONG_NAMES),
    given("activations", "maps", plotting.plot_activations, numbers(IMAGES, (None,) * 3, (None,) * 4)),
    given("activations", "filters", lambda x: plotting.plot_activations(np.ones((2, 4, 4, 5)), filters=x), WRONG_NAMES),
    given("activations", "rows", lambda x: plotting.plot_activations(np.ones((5, 4, 4, 2)), rows=x), WRONG_NAMES),
    given("kernels", "kernels", plotting.plot_kernels, numbers(MAPS, (None,) * 3)),
    given("kernels", "filters", lambda x: plotting.plot_kernels(MAPS, filters=x), WRONG_NAMES),
    given(
        "deletion_curves",
        "curves",
        plotting.plot_deletion_curves,
        bad.bad_entries(DELETED, numbers(DELETED["a"], (None, 5), high=1.5)),
    ),
    given(
        "deletion_curves",
        "fractions",
        lambda x: plotting.plot_deletion_curves(DELETED, fractions=x),
        numbers(FRACTIONS, (5,), high=2.0).filter(lambda x: x is not None),
    ),
    given(
        "learning_rates",
        "schedules",
        plotting.plot_learning_rates,
        bad.bad_entries(RATES, numbers(RATES["a"], (None,), low=-0.1)),
    ),
    given("range_test", "result", plotting.plot_range_test, RESULTS),
    given("cost", "points", plotting.plot_cost, tables(COST, ["training_flops", "error", "low"])),
    given(
        "indistinguishable",
        "errors",
        lambda x: plotting.plot_indistinguishable(x, []),
        bad.bad_entries({"a": 5}, COUNT),
    ),
    given(
        "indistinguishable",
        "groups",
        lambda x: plotting.plot_indistinguishable({"a": 5}, x),
        NOTHING | NOTHING.map(lambda group: [group]),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_wrong_input_is_refused_by_name_before_a_figure_is_made(case):
    plt.close("all")
    assert_refused(case)
    assert not plt.get_fignums()


@pytest.mark.parametrize("wrong", [np.array([0.1, np.nan]), np.array([1, 2j])])
def test_wrong_bounds_are_refused(wrong):
    with pytest.raises((TypeError, ValueError), match="'intervals' parameter of plot_grouped_bars"):
        plotting.plot_grouped_bars(TABLE[["MSE"]], intervals=(wrong[:, None], HIGHS[["MSE"]]))
