"""Graders of notebook 03: parameters, cross-entropy, layers without a bend, a small dense network."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mnist_helpers.course.exercises.grading import Answer, Hint, as_array, as_number, called, diagnosis, exercise

LARGEST = 60_000  # parameters of the small network


@exercise("03-1", "Three quarters of them are in the first layer.")
def parameters(answer: Answer) -> str | None:
    """The parameters of 784-512-256-10, weights and constants."""
    given = as_number(answer)
    sizes = np.array([784, 512, 256, 10])
    weights = int((sizes[:-1] * sizes[1:]).sum())
    mistakes = {
        weights: "The weights are right. Every unit has one constant as well.",
        weights + int(sizes[1:-1].sum()): "Nearly: the ten units of the last layer have constants, too.",
        weights + int(sizes.sum()): "The 784 pixels are inputs, not units: they have no constant.",
        int((sizes[:-2] * sizes[1:-1] + sizes[1:-1]).sum()): "The layer with the ten outputs is missing.",
        int(sizes[1:].sum()): "These are the units. Each has one weight for every input, and a constant.",
        int((sizes[1:-1] * sizes[2:] + sizes[2:]).sum()): "The first layer is missing: it has 784 inputs.",
        244_522: "This is deep_dense, the network with four hidden layers.",
    }
    if given == weights + sizes[1:].sum():
        return None
    return mistakes.get(round(given), "Not yet. For each of three layers: inputs times units, plus units.")


@exercise("03-2", "A confident mistake costs most: the loss is 0.7 for p = 0.5, and 4.6 for p = 0.01.")
def cross_entropy(answer: Answer) -> str | None:
    """Minus the natural logarithm of the softmax at the label, also for sums where exp overflows."""
    cases = [([2.0, 1.0, 0.5], 0), ([0.0, 3.0, -1.0, 1.0], 2), ([-2.0, 0.5], 1)]
    given = np.array([as_number(called(answer, np.array(sums), label)) for sums, label in cases])
    chances = np.array([_softmax(np.array(sums))[label] for sums, label in cases])
    mistakes = {
        "These are the probabilities of the right digit. What is large when they are small?": chances,
        "The sign: a loss is large, and positive, when the probability is small.": np.log(chances),
        "This is the logarithm to base 2. Cross-entropy takes the natural one, np.log.": -np.log2(chances),
        "This is the logarithm to base 10. Cross-entropy takes the natural one, np.log.": -np.log10(chances),
        "1 - p is never larger than 1. Cross-entropy takes a logarithm.": 1 - chances,
        "Only the probability of the right digit counts. Pick it out by the label.": (
            [-np.log(_softmax(np.array(sums))).sum() for sums, _ in cases]
        ),
        "That is a mean over all digits. Only the probability of the right one counts.": (
            [-np.log(_softmax(np.array(sums))).mean() for sums, _ in cases]
        ),
    }
    general = "Not yet. First softmax: exp of every sum, divided by their total. Then minus the log at the label."
    if hint := diagnosis(given, -np.log(chances), mistakes, general):
        return hint
    return None if _survives(answer) else "Right for small sums. For sums like 1,000, exp overflows. See the hint."


def _softmax(sums: np.ndarray) -> np.ndarray:
    powers = np.exp(sums - sums.max())
    return powers / powers.sum()


def _survives(answer: Answer) -> bool:
    with np.errstate(all="ignore"):
        try:
            value = answer(np.array([1000.0, 998.0]), 1)
        except OverflowError:
            return False
    return bool(np.isclose(float(value), 2 + np.log1p(np.exp(-2))))


@exercise("03-3", "Layers with nothing nonlinear between them are one layer, however many there are.")
def merged(answer: Answer) -> str | None:
    """``w1 @ w2`` and ``b1 @ w2 + b2``; square matrices first, so that no mistake ends in a wrong shape."""
    weights, constants = _merge_tried(answer, (4, 4, 4))
    w1, b1, w2, b2 = _two_layers((4, 4, 4))
    mistakes = {
        "The order: an image meets the first layer first, image @ w1 @ w2.": w2 @ w1,
        "The weights are multiplied entry by entry. A matrix product is meant, @.": w1 * w2,
    }
    general = "The weights are not right yet. What becomes of (image @ w1) @ w2?"
    if hint := diagnosis(weights, w1 @ w2, mistakes, general):
        return hint
    mistakes = {
        "The constants of the first layer pass through the weights of the second.": b1 + b2,
        "The first layer has constants, too, and they arrive at the second.": b2,
        "The constants of the second layer are missing.": b1 @ w2,
        "The order of b1 and w2: the constants stand where an image stands, on the left.": w2 @ b1 + b2,
    }
    general = "The weights are right, the constants not yet. Write out (image @ w1 + b1) @ w2 + b2."
    if hint := diagnosis(constants, b1 @ w2 + b2, mistakes, general):
        return hint
    _merge_tried(answer, (5, 3, 2))
    return None


def _two_layers(sizes: tuple[int, int, int]) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(0)
    inputs, hidden, outputs = sizes
    return tuple(random.normal(size=s) for s in ((inputs, hidden), hidden, (hidden, outputs), outputs))


def _merge_tried(answer: Answer, sizes: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    value = called(answer, *(array.copy() for array in _two_layers(sizes)))
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise Hint("Two things should be returned: the weights and the constants of the one layer.")
    return as_array(value[0], (sizes[0], sizes[2])), as_array(value[1], (sizes[2],))


@exercise("03-4", "Compile and train it: how close does it come to the large one?")
def small_network(answer: Answer) -> str | None:
    """Dense layers only, two of them hidden and bent, ten probabilities, fewer than 60,000 parameters."""
    from mnist_helpers.common.backend import keras

    network = answer() if callable(answer) and not isinstance(answer, keras.Model) else answer
    if not isinstance(network, keras.Model):
        raise Hint("The answer should be a Keras network, such as keras.Sequential([...]).")
    if not network.built or tuple(network.input_shape[1:]) != (28, 28, 1):
        return "It does not know its input. Begin with keras.Input((28, 28, 1)), then Flatten."
    layers = list(_flattened(network))
    if problem := _layers_problem(layers, keras):
        return problem
    if (count := network.count_params()) >= LARGEST:
        return f"It has {count:,} parameters, and should have fewer than {LARGEST:,}. Where are most of them?"
    return _output_problem(network)


def _flattened(network: Any) -> Iterator[Any]:
    for layer in network.layers:
        yield from _flattened(layer) if hasattr(layer, "layers") else [layer]


def _layers_problem(layers: list[Any], keras: Any) -> str | None:
    if any("conv" in type(layer).__name__.lower() for layer in layers):
        return "Convolutions come in notebook 04. Dense layers only, please."
    dense = [i for i, layer in enumerate(layers) if isinstance(layer, keras.layers.Dense)]
    if len(dense) < 3:
        return f"Two hidden layers are asked for, and one with the ten outputs. There are {len(dense)} Dense layers."
    for here, following in zip(dense, dense[1:], strict=False):
        bends = [layers[here].activation is not keras.activations.linear]
        bends += [_is_bend(layer) for layer in layers[here + 1 : following]]
        if not any(bends):
            return f"Between {layers[here].name} and {layers[following].name} there is no bend. Remember exercise 03-3."
    return None


def _is_bend(layer: Any) -> bool:
    kind = type(layer).__name__
    return kind == "Activation" or kind.endswith("LU")  # ReLU, LeakyReLU, PReLU, ELU


def _output_problem(network: Any) -> str | None:
    images = np.random.default_rng(0).random((4, 28, 28, 1), dtype=np.float32)
    outputs = np.asarray(network(images))
    if outputs.shape != (4, 10):
        return f"For four images, 4 rows of 10 probabilities should come out. The shape is {outputs.shape}."
    if outputs.min() < 0 or not np.allclose(outputs.sum(axis=1), 1, atol=1e-4):
        return "The ten outputs are no probabilities: not all positive, or their sum is not 1. Which activation helps?"
    return None
