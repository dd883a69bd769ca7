"""SHAP values against numbers by hand, in pieces, checked; what DeepExplainer cannot take."""

import warnings

import numpy as np
import pytest
from explained import EPS, close, convolutional, images_of, linear, rounding, spread

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.explain import deep, target_shap_values
from mnist_helpers.explain.compiled import gradient
from mnist_helpers.models.augmentation import RandomAffine
from mnist_helpers.models.layers import LocalResponseNormalization

IMAGES, BACKGROUND = images_of(4), images_of(7, seed=1)


def quietly(explain, *given, **options):
    return explain(*given, progress=False, **options)


def by_hand(model, background=BACKGROUND):
    """Return the values of a linear network, (n, height, width, 10), and how far float32 may be off."""
    weights = model.get_weights()[0]
    values = (IMAGES - background.mean(axis=0)).reshape(4, 64, 1) * weights
    return values.reshape(4, 8, 8, 10), (len(background) + 10) * EPS * np.abs(weights).max()


@pytest.mark.parametrize("batch_size", [50, 3])
def test_of_a_linear_network_they_are_weight_times_difference_whatever_the_pieces(batch_size):
    model, targets = linear(), np.array([0, 7, 7, 9])
    values, bound = by_hand(model)
    result = quietly(target_shap_values, model, IMAGES, targets, BACKGROUND, batch_size=batch_size)
    close(result, values[np.arange(4), ..., targets], bound)
    assert result.dtype == np.float32


def test_behind_a_relu_they_follow_the_rule_of_deeplift():
    stack = [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(5, activation="relu"), layers.Dense(10)]
    model = spread(keras.Sequential(stack))
    first, bias, second, _ = (each.astype(np.float64) for each in model.get_weights())
    x, references = IMAGES.reshape(4, 64).astype(np.float64), BACKGROUND.reshape(7, 64).astype(np.float64)
    expected, bound = np.zeros((2, 4, 64))
    for i, image in enumerate(x):
        for reference in references:
            before, after = reference @ first + bias, image @ first + bias
            slope = (np.maximum(after, 0) - np.maximum(before, 0)) / (after - before)  # the rescale rule
            expected[i] += (image - reference) * (first @ (slope * second[:, 3])) / 7
            off = 64 * EPS * (np.abs(first).sum(axis=0) + bias) / np.abs(after - before)  # of the slope
            bound[i] += np.abs(first) @ (off * np.abs(second[:, 3])) / 7
    result = quietly(target_shap_values, model, IMAGES, 3, BACKGROUND)
    assert (np.abs(result.reshape(4, 64) - expected) <= bound).all()
    assert bound.max() < 0.02 * np.abs(expected).max()  # tight enough to tell


def test_they_add_up_for_a_network_with_layers_that_act_in_training():
    network = convolutional(layers.MaxPooling2D(2), layers.Dropout(0.5), front=[RandomAffine(rotation=90.0)])
    result = quietly(target_shap_values, network, IMAGES, 9, BACKGROUND)
    said, before = (network.predict(each, verbose=0)[:, 9] for each in (IMAGES, BACKGROUND))
    bound = rounding(network) * max(1, np.abs(result).sum(axis=(1, 2)).max())
    close(result.sum(axis=(1, 2)) + before.mean(), said, bound)
    assert np.abs(said - before.mean()).max() > 0.05  # there is something to explain


def test_logits_are_explained_before_the_softmax_one_class_per_image():
    model, targets = linear("softmax"), np.array([2, 9, 9, 2])
    values, bound = by_hand(model)
    result = quietly(target_shap_values, model, IMAGES, targets, BACKGROUND, output="logit", batch_size=4)
    close(result, values[np.arange(4), ..., targets], bound)
    close(quietly(target_shap_values, model, IMAGES, 6, BACKGROUND, output="logit"), values[..., 6], bound)


def test_values_that_do_not_add_up_are_an_error(monkeypatch):
    right = deep.Deep._attributions
    monkeypatch.setattr(deep.Deep, "_attributions", lambda *args: right(*args) + 1e-4)  # 64 pixels: 6.4e-3 per image
    with pytest.raises(ValueError, match="must be a network .* Got values that miss their sum by 0.0064"):
        quietly(target_shap_values, linear(), IMAGES, 1, BACKGROUND)


def test_a_layer_that_deep_explainer_cannot_take_is_an_error_and_leaves_nothing_behind():
    model = convolutional(LocalResponseNormalization(alpha=0.1, name="norm"))
    with pytest.raises(ValueError, match="'model' parameter of target_shap_values must be a network whose layers"):
        quietly(target_shap_values, model, IMAGES, 1, BACKGROUND)
    import tensorflow as tf

    with tf.GradientTape() as tape:  # after a failure, shap leaves a function of its own in TensorFlow
        tape.watch(x := tf.constant(IMAGES))
        said = tf.reduce_sum(model(x)[:, 1])
    slope = gradient(lambda images: model(images)[:, 1])(IMAGES)
    close(tape.gradient(said, x), slope, rounding(convolutional()))


def test_no_warning_and_no_output(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quietly(target_shap_values, linear(), IMAGES[:1], 1, BACKGROUND)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda net: target_shap_values(net, IMAGES, 1, BACKGROUND[:0]),
            "'background' parameter of target_shap_values",
        ),
        (lambda net: target_shap_values(net, IMAGES, 10, BACKGROUND), "'targets' .* classes from 0 to 9"),
        (lambda net: target_shap_values(net, IMAGES, 1, BACKGROUND, output="logits"), "'output' .* 'logits'"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(linear())
