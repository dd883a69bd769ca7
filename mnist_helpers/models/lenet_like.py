"""The family of LeNet-like networks, from average pooling to inception blocks (S3.A to S3.E).

The published notebook trained them on pixels from 0 to 255. Images of this series are in [0, 1]: `rescale=255` makes a
network undo that inside, which reproduces the unscaled protocol on the same data.
"""

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.common.checks import check_choice, check_fraction, problem
from mnist_helpers.models.layers import Inception, LocalResponseNormalization


def lenet_like(dropout: float = 0.0, normalization: bool = False, rescale: float = 1.0) -> keras.Model:
    """Build the LeNet-like network: S3.A, S3.B with `dropout=0.45`, S3.C with `normalization=True`.

    conv 8@5x5/2 - pool 2 - conv 16@3x3 - pool 3/2 - conv 64@2x2 - conv 128@3x3 - conv 32@1x1 - 10; 83,850 parameters.

    Parameters
    ----------
    dropout : float
        Rate before and after the last convolution, in [0, 1).
    normalization : bool
        Whether local response normalisation follows both poolings.
    rescale : float
        Factor on the pixels, greater than 0; 255 reproduces the published, unscaled input.

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10) softmax probabilities.

    Raises
    ------
    TypeError, ValueError
        A parameter out of its range, naming it.
    """
    check_fraction(dropout, name="dropout", function="lenet_like", high_included=False)
    check_choice(normalization, (False, True), name="normalization", function="lenet_like")
    _check_rescale(rescale, function="lenet_like")
    image = keras.Input((28, 28, 1), name="image")
    x = image if rescale == 1 else layers.Rescaling(rescale, name="rescale")(image)
    x = layers.Conv2D(8, 5, strides=2, padding="same", activation="relu", name="conv_1")(x)  # 14x14x8
    x = layers.AveragePooling2D(2, name="pool_1")(x)  # 7x7x8
    x = LocalResponseNormalization(name="norm_1")(x) if normalization else x
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="conv_2")(x)  # 7x7x16
    x = layers.AveragePooling2D(3, strides=2, name="pool_2")(x)  # 3x3x16
    x = LocalResponseNormalization(name="norm_2")(x) if normalization else x
    x = layers.Conv2D(64, 2, padding="same", activation="relu", name="conv_3")(x)  # 3x3x64
    x = layers.Conv2D(128, 3, activation="relu", name="conv_4")(x)  # 1x1x128
    x = layers.Dropout(dropout, name="dropout_1")(x)
    x = layers.Conv2D(32, 1, activation="relu", name="conv_5")(x)  # 1x1x32
    x = layers.Dropout(dropout, name="dropout_2")(x)
    x = layers.Flatten(name="flatten")(x)
    digit = layers.Dense(10, activation="softmax", name="output")(x)
    return keras.Model(image, digit, name="lenet_like")


def deep_lenet_like(rescale: float = 1.0) -> keras.Model:
    """Build the deeper LeNet-like network with local response normalisation: S3.D.

    conv 8@5x5/2 - conv 16@5x5 - pool 2 - norm - conv 32@3x3 x2 - pool 3/2 - norm - conv 64@2x2 x2 - conv 128@3x3 -
    conv 32@1x1 - 10; 120,330 parameters.

    Parameters
    ----------
    rescale : float
        Factor on the pixels, greater than 0; 255 reproduces the published, unscaled input.

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10) softmax probabilities.

    Raises
    ------
    TypeError, ValueError
        A parameter out of its range, naming it.
    """
    _check_rescale(rescale, function="deep_lenet_like")
    image = keras.Input((28, 28, 1), name="image")
    x = image if rescale == 1 else layers.Rescaling(rescale, name="rescale")(image)
    x = layers.Conv2D(8, 5, strides=2, padding="same", activation="relu", name="conv_1")(x)  # 14x14x8
    x = layers.Conv2D(16, 5, padding="same", activation="relu", name="conv_2")(x)  # 14x14x16
    x = layers.AveragePooling2D(2, name="pool_1")(x)  # 7x7x16
    x = LocalResponseNormalization(name="norm_1")(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv_3")(x)  # 7x7x32
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv_4")(x)
    x = layers.AveragePooling2D(3, strides=2, name="pool_2")(x)  # 3x3x32
    x = LocalResponseNormalization(name="norm_2")(x)
    x = layers.Conv2D(64, 2, padding="same", activation="relu", name="conv_5")(x)  # 3x3x64
    x = layers.Conv2D(64, 2, padding="same", activation="relu", name="conv_6")(x)
    x = layers.Conv2D(128, 3, activation="relu", name="conv_7")(x)  # 1x1x128
    x = layers.Conv2D(32, 1, activation="relu", name="conv_8")(x)  # 1x1x32
    x = layers.Flatten(name="flatten")(x)
    digit = layers.Dense(10, activation="softmax", name="output")(x)
    return keras.Model(image, digit, name="deep_lenet_like")


def inception_net(rescale: float = 1.0) -> keras.Model:
    """Build the network of inception blocks: S3.E.

    conv 16@5x5/2 - inception - pool 2 - inception - inception - pool 3/2 - conv 128@3x3 - dropout .3 - 10;
    115,224 parameters.

    The published notebook breaks off after the block and one tuple of its filter counts; the network around them is
    this series' own.

    Parameters
    ----------
    rescale : float
        Factor on the pixels, greater than 0; 255 reproduces the published, unscaled input.

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10) softmax probabilities.

    Raises
    ------
    TypeError, ValueError
        A parameter out of its range, naming it.
    """
    _check_rescale(rescale, function="inception_net")
    image = keras.Input((28, 28, 1), name="image")
    x = image if rescale == 1 else layers.Rescaling(rescale, name="rescale")(image)
    x = layers.Conv2D(16, 5, strides=2, padding="same", activation="relu", name="conv_1")(x)  # 14x14x16
    x = Inception((8, 4, 16, 4, 12, 2), name="inception_1")(x)  # 14x14x38
    x = layers.MaxPooling2D(2, name="pool_1")(x)  # 7x7x38
    x = Inception((16, 8, 32, 8, 24, 8), name="inception_2")(x)  # 7x7x80
    x = Inception((16, 8, 32, 8, 24, 8), name="inception_3")(x)  # 7x7x80
    x = layers.MaxPooling2D(3, strides=2, name="pool_2")(x)  # 3x3x80
    x = layers.Conv2D(128, 3, activation="relu", name="conv_2")(x)  # 1x1x128
    x = layers.Dropout(0.3, name="dropout_1")(x)
    x = layers.Flatten(name="flatten")(x)
    digit = layers.Dense(10, activation="softmax", name="output")(x)
    return keras.Model(image, digit, name="inception_net")


def _check_rescale(rescale: float, *, function: str) -> None:
    check_fraction(rescale, name="rescale", function=function, high=float("inf"))
    if rescale == 0:
        raise ValueError(problem("rescale", function, "greater than 0", rescale))
