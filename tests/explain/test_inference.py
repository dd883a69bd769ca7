"""The inference model, activations and kernels against models by hand; fresh weights; the checks that all share."""

import numpy as np
import pytest
from explained import EPS, close, convolutional, images_of, linear, rounding, spread

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.explain import (
    activations,
    first_kernels,
    inference_model,
    layer_names,
    randomised,
    saliency,
    shap_values,
)
from mnist_helpers.models.augmentation import RandomAffine, augmented
from mnist_helpers.training.committees import average_model

IMAGES = images_of(6)


def branched():
    """A functional model with dropout, two branches, and a sequential model inside."""
    inner = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(2, 1, name="conv_1"), layers.Dropout(0.5), layers.ReLU()], name="inner"
    )
    image = keras.Input((8, 8, 1), name="photo")
    x = layers.Conv2D(3, 3, padding="same", name="conv_1")(RandomAffine(rotation=20)(image))
    x = layers.Concatenate(name="both")([inner(x), layers.Dropout(0.5, name="drop")(x), keras.ops.tanh(x)])
    x = layers.BatchNormalization(name="norm")(layers.GlobalAveragePooling2D(name="mean")(x))
    model = keras.Model(image, layers.Dense(10, activation="softmax", name="output")(x), name="branched")
    weights = [np.abs(each) + 0.1 for each in spread(model).get_weights()]  # variances are positive
    model.set_weights(weights)
    return model


def nested():
    return spread(keras.Sequential([keras.Input((8, 8, 1)), convolutional(layers.Dropout(0.3)), layers.Softmax()]))


@pytest.mark.parametrize(
    "make",
    [
        lambda: convolutional(layers.Dropout(0.5), layers.GaussianNoise(0.5), front=[layers.RandomRotation(0.5)]),
        branched,
        nested,
        lambda: average_model([convolutional(layers.SpatialDropout2D(0.5)), linear("softmax")]),
        lambda: spread(augmented(convolutional(layers.Dropout(0.5)), RandomAffine(zoom=0.5))),
    ],
)
def test_it_answers_alike_and_nothing_in_it_acts_in_training(make):
    model = make()
    answering = inference_model(model)
    close(answering.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), 200 * EPS)
    np.testing.assert_array_equal(answering(IMAGES), answering(IMAGES))  # even where a layer acts unless told not to
    assert not any(isinstance(layer, keras.Sequential) for layer in answering.layers)


def test_it_is_a_copy_and_leaves_the_model_as_it_was():
    model = convolutional(layers.Dropout(0.5))
    before = model.predict(IMAGES, verbose=0)
    answering = inference_model(model)
    answering.set_weights([each * 0 for each in answering.get_weights()])
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), before)
    assert model.get_layer("conv_1").output.shape == (None, 6, 6, 3)  # would raise with a second inbound node
    assert answering.name == "convolutional" and not answering.compiled


def test_layers_keep_their_names_and_namesakes_get_the_inner_models_name():
    model = convolutional(layers.Dropout(0.5, name="drop"))
    assert layer_names(model) == ["conv_1", "drop", "flatten", "output"] == [layer.name for layer in model.layers]
    names = layer_names(branched())
    assert names[0] == "photo" and {"conv_1", "inner_conv_1", "drop", "both", "output"} < set(names)
    assert len(set(names)) == len(names)


def test_randomised_draws_fresh_weights_by_seed_for_all_or_some_layers():
    model = convolutional(layers.Dropout(0.5))
    old = model.get_weights()
    first, again, other = (randomised(model, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0]) and not np.array_equal(first[0], old[0])
    assert first[1].tolist() == [0, 0, 0]  # the bias starts at zero, as Keras has it
    top = randomised(model, seed=1, layers=["output"]).get_weights()
    assert np.array_equal(top[0], old[0]) and not np.array_equal(top[2], old[2])
    bottom = randomised(model, seed=1, layers=[0]).get_weights()
    assert not np.array_equal(bottom[0], old[0]) and np.array_equal(bottom[2], old[2])
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), old, strict=True))
    with pytest.raises(ValueError, match="'layers' parameter of randomised must be one of the layers 0 'conv_1', 1"):
        randomised(model, seed=1, layers=["conv_9"])


@pytest.fixture(scope="module")
def network():
    return convolutional(layers.MaxPooling2D(2, name="pool_1"), layers.Dropout(0.5, name="drop"))


def test_activations_are_those_of_a_model_that_ends_there(network):
    for layer, asked in [("conv_1", "conv_1"), ("pool_1", 1), ("output", -1)]:
        by_hand = keras.Model(network.inputs[0], network.get_layer(layer).output)(IMAGES, training=False)
        result = activations(network, IMAGES, asked)
        assert result.dtype == np.float32 and result.shape == by_hand.shape
        close(result, by_hand, rounding(network))
    np.testing.assert_array_equal(activations(network, IMAGES, "drop"), activations(network, IMAGES, "pool_1"))


def test_activations_behind_augmentation_and_within_a_model(network):
    moved = augmented(network, RandomAffine(rotation=90.0))
    moved.set_weights(network.get_weights())
    np.testing.assert_array_equal(activations(moved, IMAGES, 0), IMAGES)
    by_hand = activations(network, IMAGES, "pool_1")
    close(activations(moved, IMAGES, 2), by_hand, rounding(network))
    outer = keras.Sequential([keras.Input((8, 8, 1)), network])
    close(activations(outer, IMAGES, "pool_1"), by_hand, rounding(network))


@pytest.mark.parametrize("layer", ["conv_9", 5, -6, None])
def test_an_unknown_layer_lists_those_there_are(network, layer):
    with pytest.raises(ValueError, match="one of the layers 0 'conv_1', 1 'pool_1', 2 'drop', 3 'flatten', 4 'output'"):
        activations(network, IMAGES, layer)


def test_first_kernels_are_weights_with_filters_first(network):
    kernels, weights = first_kernels(network), network.get_weights()[0]
    assert kernels.shape == (3, 3, 3) and weights.shape == (3, 3, 1, 3)
    assert all(kernels[f, y, x] == weights[y, x, 0, f] for f, y, x in np.ndindex(3, 3, 3))
    np.testing.assert_array_equal(first_kernels(keras.Sequential([keras.Input((8, 8, 1)), network])), kernels)
    with pytest.raises(ValueError, match=r"a convolution \(Conv2D\). Got the layers 'flatten.*, 'output'"):
        first_kernels(linear())


def test_models_that_cannot_be_explained_are_refused():
    class Own(keras.Model):
        def call(self, x):
            return x

    two = keras.Model([a := keras.Input((8, 8, 1)), b := keras.Input((8, 8, 1))], layers.Flatten()(a + b))
    unbuilt = keras.Sequential([layers.Flatten(), layers.Dense(10)])
    maps = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    with pytest.raises(TypeError, match="'model' parameter of inference_model must be a Keras model. Got int instead"):
        inference_model(3)
    with pytest.raises(
        ValueError, match=r"'model' parameter of shap_values must be built, with an explicit Input\. Got"
    ):
        shap_values(unbuilt, IMAGES, IMAGES)
    with pytest.raises(ValueError, match="a sequential or functional model from images"):
        inference_model(two)
    with pytest.raises(ValueError, match="must be (built|a sequential or functional model)"):
        inference_model(Own())
    with pytest.raises(ValueError, match=r"from images \(n, height, width, channels\) to \(n, classes\)"):
        inference_model(maps)


@pytest.mark.parametrize(
    ("images", "targets", "error", "message"),
    [
        (images_of(2, size=9), 1, ValueError, r"'images' .* must be of shape \(n, 8, 8, 1\) for this model. Got shape"),
        (IMAGES * 255, 1, ValueError, r"'images' parameter of saliency must be within \[0, 1\]"),
        (IMAGES.astype(np.uint8), 1, TypeError, "'images' .* must be a NumPy array of floats"),
        (IMAGES[:, :, :, 0], 1, ValueError, r"Got shape \(6, 8, 8\) instead"),
        (IMAGES, 10, ValueError, "'targets' parameter of saliency must be classes from 0 to 9. Got values from 10"),
        (IMAGES, [1, 2], ValueError, r"'targets' .* must be one class, or 6 integers. Got .* shape \(2,\)"),
        (IMAGES, 1.5, ValueError, "'targets' .* Got an array of float64"),
    ],
)
def test_images_and_targets_that_do_not_fit_are_refused(images, targets, error, message):
    with pytest.raises(error, match=message):
        saliency(linear(), images, targets)


def test_another_backend_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    for explain in (lambda: saliency(linear(), IMAGES, 1), lambda: shap_values(linear(), IMAGES, IMAGES)):
        with pytest.raises(RuntimeError, match="need TensorFlow .* which here is jax. Set .* KERAS_BACKEND"):
            explain()
