"""The inference model against the model itself; the checks that all explanations share."""

import numpy as np
import pytest
from explained import EPS, close, convolutional, images_of, linear, spread

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.explain import inference_model, target_shap_values
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
    names = [layer.name for layer in inference_model(branched()).layers]
    assert names[0] == "photo" and {"conv_1", "inner_conv_1", "drop", "both", "output"} < set(names)
    assert len(set(names)) == len(names)


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
        ValueError, match=r"'model' parameter of target_shap_values must be built, with an explicit Input\. Got"
    ):
        target_shap_values(unbuilt, IMAGES, 1, IMAGES)
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
        (IMAGES * 255, 1, ValueError, r"'images' parameter of target_shap_values must be within \[0, 1\]"),
        (IMAGES.astype(np.uint8), 1, TypeError, "'images' .* must be a NumPy array of floats"),
        (IMAGES[:, :, :, 0], 1, ValueError, r"Got shape \(6, 8, 8\) instead"),
        (IMAGES, 10, ValueError, "'targets' parameter .* must be classes from 0 to 9. Got values from 10"),
        (IMAGES, [1, 2], ValueError, r"'targets' .* must be one class, or 6 integers. Got .* shape \(2,\)"),
        (IMAGES, 1.5, ValueError, "'targets' .* Got an array of float64"),
    ],
)
def test_images_and_targets_that_do_not_fit_are_refused(images, targets, error, message):
    with pytest.raises(error, match=message):
        target_shap_values(linear(), images, targets, IMAGES)


def test_another_backend_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="need TensorFlow .* which here is jax. Set .* KERAS_BACKEND"):
        target_shap_values(linear(), IMAGES, 1, IMAGES)
