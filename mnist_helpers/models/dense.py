"""Networks of dense layers only."""

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.common.checks import check_fraction, check_positive_int


def deep_dense(dropout: float = 0.0) -> keras.Model:
    """Build the dense network with four hidden layers: S1.3, and S1.4 with `dropout=0.3`.

    flatten - 256 - 128 - 64 - 32 - 10; 244,522 parameters.

    Parameters
    ----------
    dropout : float
        Rate after every hidden layer, in [0, 1).

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10) softmax probabilities.

    Raises
    ------
    TypeError, ValueError
        A parameter out of its range, naming it.
    """
    check_fraction(dropout, name="dropout", function="deep_dense", high_included=False)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Flatten(name="flatten"),
            layers.Dense(256, activation="relu", name="dense_1"),
            layers.Dropout(dropout, name="dropout_1"),
            layers.Dense(128, activation="relu", name="dense_2"),
            layers.Dropout(dropout, name="dropout_2"),
            layers.Dense(64, activation="relu", name="dense_3"),
            layers.Dropout(dropout, name="dropout_3"),
            layers.Dense(32, activation="relu", name="dense_4"),
            layers.Dropout(dropout, name="dropout_4"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="deep_dense",
    )


def wide_dense(dropout: float = 0.2, size: int = 28) -> keras.Model:
    """Build the dense network with two wide hidden layers: S2.2, S4.1 with `dropout=0`, S4.5 with `size=48` as well.

    flatten - 512 - 256 - 10; 535,818 parameters, 1,314,058 on 48x48 images.

    Parameters
    ----------
    dropout : float
        Rate after both hidden layers, in [0, 1).
    size : int
        Height and width of the images in pixels, at least 28.

    Returns
    -------
    keras.Model
        Uncompiled; (n, size, size, 1) in [0, 1] to (n, 10) softmax probabilities.

    Raises
    ------
    TypeError, ValueError
        A parameter out of its range, naming it.
    """
    check_fraction(dropout, name="dropout", function="wide_dense", high_included=False)
    check_positive_int(size, name="size", function="wide_dense", minimum=28)
    return keras.Sequential(
        [
            keras.Input((size, size, 1), name="image"),
            layers.Flatten(name="flatten"),
            layers.Dense(512, activation="relu", name="dense_1"),
            layers.Dropout(dropout, name="dropout_1"),
            layers.Dense(256, activation="relu", name="dense_2"),
            layers.Dropout(dropout, name="dropout_2"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="wide_dense",
    )
