"""Fit a scikit-learn estimator once, and keep what it predicted."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sklearn

from mnist_helpers.common.checks import check_attributes, check_choice, check_sequence, problem
from mnist_helpers.common.text import device_name, duration
from mnist_helpers.data.budget import Budget
from mnist_helpers.data.mnist import check_digits
from mnist_helpers.evaluation.accuracy import Evaluation, evaluate
from mnist_helpers.training import store as checkpoints

_RECORD = ("name", "seconds", "train_accuracy", "validation_accuracy", "parameters", "device")
SPLITS = ("train", "validation", "test")
_WORTH_KEEPING = 10.0  # seconds; what is quicker is simply done again


@dataclass(frozen=True)
class EstimatorRun:
    """A fitted estimator, or what a checkpoint kept of it.

    estimator : the fitted estimator; None when the predictions came from a checkpoint (no pickle is stored).
    predictions : int64 array of shape (n,) for each split that was asked for.
    seconds : time of fitting. train_accuracy, validation_accuracy : 0 to 1, None for a split that was not predicted.
    coefficients : float32 array of shape (10, pixels) of a linear model on pixels, else None; ``parameters`` counts
        them and the intercepts.
    """

    name: str
    estimator: Any
    predictions: dict[str, np.ndarray]
    seconds: float
    from_checkpoint: bool
    train_accuracy: float | None
    validation_accuracy: float | None
    coefficients: np.ndarray | None
    parameters: int | None
    seed: int | None
    device: str
    full: bool
    checkpoint: str | None = None

    def evaluate(self, split: Any) -> Evaluation:
        """Return the evaluation on a split whose predictions were asked for when fitting.

        Raises ``TypeError`` or ``ValueError`` for what is no split, and for one that was not predicted.
        """
        check_attributes(split, ("labels", "name"), kind="a Split", name="split", function="EstimatorRun.evaluate")
        check_choice(split.name, tuple(self.predictions), name="split", function="EstimatorRun.evaluate")
        return evaluate(self.predictions[split.name], split)


def fit_estimator(
    estimator: Any,
    digits: Any,
    *,
    name: str | None = None,
    predict: Sequence[str] = ("validation",),
    refit: bool = False,
) -> EstimatorRun:
    """Fit an estimator on the flat training images and predict splits, or load both from a checkpoint.

    Parameters
    ----------
    estimator : unfitted scikit-learn classifier or pipeline; it is cloned, never changed. Set its ``random_state``.
    digits : ``Digits``. In the smoke profile a part of the training images is used.
    name : how it is announced and filed; by default made from the estimator's classes. Parts that were fitted before
        (``FrozenEstimator``) are not seen by the key, so give such a pipeline a name of its own.
    predict : which of "train", "validation" and "test" to predict.
    refit : fit anew although a checkpoint exists.

    A result that took more than 10 s to fit and predict is stored: predictions and coefficients, no pickle. Raises
    ``TypeError`` or ``ValueError`` for what is no estimator, no digits or no split.
    """
    if not (hasattr(estimator, "fit") and hasattr(estimator, "predict")):
        wanted = "an estimator with the methods fit and predict"
        raise TypeError(problem("estimator", "fit_estimator", wanted, type(estimator).__name__))
    check_digits(digits, function="fit_estimator")
    for split in check_sequence(predict, kind="names of splits", name="predict", function="fit_estimator"):
        check_choice(split, SPLITS, name="predict", function="fit_estimator")
    name = name or _default_name(estimator)
    applies = checkpoints.checkpoints_apply(digits.source)
    key = checkpoints.key_of(_description(estimator, digits, name, predict))
    run = _stored(estimator, name, key, predict) if applies and not refit else None
    if run is not None:
        print(f"{name}: predictions loaded (fitted in {duration(run.seconds)}); refit=True fits it anew")
        return run
    run, total = _fit(name, estimator, digits, predict)
    print(f"{name}: fitted in {duration(run.seconds)}")
    return _keep(run, key) if applies and total >= _WORTH_KEEPING else run


def _default_name(estimator: Any) -> str:
    steps = getattr(estimator, "steps", [("", estimator)])
    return " + ".join(type(step).__name__ for _, step in steps)


def _description(estimator: Any, digits: Any, name: str, predict: Sequence[str]) -> dict[str, Any]:
    with sklearn.config_context(print_changed_only=True):
        settings = estimator.__repr__(N_CHAR_MAX=100_000)
    return {
        "name": name,
        "estimator": settings,
        "data": {split: getattr(digits, split).digest for split in sorted({"train", *predict})},
    }


def _seed(estimator: Any) -> int | None:
    seeds = {v for k, v in estimator.get_params(deep=True).items() if k.endswith("random_state") and v is not None}
    return seeds.pop() if len(seeds) == 1 else None


def _fit(name: str, estimator: Any, digits: Any, predict: Sequence[str]) -> tuple[EstimatorRun, float]:
    """Return the fitted run, and the seconds that fitting and predicting took together."""
    budget = Budget.of(digits)
    train = budget.take(digits.train)
    fitted = sklearn.clone(estimator)
    start = time.perf_counter()
    fitted.fit(train.flat, train.labels)
    seconds = time.perf_counter() - start
    splits = {name: train if name == "train" else getattr(digits, name) for name in predict}  # smoke: as many as fitted
    predictions = {name: np.asarray(fitted.predict(split.flat), np.int64) for name, split in splits.items()}
    accuracies = {name: evaluate(values, splits[name]).accuracy for name, values in predictions.items()}
    coefficients = getattr(fitted, "coef_", None)
    run = EstimatorRun(
        name,
        fitted,
        predictions,
        seconds,
        from_checkpoint=False,
        train_accuracy=accuracies.get("train"),
        validation_accuracy=accuracies.get("validation"),
        coefficients=None if coefficients is None else np.asarray(coefficients, np.float32),
        parameters=None if coefficients is None else int(np.size(coefficients) + np.size(fitted.intercept_)),
        seed=_seed(estimator),
        device=device_name(),
        full=budget.full,
    )
    return run, time.perf_counter() - start


def _keep(run: EstimatorRun, key: str) -> EstimatorRun:
    arrays = {split: values.astype(np.uint8) for split, values in run.predictions.items()}
    if run.coefficients is not None:
        arrays["coefficients"] = run.coefficients
    record = {name: getattr(run, name) for name in _RECORD}
    path = checkpoints.write(run.name, key, arrays, record)
    return replace(run, checkpoint=path.name if path else None)


def _stored(estimator: Any, name: str, key: str, predict: Sequence[str]) -> EstimatorRun | None:
    found = checkpoints.find(name, key, holding=predict)  # the key does not tell whether "train" was predicted
    try:
        return None if found is None else _from_checkpoint(estimator, found)
    except (KeyError, ValueError, TypeError) as error:  # whole, but of another maker
        checkpoints.refuse(found.path, error)  # type: ignore[union-attr]
        return None


def _from_checkpoint(estimator: Any, stored: checkpoints.Checkpoint) -> EstimatorRun:
    arrays = dict(stored.arrays)
    coefficients = arrays.pop("coefficients", None)
    return EstimatorRun(
        estimator=None,
        predictions={split: values.astype(np.int64) for split, values in arrays.items()},
        from_checkpoint=True,
        coefficients=coefficients,
        seed=_seed(estimator),
        full=True,
        checkpoint=stored.path.name,
        **{name: stored.record[name] for name in _RECORD},
    )
