"""Exercises of notebook 06: solutions pass, usual mistakes get the hint meant for them."""

import numpy as np
from graders import OPEN, RIGHT, judged

from mnist_helpers.course.exercises import nb_06


def stopped(losses, patience, *, first=1, late=0):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch - best == patience + late:
            return epoch + first, best + first
    return len(losses) - 1 + first, best + first


def normalised(x, radius, bias, alpha, beta):
    result = np.empty(len(x))
    for c in range(len(x)):
        window = x[max(c - radius, 0) : c + radius + 1]
        result[c] = x[c] / (bias + alpha * (window**2).sum()) ** beta
    return result


def test_the_count_is_that_of_the_layer():
    from mnist_helpers import models

    network = models.inception_net()
    counts = [network.get_layer(f"inception_{i}").count_params() for i in (1, 2, 3)]
    assert counts == [2110, nb_06.block_parameters(), nb_06.block_parameters(80)]


COUNT = 38 * 40 + 96  # of the four 1x1 convolutions, with the constants of all six
test_hints_on_the_block = judged(
    "06-1",
    [
        (8720, RIGHT),
        (..., OPEN),
        (8624, "constant"),
        (8720 - 38 * 16, "Not yet"),
        (nb_06.block_parameters(80), "inception_3"),
        (2110, "first block"),
        (COUNT + 8 * 3 * 32 + 8 * 5 * 24, "nine weights"),
        (COUNT + 8 * 32 + 8 * 24, "nine weights"),
        (COUNT + 38 * 9 * 32 + 38 * 25 * 24, "do not read 38"),
        ("8720", "one number"),
    ],
)


def test_early_stopping_is_that_of_keras():
    from mnist_helpers.common.backend import keras

    random = np.random.default_rng(0)
    for patience in (1, 2, 3, 5):
        losses = random.integers(0, 12, 20).tolist()
        callback = keras.callbacks.EarlyStopping(patience=patience)
        callback.set_model(keras.Sequential([keras.Input((1,))]))
        callback.model.stop_training = False
        callback.on_train_begin()
        for ran, loss in enumerate(losses, 1):
            callback.on_epoch_end(ran - 1, {"val_loss": loss})
            if callback.model.stop_training:
                break
        assert nb_06.early_stopping(losses, patience) == stopped(losses, patience) == (ran, callback.best_epoch + 1)


def never_reset(losses, patience):
    waits = [epoch for epoch in range(1, len(losses)) if losses[epoch] >= min(losses[:epoch])]
    ran = waits[patience - 1] + 1 if len(waits) >= patience else len(losses)
    return ran, int(np.argmin(losses[:ran])) + 1


def ties_count(losses, patience):
    return nb_06.early_stopping(losses, patience, ties=True)


test_early_stopping = judged(
    "06-2",
    [
        (stopped, RIGHT),
        (lambda losses, patience: list(stopped(losses, patience)), RIGHT),
        (lambda losses, patience: ..., OPEN),
        (lambda losses, patience: stopped(losses, patience, first=0), "counted from 0, like positions"),
        (
            lambda losses, patience: (stopped(losses, patience)[0], stopped(losses, patience, first=0)[1]),
            "The best epoch",
        ),
        (lambda losses, patience: stopped(losses, patience)[::-1], "other order"),
        (lambda losses, patience: stopped(losses, patience, late=1), "too many"),
        (lambda losses, patience: stopped(losses, patience, late=-1), "too soon"),
        (never_reset, "again from zero"),
        (ties_count, "must be lower"),
        (lambda losses, patience: (stopped(losses, patience)[0], int(np.argmin(losses)) + 1), "never seen"),
        (lambda losses, patience: stopped(losses, patience)[0], "two numbers"),
        (lambda losses, patience: (1, 1), "with a pencil"),
        (lambda losses: 3, "TypeError"),
    ],
)


def test_normalisation_is_that_of_the_layer():
    from mnist_helpers.models.layers import LocalResponseNormalization

    pixel = np.random.default_rng(1).random(9).astype(np.float32)
    layer = LocalResponseNormalization(3, 1.5, 0.2, 0.6)
    assert np.allclose(np.asarray(layer(pixel[None]))[0], normalised(pixel, 3, 1.5, 0.2, 0.6), atol=1e-6)


def sliced(x, low, high, *, power=2, own=1):
    sums = [(x[low(c) : high(c)] ** power).sum() - (1 - own) * x[c] ** 2 for c in range(len(x))]
    return np.array(sums)


def start(c):
    return max(c - 2, 0)


def end(c):
    return c + 3


def rolled(x, radius, bias, alpha, beta):
    return x / (bias + alpha * sum(np.roll(x, step) ** 2 for step in range(-radius, radius + 1))) ** beta


def in_place(x, radius, bias, alpha, beta):
    for c in range(len(x)):
        x[c] /= (bias + alpha * (x[max(c - radius, 0) : c + radius + 1] ** 2).sum()) ** beta
    return x


test_normalisation = judged(
    "06-3",
    [
        (normalised, RIGHT),
        (lambda *a: normalised(*a).tolist(), RIGHT),
        (lambda *a: ..., OPEN),
        (rolled, "go round"),
        (lambda x, r, k, a, b: x / (k + a * sliced(x, lambda c: c - 2, end)) ** b, "negative position"),
        (lambda x, r, k, a, b: x / (k + a * sliced(x, start, lambda c: c + 2)) ** b, "too soon"),
        (lambda x, r, k, a, b: x / (k + a * sliced(x, start, end, own=0)) ** b, "belongs to its window"),
        (lambda x, r, k, a, b: x / (k + a * sliced(x, start, end, power=1)) ** b, "squares"),
        (lambda x, r, k, a, b: x / (k + a * sliced(x, start, end)), "beta"),
        (lambda x, r, k, a, b: x / (k + (a * sliced(x, start, end)) ** b), "whole bracket"),
        (lambda x, r, k, a, b: x / (k + a / 5 * sliced(x, start, end)) ** b, "not divided by the number"),
        (lambda x, r, k, a, b: (k + a * sliced(x, start, end)) ** b, "to be divided by"),
        (lambda x, r, k, a, b: x * (k + a * sliced(x, start, end)) ** b, "multiplied"),
        (in_place, "new array"),
        (lambda x, *a: normalised(x, *a) if len(x) == 7 else x, "wider than the pixel"),
        (lambda x, *a: x, "with a pencil"),
        (lambda x, *a: x[:3], "seven numbers. Yours has three"),
    ],
)


def network(kind="residual", filters=8, activation="softmax", size=28):
    from mnist_helpers.common.backend import keras, layers

    image = keras.Input((size, size, 1))
    x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(image)
    y = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    z = layers.Conv2D(filters, 3, padding="same", activation="relu")(y if kind == "chain" else x)
    joined = {"residual": (x, y), "siblings": (y, z), "twice": (z, z)}
    x = layers.Add()(joined[kind]) if kind in joined else x + z if kind == "plus" else z
    x = layers.Flatten()(layers.MaxPooling2D(4)(x)) if filters < 100 else layers.Flatten()(x)
    return keras.Model(image, layers.Dense(10, activation=activation)(x))


def sequential():
    from mnist_helpers.common.backend import keras, layers

    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")])


test_network_with_a_shortcut = judged(
    "06-4",
    [
        (network, RIGHT),
        (lambda: network("plus"), RIGHT),
        (lambda: network("chain"), "No paths are added"),
        (sequential, "No paths are added"),
        (lambda: network("siblings"), "neither was made from the other"),
        (lambda: network("twice"), "neither was made from the other"),
        (lambda: network(filters=100), "parameters are too many"),
        (lambda: network(activation=None), "should be probabilities"),
        (lambda: network(size=32), "Yours: (None, 32, 32, 1)"),
        (lambda: 3, "a Keras model"),
        (lambda: ..., OPEN),
    ],
    build=True,
)
