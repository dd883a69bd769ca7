"""The grader of notebook 00: a first exercise, to find a digit by its number."""

from mnist_helpers.course.exercises.grading import Answer, as_number, exercise
from mnist_helpers.data.mnist import Digits


@exercise("00-1", "You changed a cell, ran it and read the result. Everything else is practice.", needs_digits=True)
def number_of_an_eight(answer: Answer, digits: Digits) -> str | None:
    """The number of any 8 among the training images."""
    number, labels = as_number(answer), digits.train.labels
    if number != int(number) or not 0 <= number < len(labels):
        return f"The training images are numbered from 0 to {len(labels) - 1:,}, in whole numbers."
    n = int(number)
    if labels[n] == 8:
        return None
    said = f"Number {n:,} is a {labels[n]}."
    if n and labels[n - 1] == 8:
        return f"{said} You are off by one: Python counts from 0, so the first image shown is number `start`."
    if n < 10:
        return f"{said} It is in the very first picture. Did you forget to add `start`?"
    return f"{said} Add `start` to the position of your 8 in the picture, where the first position is 0."
