"""Estimators are fitted once: kept whole, or their predictions, and the same result whether stored or not."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from small import digits_of

from mnist_helpers import evaluate, fit_estimator, predict_once
from mnist_helpers.data.mnist import Digits
from mnist_helpers.training import estimators
from mnist_helpers.training import store as checkpoints

BOTH = pytest.mark.parametrize("fit", [fit_estimator, predict_once])


@pytest.fixture
def digits():
    return digits_of(200, 50, 60)


@pytest.fixture(autouse=True)
def keep_all(store, monkeypatch):
    monkeypatch.setattr(estimators, "_WORTH_KEEPING", 0.0)


def linear(**settings):
    return SGDClassifier(random_state=3, **settings)


def expected(digits):
    return linear().fit(digits.train.flat, digits.train.labels)


def test_a_fitted_estimator_is_usable_stored_or_not(digits, capsys):
    given = linear()
    first, second = (fit_estimator(given, digits) for _ in range(2))
    assert (first.from_checkpoint, second.from_checkpoint) == (False, True) and not hasattr(given, "coef_")
    assert capsys.readouterr().out.splitlines()[0].startswith("SGDClassifier fitted in ")
    for run in (first, second):
        np.testing.assert_array_equal(
            run.estimator.predict(digits.test.flat), expected(digits).predict(digits.test.flat)
        )
        assert run.evaluate(digits.test).accuracy == evaluate(expected(digits), digits.test).accuracy
        assert run.validation_accuracy == run.evaluate(digits.validation).accuracy
        assert (run.parameters, run.seed, run.full, run.training_flops) == (7850, 3, True, None)
    assert first.checkpoint == second.checkpoint and first.seconds == second.seconds


def test_a_pipeline_with_a_kernel_comes_back_whole(digits):
    pipeline = make_pipeline(PCA(5, random_state=0), SVC(gamma=0.1))
    first, second = (fit_estimator(pipeline, digits, name="kernel") for _ in range(2))
    assert second.from_checkpoint and second.checkpoint.startswith("kernel-")
    np.testing.assert_array_equal(second.estimator[1].support_vectors_, first.estimator[1].support_vectors_)


def test_predictions_alone_are_the_same_stored_or_not(digits):
    first, second = (predict_once(linear(), digits, predict=("train", "test")) for _ in range(2))
    assert (first.from_checkpoint, second.from_checkpoint) == (False, True)
    for run in (first, second):
        assert set(run.predictions) == {"train", "test"} and run.predictions["test"].dtype == np.int64
        np.testing.assert_array_equal(run.predictions["test"], expected(digits).predict(digits.test.flat))
        assert run.train_accuracy == run.evaluate(digits.train).accuracy and run.validation_accuracy is None
        with pytest.raises(ValueError, match="'split' parameter of StoredPredictions.evaluate must be one of"):
            run.evaluate(digits.validation)


@BOTH
def test_other_settings_data_and_names_are_other_fits(digits, fit):
    fit(linear(), digits)
    shorter = Digits(digits.train.take(100), digits.validation, digits.test, source="mnist", origin="made up")
    others = [(linear(alpha=0.01), digits, {}), (linear(), shorter, {}), (linear(), digits, {"name": "other"})]
    assert not any(fit(estimator, data, **name).from_checkpoint for estimator, data, name in others)
    assert fit(linear(), digits).from_checkpoint and not fit(linear(), digits, refit=True).from_checkpoint


def test_what_is_quick_is_not_kept(digits, store, monkeypatch):
    monkeypatch.setattr(estimators, "_WORTH_KEEPING", 60.0)
    assert fit_estimator(linear(), digits).checkpoint is None and not store.exists()


@BOTH
def test_smoke_stores_nothing(digits, store, monkeypatch, fit):
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    run = fit(KNeighborsClassifier(1), digits, verbose=0)
    assert not run.full and run.parameters is None and run.seed is None and not store.exists()


@pytest.mark.parametrize("content", [b"no zip", b""])
def test_an_estimator_that_cannot_be_loaded_is_fitted_anew(digits, content):
    first = fit_estimator(linear(), digits)
    key = first.checkpoint[:-4].split("-")[-1]
    record = checkpoints.find(key).record
    arrays = {"estimator": np.frombuffer(content, np.uint8)}
    checkpoints.write(first.name, key, arrays, {k: v for k, v in record.items() if k not in ("format", "key")})
    with pytest.warns(checkpoints.CheckpointWarning, match="its estimator cannot be loaded"):
        assert not fit_estimator(linear(), digits).from_checkpoint


class Stranger(SGDClassifier):
    """A class that is not scikit-learn's: skops refuses to load it without being told to trust it."""


def test_a_strangers_class_is_not_loaded(digits):
    fit_estimator(Stranger(random_state=0), digits)
    with pytest.warns(checkpoints.CheckpointWarning, match="UntrustedTypesFoundException"):
        assert not fit_estimator(Stranger(random_state=0), digits).from_checkpoint


def test_bad_arguments_are_refused(digits):
    for fit in (fit_estimator, predict_once):
        with pytest.raises(TypeError, match=f"'estimator' parameter of {fit.__name__} must be an estimator.*Got str"):
            fit("svm", digits)
    with pytest.raises(ValueError, match="'predict' parameter of predict_once must be one of"):
        predict_once(linear(), digits, predict=("holdout",))
