"""Graders for notebook 10, committees."""

from typing import Any

import numpy as np
from scipy.stats import binom

from mnist_helpers.common.profile import is_full
from mnist_helpers.course.exercises.grading import (
    Answer,
    as_array,
    as_number,
    called,
    check_network,
    diagnosis,
    exercise,
)
from mnist_helpers.data.mnist import Digits


@exercise("10-1", "Independent members would be nearly perfect together; real ones err on the same images.")
def jury(answer: Answer) -> str | None:
    """The probability that the majority of an odd number of independent members is wrong."""
    cases = [(3, 0.05), (5, 0.4), (7, 0.2), (9, 0.6)]
    given = np.array([as_number(called(answer, *case)) for case in cases])
    mistakes = {
        "That is the smallest majority alone. What if more members than that are wrong?": [
            binom.pmf(n // 2 + 1, n, p) for n, p in cases
        ],
        "You begin counting one too early: is half of the members, rounded down, a majority?": [
            binom.sf(n // 2 - 1, n, p) for n, p in cases
        ],
        "That is the probability that the majority is right.": [binom.cdf(n // 2, n, p) for n, p in cases],
    }
    general = f"For 3 members, each wrong in 5 % of all cases, yours gives {given[0]:.5f}. Try p = 0, 0.5 and 1."
    return diagnosis(given, [binom.sf(n // 2, n, p) for n, p in cases], mistakes, general, atol=1e-9)


@exercise("10-2", "A vote forgets how sure the members are; an average does not.")
def vote(answer: Answer) -> str | None:
    """The majority of digits (members, images), ties to the smallest digit."""
    told = np.array([[3, 9, 4, 7, 9], [9, 9, 4, 1, 0], [3, 2, 4, 1, 9], [9, 0, 2, 8, 1], [3, 9, 9, 1, 2]])
    given = as_array(called(answer, told))
    if given.shape != (5,):
        return f"Five images should get five digits. Yours have the shape {given.shape}: along which axis do you count?"
    if np.array_equal(given, [3, 9, 4, 1, 9]):
        tie = as_array(called(answer, np.array([[8, 1], [2, 0], [8, 0], [2, 1]])))
        return None if np.array_equal(tie, [2, 0]) else "In a tie, the smallest of the tied digits should win."
    if np.allclose(given, told.mean(axis=0)) or np.array_equal(given, told.mean(axis=0).round()):
        return "The mean of a 3 and a 9 is a 6, which no member said. Digits are names: count them."
    if np.array_equal(given, np.median(told, axis=0)):
        return "The median orders the digits, but a 9 is not more than a 3. Count how often each was named."
    if np.array_equal(given, [3, 3, 3, 3, 2]):
        return "Those are counts of votes. Which digit has that many?"
    return "For the first image the members say 3 9 3 9 3, for the second 9 9 2 0 9. What should come out?"


@exercise("10-3", "One member with a probability near 0 can veto a digit.")
def geometric(answer: Answer) -> str | None:
    """The digit with the largest geometric mean of the members' probabilities (members, images, 10)."""
    probabilities = np.full((3, 3, 10), 1e-3)
    probabilities[:, 0, 4], probabilities[:, 0, 9] = [0.9, 0.9, 0.01], [0.4, 0.4, 0.5]  # sums 1.81 and 1.3
    probabilities[:, 1, 2], probabilities[:, 1, 7] = [0.9, 0.8, 0.0], [0.1, 0.2, 0.6]  # a veto
    probabilities[:, 2, 5] = 0.9
    with np.errstate(divide="ignore", invalid="ignore"):
        given = as_array(called(answer, probabilities))
    if given.shape == (3, 10):
        return "Those are the means. Which digit has the largest, image by image?"
    if given.shape != (3,):
        return f"Three images should get three digits. Your function gives the shape {given.shape}."
    if np.array_equal(given, [9, 7, 5]):
        return None
    if np.array_equal(given, [4, 2, 5]):
        return "That is what the arithmetic mean says: one doubtful member hardly counts there."
    if given[1] != 7 and given[0] == 9:
        return "The second image has a probability of 0. What is its logarithm, and what did argmax make of it?"
    return "The geometric mean of m numbers is the m-th root of their product: large only if all of them are."


@exercise("10-4", "The choice was made on these images: judge it on others.")
def choose(answer: Answer) -> str | None:
    """Positions of members, chosen one after the other so that the average errs least on the images given."""
    members, labels = _three_members(), np.arange(10)
    given = called(answer, members, labels, 2)
    positions = as_array(given).astype(int)
    if positions.shape != (2,) or len(set(positions.tolist())) != 2 or not set(positions.tolist()) <= {0, 1, 2}:
        return f"Two different positions from 0 to 2 were asked for. Your function gives {given}."
    if set(positions.tolist()) == {0, 1}:
        return "Those two are the best by themselves, but they err on the same images: together they gain nothing."
    if positions.tolist() == [0, 2]:
        alone = as_array(called(answer, members, labels, 1)).astype(int).tolist()
        return None if alone == [0] else "One member: the best one."
    if positions.tolist() == [2, 0]:
        return "The right two, but the first choice should be the member that is best by itself."
    return "Begin with the best member; then try each of the others beside it, and keep the one that helps most."


def _three_members() -> np.ndarray:
    """Probabilities (3, 10, 10) of members of which the best two err alike on ten images, and the third elsewhere."""
    labels = np.arange(10)

    def member(wrong: dict[int, float]) -> np.ndarray:
        table = np.full((10, 10), 0.01)
        table[labels, labels] = 0.91
        for image, share in wrong.items():  # the rest goes to the next digit, which wins
            table[image, image], table[image, (image + 1) % 10] = share, 0.92 - share
        return table

    return np.array(
        [member({0: 0.4, 1: 0.4}), member({0: 0.3, 1: 0.3, 2: 0.3}), member({5: 0.1, 6: 0.4, 7: 0.4, 8: 0.4})]
    )


@exercise(
    "10-5", "One network, one file, three times the computing. What do three equal members gain?", needs_digits=True
)
def own_committee(answer: Answer, digits: Digits) -> str | None:
    """Grade three networks that were trained, and joined into one by an Average layer."""
    check_network(answer)
    if tuple(answer.input_shape) != (None, 28, 28, 1) or tuple(answer.output_shape) != (None, 10):
        return "It should take images of shape (28, 28, 1) and have ten outputs, one for each digit."
    branches = _averaged(answer)
    if len(branches) < 3:
        if not branches:
            return "No layer in it takes the mean of several networks. layers.Average()([first(image), ...]) does."
        return f"It joins {len(branches)} networks. Three were asked for."
    told = _told_by(answer, branches, digits)
    *single, together = np.mean(told.argmax(axis=2) == digits.validation.labels, axis=1)
    if any(np.allclose(told[i], told[j]) for i in range(len(single)) for j in range(i)):
        return "Two of the members give the same answers to everything. Is it one network, taken twice?"
    enough = 0.9 if is_full(digits.source) else 0.3
    if min(single) < enough / 2:
        return f"One of the members reads {min(single):.0%} of the validation images. Were all three fitted?"
    if together <= enough:
        return f"Together they read {together:.1%} of the validation images. More epochs, or more images?"
    if together < np.mean(single):
        return f"Together they read {together:.1%}, on average {np.mean(single):.1%}. Does something follow the mean?"
    return None


def _averaged(network: Any) -> list:
    """Return what the last Average layer of a network joins: symbolic tensors of ten numbers per image."""
    means = [layer for layer in network.layers if type(layer).__name__ == "Average"]
    joined = means[-1].input if means else []
    return [tensor for tensor in (joined if isinstance(joined, list) else [joined]) if tuple(tensor.shape[1:]) == (10,)]


def _told_by(network: Any, branches: list, digits: Digits) -> np.ndarray:
    """Return the outputs (members + 1, images, 10) of the branches, and of the network itself as the last one."""
    from mnist_helpers.common.backend import keras

    parts = keras.Model(network.inputs[0], [*branches, network.outputs[0]])
    return np.array(parts.predict(digits.validation.images, batch_size=512, verbose=0))
