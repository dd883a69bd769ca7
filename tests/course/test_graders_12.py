"""Exercises of notebook 12: solutions pass, usual mistakes get the hint meant for them."""

import numpy as np
import pytest
from graders import OPEN, RIGHT, judged
from small import digits_of

from mnist_helpers import check, models
from mnist_helpers.common.backend import keras, layers
from mnist_helpers.course.exercises import nb_12

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

test_receptive_field_of_smaller_kernels = judged(
    "12-1",
    [
        (10, RIGHT),
        (6, "Each of them sees 5 pixels"),
        (7, "without pooling"),
        (8, "adding 5 and 3"),
        (9, "Nearly. Three pooled pixels are made of six, and not of five"),
        (11, "Six pixels in a row see 5 pixels each, but the first of the 5 is counted among the six"),
        (15, "3 times 5"),
        (30, "nearly the same 5 pixels"),
        (100, "across"),
        (16, "three pooled pixels"),
    ],
    variant=1,
)


@pytest.mark.parametrize(("variant", "setting"), [*enumerate(nb_12.KERNELS)])
def test_the_receptive_field_is_what_the_two_kernels_and_pooling_reach(variant, setting):
    pooled = range(setting["second"])
    before = {2 * place + step for place in pooled for step in (0, 1)}
    seen = {place + step for place in before for step in range(setting["first"])}
    assert check("12-1", len(seen), variant=variant)


def test_the_receptive_field_is_that_of_the_network():
    model = models.large_kernel_cnn()
    model.set_weights([np.ones_like(w) if w.ndim > 1 else np.zeros_like(w) for w in model.get_weights()])
    inner = keras.Model(model.inputs, model.get_layer("conv_2").output)
    point = np.zeros((28, 28, 28, 1), np.float32)
    point[np.arange(28), 14, np.arange(28)] = 1  # one lit pixel an image, in each column
    seen = inner.predict(point, verbose=0)[:, 7, 7, 0] > 0
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


def network(*, epochs=8, convolution=True):
    """A small network that may have learned the made-up digits of this test."""
    keras.utils.set_random_seed(0)
    first = [layers.Conv2D(4, 5, strides=3, activation="relu", name="first")] if convolution else []
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), *first, layers.Flatten(), layers.Dense(10, activation="softmax")]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
    if epochs:
        model.fit(DIGITS.train.images, DIGITS.train.labels, epochs=epochs, verbose=0)
    return model


def pair(inside, **settings):
    """A network, and what a function makes of it."""
    model = network(**settings)
    return model, inside(model)


def ending_at(model, place=0):
    return keras.Model(model.inputs, model.layers[place].output)


DIGITS = digits_of()
test_hints_for_a_network_and_its_inside = judged(
    "12-3",
    [
        (lambda: pair(ending_at), RIGHT),
        (lambda: (..., ...), OPEN),
        (network, "two things"),
        (lambda: pair(ending_at, epochs=0), "Compiled, but not trained"),
        (lambda: pair(ending_at, convolution=False), "no convolution"),
        (lambda: pair(lambda model: ending_at(model).predict(DIGITS.test.images, verbose=0)), "Leave out the predict"),
        (lambda: pair(lambda model: model.layers[0]), "This is a Conv2D"),
        (lambda: pair(lambda model: ending_at(model, 1)), "have the shape (8, 8, 4)"),
        (lambda: pair(lambda model: ending_at(network(epochs=0))), "the numbers differ"),
        (
            lambda: pair(lambda model: keras.Model(model.inputs, [each.output for each in model.layers])),
            "several outputs",
        ),
    ],
    build=True,
    digits=DIGITS,
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
