"""The graders of notebook 03: right answers pass, the usual wrong ones get the hint meant for them."""

import math

import numpy as np
import pytest
from graders import OPEN, RIGHT, judged
from small import digits_of

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


def step(images, labels, weights, rate, mean=True, sign=1):
    d_s = np.array([softmax(sums) for sums in images @ weights]) - np.eye(weights.shape[1])[labels]
    return weights - sign * rate * images.T @ d_s / (len(images) if mean else 1)


def in_place(images, labels, weights, rate):
    weights += step(images, labels, weights, rate) - weights
    return weights


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
        (784 * 512 + 512 * 256 + 256 * 10, "one bias as well"),
        (784 * 512 + 512 + 512 * 256 + 256 + 256 * 10, "last layer"),
        (535_818 + 784, "784 pixels are inputs"),
        (535_818 - 2_570, "ten outputs is missing"),
        (512 + 256 + 10, "These are the units"),
        (512 * 256 + 256 + 256 * 10 + 10, "first layer is missing"),
        (244_522, "dense_network"),
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


test_hints_on_a_step = judged(
    "03-3",
    [
        (step, RIGHT),
        (lambda *given: step(*given).tolist(), RIGHT),
        (lambda *_: ..., OPEN),
        (lambda *given: step(*given, sign=-1), "The sign"),
        (lambda *given: step(*given, mean=False), "mean over its images"),
        (lambda x, y, w, rate: step(x, y, w, 1), "learning rate is missing"),
        (lambda x, y, w, rate: step(x, y, w, rate**2), "applied twice"),
        (lambda x, y, w, rate: w - step(x, y, w, 1), "Now take the step"),
        (lambda x, y, w, rate: step(x, y, w, rate) - w, "not only the change"),
        (lambda x, y, w, rate: w - rate * x.T @ [softmax(s) for s in x @ w] / len(x), "Subtract 1"),
        (lambda x, y, w, rate: w, "have not changed"),
        (lambda x, y, w, rate: w**2, "Not yet"),
        (lambda x, y, w, rate: step(x, y, w, rate).T, "shape (4, 3)"),
        (lambda x, y, w, rate: w[99], "an IndexError"),
        (in_place, "changes the array"),
    ],
)


def fitted(*stack, epochs=20, brightness=1):
    """A network that learned the made-up digits of this test, whose accuracy counts as that of MNIST."""
    keras.utils.set_random_seed(0)
    model, train = network(*stack), DIGITS.train
    model.compile(keras.optimizers.Adam(0.01 if brightness == 1 else 0.001), "sparse_categorical_crossentropy")
    if epochs:
        model.fit(brightness * train.images, train.labels, epochs=epochs, verbose=0)
    return model


DIGITS = digits_of(train=2000)  # enough for either network to read nearly all of them, on any processor


@pytest.fixture(autouse=True)
def _seeded():
    """A layer draws the seed of its initial weights when it is made."""
    keras.utils.set_random_seed(0)


def apart():
    return layers.Dense(16), layers.ReLU(), layers.Dense(16), layers.Activation("tanh")


test_hints_on_the_small_network = judged(
    "03-4",
    [
        (lambda: fitted(hidden(32), hidden()), RIGHT),
        (lambda: fitted(*apart()), RIGHT),
        (lambda: ..., OPEN),
        (lambda: 3, "should be a Keras network"),
        (keras.callbacks.History, "the network itself"),
        (lambda: keras.Sequential([layers.Flatten(), hidden(), hidden(), layers.Dense(10)]), "Begin with keras.Input"),
        (lambda: network(hidden(), hidden(), input_shape=(784,)), "Begin with keras.Input"),
        (lambda: network(hidden()), "There are 2 Dense layers"),
        (lambda: network(hidden(activation=None), hidden()), "there is no activation"),
        (lambda: network(hidden(), layers.Dense(16), layers.Dropout(0.2)), "there is no activation"),
        (lambda: network(hidden(128), hidden()), "It has 102,714 parameters"),
        (lambda: network(hidden(), hidden(), last=None), "no probabilities"),
        (lambda: network(hidden(), hidden(), last="sigmoid"), "no probabilities"),
        (lambda: keras.Sequential([keras.Input((28, 28, 1)), *[hidden() for _ in range(3)]]), "4 rows of 10"),
        (lambda: keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(2, 3), hidden()]), "notebook 04"),
        (lambda: network(keras.Sequential([hidden(), layers.Dropout(0.1), hidden()])), "still has to be compiled"),
        (lambda: fitted(hidden(), hidden(), epochs=0), "Compiled, but not trained"),
        (lambda: fitted(hidden(2), hidden(2), epochs=1), "More epochs"),
        (lambda: fitted(hidden(32), hidden(activation="sigmoid"), brightness=255), "their pixels go from 0 to 255"),
    ],
    build=True,
    digits=DIGITS,
)
