"""The graders of notebook 01: right answers pass, the usual wrong ones get the hint meant for them."""

import numpy as np
from graders import OPEN, RIGHT, judged
from small import digits_of

from mnist_helpers.course.exercises import nb_01

DIGITS = digits_of()


def ink(split=DIGITS.train, size=1):
    return [size * split.images[split.labels == digit].mean(dtype=float) for digit in range(10)]


def half_width(p, n):
    return 1.96 * np.sqrt(p * (1 - p) / n)


def centred(train, images):
    return images - train.mean(axis=0)


def classify(images):
    return images[:, :10, :, 0].mean(axis=2).argmax(axis=1)  # the bright row of small.py tells the digit


def unsteady(images):
    return np.arange(len(images)) % 10


test_hints_on_the_ink = judged(
    "01-1",
    [
        (ink(), RIGHT),
        (np.array(ink()), RIGHT),
        (..., OPEN),
        (ink(size=784), "sum over its pixels"),
        (ink(size=100), "percent"),
        ([DIGITS.train.images.mean()] * 10, "mean of all images"),
        (ink(DIGITS.validation), "training images"),
        (np.array([DIGITS.train.flat[DIGITS.train.labels == k].sum() for k in range(10)]), "Take the mean"),
        (np.zeros(10), "Not yet"),
        (np.zeros(9), "ten numbers. Yours has nine numbers"),
    ],
    digits=DIGITS,
)


def test_a_sum_of_unequal_classes_is_told_from_a_mean():
    some = np.flatnonzero((DIGITS.train.labels > 4) | (np.arange(300) > 100))
    train = type(DIGITS.train)(DIGITS.train.images[some], DIGITS.train.labels[some], "train", "mnist")
    digits = type(DIGITS)(train, DIGITS.validation, DIGITS.test, "mnist", "")
    assert "Take the mean" in nb_01.ink_of_each_digit([train.flat[train.labels == k].sum() for k in range(10)], digits)
    assert nb_01.ink_of_each_digit(ink(train), digits) is None


test_hints_on_the_interval = judged(
    "01-2",
    [
        (half_width, RIGHT),
        (lambda p, n: 2 * (p * (1 - p) / n) ** 0.5, RIGHT),  # 2 in place of 1.96
        (lambda p, n: ..., OPEN),
        (lambda p, n: np.sqrt(p * (1 - p) / n), "one standard error"),
        (lambda p, n: 2 * half_width(p, n), "whole width"),
        (lambda p, n: 100 * half_width(p, n), "percent"),
        (lambda p, n: 1.96 * np.sqrt(p * (1 - p)) / n, "below the root"),
        (lambda p, n: 1.96 * p * (1 - p) / n, "square root is missing"),
        (lambda p, n: 1.96 * np.sqrt(p / n), "share of wrong ones"),
        (lambda p, n: p, "Not yet"),
        (lambda p, n: (p, n), "one number"),
    ],
)


test_hints_on_centring = judged(
    "01-3",
    [
        (centred, RIGHT),
        (lambda train, images: (images - train.mean(axis=0)).tolist(), RIGHT),
        (lambda train, images: ..., OPEN),
        (lambda train, images: images - train.mean(), "A mean image has one for every pixel"),
        (lambda train, images: images - images.mean(axis=0), "Which images"),
        (lambda train, images: images - images.mean(), "Both mistakes"),
        (lambda train, images: images - train.mean(axis=(0, 1)), "axis 0 alone"),
        (lambda train, images: train.mean(axis=0) - images, "sign"),
        (lambda train, images: train - train.mean(axis=0), "as many images"),
        (lambda train, images: images, "Not yet"),
    ],
)


test_hints_on_the_classifier = judged(
    "01-4",
    [
        (classify, RIGHT),
        (lambda images: classify(images).tolist(), RIGHT),
        (lambda images: ..., OPEN),
        (lambda images: 3, "shape"),
        (lambda images: np.full(len(images), 12), "number of the nearest mean"),
        (unsteady, "another order"),
        (lambda images: np.full(len(images), 1), "at most"),
    ],
    digits=DIGITS,
)


def test_the_classifier_must_beat_the_nearest_mean(monkeypatch):
    labels = DIGITS.validation.labels
    assert np.mean(nb_01._nearest_mean(DIGITS, DIGITS.validation.images) == labels) > 0.9
    monkeypatch.setattr(nb_01, "_nearest_mean", lambda digits, images: np.where(labels < 4, -1, labels))  # 24 errors

    def nothing_below(first):
        return lambda images: np.maximum(classify(images), first)

    assert nb_01.better_classifier(nothing_below(3), DIGITS) is None  # 18 errors, three quarters
    assert "24 errors in 60 validation images; at most 18" in nb_01.better_classifier(nothing_below(4), DIGITS)
