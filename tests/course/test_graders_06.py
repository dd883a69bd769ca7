"""Exercises of notebook 06: solutions pass, usual mistakes get the hint meant for them."""

import numpy as np
from graders import OPEN, RIGHT, judged
from small import digits_of

from mnist_helpers.course.exercises import nb_06


def stopped(losses, patience, *, first=1, late=0):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch - best == patience + late:
            return epoch + first, best + first
    return len(losses) - 1 + first, best + first


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


def fold(kernel, gamma, beta, mean, variance, epsilon):
    factor = gamma / np.sqrt(variance + epsilon)
    return kernel * factor, beta - mean * factor


def test_a_folded_convolution_answers_like_both_layers():
    from mnist_helpers.common.backend import keras, layers

    random = np.random.default_rng(0)
    maps = random.random((2, 6, 6, 3), np.float32)
    convolution, norm = layers.Conv2D(4, 3, use_bias=False), layers.BatchNormalization(epsilon=0.01)
    both = keras.Sequential([keras.Input((6, 6, 3)), convolution, norm])
    norm.set_weights([random.uniform(0.5, 2, 4) for _ in range(4)])
    alone = layers.Conv2D(4, 3)
    alone.build((None, 6, 6, 3))
    alone.set_weights(fold(convolution.get_weights()[0], *norm.get_weights(), 0.01))
    assert np.allclose(both(maps), alone(maps), atol=1e-5)


def folding(factor, bias):
    """A wrong answer: what the kernel is multiplied by, and the bias, made of that factor and the four vectors."""

    def wrong(kernel, *layer):
        by = factor(*layer)
        return kernel * by, bias(by, *layer)

    return wrong


def usual(gamma, beta, mean, variance, epsilon):
    return gamma / np.sqrt(variance + epsilon)


def rest(by, gamma, beta, mean, variance, epsilon):
    return beta - mean * by


test_folding = judged(
    "06-3",
    [
        (fold, RIGHT),
        (lambda *given: [part.tolist() for part in fold(*given)], RIGHT),
        (lambda *given: ..., OPEN),
        (folding(usual, lambda by, g, b, m, v, e: b - m), "multiplied by the same factor"),
        (folding(usual, lambda by, g, b, m, v, e: b + m * by), "negative"),
        (folding(usual, lambda by, g, b, m, v, e: -m * by), "What happened to beta"),
        (folding(usual, lambda by, g, b, m, v, e: b), "more than beta"),
        (folding(lambda g, b, m, v, e: g / (v + e), rest), "root of the variance"),
        (folding(lambda g, b, m, v, e: g / np.sqrt(v), rest), "Where is epsilon"),
        (folding(lambda g, b, m, v, e: g / (np.sqrt(v) + e), rest), "below the root"),
        (folding(lambda g, b, m, v, e: 1 / np.sqrt(v + e), rest), "Where is gamma"),
        (lambda kernel, *layer: (kernel, fold(kernel, *layer)[1]), "has to be multiplied"),
        (lambda kernel, *layer: (kernel, layer[1]), "Try numbers"),
        (lambda kernel, *layer: kernel, "two things"),
        (lambda kernel, *layer: (kernel, 0.0), "four numbers. Yours has one number"),
        (lambda kernel, *layer: (kernel[0], layer[1]), "shape (3, 3, 2, 4)"),
    ],
)


DIGITS = digits_of()


def network(kind="residual", filters=8, activation="softmax", size=28, *, compiled=True, epochs=0):
    from mnist_helpers.common.backend import keras, layers

    keras.utils.set_random_seed(0)
    image = keras.Input((size, size, 1))
    x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(image)
    y = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    z = layers.Conv2D(filters, 3, padding="same", activation="relu")(y if kind == "chain" else x)
    joined = {"residual": (x, y), "siblings": (y, z), "twice": (z, z)}
    x = layers.Add()(joined[kind]) if kind in joined else x + z if kind == "plus" else z
    model = keras.Model(image, layers.Dense(10, activation=activation)(layers.Flatten()(x)))
    if compiled:
        model.compile("adam", "sparse_categorical_crossentropy")
    if epochs:
        model.fit(DIGITS.train.images, DIGITS.train.labels, epochs=epochs, verbose=0)
    return model


def sequential():
    from mnist_helpers.common.backend import keras, layers

    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")])


test_network_with_a_shortcut = judged(
    "06-4",
    [
        (lambda: network(epochs=20), RIGHT),
        (lambda: network("plus", epochs=20), RIGHT),
        (lambda: network("chain"), "No paths are added"),
        (sequential, "No paths are added"),
        (lambda: network("siblings"), "neither was made from the other"),
        (lambda: network("twice"), "neither was made from the other"),
        (lambda: network(filters=100), "parameters are too many"),
        (lambda: network(activation=None), "should be probabilities"),
        (lambda: network(size=32), "Yours: (None, 32, 32, 1)"),
        (lambda: network(compiled=False), "still has to be compiled"),
        (network, "Compiled, but not trained"),
        (lambda: network(epochs=1), "One more epoch"),
        (lambda: 3, "a Keras network"),
        (lambda: ..., OPEN),
    ],
    build=True,
    digits=DIGITS,
)
