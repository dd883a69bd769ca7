"""Every network of the series, one factory each: uncompiled Keras models on images of shape (n, 28, 28, 1)."""

from mnist_helpers.models.convolutional import (
    compact_cnn,
    deep_cnn,
    large_kernel_cnn,
    simple_cnn,
    small_cnn,
    sprint_cnn,
    strided_cnn,
)
from mnist_helpers.models.dense import deep_dense, wide_dense
from mnist_helpers.models.lenet import ablated_lenet, expanded_lenet, lenet5
from mnist_helpers.models.lenet_like import deep_lenet_like, inception_net, lenet_like

__all__ = [
    "ablated_lenet",
    "compact_cnn",
    "deep_cnn",
    "deep_dense",
    "deep_lenet_like",
    "expanded_lenet",
    "inception_net",
    "large_kernel_cnn",
    "lenet5",
    "lenet_like",
    "simple_cnn",
    "small_cnn",
    "sprint_cnn",
    "strided_cnn",
    "wide_dense",
]
