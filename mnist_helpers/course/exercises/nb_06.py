"""Graders of notebook 06: architectures."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mnist_helpers.common.profile import is_full
from mnist_helpers.course.exercises.grading import (
    Answer,
    Hint,
    as_array,
    as_number,
    called,
    check_network,
    diagnosis,
    exercise,
    validation_accuracy,
)
from mnist_helpers.data.mnist import Digits

_CHANNELS, _FILTERS = 38, (16, 8, 32, 8, 24, 8)  # what comes into `inception_2`, and its filter counts
_LARGEST_NETWORK, _ENOUGH = 20_000, 0.95  # parameters, and validation accuracy, of 06-4


def block_parameters(
    channels: int = _CHANNELS,
    filters: tuple[int, ...] = _FILTERS,
    *,
    windows: tuple[int, int] = (9, 25),
    biases: bool = True,
    reduced: bool = True,
) -> int:
    """Return the number of parameters of an inception block (with mistakes, for the hints)."""
    one, reduce_3, three, reduce_5, five, project = filters
    into_3, into_5 = (reduce_3, reduce_5) if reduced else (channels, channels)
    weights = channels * (one + reduce_3 + reduce_5 + project)
    weights += into_3 * windows[0] * three + into_5 * windows[1] * five
    return weights + biases * sum(filters)


_WINDOWS = "A window of 3x3 has nine weights for each channel that it reads, one of 5x5 has 25."
_COUNTS = [
    (block_parameters(biases=False), "The weights are all there. Does every filter also have a constant?"),
    (block_parameters(windows=(1, 1)), _WINDOWS),
    (block_parameters(windows=(3, 5)), _WINDOWS),
    (block_parameters(reduced=False), "The 3x3 and the 5x5 convolution do not read 38 channels. What is before them?"),
    (block_parameters(80), "That is the block after this one: inception_3 reads 80 channels."),
    (block_parameters(16, (8, 4, 16, 4, 12, 2)), "That is the first block, inception_1, as counted in the lesson."),
]


@exercise("06-1", "Without the 1x1 convolutions in front, the block would have four times as many.")
def parameters_of_a_block(answer: Answer) -> str | None:
    """Grade the number of parameters of `inception_2`."""
    value = as_number(answer)
    if value == block_parameters():
        return None
    general = "Not yet. A convolution has (channels read) x (pixels of the window) x (filters) weights, and a constant"
    return next((hint for wrong, hint in _COUNTS if value == wrong), f"{general} for each filter. Add up six of them.")


def early_stopping(losses: list[float], patience: int, *, reset: bool = True, ties: bool = False) -> tuple[int, int]:
    """Return how many epochs ran, and the best one, both counted from 1 (with mistakes, for the hints)."""
    best, waited = 0, 0
    for epoch, loss in enumerate(losses):
        if epoch == 0 or loss < losses[best] or (ties and loss == losses[best]):
            best = epoch
            waited = 0 if reset else waited
        else:
            waited += 1
        if waited >= patience:
            return epoch + 1, best + 1
    return len(losses), best + 1


_LOSSES = [
    ([5.0, 4.0, 3.0, 3.5, 3.4, 3.3, 3.2, 3.1], 3),
    ([5.0, 4.0, 4.5, 3.0, 3.5, 2.5, 3.6, 3.7, 3.8], 2),  # waits once, is rewarded, waits again
    ([5.0, 4.0, 4.0, 4.5, 4.6, 4.7], 3),  # an equal loss
    ([5.0, 4.0, 4.5, 4.6, 1.0, 1.1], 2),  # the lowest of all comes too late
    ([3.0, 2.0, 1.0], 4),  # never stops
    ([1.0, 2.0, 3.0, 4.0], 2),
]


@exercise("06-2", "`restore_best_weights=True` also takes the network back to that best epoch.")
def stopped(answer: Answer) -> str | None:
    """Grade a function of the validation losses and the patience: epochs that ran, and the best one."""
    given = [_pair(called(answer, list(losses), patience)) for losses, patience in _LOSSES]
    right = [early_stopping(losses, patience) for losses, patience in _LOSSES]
    if given == right:
        return None
    return _stopping_hint(given, right)


def _pair(value: Answer) -> tuple[float, float]:
    array = as_array(value)
    if array.shape != (2,):
        raise Hint("The function should return two numbers: the epochs that ran, and the best epoch.")
    return float(array[0]), float(array[1])


_STOPPING: list[tuple[Callable[..., tuple[int, int]], str]] = [
    (
        lambda ran, best, *_: (ran - 1, best - 1),
        "Your epochs are counted from 0, like positions in a list. Those of a history are counted from 1.",
    ),
    (
        lambda ran, best, *_: (ran, best - 1),
        "The best epoch is counted from 0, like a position in a list. Those of a history are counted from 1.",
    ),
    (
        lambda ran, best, *_: (best, ran),
        "The two numbers are there, in the other order: first the epochs that ran, then the best one.",
    ),
    (
        lambda ran, best, losses, patience: early_stopping(losses, patience + 1),
        "Your training runs an epoch too many: with a patience of 3, the third epoch without improvement is the last.",
    ),
    (
        lambda ran, best, losses, patience: early_stopping(losses, patience - 1),
        "Your training ends an epoch too soon: the best epoch itself is none of those that are waited for.",
    ),
    (
        lambda ran, best, losses, patience: early_stopping(losses, patience, reset=False),
        "When a new lowest loss comes, the waiting starts again from zero.",
    ),
    (
        lambda ran, best, losses, patience: early_stopping(losses, patience, ties=True),
        "A loss that only equals the lowest one so far is no improvement: it must be lower.",
    ),
]


def _stopping_hint(given: list[tuple], right: list[tuple]) -> str:
    for mistake, hint in _STOPPING:
        if given == [mistake(*pair, *case) for pair, case in zip(right, _LOSSES, strict=True)]:
            return hint
    if [best for _, best in given] == [np.argmin(losses) + 1 for losses, _ in _LOSSES]:
        return "What would have come after the end is never seen: the best epoch is the best of those that ran."
    losses, patience = next(case for case, mine, other in zip(_LOSSES, given, right, strict=True) if mine != other)
    return f"Not yet. Go through the losses {losses} with a patience of {patience}, epoch by epoch, with a pencil."


def _folding_mistakes(kernel: np.ndarray, layer: tuple, right: np.ndarray) -> dict[str, np.ndarray]:
    """Return the hint for each usual mistake, with the kernel and bias that it gives, in one row."""
    gamma, beta, mean, variance, epsilon = layer
    factor = gamma / np.sqrt(variance + epsilon)
    unscaled = _row(kernel * factor, beta - mean)
    no_root = gamma / (variance + epsilon)
    no_epsilon = gamma / np.sqrt(variance)
    outside = gamma / (np.sqrt(variance) + epsilon)
    no_gamma = 1 / np.sqrt(variance + epsilon)
    return {
        "The kernel is right. In the bias, the mean is multiplied by the same factor.": unscaled,
        "The kernel is right. The mean is subtracted, so its part of the bias is negative.": _row(
            kernel * factor, beta + mean * factor
        ),
        "The kernel is right. What happened to beta in the bias?": _row(kernel * factor, -mean * factor),
        "The kernel is right. The bias is more than beta: the mean is subtracted, too.": _row(kernel * factor, beta),
        "It is divided by the standard deviation, the root of the variance.": _row(
            kernel * no_root, beta - mean * no_root
        ),
        "Where is epsilon? It is added to the variance, below the root.": _row(
            kernel * no_epsilon, beta - mean * no_epsilon
        ),
        "Epsilon is added to the variance, below the root.": _row(kernel * outside, beta - mean * outside),
        "Where is gamma? It multiplies what was normalised.": _row(kernel * no_gamma, beta - mean * no_gamma),
        "The bias is right. The kernel has to be multiplied as well.": np.concatenate([kernel.ravel(), right[-4:]]),
    }


def _row(kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return np.concatenate([np.ravel(kernel), np.ravel(bias)])


@exercise("06-3", "Batch normalisation is free in use: it only costs something while a network is trained.")
def folded(answer: Answer) -> str | None:
    """Grade a function that folds batch normalisation into the convolution before it."""
    random = np.random.default_rng(6)
    kernel, (gamma, beta, mean) = random.normal(size=(3, 3, 2, 4)), random.normal(size=(3, 4))
    layer = (gamma, beta, mean, random.uniform(0.2, 3, size=4), 0.1)
    factor = layer[0] / np.sqrt(layer[3] + layer[4])
    right = _row(kernel * factor, beta - mean * factor)
    given = called(answer, kernel.copy(), *(part.copy() for part in layer[:4]), layer[4])
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise Hint("The function should return two things: the new kernel, and the bias.")
    row = _row(as_array(given[0], kernel.shape), as_array(given[1], (4,)))
    general = "Not yet. Try numbers: one filter of size 1 x 1 with the weight 1, mean 2, variance 4, epsilon 0."
    return diagnosis(row, right, _folding_mistakes(kernel, layer, right), general)


@exercise("06-4", "Would it do as well without the shortcut? At this depth, perhaps. Try.", needs_digits=True)
def network_with_a_shortcut(answer: Answer, digits: Digits) -> str | None:
    """Grade a small network in which a tensor is added to what later layers made of it, and its training."""
    check_network(answer)
    if (answer.input_shape, answer.output_shape) != ((None, 28, 28, 1), (None, 10)):
        return f"From (None, 28, 28, 1) to (None, 10), please. Yours: {answer.input_shape} to {answer.output_shape}."
    if problem := _shortcut_problem(answer):
        return problem
    if (count := answer.count_params()) > _LARGEST_NETWORK:
        return f"The path forks and joins. But {count:,} parameters are too many. Where are most of them?"
    chances = answer.predict(np.random.default_rng(0).random((3, 28, 28, 1), np.float32), verbose=0)
    if chances.min() < 0 or not np.allclose(chances.sum(axis=1), 1, atol=1e-4):
        return "The ten outputs of an image should be probabilities: positive, with a sum of 1."
    accuracy = validation_accuracy(answer, digits)
    if accuracy > (_ENOUGH if is_full(digits.source) else 0.3):
        return None
    return f"It reads {accuracy:.1%} of the validation images. One more epoch, or a few more channels?"


def _shortcut_problem(model: Any) -> str | None:
    operations = getattr(model, "operations", [])  # a Sequential model has none
    pairs = [_inputs(operation) for operation in operations if type(operation).__name__ == "Add"]
    if not pairs:
        return "No paths are added in this network. layers.Add()([one, other]) adds two tensors of the same shape."
    makers = {id(operation.output): operation for operation in operations}
    if any(_leads(one, other, makers) for pair in pairs for one in pair for other in pair):
        return None
    return "Two tensors are added, but neither was made from the other. Add what went in to what came out."


def _inputs(operation: Any) -> list[Any]:
    parts = operation.input
    return list(parts) if isinstance(parts, list | tuple) else [parts]


def _leads(start: Any, end: Any, makers: dict[int, Any]) -> bool:
    """Return whether a path of at least one layer leads from one tensor to another one."""
    waiting, seen = [end], set()
    while waiting:
        tensor = waiting.pop()
        if tensor is start and tensor is not end:
            return True
        if id(tensor) in makers and id(tensor) not in seen:
            seen.add(id(tensor))
            waiting += _inputs(makers[id(tensor)])
    return False
