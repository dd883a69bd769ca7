"""The exercises of notebook 09: right answers pass, usual mistakes get the hint meant for them."""

import math

import numpy as np
import pytest
from graders import OPEN, RIGHT, judged
from small import digits_of

from mnist_helpers.common.backend import keras
from mnist_helpers.course.exercises import nb_09

test_steps_on_a_steeper_loss = judged(
    "09-1",
    [
        ((1 / 6, 1 / 3), RIGHT),
        ([0.167, 0.333], RIGHT),
        ((..., 0.3), OPEN),
        ((1 / 3, 1 / 6), "wrong order"),
        ((0.5, 1.0), "slope is 2x"),
        ((1 / 3, 2 / 3), "slope of 3x²"),
        ((1 / 6, 1 / 6), "still arrives"),
        ((1 / 6, 0.5), "The first rate is right"),
        ((0.1, 1 / 3), "The second rate is right"),
        ((0.01, 0.02), "1 - 6"),
        (0.2, "two numbers. Yours has one number"),
        (("a", "b"), "should be numbers, in an array or a list. This is a tuple of str"),
    ],
)

test_steps_on_a_loss_that_is_steeper_still = judged(
    "09-1",
    [
        ((1 / 8, 1 / 4), RIGHT),
        ((1 / 4, 1 / 8), "wrong order"),
        ((0.5, 1.0), "Here the slope is 8x"),
        ((1 / 4, 1 / 2), "a slope of 4x. What is the slope of 4x²?"),
        ((1 / 8, 1 / 8), "still arrives"),
        ((1 / 8, 0.5), "The first rate is right"),
        ((0.1, 1 / 4), "The second rate is right"),
        ((1 / 6, 1 / 3), "One step takes x to x - rate · 8x, that is x · (1 - 8 · rate)."),
    ],
    variant=1,
)


def cosine(step, steps, peak):
    return peak / 2 * (1 + math.cos(math.pi * step / steps))


test_cosine_by_hand = judged(
    "09-2",
    [
        (lambda s, n, p: cosine(min(s, n), n, p), RIGHT),
        (lambda s, n, p: np.float64(cosine(s, n, p)) if s < n else 0, RIGHT),
        (lambda s, n, p: ..., OPEN),
        (lambda s, n, p: None, "Is there a return"),
        (cosine, "goes up again"),
        (lambda s, n, p: 2 * cosine(s, n, p), "twice as high"),
        (lambda s, n, p: p * math.cos(math.pi * s / n), "below zero"),
        (lambda s, n, p: p / 2 * (1 + math.cos(2 * math.pi * s / n)), "whole wave"),
        (lambda s, n, p: p * math.cos(math.pi / 2 * s / n), "quarter of a wave"),
        (lambda s, n, p: p * (1 - s / n), "straight line"),
        (lambda s, n, p: p / 2 * (1 - math.cos(math.pi * s / n)), "the way up"),
        (lambda s, n, p: p / 2 * (1 + math.cos(180 * s / n)), "radians"),
        (lambda s, n, p: cosine(s, n, 1), "peak is missing"),
        (lambda s, n, p: 0.9 * cosine(s, n, p), "should have the peak"),
        (0.001, "should be a function"),
    ],
)


DIGITS = digits_of(train=120)
SCHEDULES = keras.optimizers.schedules


def network(rate=None, *, epochs=10, compiled=True, outputs=10):
    """A network of one layer; in ten epochs of batches of 12, it takes 100 steps."""
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(outputs, "softmax")])
    if compiled:
        rate = SCHEDULES.CosineDecay(0.01, 100) if rate is None else rate
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    if epochs and compiled:
        model.fit(DIGITS.train.images, DIGITS.train.labels, batch_size=12, epochs=epochs, verbose=0)
    return model


def warmed_up():
    return SCHEDULES.CosineDecay(0.0, 70, warmup_target=0.02, warmup_steps=30)


test_network_with_a_schedule = judged(
    "09-3",
    [
        (network, RIGHT),
        (lambda: network(warmed_up()), RIGHT),
        (lambda: network(SCHEDULES.ExponentialDecay(0.01, 10, 0.6)), RIGHT),
        (lambda: ..., OPEN),
        (lambda: 3, "a Keras network"),
        (keras.callbacks.History, "the network itself"),
        (lambda: network(compiled=False), "has to be compiled"),
        (lambda: network(epochs=0), "not trained"),
        (lambda: network(0.01), "is a number"),
        (lambda: network(SCHEDULES.CosineDecay(0.01, 10)), "10 steps long, and the training took 100 steps. A step"),
        (lambda: network(SCHEDULES.CosineDecay(0.01, 120)), "120 steps long, and the training took 100 steps. The low"),
        (lambda: network(SCHEDULES.ExponentialDecay(0.01, 100, 0.6)), "from 0.01 to 0.006 only"),
        (lambda: network(SCHEDULES.CosineDecay(1e-7, 100)), "The schedule fits"),
    ],
    build=True,
    digits=DIGITS,
)


STEP = np.arange(300)


test_a_schedule_for_the_walkers = judged(
    "09-4",
    [
        (0.5 / (STEP + 1), RIGHT),
        (list(1 / (STEP + 2)), RIGHT),
        (0.2 * 0.98**STEP, RIGHT),
        (..., OPEN),
        (0.5 / (STEP[:200] + 1), "300 numbers. Yours has 200"),
        (np.full(300, 0.2), "never come to rest"),
        (np.full(300, 0.2 / 32), "not arrived"),
        (np.full(300, 1.05), "diverge"),
        (np.full(300, 1e200), "diverge"),
        (np.full(300, 0.0), "not arrived"),
        (-0.1 + 0 * STEP, "uphill"),
        (0.2 * 0.5 ** (STEP // 50), "last hundred rates"),
        (np.linspace(0.019, 0.01, 300), "could be much longer"),
        (np.full(300, np.nan), "not finite"),
    ],
)


@pytest.mark.parametrize("rates", [0.2 * 0.5 ** (STEP // 50), 0.5 / (STEP + 1), np.full(300, 0.2 / 32)])
def test_the_distance_is_that_of_many_walkers(rates):
    random, walkers = np.random.default_rng(5), np.full(20_000, 10.0)
    for rate in rates:
        walkers = walkers - rate * (2 * walkers + random.normal(size=20_000))
    distance = nb_09._mean_distance(*nb_09._walked(rates))
    assert distance == pytest.approx(np.abs(walkers).mean(), rel=0.02)
