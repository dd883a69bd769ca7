"""Estimators are fitted once; what took long is kept as predictions."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from small import digits_of

from mnist_helpers import evaluate, fit_estimator
from mnist_helpers.data.mnist import Digits
from mnist_helpers.training import estimators
from mnist_helpers.training import store as checkpoints


@pytest.fixture
def digits():
    return digits_of(200, 50, 60)


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(checkpoints, "series_directory", lambda: tmp_path / "series")
    monkeypatch.setenv("MNIST_PROFILE", "full")
    monkeypatch.setattr(estimators, "_WORTH_KEEPING", 0.0)
    return tmp_path


def linear(**settings):
    return SGDClassifier(random_state=3, **settings)


def test_fitting_predicts_the_splits_that_were_asked_for(digits, capsys):
    estimator = linear()
    run = fit_estimator(estimator, digits, predict=("validation", "test"))
    expected = linear().fit(digits.train.flat, digits.train.labels)
    assert set(run.predictions) == {"validation", "test"}
    np.testing.assert_array_equal(run.predictions["test"], expected.predict(digits.test.flat))
    assert run.evaluate(digits.test).accuracy == evaluate(expected, digits.test).accuracy
    assert (run.parameters, run.seed, run.full, run.from_checkpoint) == (7850, 3, True, False)
    assert not hasattr(estimator, "coef_")
    assert capsys.readouterr().out.startswith("SGDClassifier: fitted in ")
    with pytest.raises(ValueError, match="'split' parameter of EstimatorRun.evaluate must be one of"):
        run.evaluate(digits.train)


def test_the_second_time_predictions_are_loaded(digits, capsys):
    first = fit_estimator(linear(), digits)
    second = fit_estimator(linear(), digits)
    assert second.from_checkpoint and second.estimator is None
    np.testing.assert_array_equal(first.predictions["validation"], second.predictions["validation"])
    assert second.predictions["validation"].dtype == np.int64
    assert (second.seconds, second.parameters, second.seed) == (first.seconds, 7850, 3)
    assert second.checkpoint == first.checkpoint
    assert (second.train_accuracy, second.validation_accuracy) == (None, first.validation_accuracy)
    assert first.validation_accuracy == first.evaluate(digits.validation).accuracy
    np.testing.assert_array_equal(second.coefficients, first.estimator.coef_.astype(np.float32))
    assert "predictions loaded" in capsys.readouterr().out
    assert not fit_estimator(linear(), digits, refit=True).from_checkpoint


def test_what_is_quick_is_not_kept(digits, store, monkeypatch):
    monkeypatch.setattr(estimators, "_WORTH_KEEPING", 10.0)
    assert fit_estimator(linear(), digits).checkpoint is None
    assert not list(store.iterdir())


def test_any_change_is_another_fit(digits):
    fit_estimator(make_pipeline(PCA(5, random_state=0), linear()), digits)
    for changed in (
        make_pipeline(PCA(6, random_state=0), linear()),
        make_pipeline(PCA(5, random_state=0), linear(penalty="l1")),
        make_pipeline(PCA(5, random_state=0), SGDClassifier(random_state=4)),
    ):
        assert not fit_estimator(changed, digits).from_checkpoint
    same = make_pipeline(PCA(5, random_state=0), linear())
    assert fit_estimator(same, digits).from_checkpoint
    assert not fit_estimator(same, digits, name="other").from_checkpoint
    assert not fit_estimator(same, digits, predict=("test",)).from_checkpoint
    shorter = Digits(digits.train.take(100), digits.validation, digits.test, source="mnist", origin="made up")
    assert not fit_estimator(same, shorter).from_checkpoint


def test_predictions_that_were_not_asked_for_the_first_time_are_made_the_second(digits, store):
    fit_estimator(linear(), digits, predict=("validation",))
    (store / "series").mkdir()
    for path in store.glob("*.npz"):
        path.rename(store / "series" / path.name)  # looked at first, and never overwritten
    first = fit_estimator(linear(), digits, predict=("train", "validation"))
    assert not first.from_checkpoint
    second = fit_estimator(linear(), digits, predict=("train", "validation"))
    assert (
        second.from_checkpoint
        and second.train_accuracy == first.train_accuracy == first.evaluate(digits.train).accuracy
    )
    np.testing.assert_array_equal(second.predictions["train"], first.predictions["train"])
    assert fit_estimator(linear(), digits, predict=("validation",)).from_checkpoint


def test_smoke_takes_few_images_and_stores_nothing(digits, store, monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    run = fit_estimator(KNeighborsClassifier(1), digits)
    assert not run.full and run.parameters is None and run.seed is None
    assert not list(store.iterdir())


def test_bad_arguments_are_refused(digits):
    with pytest.raises(TypeError, match="'estimator' parameter of fit_estimator must be an estimator.*Got str"):
        fit_estimator("svm", digits)
    with pytest.raises(ValueError, match="'predict' parameter of fit_estimator must be one of"):
        fit_estimator(linear(), digits, predict=("holdout",))
