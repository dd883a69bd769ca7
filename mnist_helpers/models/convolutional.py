"""Plain convolutional networks: S1.6, S2.1, S2.7 and S4.3, the one for the sprint, and the one for accuracy."""

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.common.checks import check_choice, check_positive_int


def simple_cnn() -> keras.Model:
    """Build the small convolutional network of S2.1, S2.4, S2.5 and the members of S2.6.

    conv 10@5x5 - conv 10@5x5 - pool - 64 - dropout .2 - 10; 128,924 parameters.

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10) softmax probabilities.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Conv2D(10, 5, padding="same", activation="relu", name="conv_1"),
            layers.Conv2D(10, 5, padding="same", activation="relu", name="conv_2"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Flatten(name="flatten"),
            layers.Dense(64, activation="relu", name="dense_1"),
            layers.Dropout(0.2, name="dropout_1"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="simple_cnn",
    )


def large_kernel_cnn() -> keras.Model:
    """Build the network with 7x7 and 5x5 kernels of S1.6 and S1.7.

    conv 32@7x7 - pool - dropout .3 - conv 48@5x5 - pool - dropout .3 - 128 - dropout .3 - 10; 342,522 parameters.

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10) softmax probabilities.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Conv2D(32, 7, padding="same", activation="relu", name="conv_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Dropout(0.3, name="dropout_1"),
            layers.Conv2D(48, 5, padding="same", activation="relu", name="conv_2"),
            layers.MaxPooling2D(2, name="pool_2"),
            layers.Dropout(0.3, name="dropout_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation="relu", name="dense_1"),
            layers.Dropout(0.3, name="dropout_3"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="large_kernel_cnn",
    )


def deep_cnn() -> keras.Model:
    """Build the network with two pairs of convolutions: S2.7, and the members of S2.8.

    conv 32@5x5 x2 - pool - dropout .25 - conv 64@3x3 x2 - pool - 256 - dropout .2 - 10; 887,530 parameters.

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10) softmax probabilities.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Conv2D(32, 5, padding="same", activation="relu", name="conv_1"),
            layers.Conv2D(32, 5, padding="same", activation="relu", name="conv_2"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Dropout(0.25, name="dropout_1"),
            layers.Conv2D(64, 3, padding="same", activation="relu", name="conv_3"),
            layers.Conv2D(64, 3, padding="same", activation="relu", name="conv_4"),
            layers.MaxPooling2D(2, name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(256, activation="relu", name="dense_1"),
            layers.Dropout(0.2, name="dropout_2"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="deep_cnn",
    )


def small_cnn(pool_stride: int = 2, size: int = 28) -> keras.Model:
    """Build the network with two 3x3 convolutions: S4.3, and S4.6 with `size=48`.

    conv 32@3x3 - pool - conv 64@3x3 - pool - 128 - dropout .5 - 10; 225,034 parameters, 839,434 on 48x48 images.

    Parameters
    ----------
    pool_stride : {1, 2}
        Step of both 2x2 poolings. 1 is the published slip: pooling then hardly shrinks the image, `dense_1` gets
        30,976 inputs instead of 1,600, and the network 3,985,162 parameters.
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
    check_choice(pool_stride, (1, 2), name="pool_stride", function="small_cnn")
    check_positive_int(size, name="size", function="small_cnn", minimum=28)
    return keras.Sequential(
        [
            keras.Input((size, size, 1), name="image"),
            layers.Conv2D(32, 3, activation="relu", name="conv_1"),
            layers.MaxPooling2D(2, strides=pool_stride, name="pool_1"),
            layers.Conv2D(64, 3, activation="relu", name="conv_2"),
            layers.MaxPooling2D(2, strides=pool_stride, name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation="relu", name="dense_1"),
            layers.Dropout(0.5, name="dropout_1"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="small_cnn",
    )


def sprint_cnn() -> keras.Model:
    """Build the network that is above 99 % of the validation images after one epoch, in seconds.

    conv 16@5x5 - pool - norm - conv 32@3x3 - pool - norm - 256 - norm - 10; 213,290 parameters.

    Normalisation and activation come after the pooling, where there is a quarter of the pixels. The moving averages
    of the batch normalisation are short (momentum 0.9), for a run of a few hundred steps.

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10) softmax probabilities.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Conv2D(16, 5, use_bias=False, name="conv_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.BatchNormalization(momentum=0.9, scale=False, name="norm_1"),
            layers.ReLU(name="relu_1"),
            layers.Conv2D(32, 3, use_bias=False, name="conv_2"),
            layers.MaxPooling2D(2, name="pool_2"),
            layers.BatchNormalization(momentum=0.9, scale=False, name="norm_2"),
            layers.ReLU(name="relu_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(256, use_bias=False, name="dense_1"),
            layers.BatchNormalization(momentum=0.9, scale=False, name="norm_3"),
            layers.ReLU(name="relu_3"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="sprint_cnn",
    )


def compact_cnn() -> keras.Model:
    """Build the network designed for accuracy per unit of computing: the members of the series' own committee.

    conv 32@5x5/2 - conv 48@3x3 x2 - pool - dropout .1 - conv 96@3x3 x2 - pool - dropout .2 - conv 128@3x3 - dropout .3
    - 10; 272,106 parameters.

    The first convolution takes steps of two pixels: all others work on at most 14x14 places, and can have more filters
    for the same number of operations.

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10) softmax probabilities.
    """
    stack = [keras.Input((28, 28, 1), name="image"), _he_convolution(32, 5, "conv_1", strides=2)]
    for block, (filters, rate) in enumerate([(48, 0.1), (96, 0.2)], start=1):
        stack += [
            _he_convolution(filters, 3, f"conv_{2 * block}"),
            _he_convolution(filters, 3, f"conv_{2 * block + 1}"),
            layers.MaxPooling2D(2, name=f"pool_{block}"),
            layers.Dropout(rate, name=f"dropout_{block}"),
        ]
    stack += [
        _he_convolution(128, 3, "conv_6", padding="valid"),
        layers.Flatten(name="flatten"),
        layers.Dropout(0.3, name="dropout_3"),
        layers.Dense(10, activation="softmax", name="output"),
    ]
    return keras.Sequential(stack, name="compact_cnn")


def strided_cnn() -> keras.Model:
    """Build the network of the best honest number: batch normalisation, and strides instead of pooling.

    conv 32@5x5 - conv 64@5x5/2 - dropout .2 - conv 96@5x5/2 - dropout .3 - conv 96@3x3 - conv 128@3x3/2 - conv 128@3x3
    - dropout .4 - 10, each convolution without bias and followed by batch normalisation and ReLU; 550,058 parameters.

    Returns
    -------
    keras.Model
        Uncompiled; (n, 28, 28, 1) in [0, 1] to (n, 10) softmax probabilities.
    """
    blocks = [(32, 5, 1, "valid", 0), (64, 5, 2, "same", 0.2), (96, 5, 2, "same", 0.3)]
    blocks += [(96, 3, 1, "same", 0), (128, 3, 2, "same", 0), (128, 3, 1, "valid", 0)]
    stack = [keras.Input((28, 28, 1), name="image")]
    for i, (filters, size, strides, padding, rate) in enumerate(blocks, start=1):
        settings = {"strides": strides, "padding": padding, "use_bias": False, "kernel_initializer": "he_normal"}
        stack += [
            layers.Conv2D(filters, size, name=f"conv_{i}", **settings),
            layers.BatchNormalization(name=f"norm_{i}"),
            layers.ReLU(name=f"relu_{i}"),
        ]
        stack += [layers.Dropout(rate, name=f"dropout_{i}")] if rate else []
    stack += [
        layers.Flatten(name="flatten"),
        layers.Dropout(0.4, name="dropout_6"),
        layers.Dense(10, activation="softmax", name="output"),
    ]
    return keras.Sequential(stack, name="strided_cnn")


def _he_convolution(filters: int, size: int, name: str, strides: int = 1, padding: str = "same") -> layers.Conv2D:
    """Return a ReLU convolution with He's initial weights, which keep the signal's size through many ReLU layers."""
    settings = {"activation": "relu", "kernel_initializer": "he_normal"}
    return layers.Conv2D(filters, size, strides=strides, padding=padding, name=name, **settings)
