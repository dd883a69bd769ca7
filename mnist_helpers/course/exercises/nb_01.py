"""Graders of notebook 01: ink per class, intervals, centring, a better comparison with mean images."""

import numpy as np

from mnist_helpers.course.exercises.grading import Answer, Hint, as_array, as_number, called, diagnosis, exercise
from mnist_helpers.data.mnist import Digits, Split

ROOM = 0.75  # of the errors of nearest_mean, a better classifier makes at most this share
LOOKED_AT, BATCH = 2000, 200  # images that a learner's classifier is tried on, and how many at a time


@exercise("01-1", "Which digits could be told apart by this number alone?", needs_digits=True)
def ink_of_each_digit(answer: Answer, digits: Digits) -> str | None:
    """Ten means: of all pixels of the training images of each class."""
    ink = as_array(answer, (10,)).astype(float)
    right = _ink(digits.train)
    if np.allclose(ink, right, rtol=1e-3):
        return None
    if np.allclose(ink, right * digits.train.flat.shape[1], rtol=1e-3):
        return "This is the ink of a whole image, the sum over its pixels. The task asks for the mean over all pixels."
    if np.allclose(ink, 100 * right, rtol=1e-3):
        return "These are percentages. Leave out the factor of 100."
    if np.allclose(ink, [digits.train.flat.mean(dtype=float)] * 10, rtol=1e-3):
        return "Ten times the same: this is the mean of all images. Which of them show the digit?"
    if any(np.allclose(ink, _ink(split), rtol=1e-5) for split in (digits.validation, digits.test)):
        return "These are means of other images. The task asks for the training images."
    if ink.sum() > 0 and np.allclose(ink, ink.sum() * _ink(digits.train, total=True), rtol=1e-3):
        return "A sum over all images of a class is large where there are many of them. Take the mean."
    return "Not yet. Pick out the training images of one digit, take the mean of all their pixels, then the next digit."


def _ink(split: Split, total: bool = False) -> np.ndarray:
    a_row = split.flat.mean(axis=1, dtype=float)
    sums = np.bincount(split.labels, weights=a_row, minlength=10)
    return sums / sums.sum() if total else sums / np.bincount(split.labels, minlength=10)


@exercise("01-2", "Halving the interval takes four times as many images.")
def half_width(answer: Answer) -> str | None:
    """1.96 sqrt(p (1 - p) / n), tried on three accuracies."""
    cases = [(0.8, 10_000), (0.99, 10_000), (0.99, 2_500)]
    p, n = np.array(cases).T
    given = np.array([as_number(called(answer, accuracy, int(images))) for accuracy, images in cases])
    error = np.sqrt(p * (1 - p) / n)
    mistakes = {
        "This is one standard error. The interval reaches 1.96 of them to each side.": error,
        "This is the whole width. The task asks for half of it, the reach to one side.": 2 * 1.96 * error,
        "This is in percent. Leave out the factor of 100: an accuracy is a share, too.": 196 * error,
        "You divide by n after the root was taken. The n stands below the root.": 1.96 * np.sqrt(p * (1 - p)) / n,
        "The square root is missing: what you have is 1.96 times its square.": 1.96 * error**2,
        "Below the root stands the share of right answers times the share of wrong ones.": 1.96 * np.sqrt(p / n),
    }
    if np.allclose(given, 2 * error):  # 2 instead of 1.96 is fine
        return None
    example = as_number(called(answer, 0.5, 100))
    general = f"Not yet. With half of 100 answers right, the half-width is about 0.098; yours is {example:.4g}."
    return diagnosis(given, 1.96 * error, mistakes, general, rtol=1e-3)


@exercise("01-3", "What was fitted on the training images alone may be applied to any image.")
def centred(answer: Answer) -> str | None:
    """``images - train.mean(axis=0)``, tried on images that tell the mistakes apart."""
    random = np.random.default_rng(0)
    train = random.random((6, 28, 28, 1), dtype=np.float32)
    other = random.random((3, 28, 28, 1), dtype=np.float32) ** 2
    given = as_array(called(answer, train.copy(), other.copy()))
    if given.shape != other.shape:
        return f"It should return as many images as it was given to centre: shape {other.shape}, not {given.shape}."
    right = other - train.mean(axis=0)
    mistakes = {
        "You subtract one number, the mean of all pixels. A mean image has one for every pixel: axis=0.": (
            other - train.mean()
        ),
        "The mean is still that of the images to be centred. Which images may be fitted on?": other - other.mean(0),
        "Both mistakes are still there: one number, and from the wrong images.": other - other.mean(),
        "This takes a mean over rows of pixels as well. The images are counted along axis 0 alone.": (
            other - train.mean((0, 1))
        ),
        "The sign is reversed: the mean is subtracted from the images.": -right,
    }
    general = "Not yet. Compute the mean image of the training images, and subtract it from the other images."
    return diagnosis(given, right, mistakes, general, atol=1e-4)


@exercise("01-4", "Which digits does it still confuse?", needs_digits=True)
def better_classifier(answer: Answer, digits: Digits) -> str | None:
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


def _digits(answers: Answer, n: int) -> np.ndarray:
    answers = np.asarray(answers)
    if answers.shape != (n,):
        raise Hint(f"For {n} images it should return {n} digits, shape ({n},). It returned shape {answers.shape}.")
    if not np.isin(answers, range(10)).all():
        raise Hint("The answers should be digits from 0 to 9. Perhaps you return the number of the nearest mean?")
    return answers


def _nearest_mean(digits: Digits, images: np.ndarray) -> np.ndarray:
    train = digits.train
    means = np.stack([train.flat[train.labels == digit].mean(axis=0) for digit in range(10)])
    return ((means**2).sum(axis=1) - 2 * images.reshape(len(images), -1) @ means.T).argmin(axis=1)
