"""SHAP values against numbers by hand, in pieces, checked; what DeepExplainer cannot take; enough background."""

import warnings

import numpy as np
import pytest
from explained import EPS, close, convolutional, images_of, linear, rounding, spread

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.explain import background_agreement, deep, shap_values, target_shap_values
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
    model = linear()
    weights, bias = model.get_weights()
    result = quietly(shap_values, model, IMAGES, BACKGROUND, batch_size=batch_size)
    close(result.values, *by_hand(model))
    close(result.expected, BACKGROUND.reshape(7, 64).mean(axis=0) @ weights + bias, rounding(model))
    close(result.outputs, IMAGES.reshape(4, 64) @ weights + bias, rounding(model))
    assert result.values.dtype == np.float32 and result.classes == tuple(range(10))
    assert result.additivity_error <= 2 * rounding(model)


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
    result = quietly(shap_values, model, IMAGES, BACKGROUND, classes=[3])
    assert (np.abs(result.values.reshape(4, 64) - expected) <= bound).all()
    assert bound.max() < 0.02 * np.abs(expected).max()  # tight enough to tell


def test_they_add_up_for_a_network_with_layers_that_act_in_training():
    network = convolutional(layers.MaxPooling2D(2), layers.Dropout(0.5), front=[RandomAffine(rotation=90.0)])
    result = quietly(shap_values, network, IMAGES, BACKGROUND, classes=[9, 2])
    said, before = (network.predict(each, verbose=0)[:, [9, 2]] for each in (IMAGES, BACKGROUND))
    bound = rounding(network) * max(1, np.abs(result.values).sum(axis=(1, 2)).max())
    close(result.outputs, said, bound)
    close(result.values.sum(axis=(1, 2)) + before.mean(axis=0), said, bound)
    assert result.classes == (9, 2) and np.abs(said - before.mean(axis=0)).max() > 0.05  # there is something to explain


def test_logits_are_explained_before_the_softmax():
    model = linear("softmax")
    weights, bias = model.get_weights()
    result = quietly(shap_values, model, IMAGES, BACKGROUND, classes=[6], output="logit")
    values, bound = by_hand(model)
    close(result.values[..., 0], values[..., 6], bound)
    close(result.outputs[:, 0], IMAGES.reshape(4, 64) @ weights[:, 6] + bias[6], rounding(model))


def test_one_class_per_image():
    model, targets = linear("softmax"), np.array([2, 9, 9, 2])
    values, bound = by_hand(model)
    result = quietly(target_shap_values, model, IMAGES, targets, BACKGROUND, output="logit", batch_size=4)
    close(result, values[np.arange(4), ..., targets], bound)
    close(quietly(target_shap_values, model, IMAGES, 6, BACKGROUND, output="logit"), values[..., 6], bound)


def test_values_that_do_not_add_up_are_an_error(monkeypatch):
    right = deep.Deep._attributions
    monkeypatch.setattr(deep.Deep, "_attributions", lambda *args: right(*args) + 1e-4)  # 64 pixels: 6.4e-3 per image
    with pytest.raises(ValueError, match="must be a network .* Got values that miss their sum by 0.0064"):
        quietly(shap_values, linear(), IMAGES, BACKGROUND, classes=[1])


def test_a_layer_that_deep_explainer_cannot_take_is_an_error_and_leaves_nothing_behind():
    model = convolutional(LocalResponseNormalization(alpha=0.1, name="norm"))
    with pytest.raises(ValueError, match="'model' parameter of shap_values must be a network whose layers"):
        quietly(shap_values, model, IMAGES, BACKGROUND, classes=[1])
    import tensorflow as tf

    with tf.GradientTape() as tape:  # after a failure, shap leaves a function of its own in TensorFlow
        tape.watch(x := tf.constant(IMAGES))
        said = tf.reduce_sum(model(x)[:, 1])
    slope = gradient(lambda images: model(images)[:, 1])(IMAGES)
    close(tape.gradient(said, x), slope, rounding(convolutional()))


def test_agreement_is_the_correlation_with_the_values_of_the_full_background():
    model = linear()
    frame = quietly(background_agreement, model, IMAGES, BACKGROUND, [5, 2, 7], classes=[9, 2], batch_size=4)
    assert frame["size"].tolist() == [2, 5, 7]
    two, seven = (by_hand(model, BACKGROUND[:n])[0] for n in (2, 7))
    r = [np.corrcoef(two[i, ..., c].ravel(), seven[i, ..., c].ravel())[0, 1] for i in range(4) for c in (9, 2)]
    assert frame["correlation"][0] == pytest.approx(np.mean(r), abs=64 * EPS)
    assert frame["lowest"][0] == pytest.approx(np.min(r), abs=64 * EPS) and np.min(r) < 0.97
    assert frame["correlation"][2] == pytest.approx(1)


def test_no_warning_and_no_output(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quietly(shap_values, linear(), IMAGES[:1], BACKGROUND, classes=[1])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: shap_values(net, IMAGES, BACKGROUND[:0]), "'background' parameter of shap_values"),
        (lambda net: shap_values(net, IMAGES, BACKGROUND, classes=[1, 10]), "'classes' .* classes from 0 to 9"),
        (lambda net: background_agreement(net, IMAGES, BACKGROUND, [2, 8]), r"'sizes' .* from 1 to 7. Got \[2, 8\]"),
        (lambda net: background_agreement(net, IMAGES, BACKGROUND, [2], output="logits"), "'output' .* 'logits'"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(linear())
