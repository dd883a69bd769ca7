"""The graders of notebook 03: right answers pass, the usual wrong ones get the hint meant for them."""

import math

import numpy as np
from graders import OPEN, RIGHT, judged

from mnist_helpers.common.backend import keras

layers = keras.layers


def softmax(sums):
    powers = np.exp(sums - sums.max())
    return powers / powers.sum()


def cross_entropy(sums, label):
    shifted = sums - np.max(sums)
    return np.log(np.exp(shifted).sum()) - shifted[label]


def with_math(sums, label):
    return -math.log(math.exp(sums[label]) / sum(math.exp(value) for value in sums))


def merged(w1, b1, w2, b2):
    return w1 @ w2, b1 @ w2 + b2


def network(*stack, last="softmax", input_shape=(28, 28, 1)):
    return keras.Sequential(
        [keras.Input(input_shape), layers.Flatten(), *stack, layers.Dense(10, activation=last)], name="small"
    )


def hidden(units=16, activation="relu"):
    return layers.Dense(units, activation=activation)


test_hints_on_parameters = judged(
    "03-1",
    [
        (535_818, RIGHT),
        (..., OPEN),
        (784 * 512 + 512 * 256 + 256 * 10, "one constant as well"),
        (784 * 512 + 512 + 512 * 256 + 256 + 256 * 10, "last layer"),
        (535_818 + 784, "784 pixels are inputs"),
        (535_818 - 2_570, "ten outputs is missing"),
        (512 + 256 + 10, "These are the units"),
        (512 * 256 + 256 + 256 * 10 + 10, "first layer is missing"),
        (244_522, "deep_dense"),
        (1, "Not yet"),
        ("535,818", "one number"),
    ],
)


test_hints_on_cross_entropy = judged(
    "03-2",
    [
        (cross_entropy, RIGHT),
        (lambda *_: ..., OPEN),
        (lambda sums, label: softmax(sums)[label], "probabilities"),
        (lambda sums, label: -cross_entropy(sums, label), "sign"),
        (lambda sums, label: cross_entropy(sums, label) / np.log(2), "base 2"),
        (lambda sums, label: cross_entropy(sums, label) / np.log(10), "base 10"),
        (lambda sums, label: 1 - softmax(sums)[label], "1 - p"),
        (lambda sums, label: -np.log(softmax(sums)).sum(), "Pick it out by the label"),
        (lambda sums, label: -np.log(softmax(sums)).mean(), "mean over all digits"),
        (lambda sums, label: -np.log(np.exp(sums) / np.exp(sums).sum())[label], "exp overflows"),
        (with_math, "exp overflows"),
        (lambda sums, label: sums[label], "Not yet"),
        (lambda sums, label: -np.log(softmax(sums)), "one number"),
    ],
)


test_hints_on_merging = judged(
    "03-3",
    [
        (merged, RIGHT),
        (lambda *_: ..., OPEN),
        (lambda w1, b1, w2, b2: (w2 @ w1, b1 @ w2 + b2), "The order: an image"),
        (lambda w1, b1, w2, b2: (w1 * w2, b1 @ w2 + b2), "entry by entry"),
        (lambda w1, b1, w2, b2: (w1 + w2, b1 @ w2 + b2), "not right yet"),
        (lambda w1, b1, w2, b2: (w1 @ w2, b1 + b2), "pass through"),
        (lambda w1, b1, w2, b2: (w1 @ w2, b2), "arrive at the second"),
        (lambda w1, b1, w2, b2: (w1 @ w2, b1 @ w2), "second layer are missing"),
        (lambda w1, b1, w2, b2: (w1 @ w2, w2 @ b1 + b2), "on the left"),
        (lambda w1, b1, w2, b2: (w1 @ w2, b1), "constants not yet"),
        (lambda w1, b1, w2, b2: w1 @ w2, "Two things"),
        (lambda w1, b1, w2, b2: (w1 @ w2, w1 @ w2), "shape (4,)"),
        (
            lambda w1, b1, w2, b2: (w1 @ w2, b1 @ w2 + b2) if len(b1) == 4 else (w1, b2),
            "shape (5, 2)",
        ),
    ],
)


BENDS_APART = layers.Dense(16), layers.ReLU(), layers.Dense(16), layers.Activation("tanh")
test_hints_on_the_small_network = judged(
    "03-4",
    [
        (lambda: network(hidden(32), hidden()), RIGHT),
        (lambda: lambda: network(hidden(32), hidden()), RIGHT),
        (lambda: network(*BENDS_APART), RIGHT),
        (lambda: network(keras.Sequential([hidden(), layers.Dropout(0.1), hidden()])), RIGHT),
        (lambda: ..., OPEN),
        (lambda: 3, "should be a Keras network"),
        (lambda: keras.Sequential([layers.Flatten(), hidden(), hidden(), layers.Dense(10)]), "Begin with keras.Input"),
        (lambda: network(hidden(), hidden(), input_shape=(784,)), "Begin with keras.Input"),
        (lambda: network(hidden()), "There are 2 Dense layers"),
        (lambda: network(hidden(activation=None), hidden()), "there is no bend"),
        (lambda: network(hidden(), layers.Dense(16), layers.Dropout(0.2)), "there is no bend"),
        (lambda: network(hidden(128), hidden()), "It has 102,714 parameters"),
        (lambda: network(hidden(), hidden(), last=None), "no probabilities"),
        (lambda: network(hidden(), hidden(), last="sigmoid"), "no probabilities"),
        (lambda: keras.Sequential([keras.Input((28, 28, 1)), *[hidden() for _ in range(3)]]), "4 rows of 10"),
        (lambda: keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(2, 3), hidden()]), "notebook 04"),
    ],
    build=True,
)
