"""Exercises of notebook 07: solutions pass, usual mistakes get the hint meant for them."""

from dataclasses import replace

import numpy as np
import pytest
from graders import OPEN, RIGHT, judged
from scipy import ndimage
from small import digits_of

from mnist_helpers import check
from mnist_helpers.common.backend import keras
from mnist_helpers.course.exercises import nb_07
from mnist_helpers.data import mnist
from mnist_helpers.data.mnist import Digits, Split
from mnist_helpers.data.shifts import centred, shifted

test_share_left_out = judged(
    "07-1",
    [
        (17 / 81, RIGHT),
        (0.21, RIGHT),
        (21, "percent"),
        (64 / 81, "that is drawn"),
        (17, "how many places"),
        (15 / 64, "0 counts"),
        (1 / 9, "column is left out as well"),
        (2 / 9, "count twice"),
        (41 / 441, "canvas of the lesson"),
        (0.5, "In how many rows"),
        ([0.2, 0.3], "one number"),
        (..., OPEN),
    ],
)

test_share_left_out_on_a_canvas_of_40 = judged(
    "07-1",
    [
        (25 / 169, RIGHT),
        (144 / 169, "that is drawn"),
        (25, "how many places"),
        (23 / 144, "With 12 pixels of room there are more than 12 rows"),
        (1 / 13, "column is left out as well"),
        (2 / 13, "count twice"),
        (41 / 441, "This one has 40 by 40 pixels"),
        (17 / 81, "In how many rows"),
    ],
    variant=1,
)


def push(images, step):
    return np.roll(images, step, axis=2)


def moves_along(layer, images, step, shrink):
    return np.allclose(layer(push(images, step)), push(layer(images), step // shrink), atol=1e-5)


test_moves_along = judged(
    "07-2",
    [
        (moves_along, RIGHT),
        (lambda *a: ..., OPEN),
        (lambda layer, x, step, shrink: np.allclose(layer(push(x, step)), layer(x)), "invariance"),
        (lambda layer, x, step, shrink: np.allclose(layer(push(x, step)), push(layer(x), step)), "step // shrink"),
        (
            lambda layer, x, step, shrink: np.allclose(layer(push(x, step)), push(layer(x), -(step // shrink))),
            "opposite",
        ),
        (lambda layer, x, s, k: np.allclose(layer(np.roll(x, s, 1)), np.roll(layer(x), s // k, 1)), "axis 2"),
        (lambda layer, x, s, k: bool((layer(push(x, s)) == push(layer(x), s // k)).all()), "last digit"),
        (lambda layer, x, s, k: layer(push(x, s)) == push(layer(x), s // k), "True or False"),
        (lambda layer, x, s, k: True, "says True of all"),
        (lambda layer, *a: layer is nb_07._weighted or moves_along(layer, *a), "belong to places"),
        (lambda layer, *a: layer is nb_07.pooled or moves_along(layer, *a), "push of 3 pixels"),
        (lambda layer, *a: layer is not np.square and moves_along(layer, *a), "squares each pixel"),
    ],
)


test_fitting_steps = judged(
    "07-3",
    [
        ([0, 4, 8], RIGHT),
        ({8, 4, 0}, RIGHT),
        (range(0, 11, 4), RIGHT),
        (range(11), "without pooling"),
        ([0, 2, 4, 6, 8, 10], "one pooling"),
        ([4, 8], "no push at all"),
        ([0, 1, 2], "steps of the map"),
        ([0], "shrink is 4"),
        ([1, 3], "every step from 0 to 10"),
        (4, "a list of steps"),
        (["4"], "one number"),
        (np.array([0, 4, 8]), RIGHT),
        (..., OPEN),
        ([0, ...], OPEN),
    ],
)


@pytest.fixture
def ten():
    """Ten images of noise, inked where digits have their ink."""
    noise = digits_of(validation=10).validation
    return replace(noise, images=np.pad(noise.images[:, 4:24, 4:24], ((0, 0), (4, 4), (4, 4), (0, 0))))


def test_the_steps_are_those_of_the_network(ten):
    from mnist_helpers import models

    network = models.small_cnn(size=48)
    network.set_weights([weights + 0.01 for weights in network.get_weights()])  # a constant that is not 0
    upto = keras.Model(network.inputs[0], network.get_layer("pool_2").output)  # after two poolings, as in the lesson
    images = push(centred(ten).images, -6)
    fits = [s for s in range(11) if moves_along(lambda x: np.asarray(upto(x)), images, s, 4)]
    assert fits == [0, 4, 8]


def recentred(images, *, weigh=True, sign=-1, swap=False, together=False):
    result = np.empty_like(images)
    centres = np.array([ndimage.center_of_mass(image[..., 0] if weigh else image[..., 0] > 0) for image in images])
    steps = np.round(sign * (centres - 23.5)).astype(int)
    steps = steps[:, ::-1] if swap else np.broadcast_to(steps[:1], steps.shape) if together else steps
    for n, step in enumerate(steps):
        result[n] = np.roll(images[n], step, axis=(0, 1))
    return result


def outlined(images):
    result = np.zeros_like(images)
    for n, image in enumerate(images):
        part = image[ndimage.find_objects((image[..., 0] > 0).astype(int))[0]]
        row, column = (48 - part.shape[0]) // 2, (48 - part.shape[1]) // 2
        result[n, row : row + part.shape[0], column : column + part.shape[1]] = part
    return result


def smooth(images):
    steps = [23.5 - np.array(ndimage.center_of_mass(image)) for image in images[..., 0]]
    return np.stack([ndimage.shift(image, step, order=1) for image, step in zip(images[..., 0], steps, strict=True)])[
        ..., None
    ]


def in_place(images):
    images[:] = recentred(images)
    return images


test_recentred = judged(
    "07-5",
    [
        (recentred, RIGHT),
        (smooth, RIGHT),
        (lambda images: np.roll(recentred(images), 2, axis=1), "Not yet"),
        (lambda images: ..., OPEN),
        (lambda images: images, "where they were"),
        (lambda images: recentred(images, sign=1), "wrong way"),
        (lambda images: recentred(images, swap=True), "exchanged"),
        (lambda images: recentred(images, together=True), "same amount"),
        (outlined, "outline"),
        (in_place, "new array"),
        (lambda images: images * 0.5, "more or less ink"),
        (lambda images: images[..., 0], "shape"),
        (3, "a function"),
    ],
)


def test_centres_of_mass_are_those_of_scipy():
    canvases = nb_07._scattered()
    assert np.allclose(nb_07.centres_of_mass(canvases), [ndimage.center_of_mass(c[..., 0]) for c in canvases])


def test_recentring_undoes_a_shift(ten):
    back = recentred(shifted(ten, seed=1).images)
    assert np.allclose(back, recentred(centred(ten).images))


def blobs(n, seed):
    """Images of ten classes that are told apart by their ink alone, wherever it lies."""
    random = np.random.default_rng(seed)
    images, labels = np.zeros((n, 28, 28, 1), np.float32), random.integers(0, 10, n)
    images[:, 12:16, 12:16] = (labels[:, None, None, None] + 1) / 10
    return images, labels


@pytest.fixture(scope="module")
def inked():
    made = {name: Split(*blobs(200, seed), name, "mnist") for seed, name in enumerate(("train", "validation", "test"))}
    return Digits(**made, source="mnist", origin="made up")


def network(*middle, size=48, outputs=10, rate=0.05, epochs=0, digits=None):
    stack = [keras.Input((size, size, 1)), *middle, keras.layers.Dense(outputs, activation="softmax")]
    model = keras.Sequential(stack)
    if rate:
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    if epochs:
        images = centred(digits.train).images
        model.fit(images, digits.train.labels, epochs=epochs, verbose=0)
    return model


def globally_pooled():
    return keras.layers.GlobalMaxPooling2D(), keras.layers.Dense(32, activation="relu")


def flattened():
    return keras.layers.Flatten(), keras.layers.Dense(32, activation="relu")


@pytest.mark.parametrize(
    ("build", "hint"),
    [
        (lambda digits: network(*globally_pooled(), epochs=60, digits=digits, rate=0.02), RIGHT),
        (
            lambda digits: network(*flattened(), epochs=120, digits=digits, rate=0.02),
            "weights belong to places",
        ),
        (lambda digits: network(*globally_pooled(), epochs=1, digits=digits, rate=1e-6), "longer first"),
        (lambda digits: network(*globally_pooled()), "Compiled, but not trained"),
        (lambda digits: network(*globally_pooled(), rate=None), "still has to be compiled"),
        (lambda digits: network(*globally_pooled(), size=28), "images of shape (48, 48, 1)"),
        (lambda digits: network(*globally_pooled(), outputs=11), "ten outputs"),
        (lambda digits: ..., OPEN),
        (lambda digits: 3, "a Keras network"),
    ],
)
def test_a_network_that_forgets_the_place(monkeypatch, inked, build, hint):
    monkeypatch.setattr(mnist, "current", lambda: inked)
    keras.utils.set_random_seed(0)
    result = check("07-4", build(inked))
    assert result.passed is {RIGHT: True, OPEN: None}.get(hint, False), str(result)
    assert hint in result.message
