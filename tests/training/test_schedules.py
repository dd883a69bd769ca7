"""Schedules: the steps of a run, one-cycle rates by hand, Keras's own values, and lengths that disagree."""

import math

import numpy as np
import pytest
from small import digits_of, settings, tiny

from mnist_helpers import train
from mnist_helpers.common.backend import keras
from mnist_helpers.training import store as checkpoints
from mnist_helpers.training.schedules import check_length, learning_rates, one_cycle, total_steps

SCHEDULES = keras.optimizers.schedules
CONSTANT = SCHEDULES.PiecewiseConstantDecay([3, 9], [0.1, 0.2, 0.05])


@pytest.fixture(autouse=True)
def full(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "full")
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(tmp_path / "store"))
    monkeypatch.setattr(checkpoints, "series_directory", lambda: tmp_path / "series")


class Counter(keras.callbacks.Callback):
    batches = 0

    def on_train_batch_end(self, batch, logs=None):
        type(self).batches += 1


@pytest.mark.parametrize(("batch_size", "steps"), [(50, 6), (64, 6), (149, 4), (150, 2), (1000, 2)])
def test_total_steps_count_a_short_batch(batch_size, steps):
    assert total_steps(digits_of(150, 20, 10), epochs=2, batch_size=batch_size) == steps


def test_total_steps_are_those_of_the_profile(monkeypatch):
    digits = digits_of(1100, 20, 10)
    assert total_steps(digits, epochs=3, batch_size=100) == 33
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    assert total_steps(digits, epochs=3, batch_size=100) == 11  # one epoch


def test_one_cycle_rises_in_a_line_and_falls_as_a_cosine():
    rates = learning_rates(one_cycle(0.5, 100, warmup=0.3, start=0.1, end=0.02), 100)
    assert rates.shape == (100,) and rates.dtype == np.float32
    np.testing.assert_allclose(rates[:31], np.linspace(0.05, 0.5, 31), rtol=1e-5)
    falling = [0.5 * (0.02 + 0.98 * (1 + math.cos(math.pi * step / 70)) / 2) for step in range(70)]
    np.testing.assert_allclose(rates[30:], falling, rtol=1e-5)
    assert rates.argmax() == 30


def test_one_cycle_without_warm_up_and_of_one_step():
    rates = learning_rates(one_cycle(0.5, 10, warmup=0), 11)
    assert rates[0] == 0.5 and rates[10] == 0 and (np.diff(rates) < 0).all()
    assert learning_rates(one_cycle(0.5, 1, warmup=0.9), 1) == [0.5]


@pytest.mark.parametrize(
    "schedule",
    [
        one_cycle(0.01, 40, start=0.2, end=0.1),
        SCHEDULES.CosineDecay(0.1, 20, alpha=0.3),
        SCHEDULES.CosineDecay(0.1, 20, warmup_steps=5),  # without a target, Keras leaves the warm-up out
        SCHEDULES.CosineDecayRestarts(0.1, 7, t_mul=1.5),
        SCHEDULES.ExponentialDecay(0.1, 10, 0.5, staircase=True),
        SCHEDULES.InverseTimeDecay(0.1, 10, 0.5),
        SCHEDULES.PolynomialDecay(0.1, 15, cycle=True),
        CONSTANT,
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_learning_rates_are_what_keras_says_step_by_step(schedule):
    expected = [float(schedule(step)) for step in range(45)]
    np.testing.assert_allclose(learning_rates(schedule, 45), expected, rtol=1e-5, atol=1e-8)


class Halving(SCHEDULES.LearningRateSchedule):
    def __call__(self, step):
        return 0.8 / 2**step


class Doubled(SCHEDULES.CosineDecay):
    def __call__(self, step):
        return 2 * super().__call__(step)


def test_learning_rates_of_a_schedule_of_ones_own_and_of_a_constant():
    np.testing.assert_allclose(learning_rates(Halving(), 3), [0.8, 0.4, 0.2])
    np.testing.assert_allclose(learning_rates(Doubled(0.1, 10, warmup_target=0.3, warmup_steps=1), 2), [0.2, 0.6])
    np.testing.assert_array_equal(learning_rates(0.25, 2), [0.25, 0.25])


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        (one_cycle(0.01, 40), 40),
        (SCHEDULES.CosineDecay(0.1, 40, warmup_steps=5), 40),
        (SCHEDULES.CosineDecay(0.1, 40, warmup_steps=5, warmup_target=0.2), 45),
        (Doubled(0.1, 40), 40),
        (SCHEDULES.PolynomialDecay(0.1, 40), 40),
    ],
)
def test_a_schedule_must_be_as_long_as_the_run(schedule, steps):
    optimizer = keras.optimizers.SGD(schedule)
    check_length(optimizer, steps)
    for other in (steps - 1, steps + 1000):
        with pytest.raises(ValueError, match=f"the run, {other:,} steps .*Got a {type(schedule).__name__} of {steps}"):
            check_length(optimizer, other)


@pytest.mark.parametrize(
    "rate",
    [
        0.1,
        CONSTANT,
        Halving(),
        SCHEDULES.ExponentialDecay(0.1, 10, 0.5),
        SCHEDULES.InverseTimeDecay(0.1, 10, 0.5),
        SCHEDULES.CosineDecayRestarts(0.1, 7),
        SCHEDULES.PolynomialDecay(0.1, 15, cycle=True),
    ],
)
def test_rates_without_an_end_fit_every_run(rate):
    check_length(keras.optimizers.SGD(rate), 3)


def test_train_takes_a_schedule_of_its_length_and_refuses_another_before_it_starts(monkeypatch):
    digits, chosen = digits_of(60, 20, 10), settings(batch_size=50, callbacks=[Counter()])
    monkeypatch.setattr(Counter, "batches", 0)
    with pytest.raises(ValueError, match=r"'model' parameter of train .* 6 steps \(total_steps.* of 100 steps"):
        train(tiny(optimizer=keras.optimizers.Adam(one_cycle(0.01, 100))), digits, **chosen)
    assert Counter.batches == 0
    steps = total_steps(digits, epochs=3, batch_size=50)
    run = train(tiny(optimizer=keras.optimizers.Adam(one_cycle(0.01, steps, start=0.5))), digits, **chosen)
    assert Counter.batches == steps == 6
    np.testing.assert_allclose(run.history["learning_rate"], [0.005, 0.01, 0.005], rtol=1e-5)  # of steps 0, 2, 4


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: one_cycle(0, 10), ValueError, "'peak' parameter of one_cycle .* greater than 0 .* Got 0"),
        (lambda: one_cycle(math.nan, 10), ValueError, "'peak' .* Got nan"),
        (lambda: one_cycle("0.1", 10), TypeError, "'peak' .* a number"),
        (lambda: one_cycle(0.1, 0), ValueError, "'steps' parameter of one_cycle .* at least 1"),
        (lambda: one_cycle(0.1, 10, warmup=1), ValueError, r"'warmup' .* in \[0, 1\)"),
        (lambda: one_cycle(0.1, 10, start=1.5), ValueError, "'start' .* Got 1.5"),
        (lambda: one_cycle(0.1, 10, end=-0.1), ValueError, "'end' .* Got -0.1"),
        (lambda: learning_rates("adam", 10), TypeError, "'schedule' parameter of learning_rates"),
        (lambda: learning_rates(0.1, 2.5), TypeError, "'steps' parameter of learning_rates"),
        (lambda: total_steps(digits_of(30), epochs=0), ValueError, "'epochs' parameter of total_steps"),
        (lambda: total_steps(digits_of(30), epochs=1, batch_size=0), ValueError, "'batch_size' .* of total_steps"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
