"""Saliency, integrated gradients, occlusion and deletion curves against loops and formulas by hand."""

import numpy as np
import pytest
from explained import EPS, close, convolutional, images_of, linear, rounding

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.explain import (
    FRACTIONS,
    deletion_curve,
    integrated_gradients,
    occlusion,
    random_importance,
    saliency,
)

IMAGES, TARGETS = images_of(4), np.array([3, 0, 7, 3])


@pytest.fixture(scope="module")
def network():
    return convolutional(layers.MaxPooling2D(2), layers.Dropout(0.5))


def said_of(model, images, targets):
    return model.predict(images, verbose=0)[np.arange(len(images)), targets]


@pytest.mark.parametrize("activation", [None, "softmax"])
def test_saliency_is_the_weight_before_a_softmax(activation):
    model = linear(activation)
    weights, _ = model.get_weights()
    result = saliency(model, IMAGES, TARGETS)
    close(result.reshape(4, 64), weights[:, TARGETS].T, 10 * EPS * np.abs(weights).max())
    assert result.shape == (4, 8, 8) and result.dtype == np.float32


def test_saliency_is_the_slope_of_the_logit(network):
    logits = keras.Model(network.inputs[0], network.get_layer("flatten").output)
    weights, bias = network.get_layer("output").get_weights()
    result, step = saliency(network, IMAGES[:1], 7)[0], 1e-3
    for y, x in [(2, 3), (5, 5), (0, 7)]:
        pair = np.repeat(IMAGES[:1], 2, axis=0)
        pair[:, y, x, 0] += [step, -step]
        high, low = (logits(pair, training=False).numpy() @ weights + bias)[:, 7]
        close(result[y, x], (high - low) / (2 * step), rounding(network) / step)  # linear between two bends


def test_integrated_gradients_of_a_linear_network_are_weight_times_difference():
    model = linear()
    weights, _ = model.get_weights()
    background = images_of(3, seed=2)
    for baseline, mean in [(0.0, 0.0), (0.25, 0.25), (background, background.mean(axis=0))]:
        result = integrated_gradients(model, IMAGES, TARGETS, baseline=baseline, steps=3)
        by_hand = (IMAGES - mean).reshape(4, 64) * weights[:, TARGETS].T
        close(result.values.reshape(4, 64), by_hand, 10 * EPS * np.abs(weights).max())
        close(result.error, np.zeros(4), rounding(model))


def test_a_single_step_is_taken_in_the_middle_of_the_line():
    image = keras.Input((8, 8, 1))
    flat = layers.Flatten()(image)
    model = keras.Model(image, layers.Dense(10, use_bias=False)(layers.Multiply()([flat, flat])))  # w x^2
    weights = model.get_weights()[0]
    by_hand = IMAGES[..., 0] ** 2 * weights[:, 5].reshape(8, 8)
    result = integrated_gradients(model, IMAGES, 5, steps=1)
    close(result.values, by_hand, 10 * EPS * np.abs(weights).max())


def test_the_completeness_error_is_what_is_missing_and_falls_with_more_steps(network):
    background = images_of(2, seed=2)
    change = said_of(network, IMAGES, TARGETS) - network.predict(background, verbose=0).mean(axis=0)[TARGETS]
    few, many = (integrated_gradients(network, IMAGES, TARGETS, baseline=background, steps=s) for s in (2, 200))
    close(few.error, np.abs(few.values.sum(axis=(1, 2)) - change), rounding(network))
    assert many.error.max() < 0.1 * few.error.max() and many.error.max() < 5e-3 < np.abs(change).max()


@pytest.mark.parametrize(("size", "stride", "value"), [(1, 1, 0.0), (3, 2, 0.5), (8, 1, 0.0)])
def test_occlusion_is_the_mean_drop_over_the_patches_that_cover_a_pixel(network, size, stride, value):
    images = IMAGES[:2]
    starts = sorted({*range(0, 8 - size + 1, stride), 8 - size})
    places = [np.s_[y : y + size, x : x + size] for y in starts for x in starts]
    covered = np.stack([images, *(images.copy() for _ in places)])
    for picture, place in zip(covered[1:], places, strict=True):
        picture[:, *place] = value
    said = network.predict(covered.reshape(-1, 8, 8, 1), verbose=0).reshape(-1, 2, 10)[:, [0, 1], TARGETS[:2]]
    total, count = np.zeros((2, 8, 8)), np.zeros((8, 8))
    for drop, place in zip(said[0] - said[1:], places, strict=True):
        total[:, *place] += drop[:, None, None]
        count[place] += 1
    result = occlusion(network, images, TARGETS[:2], size=size, stride=stride, value=value)
    assert result.shape == (2, 8, 8) and result.dtype == np.float32
    close(result, total / count, rounding(network))


def test_occlusion_leaves_out_patches_that_change_nothing(network):
    images = np.zeros((1, 8, 8, 1), np.float32)
    images[0, 0, 0] = 1
    result = occlusion(network, images, 3, size=2)
    assert (result[0, 2:] == 0).all() and result[0, 0, 0] != 0
    filled = occlusion(network, images, 3, size=2, value=images[0])
    assert (filled == 0).all()


def test_deletion_curve_by_hand(network):
    importance = np.random.default_rng(3).normal(size=(4, 8, 8))
    filling = images_of(1, seed=9)[0]
    curve = deletion_curve(network, IMAGES, TARGETS, importance, value=filling)
    quarter = IMAGES.copy()
    for image, important in zip(quarter, importance, strict=True):
        for place in sorted(np.ndindex(8, 8), key=lambda place: -important[place])[:16]:
            image[place] = filling[place]
    everything = np.broadcast_to(filling, IMAGES.shape)
    by_hand = [said_of(network, each, TARGETS) for each in (IMAGES, quarter, everything)]
    assert curve.shape == (4, 21) and (FRACTIONS[5], FRACTIONS[-1]) == (0.25, 1)
    close(curve[:, [0, 5, -1]], np.stack(by_hand, axis=1), rounding(network))


def test_the_true_order_beats_a_random_one():
    model = linear("softmax")
    truth = IMAGES[..., 0] * model.get_weights()[0][:, 5].reshape(8, 8)
    true, random = (deletion_curve(model, IMAGES, 5, each) for each in (truth, random_importance(IMAGES)))
    assert (true[:, 2:5] < random[:, 2:5]).all()


def test_random_importance_is_seeded_and_may_put_ink_first():
    images = IMAGES * (IMAGES > 0.5)
    first, again, other = (random_importance(images, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (4, 8, 8) and first.dtype == np.float32 and not np.array_equal(first, other)
    ink = random_importance(images, seed=1, ink=True)
    assert ink[images[..., 0] > 0].min() >= 1 > ink[images[..., 0] == 0].max()
    close(ink % 1, first, 2 * EPS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: deletion_curve(net, IMAGES, TARGETS, np.zeros((4, 64))), r"'importance' .* shape \(4, 8, 8\)"),
        (lambda net: deletion_curve(net, IMAGES, TARGETS, np.full((4, 8, 8), np.nan)), "'importance' .* finite"),
        (lambda net: occlusion(net, IMAGES, TARGETS, size=9), "'size' parameter of occlusion .* Got 9"),
        (lambda net: occlusion(net, IMAGES, TARGETS, value=IMAGES[0, ..., 0]), r"'value' .* Got shape \(8, 8\)"),
        (lambda net: integrated_gradients(net, IMAGES, TARGETS, baseline=-1.0), "'baseline' .* within .0, 1."),
    ],
)
def test_bad_arguments_are_named(network, call, message):
    with pytest.raises(ValueError, match=message):
        call(network)
