"""The graders of notebook 02: right answers pass, the usual wrong ones get the hint meant for them."""

import numpy as np
import pytest
from graders import OPEN, RIGHT, judged
from scipy.ndimage import affine_transform, shift
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from mnist_helpers.course.exercises.nb_02 import _stroke, slant_of


def precision(confusion, digit):
    return confusion[digit, digit] / confusion[:, digit].sum()


def linear(images, weights, biases):
    return (images @ weights.T + biases).argmax(axis=1)


def honest(images, labels, judge_images, judge_labels):
    return make_pipeline(SelectKBest(k=20), LogisticRegression()).fit(images, labels).score(judge_images, judge_labels)


def leaky(images, labels, judge_images, judge_labels):
    select = SelectKBest(k=20).fit(np.concatenate([images, judge_images]), np.concatenate([labels, judge_labels]))
    fitted = LogisticRegression().fit(select.transform(images), labels)
    return fitted.score(select.transform(judge_images), judge_labels)


def sheared(image, factor=1.0, centred=True):
    if not image.any():
        return image
    rows = np.indices(image.shape)[0]
    centre = (rows * image).sum() / image.sum()
    slant = factor * slant_of(image)
    return affine_transform(image, [[1, 0], [slant, 1]], offset=[0, -slant * centre if centred else 0], order=1)


def rolled(image):
    """Whole pixels are good enough."""
    if not image.any():
        return image
    centre, slant = (np.arange(28) @ image.sum(axis=1)) / image.sum(), slant_of(image)
    return np.stack([np.roll(row, -round(slant * (r - centre))) for r, row in enumerate(image)])


def divided(image):
    slant = (image * np.indices((28, 28))[1]).sum() / image.sum()
    return sheared(image) if np.isfinite(slant) else image * slant


def test_the_linear_classifier_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    images, labels = random.random((60, 5)), random.integers(0, 10, 60)
    fitted = LogisticRegression().fit(images, labels)
    assert np.array_equal(linear(images, fitted.coef_, fitted.intercept_), fitted.predict(images))


test_hints_on_precision = judged(
    "02-1",
    [
        (precision, RIGHT),
        (lambda c, d: ..., OPEN),
        (lambda c, d: c[d, d] / c[d].sum(), "the other way"),
        (lambda c, d: 100 * precision(c, d), "percent"),
        (lambda c, d: np.trace(c) / c.sum(), "accuracy over all digits"),
        (lambda c, d: 1 - precision(c, d), "wrong answers"),
        (lambda c, d: c[d, d] / c.sum(), "divide by all images"),
        (lambda c, d: 0.5, "Not yet"),
        (lambda c, d: c, "one number"),
    ],
)


test_hints_on_the_linear_classifier = judged(
    "02-2",
    [
        (linear, RIGHT),
        (lambda *given: [int(digit) for digit in linear(*given)], RIGHT),
        (lambda *_: ..., OPEN),
        (lambda images, weights, biases: images @ weights.T + biases, "argmax"),
        (lambda images, weights, biases: (images @ weights.T + biases).argmax(axis=0), "along axis 1"),
        (lambda images, weights, biases: (images @ weights.T + biases).argmax(), "One answer for all"),
        (lambda images, weights, biases: (images @ weights.T).argmax(axis=1), "biases are missing"),
        (lambda images, weights, biases: linear(images, weights, -biases), "not subtracted"),
        (lambda images, weights, biases: (images @ weights.T + biases).argmin(axis=1), "smallest"),
        (lambda images, weights, biases: (images @ weights.T + biases).max(axis=1), "instead of `max`"),
        (lambda images, weights, biases: linear(images[:3], weights, biases), "the shape (40,)"),
        (lambda images, weights, biases: 0 * linear(images, weights, biases), "Not yet"),
        (lambda images, weights, biases: images @ weights, "ValueError"),
    ],
)


test_hints_on_the_leak = judged(
    "02-3",
    [
        (honest, RIGHT),
        (lambda *_: ..., OPEN),
        (leaky, "may SelectKBest see"),
        (lambda images, labels, *judges: honest(images, labels, images, labels), "that it was fitted on"),
        (lambda *_: 0.5, "it finds only 50%"),
        (lambda *_: 50, "a share from 0 to 1"),
    ],
)


test_hints_on_setting_upright = judged(
    "02-4",
    [
        (sheared, RIGHT),
        (rolled, RIGHT),
        (lambda image: ..., OPEN),
        (lambda image: sheared(image, -1), "twice as much"),
        (lambda image: image, "as before"),
        (lambda image: sheared(image.T).T, "laid flat"),
        (lambda image: sheared(image, 0.5), "still lean"),
        (lambda image: shift(sheared(image), (0, 3), order=1), "moved by 3.0 pixels"),
        (lambda image: sheared(image, centred=False), "moved by"),
        (lambda image: 2 * sheared(image), "200%"),
        (lambda image: 0 * image, "vanished"),
        (lambda image: image[:5], "shape"),
        (divided, "divides by zero"),
    ],
)


def test_the_slant_is_measured():
    assert slant_of(_stroke(0.4)) == pytest.approx(0.4, abs=0.02)
    assert slant_of(_stroke(0.0)) == pytest.approx(0, abs=0.01)
    assert slant_of(sheared(_stroke(0.5, column=11))) == pytest.approx(0, abs=0.05)
