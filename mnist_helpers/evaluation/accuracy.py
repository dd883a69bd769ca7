"""How good is it, and is the difference real: accuracies with intervals, and paired tests."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import stats

from mnist_helpers.common.checks import (
    CLASSES,
    as_array,
    check_attributes,
    check_fraction,
    check_images,
    check_labels,
    check_positive_int,
    check_probabilities,
    problem,
)
from mnist_helpers.common.text import counted


@dataclass(frozen=True, repr=False)
class Evaluation:
    """The predictions of one system on one split, and what follows from them.

    predictions, labels : int64 arrays of shape (n,), digits 0 to 9.
    probabilities : float32 array of shape (n, 10), or None when only predictions were given.
    split : "train", "validation" or "test"; source : "mnist" or "sklearn-digits".

    Raises ``TypeError`` or ``ValueError`` for arrays of other types, shapes or values, naming them.
    """

    predictions: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray | None
    split: str
    source: str

    def __post_init__(self) -> None:
        labels = check_labels(self.labels, function="Evaluation")
        object.__setattr__(self, "labels", labels)
        predictions = check_labels(self.predictions, function="Evaluation", name="predictions", n=len(labels))
        object.__setattr__(self, "predictions", predictions)
        if self.probabilities is not None:
            of_all: dict[str, Any] = {"function": "Evaluation", "name": "probabilities", "n": len(labels)}
            object.__setattr__(self, "probabilities", check_probabilities(self.probabilities, **of_all))

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


@dataclass(frozen=True)
class PairedTest:
    """Exact McNemar test of two systems on the same images.

    only_first, only_second : how many images only the first, only the second system got right.
    difference : accuracy of the first minus that of the second.
    p_value : two-sided; 1.0 when the systems never disagree.
    """

    only_first: int
    only_second: int
    difference: float
    p_value: float

    def __str__(self) -> str:
        p = f"p = {self.p_value:.3f}" if self.p_value >= 0.001 else f"p = {self.p_value:.0e}"
        if self.p_value < 1e-99:
            p = "p < 1e-99"
        s = "" if self.only_first == 1 else "s"
        return (
            f"difference {self.difference:+.2%}; {self.only_first} image{s} only the first got right, "
            f"{self.only_second} only the second; {p}"
        )


def evaluate(predictions: Any, split: Any, *, batch_size: int = 512) -> Evaluation:
    """Measure predictions, or a fitted model, on a split.

    Parameters
    ----------
    predictions : integer array of shape (n,) with digits, float array of shape (n, 10) with a score for each digit
        (the largest wins), or an object with a ``predict`` method: a Keras model gets images of shape
        (n, height, width, 1), a scikit-learn estimator flat ones of shape (n, pixels).
    split : a ``Split`` (``images``, ``labels``, ``name``, ``source``).
    batch_size : images that a Keras model sees at a time.

    Raises
    ------
    TypeError, ValueError : wrong types, shapes or values, naming the parameter.
    """
    check_attributes(split, ("labels", "name", "source"), kind="a Split", name="split", function="evaluate")
    labels = check_labels(split.labels, function="evaluate", name="split.labels")
    check_positive_int(batch_size, name="batch_size", function="evaluate")
    outputs = predictions
    if hasattr(predictions, "predict"):
        outputs = _predict(predictions, split, batch_size)
    outputs = as_array(outputs, name="predictions", function="evaluate")
    probabilities = None
    if outputs.dtype.kind == "f":
        probabilities = check_probabilities(outputs, function="evaluate", name="predictions", n=len(labels))
        outputs = probabilities.argmax(axis=1)
    outputs = check_labels(outputs, function="evaluate", name="predictions", n=len(labels))
    return Evaluation(outputs, labels, probabilities, split.name, split.source)


def _predict(model: Any, split: Any, batch_size: int) -> np.ndarray:
    check_attributes(split, ("images",), kind="a Split", name="split", function="evaluate")
    images = check_images(split.images, function="evaluate", name="split.images")
    if hasattr(model, "get_params"):  # every scikit-learn estimator, no Keras model
        return np.asarray(model.predict(images.reshape(len(images), -1)))
    expected = getattr(model, "input_shape", None)
    if expected is not None and tuple(expected[1:]) != images.shape[1:]:
        wanted = f"of shape (n, {', '.join(map(str, expected[1:]))}) for this model"
        raise ValueError(problem("split.images", "evaluate", wanted, f"shape {images.shape}"))
    return np.asarray(model.predict(images, batch_size=batch_size, verbose=0))


def wilson_interval(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion, as fractions 0 to 1.

    Unlike the textbook "plus or minus 1.96 standard errors" it stays inside [0, 1] and holds its promise close to
    100 %, where digit classifiers live. Source: Wilson (1927), J. Am. Stat. Assoc. 22:209.

    Raises ``TypeError`` or ``ValueError`` unless 0 <= correct <= n, n >= 1 and 0 <= confidence < 1.
    """
    n = check_positive_int(n, name="n", function="wilson_interval")
    correct = check_positive_int(correct, name="correct", function="wilson_interval", minimum=0)
    check_fraction(confidence, name="confidence", function="wilson_interval", high_included=False)
    if correct > n:
        raise ValueError(problem("correct", "wilson_interval", f"at most n = {n}", repr(correct)))
    interval = stats.binomtest(correct, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def mcnemar(first: Evaluation, second: Evaluation) -> PairedTest:
    """Compare two systems on the same images by the exact McNemar test.

    Only the images on which one system is right and the other wrong say anything about which is better: under the
    hypothesis that both are equally good, each such image is a fair coin. Source: McNemar (1947), Psychometrika 12:153.

    Raises ``TypeError`` for what is no `Evaluation`, ``ValueError`` when the two were not measured on the same images.
    """
    for name, each in (("first", first), ("second", second)):
        if not isinstance(each, Evaluation):
            raise TypeError(problem(name, "mcnemar", "an Evaluation", type(each).__name__))
    if first.n != second.n or first.source != second.source or not np.array_equal(first.labels, second.labels):
        got = f"{second.n} images of {second.source} ({second.split})"
        wanted = f"measured on the same images as the first ({first.n} of {first.source}, {first.split})"
        raise ValueError(problem("second", "mcnemar", wanted, got))
    first_right = first.predictions == first.labels
    second_right = second.predictions == second.labels
    return paired_test(int(np.sum(first_right & ~second_right)), int(np.sum(second_right & ~first_right)), first.n)


def paired_test(only_first: int, only_second: int, n: int) -> PairedTest:
    """Return McNemar's test of two systems, of ``n`` images, from how many only one of them got right.

    Raises ``TypeError`` or ``ValueError`` unless all are integers, 0 <= only_first + only_second <= n and n >= 1.
    """
    n = check_positive_int(n, name="n", function="paired_test")
    counts = {"only_first": only_first, "only_second": only_second}
    for name, count in counts.items():
        check_positive_int(count, name=name, function="paired_test", minimum=0)
    if sum(counts.values()) > n:
        raise ValueError(problem("n", "paired_test", f"at least {sum(counts.values())}, as many as differ", repr(n)))
    discordant = only_first + only_second
    p_value = float(stats.binomtest(only_first, discordant).pvalue) if discordant else 1.0
    return PairedTest(only_first, only_second, (only_first - only_second) / n, p_value)


def better(first: Evaluation, second: Evaluation, *, level: float = 0.05) -> bool:
    """Return whether the first system is more accurate than the second, with a McNemar p-value below ``level``.

    Raises ``TypeError`` or ``ValueError`` as `mcnemar` does, and for a level outside [0, 1].
    """
    check_fraction(level, name="level", function="better")
    test = mcnemar(first, second)
    return test.difference > 0 and test.p_value < level
