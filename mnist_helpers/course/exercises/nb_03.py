"""Graders of notebook 03: parameters, cross-entropy, a step of gradient descent, a small network that was trained."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mnist_helpers.common.profile import is_full
from mnist_helpers.course.exercises.grading import (
    Answer,
    as_array,
    as_number,
    called,
    check_network,
    diagnosis,
    exercise,
    validation_accuracy,
)
from mnist_helpers.data.mnist import Digits

LARGEST = [{"largest": number} for number in (60_000, 50_000, 40_000, 30_000)]  # parameters of the small network
HIDDEN = [{"hidden": units} for units in ((512, 256), (300, 100), (400, 150), (640, 80))]
ENOUGH = 0.95  # of its validation accuracy


@exercise("03-1", "Three quarters of them are in the first layer.", variants=HIDDEN)
def parameters(answer: Answer, hidden: tuple[int, int]) -> str | None:
    """The parameters of 784-512-256-10, weights and biases."""
    given = as_number(answer)
    sizes = np.array([784, *hidden, 10])
    weights = int((sizes[:-1] * sizes[1:]).sum())
    mistakes = {
        weights: "The weights are right. Every unit has one bias as well.",
        weights + int(sizes[1:-1].sum()): "Nearly: the ten units of the last layer have biases, too.",
        weights + int(sizes.sum()): "The 784 pixels are inputs, not units: they have no bias.",
        int((sizes[:-2] * sizes[1:-1] + sizes[1:-1]).sum()): "The layer with the ten outputs is missing.",
        int(sizes[1:].sum()): "These are the units. Each has one weight for every input, and a bias.",
        int((sizes[1:-1] * sizes[2:] + sizes[2:]).sum()): "The first layer is missing: it has 784 inputs.",
        244_522: "This is dense_network, the one with four hidden layers.",
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


@exercise("03-3", "Repeat it batch after batch, and you have written the heart of `fit`.")
def step(answer: Answer) -> str | None:
    """``weights - learning_rate * gradient`` of the mean cross-entropy of a layer with softmax."""
    random, rate = np.random.default_rng(0), 0.5
    images, labels, weights = random.random((6, 4)), np.array([0, 2, 1, 1, 0, 2]), random.normal(size=(4, 3))
    before = weights.copy()
    given = as_array(called(answer, images, labels, weights, rate), (4, 3))
    if not np.array_equal(weights, before):
        return "It changes the array that it was given. Return new weights: `weights - ...` makes a new array."
    chances = np.apply_along_axis(_softmax, 1, images @ weights)
    sums = chances - np.eye(3)[labels]
    gradient = images.T @ sums / len(images)
    mistakes = {
        "The sign: that is a step up the slope. The loss falls in the opposite direction of the gradient.": (
            weights + rate * gradient
        ),
        "The gradient is right. Now take the step: subtract it, times the learning rate, from the weights.": gradient,
        "The step is right. Return the new weights, and not only the change.": -rate * gradient,
        "The learning rate is missing: how large should the step be?": weights - gradient,
        "The loss of a batch is the mean over its images. Divide by their number.": (
            weights - rate * gradient * len(images)
        ),
        "The learning rate is applied twice.": weights - rate**2 * gradient,
        "Subtract 1 from the probability of the right digit: `p - np.eye(...)[labels]`.": (
            weights - rate * images.T @ chances / len(images)
        ),
        "The weights have not changed. Is the gradient zero?": weights,
    }
    general = "Not yet. `d_s` is softmax minus 1 at the label, the gradient is `images.T @ d_s / len(images)`."
    return diagnosis(given, weights - rate * gradient, mistakes, general)


@exercise(
    "03-4",
    "You can now do this in any notebook. How small can it be before the accuracy falls?",
    needs_digits=True,
    variants=LARGEST,
)
def small_network(answer: Answer, digits: Digits, largest: int) -> str | None:
    """Dense layers only, two of them hidden and nonlinear, fewer than 60,000 parameters, compiled and fitted."""
    from mnist_helpers.common.backend import keras

    network = answer
    check_network(network)
    if (shape := tuple(network.input_shape[1:])) != (28, 28, 1):
        return f"It takes inputs of shape {shape}, but gets images of (28, 28, 1). Begin with keras.Input((28, 28, 1))."
    if problem := _layers_problem(list(_flattened(network)), keras):
        return problem
    if (count := network.count_params()) >= largest:
        return f"It has {count:,} parameters, and should have fewer than {largest:,}. Where are most of them?"
    return _output_problem(network) or _training_problem(network, digits)


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
        nonlinear = [layers[here].activation is not keras.activations.linear]
        nonlinear += [_is_nonlinear(layer) for layer in layers[here + 1 : following]]
        if not any(nonlinear):
            between = f"Between {layers[here].name} and {layers[following].name} there is no activation"
            return f"{between}: together they are one linear layer."
    return None


def _is_nonlinear(layer: Any) -> bool:
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


def _training_problem(network: Any, digits: Digits) -> str | None:
    """Whether it was compiled and fitted; with few images, as in the smoke profile, half of the digits are enough."""
    accuracy = validation_accuracy(network, digits)
    if accuracy > (ENOUGH if is_full(digits.source) else 0.5):
        return None
    return f"It reads {accuracy:.1%} of the validation images. More epochs, more images, or more units at the front?"
