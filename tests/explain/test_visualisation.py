"""Images that excite a unit, against weights by hand."""

import numpy as np
import pytest
from explained import EPS, close, convolutional, linear, rounding, spread

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.explain import activations, maximise


@pytest.fixture(autouse=True)
def full_profile(monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "full")


@pytest.fixture(scope="module")
def network():
    return convolutional(layers.MaxPooling2D(2, name="pool_1"), layers.Dropout(0.5, name="drop"))


def test_the_best_image_of_a_linear_class_is_white_where_its_weight_is_positive():
    model = linear("softmax")
    weights, bias = model.get_weights()
    free = {"smoothness": 0, "l2": 0, "jitter": 0}
    result = maximise(model, unit=4, steps=150, learning_rate=0.3, **free)
    clear = np.abs(weights[:, 4]) > 0.02
    np.testing.assert_array_equal(result.image.ravel()[clear] > 0.5, weights[clear, 4] > 0)
    logit = result.image.ravel() @ weights[:, 4] + bias[4]
    close(result.scores[-1], logit, rounding(model))  # and not the probability
    assert result.scores.shape == (151,) and (np.diff(result.scores) > -2 * rounding(model)).all()
    assert result.scores[-1] > 0.9 * (np.maximum(weights[:, 4], 0).sum() + bias[4])


def test_filters_are_excited_and_an_image_depends_on_its_seed_alone(network):
    one = maximise(network, layer="conv_1", unit=1, steps=30, seed=5)
    several = maximise(network, layer=0, unit=[0, 1], steps=30, seed=5)
    assert several.image.shape == (2, 8, 8, 1) and several.scores.shape == (2, 31)
    # each step moves a pixel's logit by at most about the rate, in a direction that float32 may turn for a slope near 0
    close(several.image[1], one.image, 0.01)
    assert one.image.dtype == np.float32 and one.image.min() >= 0 and one.image.max() <= 1
    assert one.scores[-1] > one.scores[0]
    mean = activations(network, one.image[None], "conv_1")[0, ..., 1].mean()
    close(one.scores[-1], mean, rounding(network))
    other = maximise(network, layer="conv_1", unit=1, steps=30, seed=6)
    assert np.abs(other.image - one.image).max() > 0.05


def test_what_a_moved_image_gains_comes_back_to_where_it_was():
    model = linear()
    weights = np.zeros((64, 10), np.float32)
    weights[4 * 8 + 4, 6] = 1  # the class looks at the pixel (4, 4) alone
    model.set_weights([weights, np.zeros(10, np.float32)])
    down, right = np.random.default_rng(0).integers(-2, 3, 2)
    assert down and right
    image = maximise(model, unit=6, steps=1, learning_rate=2.0, smoothness=0, l2=0, jitter=2, seed=0).image[..., 0]
    assert np.unravel_index(image.argmax(), image.shape) == (4 - down, 4 - right)


def test_it_converges_and_penalties_smooth(network):
    rough, smooth = (maximise(network, unit=1, steps=60, smoothness=each) for each in (0.0, 1.0))
    assert abs(rough.scores[-1] - rough.scores[-3]) < 0.02 * (rough.scores[-1] - rough.scores[0])
    assert np.abs(np.diff(smooth.image, axis=0)).sum() < 0.8 * np.abs(np.diff(rough.image, axis=0)).sum()


def test_a_softmax_of_its_own_and_other_ends_are_scored_before_they_saturate():
    model = spread(keras.Sequential([keras.Input((8, 8, 1)), *linear().layers, layers.Softmax()]))
    weights, bias = model.get_weights()
    result = maximise(model, unit=1, steps=2)
    close(result.scores[-1], result.image.ravel() @ weights[:, 1] + bias[1], rounding(linear()))
    image = keras.Input((8, 8, 1))
    mean = keras.Model(image, layers.Average()([linear("softmax", name=each)(image) for each in "ab"]))
    scores = maximise(mean, unit=1, steps=2)
    said = mean.predict(scores.image[None], verbose=0)[0, 1]
    close(scores.scores[-1], np.log(said), rounding(linear()) / said + 10 * EPS)


def test_a_unit_that_nothing_excites_stays_finite():
    model = linear()
    model.set_weights([each * 0 for each in model.get_weights()])
    result = maximise(model, unit=0, steps=3)
    assert np.isfinite(result.image).all() and (result.scores == 0).all()


def test_the_smoke_profile_takes_fewer_steps(network, monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    assert len(maximise(network, unit=1, steps=200).scores) < 100


def test_bad_arguments_are_named(network):
    with pytest.raises(ValueError, match="'unit' .* one or more of the units 0 to 2 of this layer. Got 3"):
        maximise(network, layer="conv_1", unit=3)
    with pytest.raises(ValueError, match="'layer' parameter of maximise must be one of the layers 0 'conv_1'"):
        maximise(network, layer="pool", unit=3)
