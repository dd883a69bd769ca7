"""Tests of the layers: values by hand, values and gradients of TensorFlow's own op, and what a saved layer keeps."""

import importlib.util
import inspect
import os
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_helpers.models import layers
from mnist_helpers.models.layers import Inception, LocalResponseNormalization, leaky_relu

LRN_CASES = [
    {"depth_radius": 2, "bias": 1.0, "alpha": 2e-5, "beta": 0.75},
    {"depth_radius": 2, "bias": 2.0, "alpha": 0.3, "beta": 0.75},
    {"depth_radius": 1, "bias": 0.5, "alpha": 1.0, "beta": 0.5},
    {"depth_radius": 0, "bias": 1.0, "alpha": 0.7, "beta": 1.0},
    {"depth_radius": 9, "bias": 1.0, "alpha": 0.1, "beta": 2.0},
]


def _activations(channels: int = 7) -> np.ndarray:
    return np.random.default_rng(3).normal(scale=3, size=(2, 4, 5, channels)).astype("float32")


def test_lrn_hand_count():
    # One pixel, four channels, one neighbour on each side: the sums of squares are 1+4, 1+4+9, 4+9+16, 9+16.
    layer = LocalResponseNormalization(depth_radius=1, bias=1, alpha=1, beta=1)
    result = layer(np.array([[[[1.0, 2.0, 3.0, 4.0]]]], "float32"))
    expected = [1 / (1 + 5), 2 / (1 + 14), 3 / (1 + 29), 4 / (1 + 25)]
    np.testing.assert_allclose(np.asarray(result)[0, 0, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("settings", LRN_CASES)
def test_lrn_values_and_gradients_are_tensorflows(settings):
    x = tf.constant(_activations())
    weights = tf.constant(np.random.default_rng(4).normal(size=x.shape).astype("float32"))
    layer = LocalResponseNormalization(**settings)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ours = layer(x)
        theirs = tf.nn.local_response_normalization(x, **settings)
        ours_sum, theirs_sum = tf.reduce_sum(ours * weights), tf.reduce_sum(theirs * weights)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(ours_sum, x), tape.gradient(theirs_sum, x), rtol=1e-4, atol=1e-5)


def test_lrn_defaults_are_the_published_settings():
    own = {key: LocalResponseNormalization().get_config()[key] for key in LRN_CASES[0]}
    assert own == LRN_CASES[0]


def test_lrn_accepts_any_rank_and_keeps_the_shape():
    layer = LocalResponseNormalization()
    assert layer(np.ones((3, 6), "float32")).shape == (3, 6)
    assert layer.compute_output_shape((None, 7, 7, 8)) == (None, 7, 7, 8)
    assert layer.count_params() == 0


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_layers_run_on_jax_without_tensorflow():
    code = (
        "import numpy as np, sys\n"
        "from mnist_helpers.models.layers import Inception, LocalResponseNormalization as L\n"
        "y = L(depth_radius=1, alpha=1.0, beta=1.0)(np.array([[1.0, 2.0]], 'float32'))\n"
        "np.testing.assert_allclose(y, [[1 / 6, 2 / 6]], rtol=1e-6)\n"
        "assert Inception((1, 1, 2, 1, 3, 4))(np.ones((2, 5, 5, 3), 'float32')).shape == (2, 5, 5, 10)\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_source_uses_keras_only():
    imported = re.findall(r"^\s*(?:import|from) ([\w.]+)", inspect.getsource(layers), flags=re.MULTILINE)
    assert "mnist_helpers.common.backend" in imported
    assert not {"tensorflow", "jax", "torch"} & {name.split(".")[0] for name in imported}


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"depth_radius": -1}, ValueError, "'depth_radius' parameter of LocalResponseNormalization.*at least 0.*-1"),
        ({"depth_radius": 1.5}, TypeError, "'depth_radius' parameter.*an integer.*1.5"),
        ({"bias": 0}, ValueError, "'bias' parameter.*greater than 0"),
        ({"bias": -1}, ValueError, "'bias' parameter.*-1"),
        ({"alpha": -0.1}, ValueError, "'alpha' parameter.*-0.1"),
        ({"beta": "x"}, TypeError, "'beta' parameter.*a number.*'x'"),
    ],
)
def test_lrn_rejects_bad_settings(settings, error, message):
    with pytest.raises(error, match=message):
        LocalResponseNormalization(**settings)


def test_leaky_relu_and_its_gradient_are_those_of_tensorflow():
    x = tf.constant([-2.0, -1e-30, 0.0, 1e-30, 3.0])
    np.testing.assert_allclose(leaky_relu(x), [-0.02, -1e-32, 0, 1e-30, 3], rtol=1e-6)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ours, theirs = leaky_relu(x), tf.nn.leaky_relu(x, alpha=0.01)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(tape.gradient(ours, x), tape.gradient(theirs, x))


@pytest.mark.system
def test_a_network_of_leaky_relus_trains_without_a_word(capfd):
    network = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, activation=leaky_relu)])
    network.compile("sgd", "mse")
    network.fit(np.ones((4, 8, 8, 1), "float32"), np.ones((4, 6, 6, 2), "float32"), verbose=0)
    assert capfd.readouterr() == ("", "")


def test_inception_branches_one_by_one():
    """Each slice of the output is the branch computed with TensorFlow's plain convolution and pooling."""
    x = _activations(channels=3)
    layer = Inception((2, 1, 3, 2, 4, 5))
    result = np.asarray(layer(x))
    assert result.shape == (2, 4, 5, 2 + 3 + 4 + 5)

    kernels = {v.path.split("/")[-2]: v.numpy() for v in layer.weights if v.name == "kernel"}  # biases start at zero
    sizes = {name: kernel.shape for name, kernel in kernels.items()}
    assert sizes["three"] == (3, 3, 1, 3)
    assert sizes["five"] == (5, 5, 2, 4)

    def conv(inputs, name):
        return tf.nn.relu(tf.nn.conv2d(inputs, kernels[name], 1, "SAME"))

    pooled = tf.nn.max_pool2d(x, 3, 1, "SAME")
    branches = [
        conv(x, "one"),
        conv(conv(x, "reduce_3"), "three"),
        conv(conv(x, "reduce_5"), "five"),
        conv(pooled, "project"),
    ]
    np.testing.assert_allclose(result, np.concatenate(branches, axis=-1), rtol=1e-5, atol=1e-5)


def test_inception_parameters_and_symbolic_shape():
    layer = Inception((8, 4, 16, 4, 12, 2))
    layer.build((None, 14, 14, 16))
    weights = 16 * 8 + 16 * 4 + 9 * 4 * 16 + 16 * 4 + 25 * 4 * 12 + 16 * 2
    assert layer.count_params() == weights + 8 + 4 + 16 + 4 + 12 + 2
    assert layer.compute_output_shape((None, 14, 14, 16)) == (None, 14, 14, 38)


@pytest.mark.parametrize(
    ("filters", "error", "message"),
    [
        ((1, 2, 3), ValueError, r"'filters' parameter of Inception must be six counts.*\(1, 2, 3\)"),
        ((1, 2, 3, 0, 5, 6), ValueError, "'filters' parameter of Inception.*at least 1.*0"),
        ((1, 2, 3.5, 4, 5, 6), TypeError, "'filters' parameter of Inception.*an integer.*3.5"),
    ],
)
def test_inception_rejects_bad_filters(filters, error, message):
    with pytest.raises(error, match=message):
        Inception(filters)


@pytest.mark.parametrize(
    "layer",
    [
        LocalResponseNormalization(3, 2.0, 0.5, 1.25, name="norm"),
        Inception((1, 2, 3, 4, 5, 6), activation="elu", name="block"),
        Inception((1, 2, 3, 4, 5, 6), activation=leaky_relu, name="block"),
    ],
    ids=["lrn", "inception", "inception-leaky"],
)
def test_config_round_trip(layer):
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    through_json = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(through_json) is type(layer)
    assert through_json.get_config() == layer.get_config()


def test_configs_hold_every_setting():
    norm = LocalResponseNormalization(3, 2.0, 0.5, 1.25).get_config()
    assert (norm["depth_radius"], norm["bias"], norm["alpha"], norm["beta"]) == (3, 2.0, 0.5, 1.25)
    block = Inception((1, 2, 3, 4, 5, 6), activation="elu").get_config()
    assert (block["filters"], block["activation"]) == ([1, 2, 3, 4, 5, 6], "elu")


@pytest.mark.parametrize("thing", [LocalResponseNormalization, Inception, leaky_relu])
def test_registered_under_the_package_name(thing):
    assert keras.saving.get_registered_name(thing) == f"mnist_helpers>{thing.__name__}"
