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
    validation_accuracy,
)
from mnist_helpers.data.mnist import Digits

_LARGEST = 10_000


@exercise("13-1", "So the more candidates you compare, the further ahead the winner has to be.")
def luckiest(answer: Answer) -> str | None:
    """The probability that at least one of eleven independent comparisons succeeds by luck, 6.7 % each."""
    mistakes = {
        "That adds up the eleven chances. With sixteen candidates it would be more than 1.": 11 * 0.067,
        "That is the probability that none of them does.": 0.933**11,
        "That is the probability that all of them do.": 0.067**11,
        "Nearly: there are eleven comparisons, not twelve.": 1 - 0.933**12,
        "Nearly: there are eleven comparisons, not ten.": 1 - 0.933**10,
        "That is the chance of exactly one. Two may be lucky, too.": 11 * 0.067 * 0.933**10,
    }
    general = "None is lucky with probability 0.933 x 0.933 x ..., eleven times."
    return diagnosis(as_number(answer), 1 - 0.933**11, mistakes, general, rtol=5e-3)


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
    accuracy, enough = validation_accuracy(answer, digits), 0.95 if is_full(digits.source) else 0.3
    if accuracy >= enough:
        return None
    return f"It reads {accuracy:.1%} of the validation images. More epochs, or a higher learning rate?"
