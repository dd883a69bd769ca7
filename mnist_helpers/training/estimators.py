"""Fit a scikit-learn estimator once: keep it, or where it is too large for that, keep what it predicted."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import sklearn
from sklearn.base import BaseEstimator

from mnist_helpers.common.checks import check_choice, check_sequence, problem
from mnist_helpers.common.profile import is_full
from mnist_helpers.common.text import device_name, duration
from mnist_helpers.common.types import Plain
from mnist_helpers.data import Digits, Split
from mnist_helpers.data.mnist import check_digits
from mnist_helpers.evaluation import Evaluation, evaluate
from mnist_helpers.training import store
from mnist_helpers.training.keys import key_of

SPLITS = ("train", "validation", "test")
_WORTH_KEEPING = 10.0  # seconds; what is quicker is simply done again
_RECORD = ("name", "seconds", "train_accuracy", "validation_accuracy", "parameters", "device")

_Result = TypeVar("_Result", bound="_Fit")


@dataclass(frozen=True, repr=False)
class _Fit:
    """What every fitted estimator leaves behind; ``training_flops`` of estimators are not counted."""

    name: str
    seconds: float
    train_accuracy: float | None
    validation_accuracy: float | None
    parameters: int | None
    seed: int | None
    device: str
    full: bool
    from_checkpoint: bool
    checkpoint: str | None
    settings: Plain

    training_flops = None
    epochs = None

    def __repr__(self) -> str:
        accuracy = f", validation accuracy {self.validation_accuracy:.2%}" if self.validation_accuracy else ""
        return f"{self.name}: fitted in {duration(self.seconds)}{accuracy}"


@dataclass(frozen=True, repr=False)
class FittedEstimator(_Fit):
    """A fitted estimator, and how it came to be.

    Attributes
    ----------
    estimator : scikit-learn estimator
        Fitted; it predicts flat images of shape (n, pixels), such as ``split.flat``.
    name, seconds, train_accuracy, validation_accuracy, parameters, seed, device, full, from_checkpoint, checkpoint
        As in `Figures`; ``seconds`` is the time of fitting, ``parameters`` counts coefficients and intercepts of a
        linear model and is None for others.
    """

    estimator: BaseEstimator

    def evaluate(self, split: Split) -> Evaluation:
        """Return the evaluation of the estimator on a split."""
        return evaluate(self.estimator, split)


@dataclass(frozen=True, repr=False)
class StoredPredictions(_Fit):
    """What an estimator predicted that is too large to be kept.

    Attributes
    ----------
    predictions : dict of str to ndarray
        int64 digits of shape (n,) for each split that was asked for.
    """

    predictions: dict[str, np.ndarray]

    def evaluate(self, split: Split) -> Evaluation:
        """Return the evaluation on a split whose predictions were asked for."""
        check_choice(split.name, tuple(self.predictions), name="split", function="StoredPredictions.evaluate")
        return evaluate(self.predictions[split.name], split)


def fit_estimator(
    estimator: BaseEstimator, digits: Digits, *, name: str | None = None, refit: bool = False, verbose: int = 1
) -> FittedEstimator:
    """Fit a classifier on the flat training images, or load it when exactly this was fitted before.

    Parameters
    ----------
    estimator : scikit-learn classifier or pipeline
        Unfitted; it is cloned, never changed. Set its ``random_state``.
    digits : Digits
    name : str, optional
        How it is announced and filed; by default made from the estimator's classes. Parts that were fitted before
        (``FrozenEstimator``) are not seen by the key, so give such a pipeline a name of its own.
    refit : bool
        Fit anew although it is stored.
    verbose : {0, 1}
        1 prints one line.

    Returns
    -------
    FittedEstimator
        What took more than ten seconds is stored by skops: plain data, no pickle.

    Raises
    ------
    TypeError
        What is no estimator, or no digits.
    """
    name, key, settings = _described(estimator, digits, name, "fit_estimator", ("validation",), kept="estimator")
    found = store.find(key, holding=["estimator"]) if is_full(digits.source) and not refit else None
    if found:
        try:
            figures = _figures(estimator, digits, found.record, settings, found.path)
            return _told(FittedEstimator(**figures, estimator=_loaded(found.arrays["estimator"])), verbose)
        except (KeyError, ValueError, TypeError) as error:
            store.refuse(found.path, error)
    fitted, record = _fitted(estimator, digits, name)
    for split in (digits.train, digits.validation):
        record[f"{split.name}_accuracy"] = evaluate(fitted, split).accuracy
    path = _kept(digits, name, key, {"estimator": _dumped(fitted)}, record)
    figures = _figures(estimator, digits, record, settings, path, loaded=False)
    return _told(FittedEstimator(**figures, estimator=fitted), verbose)


def predict_once(
    estimator: BaseEstimator,
    digits: Digits,
    *,
    name: str | None = None,
    predict: Sequence[str] = ("validation",),
    refit: bool = False,
    verbose: int = 1,
) -> StoredPredictions:
    """Fit a classifier that is too large to be kept and predict splits, or load the predictions.

    Parameters
    ----------
    estimator, digits, name
        As for `fit_estimator`.
    predict : sequence of str
        Which of "train", "validation" and "test" to predict.
    refit, verbose
        As for `fit_estimator`.

    Returns
    -------
    StoredPredictions
        The same whether it was stored or fitted now.

    Raises
    ------
    TypeError, ValueError
        What is no estimator, no digits or no split.
    """
    for split in check_sequence(predict, kind="names of splits", name="predict", function="predict_once"):
        check_choice(split, SPLITS, name="predict", function="predict_once")
    name, key, settings = _described(estimator, digits, name, "predict_once", predict)
    found = store.find(key, holding=predict) if is_full(digits.source) and not refit else None
    if found:
        try:
            kept = {split: found.arrays[split].astype(np.int64) for split in SPLITS if split in found.arrays}
            figures = _figures(estimator, digits, found.record, settings, found.path)
            return _told(StoredPredictions(**figures, predictions=kept), verbose)
        except (KeyError, ValueError, TypeError) as error:
            store.refuse(found.path, error)
    fitted, record = _fitted(estimator, digits, name)
    predictions = {split: np.asarray(fitted.predict(getattr(digits, split).flat), np.int64) for split in predict}
    for split in {"train", "validation"} & set(predictions):
        record[f"{split}_accuracy"] = evaluate(predictions[split], getattr(digits, split)).accuracy
    arrays = {split: values.astype(np.uint8) for split, values in predictions.items()}
    path = _kept(digits, name, key, arrays, record)
    figures = _figures(estimator, digits, record, settings, path, loaded=False)
    return _told(StoredPredictions(**figures, predictions=predictions), verbose)


def _told(run: _Result, verbose: int) -> _Result:
    if verbose and run.from_checkpoint:
        print(f"{run.name} loaded: fitted before, in {duration(run.seconds)} (refit=True fits it again)")
    elif verbose:
        print(f"{run.name} fitted in {duration(run.seconds)}")
    return run


def _described(
    estimator: BaseEstimator, digits: object, name: str | None, function: str, predict: Sequence[str], **more: str
) -> tuple[str, str, Plain]:
    """Return the name, the key and the description of a fit."""
    if not (hasattr(estimator, "fit") and hasattr(estimator, "predict")):
        wanted = "an estimator with the methods fit and predict"
        raise TypeError(problem("estimator", function, wanted, type(estimator).__name__))
    check_digits(digits, function=function)
    name = name or " + ".join(type(step).__name__ for _, step in getattr(estimator, "steps", [("", estimator)]))
    with sklearn.config_context(print_changed_only=True):
        settings = estimator.__repr__(N_CHAR_MAX=100_000)
    data = {split: getattr(digits, split).digest for split in sorted({"train", *predict})}
    description = {"name": name, "estimator": settings, "data": data, **more}
    return name, key_of(description), description


def _fitted(estimator: BaseEstimator, digits: Digits, name: str) -> tuple[BaseEstimator, Plain]:
    """Return the fitted estimator and its record, accuracies not yet among it."""
    fitted = sklearn.clone(estimator)
    start = time.perf_counter()
    fitted.fit(digits.train.flat, digits.train.labels)
    seconds = time.perf_counter() - start
    parameters = int(np.size(fitted.coef_) + np.size(fitted.intercept_)) if hasattr(fitted, "coef_") else None
    figures = {"name": name, "seconds": seconds, "parameters": parameters, "device": device_name()}
    return fitted, figures | {"train_accuracy": None, "validation_accuracy": None}


def _kept(digits: Digits, name: str, key: str, arrays: dict[str, np.ndarray], record: Plain) -> Path | None:
    """Store what took long, in the full profile on the real MNIST."""
    keep = is_full(digits.source) and record["seconds"] >= _WORTH_KEEPING
    return store.write(name, key, arrays, record) if keep else None


def _figures(
    estimator: BaseEstimator, digits: Digits, record: Plain, settings: Plain, path: Path | None, loaded: bool = True
) -> Plain:
    """Return the fields that both kinds of results share."""
    seeds = {v for k, v in estimator.get_params(deep=True).items() if k.endswith("random_state") and v is not None}
    values = {name: record[name] for name in _RECORD} | {"seed": seeds.pop() if len(seeds) == 1 else None}
    values |= {"full": is_full(digits.source), "settings": settings, "from_checkpoint": loaded}
    return values | {"checkpoint": path.name if path else None}


def _dumped(estimator: BaseEstimator) -> np.ndarray:
    import skops.io

    return np.frombuffer(skops.io.dumps(estimator), np.uint8)


def _loaded(data: np.ndarray) -> BaseEstimator:
    """Return a stored estimator; ``ValueError`` where it holds anything but scikit-learn's and NumPy's own types."""
    import skops.io

    try:
        return skops.io.loads(data.tobytes(), trusted=[])
    except Exception as error:  # whatever damaged bytes or strange types make skops trip over
        raise ValueError(f"its estimator cannot be loaded ({type(error).__name__}: {error})") from error
