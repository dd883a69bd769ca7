"""No wrong array is accepted, and none ends in a trace: data, evaluation, training, committees, shifts, comparisons."""

from dataclasses import replace
from types import SimpleNamespace

import bad_arrays as bad
import numpy as np
import pandas as pd
import pytest
from bad_arrays import IMAGES, JUNK, LABELS, NOTHING, Case, assert_refused, good_split
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier

import mnist_helpers as library
from mnist_helpers import comparisons, facts, leaderboard, plan, shifts
from mnist_helpers.backend import keras, layers
from mnist_helpers.training import Run

SPLIT = good_split()
PROBABILITIES = np.full((len(LABELS), 10), 0.1, np.float32)
RIGHT = library.Evaluation(LABELS, LABELS, PROBABILITIES, "test", "mnist")
OTHER = library.Evaluation(LABELS[1:], LABELS[1:], PROBABILITIES[1:], "test", "mnist")
DIGITS = library.Digits(good_split("train"), good_split("validation"), SPLIT, source="mnist", origin="here")


def network(size=8, classes=10):
    return keras.Sequential(
        [keras.Input((size, size, 1)), layers.Flatten(), layers.Dense(classes, activation="softmax")]
    )


class NoShapes(keras.Model):
    """A network without an Input: it is built when it is called."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(10)

    def call(self, images):
        return self.dense(keras.ops.reshape(images, (-1, 64)))


NET, SEVEN, CALLED = network(), network(classes=7), NoShapes()
CALLED(IMAGES)
TWO_OUTPUTS = keras.Model(NET.inputs, [NET.outputs[0], NET.outputs[0]])
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


def cannot_be_called(value):
    return not callable(value)


def record(result, validation=None):
    """Record a run of the smoke profile, which is never written."""
    return leaderboard.record("x", replace(RUN, full=False), result, notebook="x", validation=validation)


def made(**changes):
    return library.Evaluation(**{"predictions": LABELS, "labels": LABELS, "probabilities": None} | changes, **FROM)


FULL = library.Budget("full", "mnist")
FROM = {"split": "test", "source": "mnist"}
SMALL = bad.IMAGES[:, :4, :4]
BY_LABELS = bad.bad_labels().map(lambda labels: bad.split_of(labels=labels))
STRICT = bad.bad_images() | st.sampled_from([IMAGES.astype(np.float64), IMAGES[:, :5]])
SPLITS = NOTHING | st.sampled_from([IMAGES, bad.split_of(), SimpleNamespace(source="mnist")])
NO_DIGITS = NOTHING | st.sampled_from([SPLIT, IMAGES, (IMAGES, LABELS), SimpleNamespace(source="mnist")])
OTHER_SIZE = st.sampled_from(["validation", "test"]).map(lambda part: changed(good_split(part, SMALL), part))
NO_MODEL = NOTHING | st.sampled_from([IMAGES, keras.Sequential([layers.Dense(10)]), CALLED])
OTHER_MODEL = st.sampled_from([SEVEN, network(classes=1), network(size=5), TWO_OUTPUTS, NET.layers[1]])
TWO_KINDS = st.sampled_from([[], [NET, SEVEN], [NET, IMAGES], [CALLED]])
NO_COUNT = NOTHING | st.sampled_from([0, -1, 2.5, np.nan, "20", [3]])
SCORES = (
    st.sampled_from([PROBABILITIES[1:], PROBABILITIES[:, :9], PROBABILITIES[0]])
    | bad.retyped(PROBABILITIES, int, complex, object)
    | bad.spoiled(PROBABILITIES, (np.nan, np.inf))
)
RESULTS = st.sampled_from([[], [RIGHT, RIGHT], [LABELS], replace(RIGHT, split="train")])
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
    Case("Budget.take", "split", FULL.take, SPLITS),
    *[
        Case(f"Budget.{amount}", "stated", getattr(FULL, amount), NO_COUNT)
        for amount in ("epochs", "members", "seeds", "images")
    ],
    Case("banner", "digits", lambda x: library.banner(x, FULL), NOTHING),
    Case("disputed_labels", "split", facts.disputed_labels, bad.bad_splits()),
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
    Case("Committee", "runs", library.Committee, NOTHING | TWO_KINDS),
    Case("average_model", "models", library.average_model, NOTHING | TWO_KINDS),
    Case("augmented", "model", lambda x: library.augmented(x, layers.Dropout(0.1)), NO_MODEL | st.just(TWO_OUTPUTS)),
    Case("augmented", "layer", lambda x: library.augmented(NET, x), NOTHING | st.just(IMAGES)),
    Case("EstimatorRun.evaluate", "split", FITTED.evaluate, NOTHING),
    Case("affine_transform", "images", library.affine_transform, bad.bad_images()),
    Case("total_steps", "digits", lambda x: library.total_steps(x, epochs=1), NO_DIGITS),
    Case("learning_rates", "schedule", lambda x: library.learning_rates(x, 3), NO_RATE, fine=is_rate),
    Case("train", "digits", lambda x: library.train(NET, x, epochs=1), NO_DIGITS | OTHER_SIZE),
    Case("train", "model", lambda x: library.train(x, DIGITS, epochs=1), NO_MODEL | OTHER_MODEL),
    Case("targets_for", "loss", lambda x: plan.targets_for(x, LABELS), NOTHING.filter(cannot_be_called), fine=callable),
    Case("targets_for", "labels", lambda x: plan.targets_for("hinge", x), bad.bad_labels(any_length=True)),
    Case("record", "result", record, NOTHING | RESULTS, says="leaderboard.record"),
    Case(
        "record", "validation", lambda x: record(RIGHT, x), JUNK | RESULTS | st.just(RIGHT), says="leaderboard.record"
    ),
    Case(
        "train_committee",
        "factory",
        lambda x: library.train_committee(x, DIGITS, members=1, epochs=1),
        NOTHING.filter(cannot_be_called),
        fine=callable,
    ),
    Case(
        "train_committee",
        "model",
        lambda x: library.train_committee(lambda: x, DIGITS, members=1, epochs=1),
        st.sampled_from([SEVEN, network(size=5)]),
        fine=lambda value: True,
        says="train",
    ),
    Case(
        "train_committee",
        "digits",
        lambda x: library.train_committee(lambda: NET, x, members=1, epochs=1),
        NO_DIGITS,
        says="train",
    ),
    Case(
        "learning_rate_range_test", "digits", lambda x: library.learning_rate_range_test(NET, x), NO_DIGITS | OTHER_SIZE
    ),
    Case(
        "learning_rate_range_test",
        "model",
        lambda x: library.learning_rate_range_test(x, DIGITS),
        NO_MODEL | OTHER_MODEL,
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
