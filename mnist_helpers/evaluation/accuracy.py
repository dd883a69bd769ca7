"""How good is it, and is the difference real: accuracies with intervals, and paired tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from mnist_helpers.common.checks import CLASSES, check_labels, check_probabilities, problem
from mnist_helpers.common.text import counted
from mnist_helpers.common.types import Plain

if TYPE_CHECKING:
    import keras
    from sklearn.base import BaseEstimator

    from mnist_helpers.data.mnist import Split


@dataclass(frozen=True, repr=False)
class Evaluation:
    """The predictions of one system on one split, and what follows from them.

    Parameters
    ----------
    predictions, labels : ndarray of int64, shape (n,)
        Digits 0 to 9.
    probabilities : ndarray of float32, shape (n, 10), or None
        A score for each digit; None when only predictions were given.
    split : {"train", "validation", "test"}
        Which images.
    source : {"mnist", "sklearn-digits"}
        Where they come from.
    """

    predictions: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray | None
    split: str
    source: str

    def __post_init__(self) -> None:
        labels = check_labels(self.labels, function="Evaluation")
        predictions = check_labels(self.predictions, function="Evaluation", name="predictions", n=len(labels))
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "predictions", predictions)

    @property
    def n(self) -> int:
        """Number of images."""
        return len(self.labels)

    @cached_property
    def wrong(self) -> np.ndarray:
        """Indices (int64) of the misclassified images, in the order of the split."""
        return np.flatnonzero(self.predictions != self.labels)

    @property
    def errors(self) -> int:
        """Number of misclassified images."""
        return len(self.wrong)

    @property
    def accuracy(self) -> float:
        """Share of correctly classified images, 0 to 1."""
        return (self.n - self.errors) / self.n

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the accuracy, 0 to 1."""
        return wilson_interval(self.n - self.errors, self.n)

    @cached_property
    def confusion(self) -> np.ndarray:
        """Counts (int64) of shape (10, 10): rows are true digits, columns predicted ones."""
        counts = np.zeros((CLASSES, CLASSES), np.int64)
        np.add.at(counts, (self.labels, self.predictions), 1)
        return counts

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"{self.split} accuracy {self.accuracy:.2%} (95 % interval {low:.2%} to {high:.2%}; "
            f"{counted(self.errors, 'error')} in {self.n:,})"
        )


def evaluate(
    predictions: np.ndarray | keras.Model | BaseEstimator, split: Split, *, batch_size: int = 512
) -> Evaluation:
    """Measure predictions, or a fitted model, on a split.

    Parameters
    ----------
    predictions : array or model
        Integers of shape (n,), the digits; floats of shape (n, 10), a score for each digit, of which the largest wins;
        or what has a ``predict`` method: a Keras model gets images of shape (n, height, width, 1), a scikit-learn
        estimator flat ones of shape (n, pixels).
    split : Split
        The images and their labels.
    batch_size : int
        Images that a Keras model sees at a time.

    Raises
    ------
    TypeError, ValueError
        Predictions of another type, shape or value, or images of another size than the model takes.

    Examples
    --------
    >>> evaluate(model.predict(digits.test.images), digits.test)
    test accuracy 99.14% (95 % interval 98.94% to 99.30%; 86 errors in 10,000)
    """
    outputs = _predict(predictions, split, batch_size) if hasattr(predictions, "predict") else np.asarray(predictions)
    probabilities = None
    if outputs.dtype.kind == "f":
        about: Plain = {"function": "evaluate", "name": "predictions", "n": len(split.labels)}
        probabilities = check_probabilities(outputs, **about)
        outputs = probabilities.argmax(axis=1)
    outputs = check_labels(outputs, function="evaluate", name="predictions", n=len(split.labels))
    return Evaluation(outputs, split.labels, probabilities, split.name, split.source)


def _predict(model: keras.Model | BaseEstimator, split: Split, batch_size: int) -> np.ndarray:
    images = split.images
    if hasattr(model, "get_params"):  # every scikit-learn estimator, no Keras model
        return np.asarray(model.predict(images.reshape(len(images), -1)))
    expected = getattr(model, "input_shape", None)
    if expected is not None and tuple(expected[1:]) != images.shape[1:]:
        wanted = f"of shape (n, {', '.join(map(str, expected[1:]))}) for this model"
        raise ValueError(problem("split.images", "evaluate", wanted, f"shape {images.shape}"))
    return np.asarray(model.predict(images, batch_size=batch_size, verbose=0))


def wilson_interval(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion.

    Unlike the textbook "plus or minus 1.96 standard errors" it stays inside [0, 1] and holds its promise close to
    100 %, where digit classifiers live.

    Parameters
    ----------
    correct, n : int
        How many of how many; 0 <= correct <= n, n >= 1.
    confidence : float
        How often such intervals hold the true proportion, 0 to 1.

    Returns
    -------
    low, high : float
        0 to 1.

    References
    ----------
    Wilson (1927), J. Am. Stat. Assoc. 22:209.
    """
    interval = stats.binomtest(correct, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class PairedTest:
    """Exact McNemar test of two systems on the same images.

    Parameters
    ----------
    only_first, only_second : int
        How many images only the first, only the second system got right.
    difference : float
        Accuracy of the first minus that of the second, -1 to 1.
    p_value : float
        Two-sided; 1.0 when the systems never disagree.
    """

    only_first: int
    only_second: int
    difference: float
    p_value: float

    def __str__(self) -> str:
        p = f"p = {self.p_value:.3f}" if self.p_value >= 0.001 else f"p = {self.p_value:.0e}"
        if self.p_value < 1e-99:
            p = "p < 1e-99"
        return (
            f"difference {self.difference:+.2%}; {counted(self.only_first, 'image')} only the first got right, "
            f"{self.only_second:,} only the second; {p}"
        )


def mcnemar(first: Evaluation, second: Evaluation) -> PairedTest:
    """Compare two systems by the exact McNemar test.

    Only the images on which one system is right and the other wrong say anything about which is better: under the
    hypothesis that both are equally good, each such image is a fair coin.

    Parameters
    ----------
    first, second : Evaluation
        Of the same images.

    References
    ----------
    McNemar (1947), Psychometrika 12:153.
    """
    if first.source != second.source or not np.array_equal(first.labels, second.labels):
        got = f"{second.n} images of {second.source} ({second.split})"
        wanted = f"measured on the same images as the first ({first.n} of {first.source}, {first.split})"
        raise ValueError(problem("second", "mcnemar", wanted, got))
    first_right, second_right = first.predictions == first.labels, second.predictions == second.labels
    return paired_test(int(np.sum(first_right & ~second_right)), int(np.sum(second_right & ~first_right)), first.n)


def paired_test(only_first: int, only_second: int, n: int) -> PairedTest:
    """Return McNemar's test from the numbers of images, of ``n``, that only one of two systems got right."""
    discordant = only_first + only_second
    p_value = float(stats.binomtest(only_first, discordant).pvalue) if discordant else 1.0
    return PairedTest(only_first, only_second, (only_first - only_second) / n, p_value)


def better(first: Evaluation, second: Evaluation, *, level: float = 0.05) -> bool:
    """Return whether the first system is more accurate than the second, with a McNemar p-value below ``level``.

    Parameters
    ----------
    first, second : Evaluation
        Of the same images.
    level : float
        How often a difference may be found where there is none, 0 to 1.
    """
    test = mcnemar(first, second)
    return test.difference > 0 and test.p_value < level
