"""No wrong array is accepted, and none ends in a trace: data, evaluation, training, committees, shifts, comparisons."""

from types import SimpleNamespace

import bad_arrays as bad
import numpy as np
import pandas as pd
import pytest
from bad_arrays import IMAGES, JUNK, LABELS, NOTHING, Case, assert_refused, good_split
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from small import tiny

import mnist_helpers as library
from mnist_helpers import comparisons, shifts
from mnist_helpers.backend import keras, layers
from mnist_helpers.training import Run

SPLIT = good_split()
PROBABILITIES = np.full((len(LABELS), 10), 0.1, np.float32)
RIGHT = library.Evaluation(LABELS, LABELS, PROBABILITIES, "test", "mnist")
OTHER = library.Evaluation(LABELS[1:], LABELS[1:], PROBABILITIES[1:], "test", "mnist")
DIGITS = library.Digits(good_split("train"), good_split("validation"), SPLIT, source="mnist", origin="here")
NET = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")])
RUN = Run("net", 650, NET, pd.DataFrame(), 1.0, True, 0.9, 0.9, 0, "here", True)
FITTED = library.EstimatorRun("e", None, {"test": LABELS}, 1.0, True, None, None, None, None, 0, "here", True)
PAIRS = comparisons.compare_pairs({"a": [1], "b": [2]})
FLOATS = np.array([0.1, 0.2, 0.3])


def changed(bad_part, part):
    """Digits one part of which is something else."""
    parts = {"train": DIGITS.train, "validation": DIGITS.validation, "test": DIGITS.test}
    return library.Digits(**parts | {part: bad_part}, source="mnist", origin="here")


def is_rate(value):
    return type(value) is float


def may_take(value):
    return hasattr(value, "take")


def made(**changes):
    return library.Evaluation(**{"predictions": LABELS, "labels": LABELS, "probabilities": None} | changes, **FROM)


FROM = {"split": "test", "source": "mnist"}
SMALL = bad.IMAGES[:, :4, :4]
BY_LABELS = bad.bad_labels().map(lambda labels: bad.split_of(labels=labels))
STRICT = bad.bad_images() | st.sampled_from([IMAGES.astype(np.float64), IMAGES[:, :5]])
SPLITS = NOTHING | st.sampled_from([IMAGES, bad.split_of(), SimpleNamespace(source="mnist")])
NO_DIGITS = NOTHING | st.sampled_from([SPLIT, IMAGES, (IMAGES, LABELS), SimpleNamespace(source="mnist")])
OTHER_SIZE = st.sampled_from(["validation", "test"]).map(lambda part: changed(good_split(part, SMALL), part))
SCORES = (
    st.sampled_from([PROBABILITIES[1:], PROBABILITIES[:, :9], PROBABILITIES[0]])
    | bad.retyped(PROBABILITIES, int, complex, object)
    | bad.spoiled(PROBABILITIES, (np.nan, np.inf))
)
INDICES = JUNK | st.sampled_from([np.zeros(5, bool), [1.5], [[1, 2]], [-1], [10_000], [np.nan]])
NO_RATE = NOTHING.filter(lambda value: not is_rate(value)) | st.sampled_from([np.nan, np.inf, -1.0, 0, FLOATS])
P_VALUES = bad.bad_numbers(FLOATS, right=[(None,)], spoils=(np.nan, np.inf, 1.2, -0.1)).filter(
    lambda values: not (isinstance(values, np.ndarray) and values.shape == (0,))  # no test, nothing to correct
)
TABLES = NOTHING | st.sampled_from([PAIRS.drop(columns="adjusted"), PAIRS.reset_index(drop=True), PAIRS.iloc[:0]])
TABLES |= st.sampled_from([np.nan, 1.2, -1.0, "low"]).map(lambda p: PAIRS.assign(adjusted=p))
THREE = bad.bad_numbers(FLOATS, right=[(3,)])

CASES = [
    Case("Split", "images", lambda x: good_split(images=x), STRICT),
    Case("Split", "labels", lambda x: good_split(labels=x), bad.bad_labels()),
    *[Case("Digits", part, lambda x, part=part: changed(x, part), SPLITS) for part in ("train", "validation", "test")],
    Case("Budget.of", "digits", library.Budget.of, NOTHING),
    Case(
        "Budget.take",
        "split",
        library.Budget("full", "mnist").take,
        JUNK.filter(lambda value: not may_take(value)),
        fine=may_take,
    ),
    Case("banner", "digits", lambda x: library.banner(x, library.Budget("full", "mnist")), NOTHING),
    Case("Evaluation", "predictions", lambda x: made(predictions=x), bad.bad_labels()),
    Case("Evaluation", "labels", lambda x: made(labels=x), bad.bad_labels(any_length=True)),
    Case("Evaluation", "probabilities", lambda x: made(probabilities=x), JUNK | SCORES),
    Case("evaluate", "predictions", lambda x: library.evaluate(x, SPLIT), JUNK | SCORES | bad.bad_labels()),
    Case("evaluate", "split", lambda x: library.evaluate(NET, x), bad.bad_splits()),
    Case("evaluate", "split|predictions", lambda x: library.evaluate(LABELS, x), NOTHING | BY_LABELS),
    *[
        Case(name, "first", lambda x, f=function: f(x, RIGHT), SPLITS, says="mcnemar")
        for name, function in (("mcnemar", library.mcnemar), ("better", library.better))
    ],
    *[
        Case(name, "second", lambda x, f=function: f(RIGHT, x), SPLITS | st.just(OTHER), says="mcnemar")
        for name, function in (("mcnemar", library.mcnemar), ("better", library.better))
    ],
    Case(
        "CommitteeEvaluation", "members", library.CommitteeEvaluation, NOTHING | st.sampled_from([[RIGHT, OTHER], []])
    ),
    Case("Committee.evaluate", "split", library.Committee([RUN]).evaluate, bad.bad_splits()),
    Case("EstimatorRun.evaluate", "split", FITTED.evaluate, NOTHING),
    Case("affine_transform", "images", library.affine_transform, bad.bad_images()),
    Case("total_steps", "digits", lambda x: library.total_steps(x, epochs=1), NO_DIGITS),
    Case("learning_rates", "schedule", lambda x: library.learning_rates(x, 3), NO_RATE, fine=is_rate),
    Case("train", "digits", lambda x: library.train(NET, x, epochs=1), NO_DIGITS | OTHER_SIZE),
    Case(
        "train_committee",
        "digits",
        lambda x: library.train_committee(tiny, x, members=1, epochs=1),
        NO_DIGITS,
        says="train",
    ),
    Case(
        "learning_rate_range_test", "digits", lambda x: library.learning_rate_range_test(NET, x), NO_DIGITS | OTHER_SIZE
    ),
    Case("fit_estimator", "digits", lambda x: library.fit_estimator(DummyClassifier(), x), NO_DIGITS),
    Case("fit_estimator", "estimator", lambda x: library.fit_estimator(x, DIGITS), NOTHING),
    Case("fit_estimator", "predict", lambda x: library.fit_estimator(DummyClassifier(), DIGITS, predict=x), NOTHING),
    Case("forward_flops", "model", library.forward_flops, NOTHING | st.just(IMAGES)),
    Case(
        "training_flops",
        "model",
        lambda x: library.training_flops(x, images=1, epochs=1),
        NOTHING,
        says="forward_flops",
    ),
    Case("centred", "split", shifts.centred, SPLITS),
    Case("shifted", "split", lambda x: shifts.shifted(x, seed=0), SPLITS),
    Case("shifted_by", "split", lambda x: shifts.shifted_by(x, 1, seed=0), SPLITS),
    Case("difference_interval", "n", lambda x: comparisons.difference_interval(0.9, 0.8, n=x), NOTHING),
    Case("holm", "p_values", comparisons.holm, P_VALUES | st.none()),
    Case("compare_pairs", "wrong", comparisons.compare_pairs, bad.bad_entries({"a": [1]}, INDICES)),
    Case("indistinguishable", "pairs", comparisons.indistinguishable, TABLES),
    Case("pareto_front", "costs", lambda x: comparisons.pareto_front(x, FLOATS), THREE),
    Case("pareto_front", "errors|costs", lambda x: comparisons.pareto_front(FLOATS, x), THREE),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_wrong_input_is_refused_by_name(case):
    assert_refused(case)


def test_right_input_is_accepted():
    assert library.evaluate(LABELS, SPLIT).errors == library.evaluate(PROBABILITIES[::-1], SPLIT).errors - 5 == 0
    assert not library.better(RIGHT, RIGHT) and len(library.CommitteeEvaluation([RIGHT, RIGHT])) == 2
    assert library.Committee([RUN]).evaluate(SPLIT).average.n == len(SPLIT)
    assert comparisons.compare_pairs({"a": [], "b": np.array([0, 9_999])})["only_first"].tolist() == [2]
    assert comparisons.pareto_front([1, 2], np.array([2, 1])).tolist() == [True, True]
