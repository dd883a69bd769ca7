"""The graders of notebook 10: the solutions pass, and usual mistakes get the hint meant for them."""

from math import comb

import numpy as np
from graders import OPEN, RIGHT, judged
from scipy.stats import binom
from small import digits_of

from mnist_helpers.common.backend import keras, layers


def tail(first):
    return lambda n, p: sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(first(n), n + 1))


def counted(told):
    return np.array([np.bincount(column).argmax() for column in told.T])


def last_of_ties(told):
    return np.array([9 - np.bincount(column, minlength=10)[::-1].argmax() for column in told.T])


def with_logarithms(probabilities):
    with np.errstate(divide="ignore"):
        return np.log(probabilities).mean(axis=0).argmax(axis=1)


def spoilt_by_nan(probabilities):
    with np.errstate(divide="ignore", invalid="ignore"):
        return (np.log(probabilities) * (probabilities >= 0) - np.log(probabilities) * 0).mean(axis=0).argmax(axis=1)


def errors_of(probabilities, labels):
    return int(np.sum(probabilities.argmax(axis=-1) != labels))


def greedy(members, labels, k):
    chosen = []
    for _ in range(k):
        left = [i for i in range(len(members)) if i not in chosen]
        chosen.append(min(left, key=lambda i: errors_of(members[[*chosen, i]].mean(axis=0), labels)))
    return chosen


def best_alone(members, labels, k):
    return np.argsort([errors_of(member, labels) for member in members])[:k]


test_jury = judged(
    "10-1",
    [
        (tail(lambda n: n // 2 + 1), RIGHT),
        (lambda n, p: ..., OPEN),
        (lambda n, p: binom.pmf(n // 2 + 1, n, p), "smallest majority alone"),
        (tail(lambda n: n // 2), "one too early"),
        (lambda n, p: 1 - tail(lambda n: n // 2 + 1)(n, p), "is right"),
        (lambda n, p: p, "Try p = 0, 0.5 and 1"),
    ],
)


test_vote = judged(
    "10-2",
    [
        (counted, RIGHT),
        (lambda told: counted(told).tolist(), RIGHT),
        (lambda told: ..., OPEN),
        (lambda told: told.mean(axis=0).round().astype(int), "no member said"),
        (lambda told: np.median(told, axis=0), "median"),
        (lambda told: counted(told.T)[:4], "along which axis"),
        (lambda told: np.array([np.bincount(c).max() for c in told.T]), "counts of votes"),
        (last_of_ties, "smallest of the tied"),
        (lambda told: told[0], "3 9 3 9 3"),
    ],
)


test_geometric_mean = judged(
    "10-3",
    [
        (with_logarithms, RIGHT),
        (lambda p: ..., OPEN),
        (lambda p: p.mean(axis=0).argmax(axis=1), "arithmetic mean"),
        (lambda p: np.exp(np.log(p + 1e-12).mean(axis=0)), "Which digit"),
        (lambda p: p[2].argmax(axis=1)[::-1], "root of their product"),
        (spoilt_by_nan, "logarithm"),
        (lambda p: p[0].argmax(axis=1)[:2], "Three images"),
    ],
)


test_choice = judged(
    "10-4",
    [
        (greedy, RIGHT),
        (lambda *given: np.array(greedy(*given)), RIGHT),
        (lambda members, labels, k: ..., OPEN),
        (best_alone, "err on the same images"),
        (lambda members, labels, k: greedy(members, labels, k)[::-1], "first choice"),
        (lambda members, labels, k: [1, 2][:k], "Begin with the best"),
        (lambda members, labels, k: [0, 0], "Two different positions"),
        (lambda members, labels, k: greedy(members, labels, 2), "One member"),
    ],
)


DIGITS = digits_of(train=120)


def member(seed, epochs=30):
    keras.utils.set_random_seed(seed)
    network = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")])
    network.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    if epochs:
        network.fit(DIGITS.train.images, DIGITS.train.labels, epochs=epochs, verbose=0)
    return network


def joined(members, after=lambda mean: mean):
    image = keras.Input((28, 28, 1))
    outputs = [each(image) for each in members]
    return keras.Model(image, after(layers.Average()(outputs)))


def shuffled(mean):
    """The right tenth of the probabilities, with the digits in another order."""
    order = keras.layers.Dense(10, use_bias=False)
    order.build((None, 10))
    order.set_weights([np.roll(np.eye(10), 1, axis=1)])
    return order(mean)


def twice():
    first = member(0)
    return joined([first, first, member(1)])


test_own_committee = judged(
    "10-5",
    [
        (lambda: joined([member(0), member(1), member(2)]), RIGHT),
        (lambda: joined([member(0), member(1), member(2), member(3)]), RIGHT),
        (lambda: ..., OPEN),
        (lambda: [member(0), member(1)], "a Keras network"),
        (lambda: keras.Sequential([keras.Input((20, 20, 1)), layers.Flatten(), layers.Dense(10)]), "(28, 28, 1)"),
        (lambda: member(0), "No layer in it takes the mean"),
        (lambda: joined([member(0), member(1)]), "It joins 2 networks"),
        (twice, "one network, taken twice"),
        (lambda: joined([member(0), member(1), member(2, epochs=0)]), "Were all three fitted?"),
        (lambda: joined([member(0), member(1), member(2)], shuffled), "More epochs"),
    ],
    build=True,
    digits=DIGITS,
)
