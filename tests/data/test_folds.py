"""Folds: disjoint, stratified, all of them together the training images; fold 0 is the validation images."""

import numpy as np
import pytest
from small import digits_of

from mnist_helpers.data import fold

DIGITS = digits_of(60, 20, 10)


def rows(*splits):
    """The images of splits as a sorted list, each with its label."""
    pairs = [zip(split.images, split.labels, strict=True) for split in splits]
    return sorted((image.tobytes(), label) for pair in pairs for image, label in pair)


def test_the_first_fold_is_the_validation_images():
    assert fold(DIGITS, 0) is DIGITS


def test_each_image_is_left_out_exactly_once_and_trained_on_otherwise():
    every = rows(DIGITS.train, DIGITS.validation)
    parts = [fold(DIGITS, number, folds=4) for number in range(4)]
    assert rows(*[part.validation for part in parts]) == every
    for part in parts:
        assert rows(part.train, part.validation) == every
        assert (part.train.name, part.validation.name, part.source) == ("train", "validation", DIGITS.source)
        assert part.test is DIGITS.test


def test_folds_are_stratified_and_always_the_same():
    labels = [fold(DIGITS, number, folds=4).validation.labels for number in (1, 2, 3)]
    counts = np.array([np.bincount(each, minlength=10) for each in labels])
    assert np.ptp(counts, axis=0).max() <= 1
    again = fold(DIGITS, 2, folds=4)
    np.testing.assert_array_equal(again.validation.images, fold(DIGITS, 2, folds=4).validation.images)
    np.testing.assert_array_equal(again.train.images[: len(DIGITS.validation)], DIGITS.validation.images)


@pytest.mark.parametrize(
    ("number", "folds", "message"),
    [(6, 6, r"'number' .* from 0 to 5"), (-1, 6, "'number'"), (0, 2, "'folds'"), (1.5, 6, "'number'")],
)
def test_what_is_no_fold_is_refused_by_name(number, folds, message):
    with pytest.raises((TypeError, ValueError), match=message):
        fold(DIGITS, number, folds=folds)
    with pytest.raises(TypeError, match="'digits'"):
        fold(DIGITS.train, 0)
