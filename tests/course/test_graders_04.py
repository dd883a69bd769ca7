"""Exercises of notebook 04: right answers pass, and the usual mistakes get the hint meant for them."""

import numpy as np
from graders import OPEN, RIGHT, judged
from small import digits_of

from mnist_helpers.common.backend import keras, layers

DOWN = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])


test_hints_for_kernels = judged(
    "04-1",
    [
        (DOWN, RIGHT),
        ([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], RIGHT),
        ([[0, 0, 0], [0, -1, 0], [0, 1, 0]], RIGHT),
        (DOWN / 3, RIGHT),
        (..., OPEN),
        (DOWN.T, "quarter"),
        (-DOWN, "direction"),
        (DOWN + 1, "one even grey"),
        ([[-1, 0, 0], [0, 0, 0], [0, 0, 1]], "vertical edges, too"),
        ([[1, 1, 1], [-2, -2, -2], [1, 1, 1]], "what should it give"),
        ([[1, 0, -1], [-2, 0, 2], [1, 0, -1]], "what should it give"),
        (np.zeros((3, 3)), "is 0 everywhere"),
        (DOWN[:2], "shape (3, 3). This one has (2, 3)"),
        ([[-1, -1, -1], [0, 0, 0], [1, 1]], "rows of your answer have different lengths: 3, 3, 2"),
        ("a kernel", "should be numbers, in an array or a list. This is a str"),
        ([["a", 1]], "This is a list of list"),
    ],
)


COUNTS = [260, 2510, 64_064, 650]


def test_parameters_are_those_that_keras_counts():
    convolutions = [layers.Conv2D(10, 5), layers.Conv2D(10, 5), layers.MaxPooling2D(2)]
    network = keras.Sequential(
        [keras.Input((28, 28, 1)), *convolutions, layers.Flatten(), layers.Dense(64), layers.Dense(10)]
    )
    counted = [layer.count_params() for layer in network.layers if layer.count_params()]
    assert counted == COUNTS


def counts(place, value):
    return [*COUNTS[:place], value, *COUNTS[place + 1 :]]


test_hints_for_parameters = judged(
    "04-2",
    [
        (COUNTS, RIGHT),
        (tuple(COUNTS), RIGHT),
        (np.array(COUNTS), RIGHT),
        (sum(COUNTS), "should be four numbers. Yours has one number"),
        (counts(0, 250), "conv_1: not 250. The biases are missing"),
        (counts(1, 2500), "biases are missing"),
        (counts(1, 260), "ten maps, not one image"),
        (counts(2, 64_000), "biases are missing"),
        (counts(2, 125_504), "with the padding"),
        (counts(2, 256_064), "pooling"),
        (counts(2, 92_224), "not only one"),
        (counts(2, 51_904), "How many positions"),
        (counts(2, 6_464), "There are ten maps"),
        (counts(3, 640), "output: not 640. The biases are missing"),
        (counts(2, 1), "Count the weights of one unit"),
        (counts(0, ...), OPEN),
    ],
)


def convolve(maps, kernels, constants):
    """By loops: another way than the grader's."""
    size, _, given, made = kernels.shape
    result = np.zeros((maps.shape[0] - size + 1, maps.shape[1] - size + 1, made))
    for y, x, f in np.ndindex(result.shape):
        patch = maps[y : y + size, x : x + size]
        result[y, x, f] = sum((patch[:, :, c] * kernels[:, :, c, f]).sum() for c in range(given)) + constants[f]
    return result


def test_convolution_is_what_a_layer_does():
    layer = layers.Conv2D(4, 3)
    maps = np.random.default_rng(0).normal(size=(1, 8, 7, 2)).astype(np.float32)
    layer.build(maps.shape)
    layer.bias.assign([1, 2, 3, 4])
    made = convolve(maps[0], *(np.asarray(weight) for weight in layer.get_weights()))
    assert np.allclose(made, layer(maps)[0], atol=1e-5)


def padded(maps, kernels, constants):
    edge = kernels.shape[0] // 2
    return convolve(np.pad(maps, ((edge, edge), (edge, edge), (0, 0))), kernels, constants)


test_hints_for_convolutions = judged(
    "04-3",
    [
        (convolve, RIGHT),
        (lambda m, k, b: convolve(m, k, b).tolist(), RIGHT),
        (lambda m, k, b: convolve(m, k, 0 * b), "biases are missing"),
        (lambda m, k, b: convolve(m[:, :, :1], k[:, :, :1], b), "Only the first channel"),
        (lambda m, k, b: convolve(m, k / k[..., 0].size, b), "mean"),
        (lambda m, k, b: convolve(m, k[::-1, ::-1], b), "flipped"),
        (lambda m, k, b: convolve(m, k.transpose(1, 0, 2, 3), b), "exchanged"),
        (lambda m, k, b: convolve(m, k, b).clip(0), "activation"),
        (lambda m, k, b: 2 * convolve(m, k, b), "not the numbers"),
        (padded, "no padding"),
        (lambda m, k, b: convolve(m, k, b).transpose(2, 0, 1), "maps come last"),
        (lambda m, k, b: convolve(m, k, b)[:-1, :-1], "last position"),
        (lambda m, k, b: convolve(m, k, b)[..., 0], "yours gives (4, 6)"),
        (lambda m, k, b: convolve(m, k[:3, :3], b) if len(m) == 6 else padded(m, k, b), "no padding"),
        (lambda m, k, b: ..., OPEN),
        (lambda m, k, b: None, "returns None"),
        (np.ones((4, 4, 3)), "should be a function"),
    ],
)


def network(*stack, shape=(28, 28, 1)):
    return keras.Sequential([keras.Input(shape), *stack])


def body():
    return [layers.Conv2D(4, 5, strides=2, activation="relu"), layers.MaxPooling2D(2), layers.Flatten()]


DIGITS = digits_of()


def fitted(*stack, epochs=20):
    """A network that learned the made-up digits of this test, whose accuracy counts as that of MNIST."""
    model, train = network(*stack), DIGITS.train
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    if epochs:
        model.fit(train.images, train.labels, epochs=epochs, verbose=0)
    return model


def ten(activation="softmax", **options):
    return layers.Dense(10, activation=activation, **options)


test_hints_for_small_networks = judged(
    "04-4",
    [
        (lambda: fitted(layers.Conv2D(4, 3, strides=2, activation="relu"), layers.Flatten(), ten()), RIGHT),
        (lambda: ..., OPEN),
        (lambda: network(*body(), ten()), "still has to be compiled"),
        (lambda: fitted(*body(), ten(), epochs=0), "Compiled, but not trained"),
        (lambda: fitted(*body(), ten(kernel_initializer="zeros", trainable=False), epochs=1), "More epochs"),
        (lambda: network(*body(), layers.Dense(10)), "add up to 1"),
        (lambda: network(*body(), ten("sigmoid")), "add up to 1"),
        (lambda: network(*body(), layers.Dense(64), ten()), "What would make"),
        (lambda: network(*body(), layers.Dense(1, activation="softmax")), "one output for each digit"),
        (lambda: network(*body()[:2], ten()), "ends in maps"),
        (lambda: network(layers.Flatten(), ten()), "no convolution"),
        (lambda: network(*body(), ten(), shape=(32, 32, 1)), "(32, 32, 1)"),
        (lambda: keras.Sequential(body()), "keras.Input"),
        (lambda: layers.Conv2D, "Keras network"),
        (keras.callbacks.History, "the network itself"),
    ],
    build=True,
    digits=DIGITS,
)
