"""The graders of notebook 14: the solutions pass, and usual mistakes get the hint meant for them."""

import numpy as np
import pytest
from graders import OPEN, RIGHT, judged
from small import compiled, digits_of, tiny

from mnist_helpers import check
from mnist_helpers.common.backend import keras, layers
from mnist_helpers.course.exercises import nb_14
from mnist_helpers.data import mnist

DIGITS = digits_of()


def covered(images, severity, random):
    changed = images.copy()
    for image, (row, column) in zip(changed, random.integers(0, 29 - severity, (len(images), 2)), strict=True):
        image[row : row + severity, column : column + severity] = 0
    return changed


def in_place(images, severity, random):
    images[:, :severity, :severity] = 0
    return images


def one_place(images, severity, random):
    changed = images.copy()
    row, column = random.integers(0, 29 - severity, 2)
    changed[:, row : row + severity, column : column + severity] = 0
    return changed


def cut_off(images, severity, random):
    changed = images.copy()
    for image, (row, column) in zip(changed, random.integers(0, 28, (len(images), 2)), strict=True):
        image[row : row + severity, column : column + severity] = 0
    return changed


def unseeded(images, severity, random):
    return covered(images, severity, np.random.default_rng())


def scattered(images, severity, random):
    changed = images.copy().reshape(len(images), -1)
    for image in changed:
        image[random.permutation(784)[: severity**2]] = 0
    return changed.reshape(images.shape)


test_rank = judged(
    "14-1",
    [
        (18, RIGHT),
        (18.0, RIGHT),
        (..., OPEN),
        (17, "less than 90 %"),
        (17.1, "makes 20"),
        (19, "95 %"),
        (20, "only 19"),
        (2, "Count from the smallest"),
        (10, "number of places"),
        ("18th", "one number"),
    ],
)

test_rank_of_24 = judged(
    "14-1",
    [
        (20, RIGHT),
        (19, "19 of 24 is less than 80 %. And the new image is in the row, too: there are 25 places"),
        (19.2, "Nearly: 0.8 x 24 is 19.2. But the new image makes 25, and its place may be among the last five"),
        (24, "only one place in 25 lies above it: a promise of 96 %"),
        (25, "only 24"),
        (5, "how many may lie above it"),
        (4, "how many of the 24"),
        (18, "24 + 1, by the share that may be kept, 80 %"),
    ],
    variant=2,
)


@pytest.mark.parametrize(("variant", "setting"), [*enumerate(nb_14.MISSES)])
def test_the_rank_is_the_first_that_keeps_the_promise(variant, setting):
    places, kept = setting["images"] + 1, 100 - setting["percent"]
    assert check("14-1", next(rank for rank in range(places) if 100 * rank >= kept * places), variant=variant)


test_corruption = judged(
    "14-2",
    [
        (covered, RIGHT),
        (lambda images, severity, random: ..., OPEN),
        (in_place, "Work on a copy"),
        (one_place, "same place"),
        (cut_off, "cut off"),
        (unseeded, "same seed"),
        (scattered, "not in one square"),
        (lambda images, severity, random: images.copy(), "without a black pixel"),
        (lambda images, severity, random: covered(images, severity + 1, random), "Yours has 49"),
        (lambda images, severity, random: covered(images, severity, random) / 2, "stay as they are"),
        (lambda images, severity, random: covered(images, severity, random)[0], "should have the shape"),
    ],
)


class Rows(layers.Layer):
    """Tells the digit by the brightest of ten rows, by the darkest, or by either, as the paper is dark or white."""

    def __init__(self, paper):
        super().__init__()
        self.paper = paper

    def call(self, images):
        rows = keras.ops.mean(images, axis=(2, 3))[:, :10]
        is_dark = keras.ops.cast(keras.ops.mean(images, axis=(1, 2, 3)) < 0.5, "float32")[:, None]
        sign = {"dark": 1.0, "white": -1.0, "either": 2 * is_dark - 1}[self.paper]
        return keras.ops.softmax(100 * sign * rows)


def reader(paper):
    model = compiled(keras.Sequential([keras.Input((28, 28, 1)), Rows(paper)]))
    model.optimizer.iterations.assign(1)  # as if it had been fitted
    return model


test_both_ways = judged(
    "14-3",
    [
        (lambda: reader("either"), RIGHT),
        (lambda: reader("dark"), "inverted images in training"),
        (lambda: reader("white"), "inverted images only"),
        (tiny, "not trained"),
        (lambda: "a network", "Keras network"),
        (lambda: keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(9)]), "ten outputs"),
    ],
    build=True,
    digits=DIGITS,
)


class Ramp(layers.Layer):
    """Reads how bright the first pixel is: a network that a small change turns over."""

    def call(self, images):
        first = images[:, 0, 0, 0]
        label = keras.ops.cast(first > 0.5, "int32")
        return keras.ops.one_hot(label, 10)


@pytest.fixture
def ramp(monkeypatch):
    """A network, and digits of which it reads number 0 as 0 and number 1 as 1, by their first pixels .45 and .55."""
    images = np.zeros((60, 28, 28, 1), np.float32)
    images[0, 0, 0], images[1, 0, 0] = 0.45, 0.55
    split = mnist.Split(images, np.arange(60) % 10, "validation", "mnist")
    digits = mnist.Digits(DIGITS.train, split, DIGITS.test, source="mnist", origin="made up")
    monkeypatch.setattr(mnist, "current", lambda: digits)
    return keras.Sequential([keras.Input((28, 28, 1)), Ramp()]), images


def brighter(image, by):
    changed = image.copy()
    changed[0, 0] += by
    return changed


def test_a_small_change_that_is_misread_is_right(ramp):
    network, images = ramp
    assert check("14-4", (network, 0, brighter(images[0], 0.1))).passed
    assert check("14-4", [network, np.int64(1), brighter(images[1], -0.14)[..., 0]]).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda network, images: network, "three things"),
        (lambda network, images: (network, 60, images[0]), "0 to 59"),
        (lambda network, images: (network, 0, images[0][:5]), "should have the shape"),
        (lambda network, images: (network, 0, images[0] - 0.1), "between 0 and 1"),
        (lambda network, images: (network, 0, brighter(images[0], 0.3)), "largest change of a pixel is 0.30"),
        (lambda network, images: (network, 0, brighter(images[0], 0.02)), "still reads a 0"),
        (lambda network, images: (network, 2, brighter(images[2], 0.1)), "not fair"),
        (lambda network, images: ("network", 0, images[0]), "Keras network"),
    ],
)
def test_usual_mistakes_in_breaking_it(ramp, answer, hint):
    result = check("14-4", answer(*ramp))
    assert result.passed is False
    assert hint in result.message


def test_breaking_it_is_open_as_long_as_nothing_is_handed_over(ramp):
    assert check("14-4", ...).passed is None
