"""Activations against a hand-made model, kernels against weights, and images that excite a unit."""

import numpy as np
import pytest
from explained import convolutional, images_of, linear, spread

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.explain import activations, first_kernels, maximise
from mnist_helpers.models.augmentation import RandomAffine, augmented

IMAGES = images_of(5)


@pytest.fixture(scope="module")
def network():
    return convolutional(layers.MaxPooling2D(2, name="pool_1"), layers.Dropout(0.5, name="drop"))


def test_activations_are_those_of_a_model_that_ends_there(network):
    for layer, asked in [("conv_1", "conv_1"), ("pool_1", 1), ("output", -1)]:
        by_hand = keras.Model(network.inputs[0], network.get_layer(layer).output)(IMAGES, training=False)
        result = activations(network, IMAGES, asked, batch_size=2)
        assert result.dtype == np.float32 and result.shape == by_hand.shape
        np.testing.assert_allclose(result, by_hand, atol=1e-6)
    np.testing.assert_array_equal(activations(network, IMAGES, "drop"), activations(network, IMAGES, "pool_1"))


def test_activations_behind_augmentation_and_within_a_model(network):
    moved = augmented(network, RandomAffine(rotation=90.0))
    moved.set_weights(network.get_weights())
    np.testing.assert_array_equal(activations(moved, IMAGES, 0), IMAGES)
    by_hand = activations(network, IMAGES, "pool_1")
    np.testing.assert_allclose(activations(moved, IMAGES, 2), by_hand, atol=1e-6)
    outer = keras.Sequential([keras.Input((8, 8, 1)), network])
    np.testing.assert_allclose(activations(outer, IMAGES, "pool_1"), by_hand, atol=1e-6)


@pytest.mark.parametrize("layer", ["conv_9", 5, -6, 1.0, True, None])
def test_an_unknown_layer_lists_those_there_are(network, layer):
    with pytest.raises(ValueError, match="one of the layers 0 'conv_1', 1 'pool_1', 2 'drop', 3 'flatten', 4 'output'"):
        activations(network, IMAGES, layer)


def test_first_kernels_are_weights_with_filters_first(network):
    kernels, weights = first_kernels(network), network.get_weights()[0]
    assert kernels.shape == (3, 3, 3) and weights.shape == (3, 3, 1, 3)
    assert all(kernels[f, y, x] == weights[y, x, 0, f] for f, y, x in np.ndindex(3, 3, 3))
    np.testing.assert_array_equal(first_kernels(keras.Sequential([keras.Input((8, 8, 1)), network])), kernels)
    with pytest.raises(
        ValueError, match=r"a network with a convolution \(Conv2D\). Got the layers 'flatten.*, 'output'"
    ):
        first_kernels(linear())


def test_the_best_image_of_a_linear_class_is_white_where_its_weight_is_positive():
    model = linear("softmax")
    weights, bias = model.get_weights()
    free = {"smoothness": 0, "l2": 0, "jitter": 0}
    result = maximise(model, unit=4, steps=150, learning_rate=0.3, **free)
    clear = np.abs(weights[:, 4]) > 0.02
    np.testing.assert_array_equal(result.image.ravel()[clear] > 0.5, weights[clear, 4] > 0)
    logit = result.image.ravel() @ weights[:, 4] + bias[4]
    assert result.scores[-1] == pytest.approx(logit, abs=1e-4)  # and not the probability
    assert result.scores.shape == (151,) and (np.diff(result.scores) > -1e-5).all()
    assert result.scores[-1] > 0.9 * (np.maximum(weights[:, 4], 0).sum() + bias[4])


def test_filters_are_excited_and_an_image_depends_on_its_seed_alone(network):
    one = maximise(network, layer="conv_1", unit=1, steps=30, seed=5)
    several = maximise(network, layer=0, unit=[0, 1], steps=30, seed=5)
    assert several.image.shape == (2, 8, 8, 1) and several.scores.shape == (2, 31)
    np.testing.assert_allclose(several.image[1], one.image, atol=1e-5)
    assert one.image.dtype == np.float32 and one.image.min() >= 0 and one.image.max() <= 1
    assert one.scores[-1] > one.scores[0]
    mean = activations(network, one.image[None], "conv_1")[0, ..., 1].mean()
    assert one.scores[-1] == pytest.approx(mean, abs=1e-5)
    other = maximise(network, layer="conv_1", unit=1, steps=30, seed=6)
    assert not np.allclose(other.image, one.image, atol=1e-3)


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
    assert result.scores[-1] == pytest.approx(result.image.ravel() @ weights[:, 1] + bias[1], abs=1e-4)
    image = keras.Input((8, 8, 1))
    mean = keras.Model(image, layers.Average()([linear("softmax", name=each)(image) for each in "ab"]))
    scores = maximise(mean, unit=1, steps=2)
    said = mean.predict(scores.image[None], verbose=0)[0, 1]
    assert scores.scores[-1] == pytest.approx(np.log(said), abs=1e-4)


def test_a_unit_that_nothing_excites_stays_finite():
    model = linear()
    model.set_weights([each * 0 for each in model.get_weights()])
    result = maximise(model, unit=0, steps=3)
    assert np.isfinite(result.image).all() and (result.scores == 0).all()


def test_bad_arguments_are_named(network):
    with pytest.raises(
        ValueError, match="'unit' parameter of maximise must be one or more of the units 0 to 2 .* Got 3"
    ):
        maximise(network, layer="conv_1", unit=3)
    with pytest.raises(ValueError, match="'layer' parameter of maximise must be one of the layers 0 'conv_1'"):
        maximise(network, layer="pool", unit=3)
    with pytest.raises(ValueError, match=r"'l2' parameter of maximise must be in \[0, inf"):
        maximise(network, unit=3, l2=-1)
