"""Graders of notebook 05: losses, optimizers, and comparisons that are fair."""

from collections.abc import Callable
from statistics import fmean
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

_ENOUGH = 0.95  # of the validation accuracy of 05-4
_OUTPUTS = np.array([0.3, -1.5, 0.2, 1.4, -0.4, -2.0, 0.0, -0.9, 0.6, -1.1])


@exercise("05-1", "An output beyond its margin costs nothing, so easy images soon no longer count.")
def grade_hinge(answer: Answer) -> str | None:
    """The hinge loss of ten outputs and the label of one image."""
    for outputs, label in ((_OUTPUTS, 8), (_OUTPUTS, 3), (np.eye(10)[4], 4)):
        targets = np.where(np.arange(10) == label, 1, -1)
        margins = targets * outputs
        charged = np.maximum(0, 1 - margins)
        mistakes = {
            "You add up the ten outputs. The loss is their mean.": charged.sum(),
            "An output beyond its margin earns something in yours. It should cost 0, never less.": (1 - margins).mean(),
            "The targets are 1 and -1 here, not 1 and 0.": np.maximum(0, 1 - (targets == 1) * outputs).mean(),
            "There is a sign the wrong way round: being right should be cheap.": np.maximum(0, 1 + margins).mean(),
            "This charges for the right digit only. All ten outputs count.": charged[label],
            "Nothing is to be squared.": (charged**2).mean(),
            "The margin is missing: an output costs nothing only beyond 1.": np.maximum(0, -margins).mean(),
        }
        value = as_number(called(answer, outputs.copy(), label))
        hint = diagnosis(value, charged.mean(), mistakes, "Work it out for one output, then for ten. Mind the targets.")
        if hint:
            return hint
    return None


@exercise("05-2", "With share 0 it is plain SGD, and the first step is always longer than that of plain momentum.")
def grade_nesterov(answer: Answer) -> str | None:
    """The steps of Nesterov's momentum for a list of gradients of one weight."""
    for gradients, rate, share in (([0.5, -0.2, 0.1], 0.01, 0.9), ([0.3, 0.3, 0.2, -0.4], 0.1, 0.5)):
        speeds = [0.0]
        for gradient in gradients:
            speeds.append(share * speeds[-1] - rate * gradient)
        g, after = np.array(gradients), np.array(speeds[1:])
        right = share * after - rate * g
        mistakes = {
            "That is plain momentum: you move by the speed. Move by `share * speed - rate * g` instead.": after,
            "The sign: a step leads against the gradient.": -right,
            "These are the places of the weight. The steps are the differences between them.": np.cumsum(right),
            "The gradient is missing in the step: `share * speed - rate * g`.": share * after,
            "The speed is forgotten in yours. It goes on from step to step.": -rate * g - share * rate * g,
            "That is plain SGD, without any speed.": -rate * g,
            "Almost: in the step, the new speed is multiplied by `share`.": after - rate * g,
        }
        value = as_array(called(answer, list(gradients), rate, share), right.shape)
        hint = diagnosis(value, right, mistakes, "Work out the first step by hand, then the second. What is the speed?")
        if hint:
            return hint
    return None


class _Trainings:
    """Pretends to build and to train networks, and remembers what it was asked for."""

    gains = {"A": 0.10, "B": 0.30, "C": 0.20}
    luck = (0.03, 0.06, -0.04, 0.01, 0.00)  # first, last, best, worst, median and mean differ

    def __init__(self) -> None:
        self.built: list[list[tuple[str, int]]] = []  # of each network, its trainings

    def build(self) -> list[tuple[str, int]]:
        self.built.append([])
        return self.built[-1]

    def fit(self, network: list[tuple[str, int]], optimizer: str, seed: int) -> float:
        head_start = 0.01 * len(network)
        network.append((optimizer, seed))
        return self.accuracy(optimizer, seed) + head_start

    def accuracy(self, optimizer: str, seed: int) -> float:
        return 0.5 + self.gains[optimizer] + self.luck[seed]

    def of_each(self, summary: Callable[[list[float]], float]) -> list[float]:
        return [summary([self.accuracy(name, seed) for seed in range(len(self.luck))]) for name in self.gains]


@exercise("05-3", "With a fresh network each time, the order of the optimizers no longer matters.")
def grade_comparison(answer: Answer) -> str | None:
    """A function that compares optimizers: a new network for each training, the mean over the seeds."""
    trainings, seeds = _Trainings(), range(len(_Trainings.luck))
    optimizers = {f"optimizer {name}": name for name in trainings.gains}
    value = called(answer, trainings.build, trainings.fit, dict(optimizers), list(seeds))
    if not isinstance(value, dict) or list(value) != list(optimizers):
        return "It should return a dictionary: the name of each optimizer, and its accuracy."
    return _about_protocol(trainings, len(optimizers)) or _about_result(trainings, list(value.values()))


def _about_protocol(trainings: _Trainings, optimizers: int) -> str | None:
    used = [network for network in trainings.built if network]
    asked = {training for network in used for training in network}
    if len(asked) < optimizers * len(trainings.luck):
        return f"Each optimizer should be trained with each seed. Yours asks for {len(asked)} different trainings."
    if len(used) == 1:
        return "One network goes from hand to hand: the later an optimizer comes, the better for it."
    if any(len(network) > 1 for network in used):
        return "Better, but some trainings still go on with a network that was trained before. Look at the seeds."
    return None


def _about_result(trainings: _Trainings, values: list[Answer]) -> str | None:
    given = np.array([as_number(value) for value in values])
    mistakes = {
        "Every training is fair now. But of several runs, the best says how lucky one was.": trainings.of_each(max),
        "Of several runs you take the worst. One number should stand for all of them.": trainings.of_each(min),
        "Of several runs you take the last. One number should stand for all of them.": trainings.of_each(
            lambda a: a[-1]
        ),
        "Of several runs you take the first. One number should stand for all of them.": trainings.of_each(
            lambda a: a[0]
        ),
        "You add up the accuracies of the seeds. How many were there?": trainings.of_each(sum),
        "The median is a good choice, too, but this exercise asks for the mean.": trainings.of_each(
            lambda a: float(np.median(a))
        ),
    }
    return diagnosis(
        given, trainings.of_each(fmean), mistakes, "The trainings are fair now. The mean of each is wrong."
    )


@exercise("05-4", "All it needed was a larger rate. How far does one more epoch get?", needs_digits=True)
def grade_adagrad_network(answer: Answer, digits: Digits) -> str | None:
    """A network compiled with Adagrad and fitted, which reads most of the validation images."""
    from mnist_helpers.common.backend import keras

    check_network(answer)
    if tuple(answer.input_shape) != (None, 28, 28, 1) or tuple(answer.output_shape) != (None, 10):
        return "It should take images of shape (28, 28, 1) and have ten outputs, one for each digit."
    if answer.compiled and not isinstance(answer.optimizer, keras.optimizers.Adagrad):
        return f"It was compiled with {type(answer.optimizer).__name__}. This exercise is about Adagrad."
    return _training_problem(answer, digits)


def _training_problem(network: Any, digits: Digits) -> str | None:
    """Whether it was fitted well; with few images, as in the smoke profile, a third of the digits is enough."""
    accuracy = validation_accuracy(network, digits)
    if accuracy > (_ENOUGH if is_full(digits.source) else 0.3):
        return None
    rate = float(network.optimizer.learning_rate.numpy())
    said = f"It reads {accuracy:.1%} of the validation images, with a learning rate of {rate:g}."
    if rate < 0.005:
        return f"{said} Adagrad's steps only shrink: it needs a larger rate."
    return f"{said} " + (
        "That may be too large." if rate > 0.15 else "One more epoch? Or build it anew, with another rate."
    )
