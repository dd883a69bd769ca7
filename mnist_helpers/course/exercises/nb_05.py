"""Graders of notebook 05: losses, optimizers, and comparisons that are fair."""

from collections.abc import Callable, Sequence
from itertools import combinations
from statistics import fmean

import numpy as np

from mnist_helpers.course.exercises.grading import Answer, as_array, as_number, called, diagnosis, exercise

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


@exercise("05-2", "The steps only get shorter: Adagrad may stop before it has arrived.")
def grade_adagrad(answer: Answer) -> str | None:
    """The steps that Adagrad takes for a list of gradients of one weight."""
    for gradients, rate, start in (([0.5, -0.2, 0.1], 0.01, 0.1), ([0.01, 0.02, 0.01, 0.03], 0.001, 0.1)):
        g = np.array(gradients)
        total = start + np.cumsum(g**2)
        right = rate * g / np.sqrt(total)
        mistakes = {
            "The sign: a step is what is *subtracted* from the weight, so it has the sign of the gradient.": -right,
            "The sum does not begin at 0, but at `start`.": rate * g / np.sqrt(total - start),
            "The sum is of *squared* gradients.": rate * g / np.sqrt(start + np.cumsum(np.abs(g))),
            "You divide by the sum. Adagrad divides by its square root.": rate * g / total,
            "The present gradient belongs into the sum, before you divide.": rate * g / np.sqrt(total - g**2),
            "Earlier gradients are forgotten in yours. The sum goes on from step to step.": rate
            * g
            / np.sqrt(start + g**2),
            "All gradients are in your sum from the first step on. The later ones are not known yet.": rate
            * g
            / np.sqrt(total[-1]),
            "The learning rate is missing.": g / np.sqrt(total),
        }
        value = as_array(called(answer, list(gradients), rate, start), right.shape)
        hint = diagnosis(
            value, right, mistakes, "Work out the first step by hand, then the second. What grew in between?"
        )
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


def _splits(first: Sequence[float], second: Sequence[float]) -> tuple[float, np.ndarray]:
    """Return the difference of the means that was seen, and that of every way to split the runs into two groups."""
    pooled, size = np.array([*first, *second], float), len(first)
    differences = []
    for chosen in combinations(range(len(pooled)), size):
        rest = np.delete(pooled, chosen)
        differences.append(pooled[list(chosen)].mean() - rest.mean())
    return float(np.mean(first) - np.mean(second)), np.array(differences)


@exercise("05-4", "With three runs against three it can never be below 0.1.")
def grade_permutation_test(answer: Answer) -> str | None:
    """An exact permutation test of two groups of runs, two-sided."""
    groups = [([1, 2, 3], [5, 6, 10]), ([4, 9, 6, 8], [7, 3, 1, 2]), ([3, 1, 2], [2, 6, 4, 5]), ([2, 1], [2, 1])]
    for first, second in groups:
        seen, differences = _splits(first, second)
        near = 1e-9
        right = np.mean(np.abs(differences) >= abs(seen) - near)
        mistakes = {
            "Count the split that was really seen, too, and those that are exactly as far apart.": np.mean(
                np.abs(differences) > abs(seen) + near
            ),
            "You count one direction only. Two means may differ either way: compare sizes, without the sign.": np.mean(
                differences >= seen - near
            ),
            "You count one direction only: compare sizes, without the sign.": np.mean(differences <= seen + near),
            "You count the splits that are *less* far apart.": np.mean(np.abs(differences) < abs(seen) - near),
            "You have counted. The p-value is a share: divide by the number of all splits.": right * len(differences),
        }
        value = as_number(called(answer, list(first), list(second)))
        hint = diagnosis(value, right, mistakes, _far_or_near(value, float(right)))
        if hint:
            return hint
    return None


def _far_or_near(value: float, right: float) -> str:
    if not 0 <= value <= 1:
        return f"A p-value lies between 0 and 1. Yours was {value:.3g}."
    if abs(value - right) < 0.06:
        return "Near, but not exact. Do you draw splits at random, or use a formula? There are few enough to try all."
    return "Go through all ways to choose the first group out of all runs. The others are then the second group."
