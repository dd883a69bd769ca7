"""SHAP values against numbers by hand, in pieces, checked; what DeepExplainer cannot take; enough background."""

import warnings

import numpy as np
import pytest
from explained import convolutional, images_of, linear, spread

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.explain import background_agreement, deep, shap_values, target_shap_values
from mnist_helpers.explain.bar import Bar
from mnist_helpers.explain.compiled import value_and_gradient
from mnist_helpers.models.augmentation import RandomAffine
from mnist_helpers.models.layers import LocalResponseNormalization
from mnist_helpers.training import progress

IMAGES, BACKGROUND = images_of(4), images_of(7, seed=1)


@pytest.fixture(scope="module")
def network():
    return convolutional(layers.MaxPooling2D(2), layers.Dropout(0.5), front=[RandomAffine(rotation=90.0)])


@pytest.fixture(scope="module")
def explained(network):
    return shap_values(network, IMAGES, BACKGROUND, classes=[9, 2])


def test_of_a_linear_network_they_are_weight_times_difference():
    model = linear()
    weights, bias = model.get_weights()
    result = shap_values(model, IMAGES, BACKGROUND)
    difference = (IMAGES - BACKGROUND.mean(axis=0)).reshape(4, 64, 1)
    np.testing.assert_allclose(result.values.reshape(4, 64, 10), difference * weights, atol=1e-6)
    np.testing.assert_allclose(result.expected, BACKGROUND.reshape(7, 64).mean(axis=0) @ weights + bias, atol=1e-6)
    np.testing.assert_allclose(result.outputs, IMAGES.reshape(4, 64) @ weights + bias, atol=1e-6)
    assert result.values.dtype == np.float32 and result.classes == tuple(range(10))
    assert (result.explainer, result.background) == ("deep", 7) and result.additivity_error < 1e-5


def test_behind_a_relu_they_follow_the_rule_of_deeplift():
    stack = [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(5, activation="relu"), layers.Dense(10)]
    model = spread(keras.Sequential(stack))
    first, bias, second, _ = [each.astype(np.float64) for each in model.get_weights()]
    x, references = IMAGES.reshape(4, 64).astype(np.float64), BACKGROUND.reshape(7, 64).astype(np.float64)
    by_hand = np.zeros((4, 64))
    for i, image in enumerate(x):
        for reference in references:
            before, after = reference @ first + bias, image @ first + bias
            slope = (np.maximum(after, 0) - np.maximum(before, 0)) / (after - before)  # the rescale rule
            by_hand[i] += (image - reference) * (first @ (slope * second[:, 3])) / 7
    result = shap_values(model, IMAGES, BACKGROUND, classes=[3])
    np.testing.assert_allclose(result.of(3).reshape(4, 64), by_hand, atol=1e-5)


def test_they_add_up_and_do_not_depend_on_the_pieces(network, explained):
    said, before = (network.predict(each, verbose=0)[:, [9, 2]] for each in (IMAGES, BACKGROUND))
    np.testing.assert_allclose(explained.outputs, said, atol=1e-6)
    np.testing.assert_allclose(explained.values.sum(axis=(1, 2)) + before.mean(axis=0), said, atol=1e-5)
    assert np.abs(said - before.mean(axis=0)).max() > 0.05  # there is something to explain
    in_pieces = shap_values(network, IMAGES, BACKGROUND, classes=[2], batch_size=3)
    np.testing.assert_allclose(in_pieces.of(2), explained.of(2), atol=1e-6)
    with pytest.raises(ValueError, match="'digit' parameter of ShapValues.of must be one of {9, 2}. Got 3"):
        explained.of(3)


def test_logits_are_explained_before_the_softmax():
    model = linear("softmax")
    weights, bias = model.get_weights()
    result = shap_values(model, IMAGES, BACKGROUND, classes=[6], output="logit")
    by_hand = (IMAGES - BACKGROUND.mean(axis=0)).reshape(4, 64) * weights[:, 6]
    np.testing.assert_allclose(result.of(6).reshape(4, 64), by_hand, atol=1e-6)
    np.testing.assert_allclose(result.outputs[:, 0], IMAGES.reshape(4, 64) @ weights[:, 6] + bias[6], atol=1e-5)
    assert result.output == "logit"
    one = target_shap_values(model, IMAGES, 6, BACKGROUND, output="logit")
    np.testing.assert_allclose(one, result.of(6), atol=1e-6)
    with pytest.raises(ValueError, match="'output' parameter of background_agreement must be one of {'probability'"):
        background_agreement(model, IMAGES, BACKGROUND, [2], output="logits")


def test_one_class_an_image(network, explained):
    targets = np.array([2, 9, 9, 2])
    values = target_shap_values(network, IMAGES, targets, BACKGROUND)
    for value, target, both in zip(values, targets, explained.values, strict=True):
        np.testing.assert_allclose(value, both[..., [9, 2].index(target)], atol=1e-6)


def test_values_that_do_not_add_up_are_an_error(monkeypatch):
    right = deep.Deep._attributions
    monkeypatch.setattr(deep.Deep, "_attributions", lambda *args: right(*args) + 1e-4)  # 64 pixels: 6.4e-3 an image
    monkeypatch.setattr(deep.Deep, "_failing_layer", lambda *_: None)
    with pytest.raises(ValueError, match="parameter of shap_values .* Got values that miss their sum by 0.0064"):
        shap_values(linear(), IMAGES, BACKGROUND, classes=[1])


def test_a_layer_that_deep_explainer_cannot_take_is_named_and_nothing_is_left_behind():
    model = convolutional(LocalResponseNormalization(alpha=0.1, name="norm"))
    with pytest.raises(
        ValueError, match=r"'gradient' takes any\). Got the layer 'norm' \(LocalResponseNormalization\)"
    ):
        shap_values(model, IMAGES, BACKGROUND, classes=[1])
    import tensorflow as tf

    with tf.GradientTape() as tape:  # after a failure, shap leaves a function of its own in TensorFlow
        tape.watch(x := tf.constant(IMAGES))
        said = tf.reduce_sum(model(x)[:, 1])
    slope = value_and_gradient(lambda images: model(images)[:, 1])(IMAGES)[1]
    np.testing.assert_allclose(tape.gradient(said, x), slope, atol=1e-6)


def test_gradient_explainer_takes_any_layer_and_reports_its_error():
    model = convolutional(LocalResponseNormalization(alpha=0.1))
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    chosen = {"classes": [1], "explainer": "gradient", "samples": 20}
    first, again = (shap_values(model, IMAGES, BACKGROUND, seed=3, **chosen) for _ in range(2))
    np.testing.assert_array_equal(first.values, again.values)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    sums = first.values.sum(axis=(1, 2)) + model.predict(BACKGROUND, verbose=0)[:, [1]].mean(axis=0)
    assert first.additivity_error == pytest.approx(np.abs(sums - first.outputs).max(), abs=1e-5)
    weights, _ = linear().get_weights()
    exact = shap_values(linear(), IMAGES, BACKGROUND[:1], classes=[1], explainer="gradient", samples=5)
    by_hand = (IMAGES - BACKGROUND[:1]).reshape(4, 64) * weights[:, 1]
    np.testing.assert_allclose(exact.of(1).reshape(4, 64), by_hand, atol=1e-6)


def test_agreement_is_the_correlation_with_the_values_of_the_full_background(network, explained):
    frame = background_agreement(network, IMAGES, BACKGROUND, [5, 2, 7], classes=[9, 2], batch_size=4)
    assert frame["size"].tolist() == [2, 5, 7]
    np.testing.assert_allclose(frame["relative_cost"], [2 / 7, 5 / 7, 1])
    two = shap_values(network, IMAGES, BACKGROUND[:2], classes=[9, 2]).values
    r = [
        np.corrcoef(two[i, ..., c].ravel(), explained.values[i, ..., c].ravel())[0, 1] for i in range(4) for c in (0, 1)
    ]
    assert frame["correlation"][0] == pytest.approx(np.mean(r), abs=1e-5)
    assert frame["lowest"][0] == pytest.approx(np.min(r), abs=1e-5)
    assert frame["correlation"][2] == pytest.approx(1)


def test_no_warning_and_no_output(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shap_values(linear(), IMAGES[:1], BACKGROUND, classes=[1])
    assert capfd.readouterr() == ("", "")


def test_bad_arguments_are_named():
    model = linear()
    with pytest.raises(
        ValueError, match=r"'background' parameter of shap_values must be of shape \(n, height, width, 1\)"
    ):
        shap_values(model, IMAGES, BACKGROUND[:0])
    with pytest.raises(ValueError, match="'classes' parameter of shap_values must be one or more different classes"):
        shap_values(model, IMAGES, BACKGROUND, classes=[1, 10])
    with pytest.raises(ValueError, match="'explainer' .* must be one of {'deep', 'gradient'}. Got 'kernel'"):
        shap_values(model, IMAGES, BACKGROUND, explainer="kernel")
    with pytest.raises(ValueError, match="'sizes' parameter of background_agreement .* at most 7. Got 8"):
        background_agreement(model, IMAGES, BACKGROUND, [2, 8])


def test_a_bar_shows_only_when_it_takes_longer_and_goes_away(monkeypatch):
    class Line:
        shown, closed = [], 0

        def show(self, done, text):
            self.shown.append((done, text))

        def close(self):
            Line.closed += 1

    now = iter([0.0, 0.5, 1.5, 2.5])
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    monkeypatch.setattr(progress, "notebook_line", lambda: None)
    monkeypatch.setattr(progress, "terminal_line", Line)
    with Bar("SHAP values", 4) as bar:
        for _ in range(3):
            bar.step()
    assert [done for done, _ in Line.shown] == [0.5, 0.75] and Line.closed == 1
    assert Line.shown[0][1].startswith("SHAP values: 50%")
