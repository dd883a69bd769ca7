"""Accuracies, intervals and paired tests against independent numbers."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.proportion import proportion_confint

from mnist_helpers import Evaluation, PairedTest, better, evaluate, mcnemar, wilson_interval


def split_of(labels, name="test"):
    images = np.zeros((len(labels), 28, 28, 1), np.float32)
    images[np.arange(len(labels)), 0, labels, 0] = 1  # the label is written in the first row of pixels
    return SimpleNamespace(images=images, labels=np.asarray(labels), name=name, source="mnist")


@pytest.fixture
def split():
    return split_of(np.random.default_rng(0).integers(0, 10, 300))


def with_errors(split, wrong):
    predictions = split.labels.copy()
    predictions[list(wrong)] = (predictions[list(wrong)] + 1) % 10
    return evaluate(predictions, split)


def test_accuracy_errors_and_confusion(split):
    predictions = np.random.default_rng(1).integers(0, 10, 300)
    result = evaluate(predictions, split)
    assert result.accuracy == np.mean(predictions == split.labels)
    assert result.errors == len(result.wrong) == np.sum(predictions != split.labels)
    assert (predictions[result.wrong] != split.labels[result.wrong]).all()
    np.testing.assert_array_equal(result.confusion, confusion_matrix(split.labels, predictions, labels=range(10)))


def test_scores_become_predictions(split):
    scores = np.random.default_rng(1).random((300, 10)).astype(np.float32)
    result = evaluate(scores, split)
    np.testing.assert_array_equal(result.predictions, scores.argmax(axis=1))
    np.testing.assert_array_equal(result.probabilities, scores)
    assert evaluate(split.labels, split).probabilities is None


def test_models_predict_for_themselves(split):
    estimator = LogisticRegression().fit(split.images.reshape(300, -1), split.labels)
    assert evaluate(estimator, split).accuracy == estimator.score(split.images.reshape(300, -1), split.labels)

    class Network:
        input_shape = (None, 28, 28, 1)

        def predict(self, images, batch_size, verbose):
            return images[:, 0, :10, 0]

    assert evaluate(Network(), split).accuracy == 1
    Network.input_shape = (None, 48, 48, 1)
    with pytest.raises(ValueError, match=r"'split.images'.*\(n, 48, 48, 1\).*\(300, 28, 28, 1\)"):
        evaluate(Network(), split)


@pytest.mark.parametrize(("correct", "n"), [(9900, 10_000), (0, 10), (10, 10), (7, 9)])
def test_wilson_interval_agrees_with_statsmodels(correct, n):
    expected = proportion_confint(correct, n, method="wilson")
    assert wilson_interval(correct, n) == pytest.approx(expected, abs=1e-12)


def test_interval_of_an_evaluation_is_its_wilson_interval(split):
    result = with_errors(split, range(30))
    assert result.interval == pytest.approx(proportion_confint(270, 300, method="wilson"))
    assert "90.00%" in repr(result) and "30 errors in 300" in repr(result)


@pytest.mark.parametrize(("first", "second"), [(range(0, 20), range(10, 45)), (range(5), range(3)), ((), range(6))])
def test_mcnemar_agrees_with_statsmodels(split, first, second):
    a, b = with_errors(split, first), with_errors(split, second)
    right_a, right_b = ~np.isin(np.arange(300), list(first)), ~np.isin(np.arange(300), list(second))
    table = [[np.sum(right_a & right_b), np.sum(right_a & ~right_b)], [np.sum(~right_a & right_b), 0]]
    test = mcnemar(a, b)
    assert test.p_value == pytest.approx(reference_mcnemar(table, exact=True).pvalue)
    assert (test.only_first, test.only_second) == (table[0][1], table[1][0])
    assert test.difference == pytest.approx(a.accuracy - b.accuracy)


def test_mcnemar_when_the_systems_never_disagree(split):
    same = with_errors(split, range(4))
    test = mcnemar(same, same)
    assert (test.p_value, test.difference, test.only_first, test.only_second) == (1.0, 0.0, 0, 0)
    assert not better(same, same)


def test_better_needs_a_significant_difference_in_the_right_direction(split):
    good, bad, almost = with_errors(split, range(2)), with_errors(split, range(40, 80)), with_errors(split, range(3))
    assert better(good, bad)
    assert not better(bad, good)
    assert not better(good, almost)
    assert "only the second" in str(mcnemar(good, bad))


def test_one_of_a_kind_is_told_in_the_singular(split):
    assert "; 1 error in 300)" in repr(with_errors(split, [7]))
    assert "; 0 errors in 300)" in repr(with_errors(split, []))
    assert str(PairedTest(1, 2, -0.01, 1.0)) == (
        "difference -1.00%; 1 image only the first got right, 2 only the second; p = 1.000"
    )
    assert "; 0 images only the first got right, 1 only the second; " in str(PairedTest(0, 1, -0.01, 1.0))
    assert "; 1,234 images only the first" in str(PairedTest(1234, 0, 0.1, 0.5))


@pytest.mark.parametrize(("p_value", "shown"), [(1.0, "p = 1.000"), (0.0004, "p = 4e-04"), (0.0, "p < 1e-99")])
def test_p_values_are_shown_as_people_write_them(p_value, shown):
    assert str(PairedTest(3, 2, 0.01, p_value)).endswith(shown)


def test_mcnemar_refuses_other_images(split):
    other = split_of(np.random.default_rng(5).integers(0, 10, 300), "validation")
    with pytest.raises(ValueError, match="'second' parameter of mcnemar must be measured on the same images"):
        mcnemar(evaluate(split.labels, split), evaluate(other.labels, other))


@pytest.mark.parametrize(
    ("predictions", "error", "message"),
    [
        (np.zeros(299, int), ValueError, r"'predictions'.*\(300,\).*\(299,\)"),
        (np.full(300, 10), ValueError, "'predictions'.*digits from 0 to 9"),
        (np.full(300, -1), ValueError, "'predictions'.*digits from 0 to 9"),
        (np.zeros((300, 9)), ValueError, r"'predictions'.*\(300, 10\).*\(300, 9\)"),
        (np.full((300, 10), np.nan), ValueError, "'predictions'.*finite"),
        (np.array(["7"] * 300), TypeError, "'predictions'.*integers"),
        ("lenet5", TypeError, "'predictions'.*integers"),
    ],
)
def test_bad_predictions_are_refused(split, predictions, error, message):
    with pytest.raises(error, match=message):
        evaluate(predictions, split)


def test_evaluation_is_frozen(split):
    with pytest.raises(AttributeError):
        evaluate(split.labels, split).split = "train"
    assert isinstance(evaluate(split.labels, split), Evaluation)
