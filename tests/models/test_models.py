"""Tests of the factories: published parameter counts, shapes, what they save, and what they refuse."""

import inspect
import zipfile
from functools import cache

import keras
import numpy as np
import pytest

from mnist_helpers import models
from mnist_helpers.models.layers import Inception, LocalResponseNormalization

# Every network of the series: name -> (factory, arguments, parameters). The first nine counts are the published ones.
NETWORKS = {
    "S0.6 lenet5": ("lenet5", {}, 61_706),
    "S0.9 expanded_lenet": ("expanded_lenet", {}, 80_040),
    "S0.10 ablated_lenet": ("ablated_lenet", {}, 13_000),
    "S1.3 deep_dense": ("deep_dense", {}, 244_522),
    "S1.4 deep_dense": ("deep_dense", {"dropout": 0.3}, 244_522),
    "S1.6 large_kernel_cnn": ("large_kernel_cnn", {}, 342_522),
    "S2.1 simple_cnn": ("simple_cnn", {}, 128_924),
    "S2.2 wide_dense": ("wide_dense", {}, 535_818),
    "S2.7 deep_cnn": ("deep_cnn", {}, 887_530),
    "S0.7 lenet5 linear": ("lenet5", {"output": "linear"}, 61_706),
    "S0.7 lenet5 tanh": ("lenet5", {"output": "tanh"}, 61_706),
    "S0.8 lenet5 leaky": ("lenet5", {"activation": "leaky_relu"}, 61_706),
    "S0.8 lenet5 elu": ("lenet5", {"activation": "elu"}, 61_706),
    "S3.A lenet_like": ("lenet_like", {}, 208 + 1_168 + 4_160 + 73_856 + 4_128 + 330),
    "S3.A lenet_like raw": ("lenet_like", {"rescale": 255.0}, 83_850),
    "S3.B lenet_like": ("lenet_like", {"dropout": 0.45}, 83_850),
    "S3.C lenet_like": ("lenet_like", {"normalization": True}, 83_850),
    "S3.D deep_lenet_like": (
        "deep_lenet_like",
        {},
        208 + 3_216 + 4_640 + 9_248 + 8_256 + 16_448 + 73_856 + 4_128 + 330,
    ),
    "S3.E inception_net": ("inception_net", {}, 115_224),
    "S4.1 wide_dense": ("wide_dense", {"dropout": 0.0}, 535_818),
    "S4.3 small_cnn": ("small_cnn", {}, 320 + 18_496 + (5 * 5 * 64 + 1) * 128 + 1_290),
    "S4.3 small_cnn flaw": ("small_cnn", {"pool_stride": 1}, 320 + 18_496 + (30_976 + 1) * 128 + 1_290),
    "S4.5 wide_dense": ("wide_dense", {"dropout": 0.0, "size": 48}, (48 * 48 + 1) * 512 + 513 * 256 + 257 * 10),
    "S4.6 small_cnn": ("small_cnn", {"size": 48}, 320 + 18_496 + (10 * 10 * 64 + 1) * 128 + 1_290),
    "sprint_cnn": ("sprint_cnn", {}, 16 * (25 + 3) + 32 * (9 * 16 + 3) + 256 * (5 * 5 * 32 + 3) + 2_570),
    "compact_cnn": (
        "compact_cnn",
        {},
        26 * 32 + (9 * 32 + 1) * 48 + (9 * 48 + 1) * (48 + 96) + (9 * 96 + 1) * (96 + 128) + 1_290,
    ),
    "strided_cnn": (
        "strided_cnn",
        {},
        25 * (32 + 32 * 64 + 64 * 96) + 9 * (96 * 96 + 96 * 128 + 128 * 128) + 4 * (32 + 64 + 96 * 2 + 128 * 2) + 1_290,
    ),
}
every_network = pytest.mark.parametrize("network", NETWORKS)


@cache
def _build(network: str) -> keras.Model:
    factory, arguments, _ = NETWORKS[network]
    keras.utils.set_random_seed(1)
    return getattr(models, factory)(**arguments)


def _images(network: str, n: int = 3) -> np.ndarray:
    size = NETWORKS[network][1].get("size", 28)
    return np.random.default_rng(0).random((n, size, size, 1), dtype="float32")


def _predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return np.asarray(model(images, training=False))


@every_network
def test_parameter_count(network):
    assert _build(network).count_params() == NETWORKS[network][2]


@every_network
def test_uncompiled_with_probabilities_for_ten_digits(network):
    model = _build(network)
    scores = _predict(model, _images(network))
    assert not model.compiled
    assert model.output_shape == (None, 10)
    assert scores.shape == (3, 10)
    if NETWORKS[network][1].get("output", "softmax") == "softmax":
        assert scores.min() >= 0
        np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


@every_network
def test_saves_and_loads_in_safe_mode(network, tmp_path):
    model = _build(network)
    path = tmp_path / "network.keras"
    model.save(path)
    assert zipfile.is_zipfile(path)
    loaded = keras.saving.load_model(path)  # safe_mode=True is the default, asserted below
    assert loaded.to_json() == model.to_json()
    np.testing.assert_array_equal(_predict(loaded, _images(network)), _predict(model, _images(network)))


def test_safe_mode_is_on_by_default():
    assert inspect.signature(keras.saving.load_model).parameters["safe_mode"].default is True


@every_network
def test_a_second_build_has_the_same_config_and_fresh_weights(network):
    first, (factory, arguments, _) = _build(network), NETWORKS[network]
    again = getattr(models, factory)(**arguments)
    assert again.get_config() == first.get_config()  # no counters in layer names
    assert again.name == factory
    pairs = [(a.numpy(), b.numpy()) for a, b in zip(first.weights, again.weights, strict=True) if a.name == "kernel"]
    assert all(a.shape == b.shape and not np.array_equal(a, b) for a, b in pairs)


def test_every_factory_is_tested_and_documented():
    assert {factory for factory, _, _ in NETWORKS.values()} == set(models.__all__)
    for name in models.__all__:
        documentation = inspect.getdoc(getattr(models, name))
        assert "parameters" in documentation
        assert any(f"{count:,}" in documentation for f, _, count in NETWORKS.values() if f == name)


def _shapes(network: str) -> dict[str, tuple]:
    return {layer.name: tuple(layer.output.shape[1:]) for layer in _build(network).layers}


def test_lenet5_reads_32_by_32_images_framed_with_zeros():
    assert _shapes("S0.6 lenet5")["frame"] == (32, 32, 1)
    assert _shapes("S0.6 lenet5")["pool_2"] == (5, 5, 16)
    framed = np.asarray(_build("S0.6 lenet5").get_layer("frame")(np.ones((1, 28, 28, 1), "float32")))
    assert framed.sum() == 28 * 28
    assert framed[0, 2:-2, 2:-2, 0].min() == 1


def test_geometry_before_the_dense_layers():
    assert _shapes("S0.9 expanded_lenet")["pool_3"] == (2, 2, 14)
    assert _shapes("S0.10 ablated_lenet")["pool_2"] == (7, 7, 6)
    assert _shapes("S2.1 simple_cnn")["pool_1"] == (14, 14, 10)
    assert _shapes("S4.3 small_cnn")["flatten"] == (1_600,)
    assert _shapes("S4.3 small_cnn flaw")["flatten"] == (30_976,)
    assert _shapes("sprint_cnn")["pool_2"] == (5, 5, 32)
    assert _shapes("compact_cnn")["conv_1"] == (14, 14, 32)
    assert _shapes("compact_cnn")["flatten"] == (128,)
    assert [_shapes("strided_cnn")[f"conv_{i}"][0] for i in range(1, 7)] == [24, 12, 6, 6, 3, 1]
    assert _shapes("S3.A lenet_like")["pool_2"] == (3, 3, 16)
    assert _shapes("S3.D deep_lenet_like")["conv_8"] == (1, 1, 32)


@pytest.mark.parametrize(
    ("activation", "at_minus_2"),
    [
        ("sigmoid", 1 / (1 + np.e**2)),
        ("tanh", np.tanh(-2)),
        ("relu", 0),
        ("elu", np.expm1(-2)),
        ("leaky_relu", -0.02),
    ],
)
def test_lenet5_activation_of_every_hidden_layer(activation, at_minus_2):
    model = models.lenet5(activation=activation)
    for name in ("conv_1", "conv_2", "dense_1", "dense_2"):
        result = model.get_layer(name).activation(np.array([-2.0], "float32"))
        np.testing.assert_allclose(result, [at_minus_2], rtol=1e-5)


def test_ablated_lenet_leaks():
    model = _build("S0.10 ablated_lenet")
    for name in ("conv_1", "conv_2", "dense_1"):
        np.testing.assert_allclose(model.get_layer(name).activation(np.array([-2.0], "float32")), [-0.02], rtol=1e-5)


def test_lenet5_outputs_have_their_ranges():
    images = 20 * _images("S0.6 lenet5")  # large, so that linear scores leave [-1, 1]
    linear = _predict(_build("S0.7 lenet5 linear"), images)
    tanh = _predict(_build("S0.7 lenet5 tanh"), images)
    assert abs(linear).max() > 1
    assert linear.min() < 0
    np.testing.assert_allclose(tanh, np.tanh(linear), atol=1e-5)  # same seed, so the same weights


@pytest.mark.parametrize(
    ("network", "rates"),
    [
        ("S1.3 deep_dense", [0.0] * 4),
        ("S1.4 deep_dense", [0.3] * 4),
        ("S1.6 large_kernel_cnn", [0.3] * 3),
        ("S2.1 simple_cnn", [0.2]),
        ("S2.2 wide_dense", [0.2, 0.2]),
        ("S2.7 deep_cnn", [0.25, 0.2]),
        ("S3.A lenet_like", [0.0, 0.0]),
        ("S3.B lenet_like", [0.45, 0.45]),
        ("S4.1 wide_dense", [0.0, 0.0]),
        ("S4.3 small_cnn", [0.5]),
        ("compact_cnn", [0.1, 0.2, 0.3]),
        ("strided_cnn", [0.2, 0.3, 0.4]),
    ],
)
def test_dropout_rates(network, rates):
    assert [layer.rate for layer in _build(network).layers if isinstance(layer, keras.layers.Dropout)] == rates


def test_dropout_surrounds_the_last_convolution():
    names = [layer.name for layer in _build("S3.B lenet_like").layers]
    assert names[-5:] == ["dropout_1", "conv_5", "dropout_2", "flatten", "output"]


def test_normalization_follows_both_pools_with_the_published_settings():
    for network in ("S3.C lenet_like", "S3.D deep_lenet_like"):
        names = [layer.name for layer in _build(network).layers]
        norms = [layer for layer in _build(network).layers if isinstance(layer, LocalResponseNormalization)]
        assert [names[names.index(norm.name) - 1] for norm in norms] == ["pool_1", "pool_2"]
        assert {(norm.depth_radius, norm.bias, norm.alpha, norm.beta) for norm in norms} == {(2, 1.0, 2e-5, 0.75)}
    assert not any("norm" in layer.name for layer in _build("S3.A lenet_like").layers)


def test_inception_net_is_made_of_blocks_and_starts_with_the_published_counts():
    blocks = [layer for layer in _build("S3.E inception_net").layers if isinstance(layer, Inception)]
    assert len(blocks) >= 2
    assert sorted(blocks[0].filters) == sorted((8, 16, 4, 4, 12, 2))


@pytest.mark.parametrize("factory", ["lenet_like", "deep_lenet_like", "inception_net"])
def test_rescale_reads_pixels_from_0_to_255(factory):
    """The network with `rescale=255` is the plain one, with the same weights, on images multiplied by 255."""
    plain, raw = getattr(models, factory)(), getattr(models, factory)(rescale=255)
    raw.set_weights(plain.get_weights())
    images = _images("S3.A lenet_like")
    np.testing.assert_allclose(_predict(raw, images), _predict(plain, 255 * images), rtol=1e-4, atol=1e-6)
    assert not np.allclose(_predict(raw, images), _predict(plain, images), atol=1e-3)


@pytest.mark.parametrize(
    ("factory", "arguments", "error", "message"),
    [
        ("lenet5", {"activation": "rleu"}, ValueError, "'activation' parameter of lenet5.*'leaky_relu'.*'rleu'"),
        ("lenet5", {"activation": ["relu"]}, ValueError, r"'activation' parameter of lenet5.*\['relu'\]"),
        ("lenet5", {"output": "sigmoid"}, ValueError, "'output' parameter of lenet5.*'tanh'.*'sigmoid'"),
        ("deep_dense", {"dropout": 1.0}, ValueError, r"'dropout' parameter of deep_dense.*\[0, 1\).*1.0"),
        ("deep_dense", {"dropout": "0.3"}, TypeError, "'dropout' parameter of deep_dense.*a number.*'0.3'"),
        ("wide_dense", {"dropout": -0.1}, ValueError, "'dropout' parameter of wide_dense.*-0.1"),
        ("wide_dense", {"size": 27}, ValueError, "'size' parameter of wide_dense.*at least 28.*27"),
        ("small_cnn", {"size": 48.0}, TypeError, "'size' parameter of small_cnn.*an integer.*48.0"),
        ("small_cnn", {"pool_stride": 3}, ValueError, r"'pool_stride' parameter of small_cnn.*\{1, 2\}.*3"),
        ("lenet_like", {"dropout": 2}, ValueError, "'dropout' parameter of lenet_like.*2"),
        ("lenet_like", {"normalization": "yes"}, ValueError, "'normalization' parameter of lenet_like.*'yes'"),
        ("lenet_like", {"rescale": 0}, ValueError, "'rescale' parameter of lenet_like.*greater than 0"),
        ("deep_lenet_like", {"rescale": -1.0}, ValueError, "'rescale' parameter of deep_lenet_like.*-1.0"),
        ("inception_net", {"rescale": None}, TypeError, "'rescale' parameter of inception_net.*None"),
    ],
)
def test_bad_arguments(factory, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(models, factory)(**arguments)
