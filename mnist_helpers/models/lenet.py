"""LeNet-5 and its two relatives, larger and smaller (S0.6 to S0.10).

All three frame the 28x28 images with two rows and columns of zeros on each side, because LeNet-5 reads 32x32 images.
"""

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.common.checks import check_choice
from mnist_helpers.models.layers import leaky_relu

ACTIVATIONS = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "relu", "elu": "elu", "leaky_relu": leaky_relu}
OUTPUTS = ("softmax", "linear", "tanh")


def lenet5(activation: str = "relu", output: str = "softmax") -> keras.Model:
    """Build LeNet-5 with max-pooling: S0.6 and S0.7, and S0.8 with other activations.

    pad to 32x32 - conv 6@5x5 - pool - conv 16@5x5 - pool - 120 - 84 - 10; 61,706 parameters.

    Parameters
    ----------
    activation : {"sigmoid", "tanh", "relu", "elu", "leaky_relu"}
        After every hidden layer. "leaky_relu" has the published slope 0.01, not Keras's 0.2.
    output : {"softmax", "linear", "tanh"}
        Of the last layer. Hinge loss wants "linear" or "tanh", and targets of -1 and 1.

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10).

    Raises
    ------
    TypeError, ValueError
        A parameter out of its range, naming it.
    """
    check_choice(activation, ACTIVATIONS, name="activation", function="lenet5")
    check_choice(output, OUTPUTS, name="output", function="lenet5")
    hidden = ACTIVATIONS[activation]
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.ZeroPadding2D(2, name="frame"),
            layers.Conv2D(6, 5, activation=hidden, name="conv_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Conv2D(16, 5, activation=hidden, name="conv_2"),
            layers.MaxPooling2D(2, name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(120, activation=hidden, name="dense_1"),
            layers.Dense(84, activation=hidden, name="dense_2"),
            layers.Dense(10, activation=output, name="output"),
        ],
        name="lenet5",
    )


def expanded_lenet() -> keras.Model:
    """Build LeNet-5 with a third convolution and a third dense layer: S0.9.

    pad to 32x32 - conv 10@5x5 - pool - conv 16@5x5 - pool - conv 14@2x2 - pool - 360 - 120 - 84 - 10;
    80,040 parameters.

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10) softmax probabilities.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.ZeroPadding2D(2, name="frame"),
            layers.Conv2D(10, 5, activation="relu", name="conv_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Conv2D(16, 5, activation="relu", name="conv_2"),
            layers.MaxPooling2D(2, name="pool_2"),
            layers.Conv2D(14, 2, activation="relu", name="conv_3"),
            layers.MaxPooling2D(2, name="pool_3"),
            layers.Flatten(name="flatten"),
            layers.Dense(360, activation="relu", name="dense_1"),
            layers.Dense(120, activation="relu", name="dense_2"),
            layers.Dense(84, activation="relu", name="dense_3"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="expanded_lenet",
    )


def ablated_lenet() -> keras.Model:
    """Build LeNet-5 with small kernels, few filters and one hidden dense layer: S0.10.

    pad to 32x32 - conv 6@2x2 - pool - conv 6@2x2 - pool - 42 - 10, with LeakyReLU of slope 0.01; 13,000 parameters.

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10) softmax probabilities.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.ZeroPadding2D(2, name="frame"),
            layers.Conv2D(6, 2, activation=leaky_relu, name="conv_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Conv2D(6, 2, activation=leaky_relu, name="conv_2"),
            layers.MaxPooling2D(2, name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(42, activation=leaky_relu, name="dense_1"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="ablated_lenet",
    )
