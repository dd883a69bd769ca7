"""Floating-point operations: against TensorFlow's own profiler, and LeNet-5 by hand."""

import keras
import pytest
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from mnist_helpers import models
from mnist_helpers.models.augmentation import RandomAffine, augmented
from mnist_helpers.models.layers import Inception
from mnist_helpers.training.cost import forward_flops, known_training_flops, training_flops

layers = keras.layers


def profiled(model):
    """Count the operations of TensorFlow's convolutions and matrix products for one image."""
    shape = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    function = tf.function(lambda image: model(image, training=False)).get_concrete_function(shape)
    graph = convert_variables_to_constants_v2(function).graph
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    node = tf.compat.v1.profiler.profile(graph, cmd="op", options=options)
    total = 0
    while True:  # each kind of operation is the only child of the one before it
        if node.name in {"Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2"}:
            total += node.total_float_ops - sum(child.total_float_ops for child in node.children)
        if not node.children:
            return total
        (node,) = node.children


def by_hand(stack, shape=(28, 28, 1)):
    return keras.Sequential([keras.Input(shape), *stack])


def in_other_ways():
    """Strides, a depthwise convolution, a block of layers, normalisation, and a dense layer at every place."""
    block = Inception((2, 1, 3, 2, 4, 5))
    stack = [layers.Conv2D(4, 3, strides=2, padding="same"), layers.BatchNormalization()]
    stack += [layers.DepthwiseConv2D(3, depth_multiplier=2), block, layers.Dense(7), layers.Flatten(), layers.Dense(10)]
    return by_hand(stack)


def nested():
    image = keras.Input((28, 28, 1))
    members = [models.simple_cnn(), models.lenet5()]
    for number, member in enumerate(members):
        member.name = f"member_{number}"
    return keras.Model(image, layers.Average()([member(image) for member in members]))


NETWORKS = {
    "lenet5": models.lenet5,
    "simple_cnn": models.simple_cnn,
    "deep_cnn": models.deep_cnn,
    "wide_dense": models.wide_dense,
    "lenet_like": models.lenet_like,  # strides, and a convolution in the place of a dense layer
    "inception_net": models.inception_net,  # layers within layers
    "augmented": lambda: augmented(models.simple_cnn(), RandomAffine(10)),
    "nested": nested,
    "other ways": in_other_ways,
}


@pytest.mark.parametrize("network", NETWORKS)
def test_forward_flops_are_those_of_tensorflows_profiler(network):
    model = NETWORKS[network]()
    assert forward_flops(model) == profiled(model) > 50_000


def test_forward_flops_of_lenet5_by_hand():
    first = 28 * 28 * 6 * (5 * 5 * 1)  # places, filters, weights of a filter: multiply-adds
    second = 10 * 10 * 16 * (5 * 5 * 6)
    dense = (5 * 5 * 16) * 120 + 120 * 84 + 84 * 10
    assert forward_flops(models.lenet5()) == 2 * (first + second + dense) == 833_040


def test_what_costs_next_to_nothing_is_left_out():
    plain = by_hand([layers.Flatten(), layers.Dense(10)])
    rich = by_hand(
        [RandomAffine(10), layers.BatchNormalization(), layers.Flatten(), layers.Dense(10), layers.Softmax()]
    )
    assert forward_flops(plain) == forward_flops(rich) == 2 * 784 * 10
    assert forward_flops(by_hand([layers.Flatten()])) == 0


def test_groups_of_channels_cost_less():
    grouped = by_hand([layers.Conv2D(6, 5, groups=2)], (28, 28, 4))
    assert forward_flops(grouped) == 2 * (24 * 24) * 6 * (5 * 5 * 2)


def test_channels_may_come_first():
    first = by_hand([layers.Conv2D(6, 5, data_format="channels_first")], (3, 28, 30))
    assert forward_flops(first) == 2 * (24 * 26) * (6 * 3 * 5 * 5)


def test_training_is_three_passes_an_image():
    model = models.lenet5()
    assert training_flops(model, images=55_000, epochs=20) == 3 * 833_040 * 55_000 * 20


def test_what_cannot_be_counted_is_not_known():
    assert known_training_flops(models.lenet5(), images=10, epochs=2) == 3 * 833_040 * 20
    assert known_training_flops(by_hand([layers.Conv2DTranspose(4, 3)]), images=10, epochs=2) is None
    assert known_training_flops(by_hand([layers.Conv2D(8, 3)], (None, None, 1)), images=10, epochs=2) is None


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(TypeError, match="'model' parameter of forward_flops must be a Keras model. Got str"):
        forward_flops("lenet5")
    with pytest.raises(ValueError, match="must be built, with an explicit Input. Got 'bare', not built"):
        forward_flops(keras.Sequential([layers.Dense(10)], name="bare"))
    with pytest.raises(ValueError, match=r"for images of a fixed size. Got 'any_size': \(None, None, None, 8\)"):
        forward_flops(by_hand([layers.Conv2D(8, 3, name="any_size")], (None, None, 1)))
    with pytest.raises(ValueError, match="matrices are kernels of Conv2D, DepthwiseConv2D, Dense. Got .*lstm"):
        forward_flops(by_hand([layers.LSTM(3, name="lstm")], (28, 28)))


@pytest.mark.parametrize("settings", [{"images": 0, "epochs": 1}, {"images": 1, "epochs": 0}])
def test_training_needs_images_and_epochs(settings):
    name = "images" if settings["images"] == 0 else "epochs"
    with pytest.raises(ValueError, match=f"'{name}' parameter of training_flops must be at least 1. Got 0"):
        training_flops(models.lenet5(), **settings)
    with pytest.raises(TypeError, match=f"'{name}' parameter of training_flops must be an integer. Got 2.5"):
        training_flops(models.lenet5(), **(settings | {name: 2.5}))
