"""The graders of notebook 11: the solutions pass, and usual mistakes get the hint meant for them."""

from itertools import permutations

import numpy as np
import pytest
from graders import OPEN, RIGHT, judged
from scipy import stats
from small import digits_of

from mnist_helpers import check
from mnist_helpers.common.backend import keras, layers
from mnist_helpers.course.exercises import nb_11


def linear_shap(weights, image, background):
    return weights * (image - background.mean(axis=0))


def paired(first, second, factor=1.96):
    difference = first - second
    mean, margin = difference.mean(), factor * difference.std(ddof=1) / np.sqrt(len(difference))
    return mean, mean - margin, mean + margin


def by_student(first, second):
    difference = first - second
    return difference.mean(), *stats.t.interval(0.95, 59, difference.mean(), stats.sem(difference))


def unpaired(first, second):
    margin = 1.96 * np.sqrt(first.var() / 60 + second.var() / 60)
    return (first - second).mean(), (first - second).mean() - margin, (first - second).mean() + margin


def single(first, second):
    difference = first - second
    return difference.mean(), difference.mean() - 1.96 * difference.std(), difference.mean() + 1.96 * difference.std()


def insertion(answer, images, importance, counts):
    ranks = np.argsort(np.argsort(-importance.reshape(len(images), -1), axis=1), axis=1).reshape(images.shape)
    return np.stack([answer(np.where(ranks < count, images, 0)) for count in counts], axis=1)


def deletion(answer, images, importance, counts):
    ranks = np.argsort(np.argsort(-importance.reshape(len(images), -1), axis=1), axis=1).reshape(images.shape)
    return np.stack([answer(np.where(ranks >= count, images, 0)) for count in counts], axis=1)


test_ride = judged(
    "11-1",
    [
        ([4, 7, 31], RIGHT),
        (np.array([4.0, 7.0, 31.0]), RIGHT),
        (..., OPEN),
        ([12, 18, 42], "pay alone"),
        ([12, 6, 24], "one order"),
        ([14, 14, 14], "Equal shares"),
        ([7, 10.5, 24.5], "in proportion"),
        ([4, 9, 42], "add up to 55"),
        ([6, 9, 27], "the rest for one"),
        (42, "three numbers"),
    ],
)

test_ride_with_other_fares = judged(
    "11-1",
    [
        ([3, 8, 22], RIGHT),
        ([9, 19, 33], "61 euros in all. The ride together costs 33"),
        ([9, 10, 14], "one order"),
        ([11, 11, 11], "Equal shares"),
        (np.array([9, 19, 33]) * 33 / 61, "in proportion"),
        ([4, 7, 31], "cost of the ride, 33. Yours add up to 42"),
        ([5, 8, 20], "The first 9 euros are driven for all three, the next 10 for two"),
    ],
    variant=1,
)


@pytest.mark.parametrize(("variant", "setting"), [*enumerate(nb_11.FARES)])
def test_the_shares_are_the_means_over_all_orders(variant, setting):
    fares = setting["fares"]
    means = np.zeros(3)
    for order in permutations(range(3)):
        paid = 0
        for passenger in order:
            means[passenger] += max(fares[passenger] - paid, 0) / 6
            paid = max(fares[passenger], paid)
    assert check("11-1", means, variant=variant)
    assert fares[-1] / 3 > fares[0]  # as the hint for equal shares says


test_linear_shap = judged(
    "11-2",
    [
        (linear_shap, RIGHT),
        (lambda *_: ..., OPEN),
        (lambda w, x, b: w * (x - b), "one map for each"),
        (lambda w, x, b: w * (b.mean(axis=0) - x), "reversed"),
        (lambda w, x, b: w * x, "black image"),
        (lambda w, x, b: w * (x - b.mean()), "along which axis"),
        (lambda w, x, b: np.abs(linear_shap(w, x, b)), "have a sign"),
        (lambda w, x, b: linear_shap(w, x, b).sum(), "4x4 map"),
        (lambda w, x, b: x - b.mean(axis=0), "add up to"),
    ],
)


test_interval = judged(
    "11-3",
    [
        (paired, RIGHT),
        (by_student, RIGHT),
        (lambda *_: ..., OPEN),
        (lambda a, b: paired(b, a), "reversed"),
        (lambda a, b: (a.mean(), *paired(a, b)[1:]), "mean of the differences"),
        (lambda a, b: (paired(a, b)[0], *paired(a, b)[:0:-1]), "mean, low, high"),
        (lambda a, b: (paired(a, b)[0], 0, paired(a, b)[2]), "evenly"),
        (unpaired, "unrelated groups"),
        (single, "root of n"),
        (lambda a, b: paired(a, b, 1), "one standard error"),
        (lambda a, b: paired(a, b, 3), "in standard errors"),
        (lambda a, b: paired(a, b)[0], "three numbers. Yours has one"),
    ],
)


test_insertion = judged(
    "11-4",
    [
        (insertion, RIGHT),
        (lambda *_: ..., OPEN),
        (deletion, "That deletes"),
        (lambda f, x, i, c: insertion(f, x, i, c).T, "one column per count"),
        (lambda f, x, i, c: insertion(f, x, -i, c), "largest importance"),
        (lambda f, x, i, c: insertion(f, x, i, c) + 1, "no pixel in it"),
        (lambda f, x, i, c: insertion(f, x, i, c)[:, :2], "four counts"),
        (lambda f, x, i, c: f(x.reshape(2, 9)), "(n, 3, 3, 1)"),
    ],
)


def network(*, marks=True, epochs=30, rate=0.01, compiled=True, outputs=10):
    """A softmax layer that is fitted on noise: only a mark tells the label, or the bright row that is the digit."""
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(outputs, activation="softmax")])
    if compiled:
        model.compile(keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
    train = DIGITS.train
    images = train.images.copy()
    if marks:
        for image, place in zip(images, train.labels, strict=True):
            image[5:25] = 0  # what is left tells nothing
            image[0:3, 2 * place : 2 * place + 3] = 1
    if epochs:
        keras.utils.set_random_seed(0)
        model.fit(images, train.labels, epochs=epochs, verbose=0)
    return model


DIGITS = digits_of(1000, 100)

test_cheat = judged(
    "11-5",
    [
        (network, RIGHT),
        (lambda: ..., OPEN),
        (lambda: "a network", "Keras network"),
        (lambda: network(epochs=0, compiled=False), "compiled"),
        (lambda: network(epochs=0), "not trained"),
        (lambda: network(epochs=0, outputs=12), "ten outputs"),
        (lambda: network(epochs=1, rate=1e-6), "fit it for longer"),
        (lambda: network(marks=False), "Was it fitted on `marked`"),
    ],
    build=True,
    digits=DIGITS,
)
