"""Keras layers that the published networks need and Keras does not have.

All of them use `keras.ops` only, so they run on every Keras backend, and all are registered under the package name
"mnist_helpers": a saved model that contains one loads in safe mode once this module is imported.
"""

from collections.abc import Callable, Sequence

import numpy as np

from mnist_helpers.common.backend import keras, ops
from mnist_helpers.common.checks import check_fraction, check_positive_int, problem
from mnist_helpers.common.types import Plain, Tensor

LEAKY_SLOPE = 0.01
_LRN = "LocalResponseNormalization"


@keras.saving.register_keras_serializable(package="mnist_helpers")
def leaky_relu(x: Tensor) -> Tensor:
    """Return `x` where it is positive and 0.01 `x` elsewhere (Keras's own "leaky_relu" has a slope of 0.2)."""
    # not Keras's own: TensorFlow prints an error when it cannot fuse that operation's gradient, and goes on without
    return ops.where(x > 0, x, LEAKY_SLOPE * x)


@keras.saving.register_keras_serializable(package="mnist_helpers")
class LocalResponseNormalization(keras.layers.Layer):
    """Divide each channel by the activity of its neighbour channels at the same pixel.

    `y[c] = x[c] / (bias + alpha * sum(x[j] ** 2)) ** beta`, the sum running over the channels `c - depth_radius` to
    `c + depth_radius` that exist. Same values and gradients as `tf.nn.local_response_normalization`.

    Parameters
    ----------
    depth_radius : int
        Neighbours on each side, at least 0: the window is `2 * depth_radius + 1` channels wide.
    bias : float
        Keeps the divisor away from zero, greater than 0.
    alpha : float
        Weight of the sum, at least 0. It is not divided by the width of the window.
    beta : float
        Exponent of the divisor, at least 0.

    Notes
    -----
    Input and output: (batch, ..., channels), channels last. The layer has no weights. Raises ``TypeError`` or
    ``ValueError`` for a bad parameter or input shape, naming it.

    Source: Krizhevsky, Sutskever and Hinton (2012), "ImageNet classification with deep convolutional neural networks",
    section 3.3. The defaults are those of the published networks S3.C and S3.D.
    """

    def __init__(
        self, depth_radius: int = 2, bias: float = 1.0, alpha: float = 2e-5, beta: float = 0.75, **kwargs: object
    ) -> None:
        super().__init__(**kwargs)
        self.depth_radius = check_positive_int(depth_radius, name="depth_radius", function=_LRN, minimum=0)
        self.bias = check_fraction(bias, name="bias", function=_LRN, high=np.inf)
        self.alpha = check_fraction(alpha, name="alpha", function=_LRN, high=np.inf)
        self.beta = check_fraction(beta, name="beta", function=_LRN, high=np.inf)
        if self.bias == 0:
            raise ValueError(problem("bias", _LRN, "greater than 0", bias))

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) < 2:
            raise ValueError(problem("x", _LRN, "of shape (batch, ..., channels)", f"shape {tuple(input_shape)}"))
        super().build(input_shape)

    def call(self, x: Tensor) -> Tensor:
        channel = np.arange(x.shape[-1])
        neighbours = np.abs(channel[:, None] - channel) <= self.depth_radius  # (channels, channels), a band of ones
        # One matrix product sums every window: on a CPU about twice faster than adding shifted slices.
        activity = ops.matmul(ops.square(x), ops.cast(neighbours, x.dtype))
        return x / ops.power(self.bias + self.alpha * activity, self.beta)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> Plain:
        own = {"depth_radius": self.depth_radius, "bias": self.bias, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="mnist_helpers")
class Inception(keras.layers.Layer):
    """Look at the input through four branches side by side, and stack what they find as channels.

    The branches: a 1x1 convolution; a 1x1 and then a 3x3 convolution; a 1x1 and then a 5x5 convolution; a 3x3
    max-pooling (stride 1) and then a 1x1 convolution. The 1x1 convolutions before 3x3 and 5x5 reduce the number of
    channels, which is what keeps the block cheap.

    Parameters
    ----------
    filters : sequence of six int
        In the order of the source's table 1: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection.
    activation : str or callable
        After every convolution.

    Notes
    -----
    Input (batch, height, width, channels); output (batch, height, width, 1x1 + 3x3 + 5x5 + pool projection). Raises
    ``TypeError`` or ``ValueError`` for other filters or an input of another rank.

    Source: Szegedy et al. (2015), "Going deeper with convolutions", figure 2b.
    """

    def __init__(self, filters: Sequence[int], activation: str | Callable = "relu", **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.filters = _check_filters(filters)
        self.activation = keras.activations.get(activation)
        one, reduce_3, three, reduce_5, five, project = self.filters
        self.one = self._convolution(one, 1, "one")
        self.reduce_3 = self._convolution(reduce_3, 1, "reduce_3")
        self.three = self._convolution(three, 3, "three")
        self.reduce_5 = self._convolution(reduce_5, 1, "reduce_5")
        self.five = self._convolution(five, 5, "five")
        self.pool = keras.layers.MaxPooling2D(3, strides=1, padding="same", name="pool")
        self.project = self._convolution(project, 1, "project")

    def _convolution(self, filters: int, size: int, name: str) -> keras.layers.Conv2D:
        return keras.layers.Conv2D(filters, size, padding="same", activation=self.activation, name=name)

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) != 4:
            expected = "of shape (batch, height, width, channels)"
            raise ValueError(problem("x", "Inception", expected, f"shape {tuple(input_shape)}"))
        for first in (self.one, self.reduce_3, self.reduce_5, self.pool, self.project):
            first.build(input_shape)
        self.three.build(self.reduce_3.compute_output_shape(input_shape))
        self.five.build(self.reduce_5.compute_output_shape(input_shape))
        super().build(input_shape)

    def call(self, x: Tensor) -> Tensor:
        branches = [
            self.one(x),
            self.three(self.reduce_3(x)),
            self.five(self.reduce_5(x)),
            self.project(self.pool(x)),
        ]
        return ops.concatenate(branches, axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        one, _, three, _, five, project = self.filters
        return (*input_shape[:-1], one + three + five + project)

    def get_config(self) -> Plain:
        own = {"filters": list(self.filters), "activation": keras.activations.serialize(self.activation)}
        return {**super().get_config(), **own}


def _check_filters(filters: Sequence[int]) -> tuple[int, ...]:
    counts = tuple(filters)
    if len(counts) != 6:
        expected = "six counts (1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection)"
        raise ValueError(problem("filters", "Inception", expected, counts))
    return tuple(check_positive_int(count, name="filters", function="Inception") for count in counts)
