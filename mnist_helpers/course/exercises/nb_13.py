"""Graders for notebook 13, the best honest number."""

import numpy as np

from mnist_helpers.common.profile import is_full
from mnist_helpers.course.exercises.grading import (
    Answer,
    as_number,
    called,
    check_network,
    diagnosis,
    exercise,
    in_words,
    validation_accuracy,
)
from mnist_helpers.data.mnist import Digits

_LARGEST = 10_000


COMPARISONS = [  # the chances to be ahead, by luck, by more than 1.5, 1.25, 1.75 and 2 standard errors
    {"comparisons": number, "chance": chance} for number, chance in ((11, 0.067), (7, 0.106), (14, 0.04), (18, 0.023))
]


@exercise("13-1", "So the more candidates you compare, the further ahead the winner has to be.", variants=COMPARISONS)
def luckiest(answer: Answer, comparisons: int, chance: float) -> str | None:
    """The probability that at least one of some independent comparisons succeeds by luck."""
    unlucky = 1 - chance
    fewer, eleven, more = (in_words(comparisons + change) for change in (-1, 0, 1))
    enough = in_words(int(1 / chance) + 2)  # candidates whose chances add up to more than 1
    mistakes = {
        f"That adds up the {eleven} chances. With {enough} candidates it would be more than 1.": comparisons * chance,
        "That is the probability that none of them does.": unlucky**comparisons,
        "That is the probability that all of them do.": chance**comparisons,
        f"Nearly: there are {eleven} comparisons, not {more}.": 1 - unlucky ** (comparisons + 1),
        f"Nearly: there are {eleven} comparisons, not {fewer}.": 1 - unlucky ** (comparisons - 1),
        "That is the chance of exactly one. Two may be lucky, too.": (
            comparisons * chance * unlucky ** (comparisons - 1)
        ),
    }
    general = f"None is lucky with probability {unlucky:g} x {unlucky:g} x ..., {eleven} times."
    return diagnosis(as_number(answer), 1 - unlucky**comparisons, mistakes, general, rtol=5e-3)


@exercise("13-2", "What both get right, and what both get wrong, says nothing about which is better.")
def decide(answer: Answer) -> str | None:
    """The name of the candidate that is ahead by at least 1.5 standard errors, image by image."""
    cases = [  # misread by the first alone, by the second alone, by both; the answer; the hint
        (60, 30, 0, "second", "60 images misread by the first alone, 30 by the second: that is 3.2 standard errors."),
        (30, 60, 0, "first", "With 30 and 60 the first makes fewer errors, so the first is the better one."),
        (25, 20, 0, "undecided", "25 against 20: a difference of 5, with a standard error of 6.7."),
        (30, 14, 500, "second", "500 images that both misread should not change anything."),
        (12, 22, 0, "first", "22 against 12 is 1.7 standard errors: enough. Is yours b + c without a root?"),
        (0, 0, 40, "undecided", "Both misread the same 40 images: nothing decides between them."),
    ]
    for b, c, both, right, hint in cases:
        first, second = np.repeat([[1, 0], [0, 1], [1, 1], [0, 0]], [b, c, both, 1000], axis=0).astype(bool).T
        given = called(answer, first, second)
        if not isinstance(given, str) or given not in ("first", "second", "undecided"):
            return f'The answer should be "first", "second" or "undecided". Your function gives {given!r}.'
        if given != right:
            return f"{hint} Your function says {given!r}."
    return None


@exercise(
    "13-3", "With few images, or a very small network, the answers of a teacher are worth most.", needs_digits=True
)
def pupil(answer: Answer, digits: Digits) -> str | None:
    """A compiled and fitted network of at most 10,000 parameters that reads 95 % of the validation images."""
    check_network(answer)
    if tuple(answer.input_shape) != (None, 28, 28, 1) or tuple(answer.output_shape) != (None, 10):
        return "It should take images of shape (28, 28, 1) and have ten outputs, one for each digit."
    if answer.count_params() > _LARGEST:
        return f"It has {answer.count_params():,} parameters, {_LARGEST:,} are allowed. Larger steps, or fewer filters?"
    accuracy, enough = validation_accuracy(answer, digits), 0.95 if is_full(digits.source) else 0.15
    if accuracy >= enough:
        return None
    return f"It reads {accuracy:.1%} of the validation images. More epochs, or a higher learning rate?"
