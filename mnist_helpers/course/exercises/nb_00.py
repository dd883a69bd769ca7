"""The grader of notebook 00: a first exercise, to find a digit by its number."""

from mnist_helpers.course.exercises.grading import Answer, as_number, exercise, with_article
from mnist_helpers.data.mnist import Digits

WANTED = [{"wanted": digit} for digit in (8, 5, 4, 0)]  # none of them is among the first ten training images


@exercise(
    "00-1",
    "You changed a cell, ran it and read the result. Everything else is practice.",
    needs_digits=True,
    variants=WANTED,
)
def number_of_a_digit(answer: Answer, digits: Digits, wanted: int) -> str | None:
    """The number of any ``wanted`` digit among the training images."""
    number, labels = as_number(answer), digits.train.labels
    if number != int(number) or not 0 <= number < len(labels):
        return f"The training images are numbered from 0 to {len(labels) - 1:,}, in whole numbers."
    n = int(number)
    if labels[n] == wanted:
        return None
    said = f"Number {n:,} is {with_article(str(labels[n]))}."
    if n and labels[n - 1] == wanted:
        return f"{said} You are off by one: Python counts from 0, so the first image shown is number `start`."
    if n < 10:
        return f"{said} It is in the very first picture. Did you forget to add `start`?"
    return f"{said} Add `start` to the position of your {wanted} in the picture, where the first position is 0."
