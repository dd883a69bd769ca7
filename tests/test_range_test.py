"""The range test: growing rates, losses against a hand-made loop, where it stops, and what it leaves alone."""

import warnings

import numpy as np
import pytest
from small import digits_of, tiny

from mnist_helpers.common.backend import keras
from mnist_helpers.training.range_test import RangeTest, _smoothed, learning_rate_range_test
from mnist_helpers.training.train import DivergedError, seeded


@pytest.fixture(scope="module")
def digits():
    return digits_of(150, 20, 10)


@pytest.fixture(autouse=True)
def full(monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "full")


def test_losses_are_those_of_a_loop_over_batches_with_growing_rates(digits):
    model = tiny(rate=0.0)
    before = model.get_weights()
    chosen = {"low": 1e-3, "high": 1e-1, "steps": 5, "batch_size": 64, "optimizer": "sgd", "seed": 3}
    result = learning_rate_range_test(model, digits, **chosen)
    np.testing.assert_allclose(result.learning_rates, [1e-3, 10**-2.5, 1e-2, 10**-1.5, 1e-1])

    with seeded(3):
        copy = keras.models.clone_model(model)
    optimizer = keras.optimizers.SGD(0.0)
    copy.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    orders = [np.random.default_rng([3, epoch]).permutation(150) for epoch in (0, 1, 2)]
    batches = [orders[i][start : start + 64] for i, start in [(0, 0), (0, 64), (1, 0), (1, 64), (2, 0)]]
    for rate, loss, batch in zip(result.learning_rates, result.losses, batches, strict=True):
        images, labels = digits.train.images[batch], digits.train.labels[batch]
        probabilities = keras.ops.convert_to_numpy(copy(images))
        assert loss == pytest.approx(-np.log(probabilities[np.arange(64), labels]).mean(), rel=1e-4)
        optimizer.learning_rate = rate
        copy.train_on_batch(images, labels)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert not model.compiled


def test_it_stops_where_the_loss_explodes(digits):
    result = learning_rate_range_test(tiny(rate=0.0), digits, low=1e-4, high=1e4, steps=80, batch_size=50)
    k = len(result.losses)
    assert 10 < k < 60 and result.learning_rates.shape == result.smoothed.shape == (k,)
    assert np.isfinite(result.losses).all() and result.losses[-1] > 2 * result.losses[0]
    assert 1e-4 < result.steepest < result.learning_rates[result.smoothed.argmin()] < 1


def test_a_loss_that_is_no_number_ends_it(digits, monkeypatch):
    given = iter([2.0, 1.0, float("nan"), 1.0])
    monkeypatch.setattr(keras.Model, "train_on_batch", lambda *_: next(given))
    np.testing.assert_array_equal(learning_rate_range_test(tiny(), digits).losses, [2.0, 1.0])
    given = iter([2.0, float("inf")])
    with pytest.raises(DivergedError, match="The loss of tiny is not finite even at a learning rate of 1e-05"):
        learning_rate_range_test(tiny(), digits)


def test_one_bad_batch_does_not_end_it_and_a_diverging_run_does(digits, monkeypatch):
    one_bad = [1.0] * 10 + [6.0] + [1.0] * 9
    given = iter(one_bad)
    monkeypatch.setattr(keras.Model, "train_on_batch", lambda *_: next(given))
    assert len(learning_rate_range_test(tiny(), digits, steps=20).losses) == 20
    # running mean after 10 ones (weight 1 - 0.8**10) and n tens: first above 4 after the second ten
    given = iter([1.0] * 10 + [10.0] * 10)
    assert len(learning_rate_range_test(tiny(), digits, steps=20).losses) == 12


def test_a_schedule_of_the_optimizer_is_left_out_and_its_other_settings_are_not(digits, monkeypatch):
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 7)
    given, rates = keras.optimizers.SGD(schedule, momentum=0.7, name="mine"), []

    def note(model, *_):
        assert (type(model.optimizer), model.optimizer.momentum) == (keras.optimizers.SGD, 0.7)
        rates.append(float(model.optimizer.learning_rate))
        return 1.0

    monkeypatch.setattr(keras.Model, "train_on_batch", note)
    result = learning_rate_range_test(tiny(), digits, optimizer=given, low=0.01, steps=3)
    np.testing.assert_allclose(rates, [0.01, 0.1, 1.0])
    np.testing.assert_allclose(result.learning_rates, rates)
    assert float(given.learning_rate) == pytest.approx(0.1)


def test_smoothing_keeps_lines_and_does_not_lag():
    line = np.arange(30.0)
    np.testing.assert_allclose(_smoothed(line)[4:-4], line[4:-4])
    np.testing.assert_allclose(_smoothed(np.ones(3)), 1)
    peak = _smoothed(np.eye(1, 21, 10)[0])
    assert peak.argmax() == 10 and peak[10] == pytest.approx(0.2) and peak[5] == 0  # 5 / (5 + 2 * (4 + 3 + 2 + 1))


def test_the_steepest_rate_is_where_the_smoothed_loss_falls_fastest():
    rates = np.geomspace(1e-4, 1, 41)
    smoothed = -np.tanh(3 * np.log10(rates / 1e-2))
    assert RangeTest(rates, smoothed, smoothed).steepest == pytest.approx(1e-2)
    smoothed[-3:] = 50, 90, 10  # a loss that has exploded falls steeply, too
    assert RangeTest(rates, smoothed, smoothed).steepest == pytest.approx(1e-2)


def test_hinge_loss_gets_its_targets_and_smoke_its_images(digits, monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    seen = []
    monkeypatch.setattr(keras.Model, "train_on_batch", lambda _, images, targets: seen.append(targets) or 1.0)
    learning_rate_range_test(tiny(), digits_of(1100, 20, 10), loss="categorical_hinge", steps=11, batch_size=100)
    learning_rate_range_test(tiny(), digits, loss="squared_hinge", steps=2, batch_size=160)
    assert [len(targets) for targets in seen] == [100] * 11 + [150] * 2
    assert set(np.unique(seen[0])) == {0, 1} and set(np.unique(seen[-1])) == {-1, 1}


def seven():
    """A network for seven classes."""
    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(7)])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"model": "tiny"}, TypeError, "'model' parameter of learning_rate_range_test .* a Keras model"),
        ({"model": seven()}, ValueError, r"'model' parameter of learning_rate_range_test .* Got \(None, 7\) instead"),
        ({"loss": None}, ValueError, "'loss' parameter of learning_rate_range_test .* Got None"),
        ({"low": 0}, ValueError, "'low' parameter of learning_rate_range_test .* greater than 0"),
        ({"low": 0.1, "high": 0.1}, ValueError, "'high' .* greater than low, 0.1. Got 0.1"),
        ({"high": float("inf")}, ValueError, "'high' .* finite"),
        ({"steps": 1}, ValueError, "'steps' .* at least 2"),
        ({"batch_size": 0}, ValueError, "'batch_size' parameter of learning_rate_range_test"),
        ({"optimizer": "adamm"}, ValueError, "'optimizer' parameter of learning_rate_range_test"),
        ({"loss": "cross"}, ValueError, "'loss' parameter of learning_rate_range_test"),
        ({"seed": -1}, ValueError, "'seed' parameter of learning_rate_range_test"),
    ],
)
def test_bad_arguments(digits, changes, error, message):
    arguments = {"model": tiny(), "digits": digits} | changes
    with warnings.catch_warnings(), pytest.raises(error, match=message):
        learning_rate_range_test(**arguments)
