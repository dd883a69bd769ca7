"""Graders of notebook 01: ink per class, intervals, centring, a better comparison with mean images."""

from typing import Any

import numpy as np

from mnist_helpers.course.exercises.grading import Hint, as_array, as_number, called, exercise

ROOM = 0.75  # of the errors of nearest_mean, a better classifier makes at most this share
LOOKED_AT, BATCH = 2000, 200  # images that a learner's classifier is tried on, and how many at a time


@exercise("01-1", needs_digits=True)
def ink_of_each_digit(answer: Any, digits: Any) -> str | None:
    """Ten means: of all pixels of the training images of each class."""
    ink = as_array(answer, (10,)).astype(float)
    right = _ink(digits.train)
    if np.allclose(ink, right, rtol=1e-3):
        return None
    if np.allclose(ink, right * digits.train.flat.shape[1], rtol=1e-3):
        return "This is the ink of a whole image, the sum over its pixels. Asked for is the mean over all pixels."
    if np.allclose(ink, 100 * right, rtol=1e-3):
        return "These are percentages. Leave out the factor of 100."
    if np.allclose(ink, [digits.train.flat.mean(dtype=float)] * 10, rtol=1e-3):
        return "Ten times the same: this is the mean of all images. Which of them show the digit?"
    if any(np.allclose(ink, _ink(split), rtol=1e-5) for split in (digits.validation, digits.test)):
        return "These are means of other images. Asked for are the training images."
    if ink.sum() > 0 and np.allclose(ink, ink.sum() * _ink(digits.train, total=True), rtol=1e-3):
        return "A sum over all images of a class is large where there are many of them. Take the mean."
    return "Not yet. Pick out the training images of one digit, take the mean of all their pixels, then the next digit."


def _ink(split: Any, total: bool = False) -> np.ndarray:
    a_row = split.flat.mean(axis=1, dtype=float)
    sums = np.bincount(split.labels, weights=a_row, minlength=10)
    return sums / sums.sum() if total else sums / np.bincount(split.labels, minlength=10)


@exercise("01-2")
def half_width(answer: Any) -> str | None:
    """1.96 sqrt(p (1 - p) / n), tried on three accuracies."""
    cases = [(0.8, 10_000), (0.99, 10_000), (0.99, 2_500)]
    p, n = np.array(cases).T
    given = np.array([as_number(called(answer, accuracy, int(images))) for accuracy, images in cases])
    error = np.sqrt(p * (1 - p) / n)
    usual = {
        "This is one standard error. The interval reaches 1.96 of them to each side.": error,
        "This is the whole width. Asked for is half of it, the reach to one side.": 2 * 1.96 * error,
        "This is in percent. Leave out the factor of 100: an accuracy is a share, too.": 196 * error,
        "You divide by n after the root was taken. The n stands below the root.": 1.96 * np.sqrt(p * (1 - p)) / n,
        "The square root is missing: what you have is 1.96 times its square.": 1.96 * error**2,
        "Below the root stands the share of right answers times the share of wrong ones.": 1.96 * np.sqrt(p / n),
    }
    for hint, values in usual.items():
        if np.allclose(given, values, rtol=1e-3):
            return hint
    if np.allclose(given, 1.96 * error, rtol=0.03):  # 2 instead of 1.96 is fine
        return None
    return f"Not yet. With half of 100 answers right, the half-width is about 0.098; yours is {answer(0.5, 100):.4g}."


@exercise("01-3")
def centred(answer: Any) -> str | None:
    """``images - train.mean(axis=0)``, tried on images that tell the mistakes apart."""
    random = np.random.default_rng(0)
    train = random.random((6, 28, 28, 1), dtype=np.float32)
    other = random.random((3, 28, 28, 1), dtype=np.float32) ** 2
    given = as_array(called(answer, train.copy(), other.copy()))
    if given.shape != other.shape:
        return f"It should return as many images as it was given to centre: shape {other.shape}, not {given.shape}."
    usual = {
        "You subtract one number, the mean of all pixels. A mean image has one for every pixel: axis=0.": train.mean(),
        "The mean is still that of the images to be centred. Which images may be fitted on?": other.mean(0),
        "Both mistakes are still there: one number, and from the wrong images.": other.mean(),
        "This takes a mean over rows of pixels as well. The images are counted along axis 0 alone.": train.mean((0, 1)),
    }
    if np.allclose(given, other - train.mean(axis=0), atol=1e-4):
        return None
    for hint, mean in usual.items():
        if np.allclose(given, other - mean, atol=1e-4):
            return hint
    if np.allclose(given, train.mean(axis=0) - other, atol=1e-4):
        return "The sign is turned round: the mean is subtracted from the images."
    return "Not yet. Compute the mean image of the training images, and subtract it from the other images."


@exercise("01-4", needs_digits=True)
def better_classifier(answer: Any, digits: Any) -> str | None:
    """At most three quarters of the errors of nearest_mean, on validation images."""
    images, labels = digits.validation.images[:LOOKED_AT], digits.validation.labels[:LOOKED_AT]
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    given = np.concatenate([_digits(called(answer, batch), len(batch)) for batch in batches])
    if not np.array_equal(_digits(answer(batches[0][::-1]), len(batches[0])), given[: len(batches[0])][::-1]):
        return "The same images in another order get other answers. Each image must be judged by itself."
    errors, allowed = int(np.sum(given != labels)), int(ROOM * np.sum(_nearest_mean(digits, images) != labels))
    if errors <= allowed:
        return None
    return f"It works, but makes {errors} errors in {len(images):,} validation images; at most {allowed} are asked for."


def _digits(answers: Any, n: int) -> np.ndarray:
    answers = np.asarray(answers)
    if answers.shape != (n,):
        raise Hint(f"For {n} images it should return {n} digits, shape ({n},). It returned shape {answers.shape}.")
    if not np.isin(answers, range(10)).all():
        raise Hint("The answers should be digits from 0 to 9. Perhaps you return the number of the nearest mean?")
    return answers


def _nearest_mean(digits: Any, images: np.ndarray) -> np.ndarray:
    train = digits.train
    means = np.stack([train.flat[train.labels == digit].mean(axis=0) for digit in range(10)])
    return ((means**2).sum(axis=1) - 2 * images.reshape(len(images), -1) @ means.T).argmin(axis=1)
