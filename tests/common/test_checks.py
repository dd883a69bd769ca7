"""Checks name the parameter, the function, what was expected and what came."""

import numpy as np
import pytest

from mnist_helpers.common import checks

IMAGES = np.zeros((3, 28, 28, 1), np.float32)


def test_good_values_pass_unchanged():
    assert checks.check_images(IMAGES, function="f") is IMAGES
    assert checks.check_images(IMAGES.astype(np.float64), function="f").dtype == np.float32
    labels = checks.check_labels([1, 2, 9], function="f", n=3)
    assert labels.dtype == np.int64 and labels.tolist() == [1, 2, 9]
    assert checks.check_positive_int(np.int32(4), name="n", function="f") == 4
    assert checks.check_fraction(0, name="rate", function="f") == 0.0
    assert checks.check_choice("a", ("a", "b"), name="mode", function="f") == "a"


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        ([[0.0]], TypeError, "'images' parameter of f must be a NumPy array of floats.*Got list instead"),
        (IMAGES.astype(np.uint8), TypeError, "an array of uint8"),
        (IMAGES[..., 0], ValueError, r"shape \(n, height, width, 1\).*\(3, 28, 28\)"),
        (IMAGES[:0], ValueError, "n >= 1"),
        (IMAGES + 255, ValueError, "within .0, 1..*255"),
        (IMAGES - 1, ValueError, "within .0, 1."),
        (IMAGES * np.nan, ValueError, "free of NaN"),
    ],
)
def test_bad_images_are_refused(images, error, message):
    with pytest.raises(error, match=message):
        checks.check_images(images, function="f")


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0.5, 1.0], TypeError, "'labels' parameter of f must be an array of integers"),
        ([], TypeError, "integers"),
        ([[1, 2]], ValueError, r"shape \(2,\).*\(1, 2\)"),
        ([1, 2, 3], ValueError, r"\(2,\).*\(3,\)"),
        ([1, 10], ValueError, "digits from 0 to 9"),
        ([True, False], TypeError, "integers"),
    ],
)
def test_bad_labels_are_refused(labels, error, message):
    with pytest.raises(error, match=message):
        checks.check_labels(labels, function="f", n=2)


@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (1.0, TypeError), (True, TypeError), ("3", TypeError)])
def test_positive_int(value, error):
    with pytest.raises(error, match="'epochs' parameter of train"):
        checks.check_positive_int(value, name="epochs", function="train")


@pytest.mark.parametrize("value", [1.0, -0.1, float("nan")])
def test_fraction_with_open_end(value):
    with pytest.raises(ValueError, match=r"'dropout' parameter of f must be in \[0, 1\)"):
        checks.check_fraction(value, name="dropout", function="f", high_included=False)
    with pytest.raises(TypeError, match="a number"):
        checks.check_fraction("0.1", name="dropout", function="f")


@pytest.mark.parametrize("value", ["c", 1, None, True])
def test_choice(value):
    with pytest.raises(ValueError, match=r"'mode' parameter of f must be one of \{'a', 0\}"):
        checks.check_choice(value, ("a", 0), name="mode", function="f")


def test_probabilities():
    good = np.full((2, 10), 0.1)
    assert checks.check_probabilities(good, function="f", name="p", n=2).dtype == np.float32
    with pytest.raises(ValueError, match=r"'p'.*\(3, 10\)"):
        checks.check_probabilities(good, function="f", name="p", n=3)
    with pytest.raises(TypeError, match="floats"):
        checks.check_probabilities(good.astype(int), function="f", name="p", n=2)
