"""Graders of notebook 02: precision, a linear classifier by hand, a leak repaired, digits straightened."""

from collections.abc import Iterable

import numpy as np

from mnist_helpers.course.exercises.grading import Answer, as_array, as_number, called, diagnosis, exercise

SLANT_LEFT = 0.1  # columns per row that may remain after deskewing


@exercise("02-1", "Recall asks the opposite question, along the row: of all true nines, how many were found?")
def precision(answer: Answer) -> str | None:
    """The share of a column of the confusion matrix that lies on the diagonal."""
    confusion = np.random.default_rng(0).integers(1, 30, (10, 10)) + 200 * np.eye(10, dtype=int)
    diagonal = np.diag(confusion)
    given = np.array([as_number(called(answer, confusion.copy(), digit)) for digit in range(10)])
    right = diagonal / confusion.sum(axis=0)
    mistakes = {
        "This divides by the row: how many of the true images of the digit were found? We ask the other way round.": (
            diagonal / confusion.sum(axis=1)
        ),
        "This is in percent. We want a share from 0 to 1, so leave out the factor of 100.": 100 * right,
        "This is the accuracy over all digits. Here only the images that were called this digit count.": (
            [diagonal.sum() / confusion.sum()] * 10
        ),
        "This is the share of wrong answers. We want the share of right ones.": 1 - right,
        "You divide by all images. Divide by those that were called this digit.": diagonal / confusion.sum(),
    }
    general = "Not yet. Rows are true digits, columns are answers: which cells count the images that were called 9?"
    return diagnosis(given, right, mistakes, general)


@exercise(
    "02-2",
    "Every dense layer of notebook 03 computes such sums. What it adds to them is a bend: an activation function.",
)
def linear_classifier(answer: Answer) -> str | None:
    """The largest of ``images @ weights.T + biases`` in each row."""
    random = np.random.default_rng(1)
    images, weights = random.random((40, 12)), random.normal(size=(10, 12))
    biases = 3 * random.normal(size=10)  # large enough that forgetting them shows
    scores = images @ weights.T + biases
    given = as_array(called(answer, images.copy(), weights.copy(), biases.copy()))
    if given.shape == (40, 10):
        return "These are scores, ten per image. Which digit has the largest one? `argmax` tells you, along axis 1."
    if given.shape == (10,):
        return "Ten answers for 40 images. Look for the largest score of each image, that is, along axis 1."
    if given.shape == ():
        return "One answer for all images. Tell `argmax` the axis, so that every image gets its own answer."
    if given.shape != (40,):
        return f"Return one digit per image: for 40 images, the shape (40,) and not {given.shape}."
    mistakes = {
        "The biases are missing. There is one for each digit, and it is added to the weighted sum.": (
            images @ weights.T
        ).argmax(axis=1),
        "The biases should be added, not subtracted.": (images @ weights.T - biases).argmax(axis=1),
        "This is the digit with the *smallest* score.": scores.argmin(axis=1),
        "These are the largest scores themselves. Which digits do they belong to? `argmax` instead of `max`.": (
            scores.max(axis=1)
        ),
    }
    return diagnosis(
        given, scores.argmax(axis=1), mistakes, "Not yet. Compute `images @ weights.T + biases` first, then argmax."
    )


@exercise("02-3", "In a pipeline every step is fitted on the training images only, also in cross-validation.")
def honest_score(answer: Answer) -> str | None:
    """About one half on noise, where choosing on all images finds three quarters; high where there is something."""
    scores = [as_number(called(answer, *_noise(seed))) for seed in range(4)]
    signal = as_number(called(answer, *_noise(0, signal=2.0)))
    if not all(0 <= score <= 1 for score in [*scores, signal]):
        return "The score should be an accuracy: a share from 0 to 1."
    if np.mean(scores) > 0.85:
        return "This is nearly always right, on pure noise. Do you measure on the same images that it was fitted on?"
    if np.mean(scores) > 0.58:
        return (
            f"On labels decided by coin tosses it is right on {np.mean(scores):.0%}, so it has seen `judge_images`. "
            "Which of the images may SelectKBest see?"
        )
    if signal < 0.8:
        return f"On noise it is honest. But where 20 pixels really depend on the label, it finds only {signal:.0%}."
    return None


def _noise(seed: int, signal: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return images, labels, other images, other labels; with a signal, 20 of the 1,000 pixels tell the label."""
    random = np.random.default_rng(seed)
    images, labels = random.normal(size=(200, 1000)), random.integers(0, 2, 200)
    images[:, :20] += signal * labels[:, np.newaxis]
    return images[:100], labels[:100], images[100:], labels[100:]


@exercise("02-4", "It took LeCun's linear classifier from 12.0 % to 8.4 % errors in 1998. What is it worth to yours?")
def deskew(answer: Answer) -> str | None:
    """Leaning strokes come out upright, in their place, with their ink."""
    before = [_stroke(slant) for slant in (0.5, -0.4, 0.0)] + [_stroke(0.5, column=11)]
    after = [as_array(called(answer, image.copy()), (28, 28)).astype(float) for image in before]
    left = [slant_of(image) if image.sum() > 0 else np.inf for image in after]
    if not np.isfinite(left).all():
        return "One of the digits has vanished: no ink is left."
    if any(_height(new) < 0.8 * _height(old) for new, old in zip(after, before, strict=True)):
        return "The strokes were laid flat: you moved columns up and down. Move rows, to the left or to the right."
    if left[0] > 0.7 and left[1] < -0.6:
        return "The strokes lean twice as much as before. Shift the rows the other way."
    if np.allclose(left[:3], [0.5, -0.4, 0.0], atol=SLANT_LEFT):
        return "The strokes lean as before. Did anything move? Shift each row to the left or right, along axis 1."
    if np.abs(left).max() > SLANT_LEFT:
        return (
            f"The strokes still lean: by {_listed(left)} columns per row, before by {_listed(map(slant_of, before))}."
        )
    moved = max(np.abs(_centre(new) - _centre(old)).max() for new, old in zip(after, before, strict=True))
    if moved > 1:
        return f"Upright, but moved by {moved:.1f} pixels. Rows above the centre move one way, those below the other."
    kept = [new.sum() / old.sum() for new, old in zip(after, before, strict=True)]
    if min(kept) < 0.9 or max(kept) > 1.1:
        return f"Upright, but {min(kept):.0%} to {max(kept):.0%} of the ink is left. No ink should be lost or added."
    empty = np.asarray(called(answer, np.zeros((28, 28), np.float32)))
    if not np.isfinite(empty).all():
        return "An image without ink has no slant: your function divides by zero. Return such an image as it is."
    return None


def slant_of(image: np.ndarray) -> float:
    """Return by how many columns the ink moves to the right with each row down; the image has some ink."""
    down, across = (np.indices(image.shape)[axis] - _centre(image)[axis] for axis in (0, 1))
    return float((image * down * across).sum() / (image * down**2).sum())


def _centre(image: np.ndarray) -> np.ndarray:
    return (np.indices(image.shape) * image).sum(axis=(1, 2)) / image.sum()


def _height(image: np.ndarray) -> float:
    down = np.indices(image.shape)[0] - _centre(image)[0]
    return float(np.sqrt((image * down**2).sum() / image.sum()))


def _stroke(slant: float, column: float = 14) -> np.ndarray:
    """A soft stroke, 16 rows long, whose centre lies in the given column."""
    down, across = np.indices((28, 28))
    distance = across - column - slant * (down - 13.5)
    return np.where(np.abs(down - 13.5) < 8, np.exp(-(distance**2) / 4), 0).astype(np.float32)


def _listed(slants: Iterable[float]) -> str:
    return ", ".join(f"{slant:+.2f}" for slant in slants)
