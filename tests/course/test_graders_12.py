"""Exercises of notebook 12: solutions pass, usual mistakes get the hint meant for them."""

import numpy as np
from graders import OPEN, RIGHT, judged

test_receptive_field = judged(
    "12-1",
    [
        (16, RIGHT),
        (7, "first layer sees"),
        (11, "without pooling"),
        (12, "adding 7 and 5"),
        (15, "not of nine"),
        (17, "counted among the ten"),
        (18, "second pooling"),
        (256, "across"),
        (28, "Go back from the end"),
        ("16", "one number"),
        (..., OPEN),
    ],
)


def test_the_receptive_field_is_that_of_the_network():
    from mnist_helpers import explain, models

    network = models.large_kernel_cnn()
    filters = [np.ones_like(w) if w.ndim > 1 else np.zeros_like(w) for w in network.get_weights()]
    network.set_weights(filters)
    point = np.zeros((28, 28, 28, 1), np.float32)
    point[np.arange(28), 14, np.arange(28)] = 1  # one lit pixel an image, in each column
    seen = explain.activations(network, point, "conv_2")[:, 7, 7, 0] > 0
    assert seen.sum() == 16


test_dead_filters = judged(
    "12-2",
    [
        (lambda maps: np.flatnonzero(maps.max(axis=(0, 1, 2)) == 0), RIGHT),
        (lambda maps: [k for k in range(maps.shape[-1]) if not maps[..., k].any()], RIGHT),
        (lambda maps: maps.max(axis=(0, 1, 2)) == 0, "mark for each filter"),
        (lambda maps: (maps.max(axis=(0, 1, 2)) == 0).sum(), "how many"),
        (lambda maps: np.flatnonzero(maps.max(axis=(0, 1, 2)) > 0), "the living"),
        (lambda maps: np.flatnonzero((maps.max(axis=(1, 2)) == 0).any(axis=0)), "silent for some"),
        (lambda maps: np.flatnonzero(maps.mean(axis=(0, 1, 2)) < 0.01), "answers weakly"),
        (lambda maps: [1, 4], "among the living"),
        (lambda maps: np.flatnonzero(maps.max(axis=(1, 2, 3)) == 0), "last axis"),
        (lambda maps: ..., OPEN),
        (3, "a function"),
    ],
)


def drops(answer, image, size, *, last=1, sign=1, patch=None, copy=True, value=0.0):
    height, width = (side - size + last for side in image.shape[:2])
    result, before = np.zeros((height, width)), answer(image[None])[0]
    for row in range(height):
        for column in range(width):
            covered = image.copy() if copy else image
            covered[row : row + (patch or size), column : column + (patch or size)] = value
            result[row, column] = sign * (before - answer(covered[None])[0])
    return result


test_drops = judged(
    "12-3",
    [
        (drops, RIGHT),
        (lambda *a: drops(*a, last=0), "left out"),
        (lambda *a: drops(*a, sign=-1), "sign"),
        (lambda *a: drops(*a).T, "exchanged"),
        (lambda *a: drops(*a, patch=3), "not for one of 2"),
        (lambda *a: drops(*a, value=1.0), "filled with 0"),
        (lambda *a: drops(*a, copy=False), "changes the image"),
        (lambda answer, image, size: answer(image[None])[0] - drops(answer, image, size), "that is left"),
        (lambda answer, image, size: answer(image), "image[None]"),
        (lambda answer, image, size: np.zeros(image.shape[:2]), "should be (4, 3)"),
        (lambda *a: ..., OPEN),
        (3, "a function"),
    ],
)


def r(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


def each(method, trained, fresh, x, y):
    return [r(a, b) for a, b in zip(method(trained, x, y), method(fresh, x, y), strict=True)]


test_sanity = judged(
    "12-4",
    [
        (lambda *a: np.mean(each(*a)), RIGHT),
        (lambda *a: np.sum(each(*a)), "the sum"),
        (each, "one number"),
        (lambda method, t, f, x, y: r(method(t, x, y), method(f, x, y)), "thrown together"),
        (lambda method, t, f, x, y: np.mean(each(lambda *g: abs(method(*g)), t, f, x, y)), "signs were dropped"),
        (lambda method, t, f, x, y: np.mean(each(method, t, t, x, y)), "same network"),
        (lambda method, t, f, x, y: r(method(t, x, y).mean(0), method(f, x, y).mean(0)), "mean maps"),
        (lambda *a: 0.0, "Not yet"),
        (lambda *a: ..., OPEN),
    ],
)
