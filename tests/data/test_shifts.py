"""Digits on a canvas: nothing lost, every place reached."""

import numpy as np
import pytest

from mnist_helpers.data.mnist import Split
from mnist_helpers.data.shifts import centred, shifted


@pytest.fixture(scope="module")
def split():
    rng = np.random.default_rng(0)
    images = rng.uniform(0.1, 1, (3000, 28, 28, 1)).astype(np.float32)  # no pixel is empty: corners can be found
    return Split(images, rng.integers(0, 10, 3000), "test", "mnist")


def corners(placed):
    lit = placed.images[..., 0] > 0
    return np.stack([lit.any(axis=2).argmax(axis=1), lit.any(axis=1).argmax(axis=1)], axis=1)


def test_centred_puts_every_image_into_the_middle_unchanged(split):
    placed = centred(split)
    assert placed.images.shape == (3000, 48, 48, 1) and placed.images.dtype == np.float32
    np.testing.assert_array_equal(placed.images[:, 10:38, 10:38], split.images)
    assert placed.images.sum(dtype=np.float64) == pytest.approx(split.images.sum(dtype=np.float64))
    assert (placed.labels is split.labels or (placed.labels == split.labels).all()) and placed.name == "test"


def test_shifted_reaches_every_place_equally_often(split):
    placed = shifted(split, seed=1)
    found = corners(placed)
    for axis in range(2):
        counts = np.bincount(found[:, axis], minlength=21)
        assert len(counts) == 21 and counts.min() > 90 and counts.max() < 200  # 143 expected, the largest offset too
    row, column = found[7]
    np.testing.assert_array_equal(placed.images[7, row : row + 28, column : column + 28], split.images[7])
    np.testing.assert_array_equal(shifted(split, seed=1).images, placed.images)
    assert not np.array_equal(shifted(split, seed=2).images, placed.images)


def test_a_canvas_smaller_than_the_image_is_refused(split):
    with pytest.raises(ValueError, match="'size' parameter of centred must be at least 28. Got 20"):
        centred(split, 20)
