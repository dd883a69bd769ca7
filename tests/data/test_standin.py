import numpy as np
import pytest
from scipy.ndimage import center_of_mass
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestCentroid

from mnist_helpers.data.standin import frame, load_framed


@pytest.fixture(scope="module")
def framed():
    return load_framed()


def test_bar_is_scaled_and_centred():
    image = np.zeros((8, 8))
    image[1:7, 5:8] = 1  # 6x3 in a corner: 20x10 in the middle
    expected = np.zeros((28, 28))
    expected[4:24, 9:19] = 1
    assert np.allclose(frame(image), expected)


def test_between_two_pixels_the_ink_is_interpolated():
    image = np.array([[1.0, 0.5]])  # each pixel becomes 10 wide, the 10 between their centres are a ramp
    row = frame(image).sum(axis=0)
    row = row[row > 0] / row.max()
    assert np.allclose(row[:5], 1)
    assert np.allclose(row[5:15], 1 - 0.5 * (np.arange(10) + 0.5) / 10)
    assert np.allclose(row[15:], 0.5)


def test_all_digits_fit_the_box_and_are_centred(framed):
    images, labels = framed
    assert images.shape == (1797, 28, 28, 1)
    assert images.dtype == np.float32
    assert labels.dtype == np.int64
    assert images.min() == 0
    assert 0.9 < images.max() <= 1
    assert np.allclose(images * 255, np.rint(images * 255), atol=1e-4)
    for image in images[..., 0]:
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
        assert np.allclose(center_of_mass(image), 13.5, atol=0.51)


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")  # the empty frame
def test_it_is_the_same_digits(framed):
    images, labels = framed
    assert np.array_equal(labels, load_digits().target)
    flat = images.reshape(len(images), -1)
    assert NearestCentroid().fit(flat[::2], labels[::2]).score(flat[1::2], labels[1::2]) > 0.85
