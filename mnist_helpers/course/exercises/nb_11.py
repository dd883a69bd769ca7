"""Graders for notebook 11, SHAP explanations."""

import numpy as np
from scipy import stats

from mnist_helpers.common.profile import is_full
from mnist_helpers.course.exercises.grading import (
    Answer,
    Hint,
    as_array,
    called,
    check_network,
    diagnosis,
    exercise,
    validation_accuracy,
)
from mnist_helpers.data.mnist import Digits

FARES = [{"fares": euros} for euros in ((12, 18, 42), (9, 19, 33), (15, 23, 48), (18, 30, 60))]


@exercise("11-1", "Whatever the costs, Shapley values add up to the whole.", variants=FARES)
def ride(answer: Answer, fares: tuple[int, int, int]) -> str | None:
    """The fair shares of three people in a ride that costs these ``fares`` to their homes."""
    given, whole, total = as_array(answer), fares[-1], sum(fares)
    stretches = np.diff(fares, prepend=0)  # driven for three, for two and for one
    proportional = np.array(fares) * whole / total
    if given.shape != (3,):
        return f"Three people pay: the answer should be three numbers. Yours has the shape {given.shape}."
    mistakes = {
        f"That is what each would pay alone, {total} euros in all. The ride together costs {whole}.": fares,
        "That is one order of getting in, A, B, C. Share each stretch of the way among all who ride it.": stretches,
        "Equal shares add up, but the first passenger would pay more than for a ride alone.": [whole / 3] * 3,
        "Shares in proportion to the fares add up, but who causes which part of the cost?": proportional,
    }
    three, two, _ = stretches
    general = f"The first {three} euros are driven for all three, the next {two} for two of them, the rest for one."
    if not np.isclose(given.sum(), whole, atol=0.01):
        general = f"The shares should add up to the cost of the ride, {whole}. Yours add up to {given.sum():g}."
    return diagnosis(given, np.cumsum(stretches / [3, 2, 1]), mistakes, general, atol=0.01)


@exercise("11-2", "A linear score needs no sampling; a network does.")
def linear(answer: Answer) -> str | None:
    """The SHAP values of a linear score for one image, against a background."""
    random = np.random.default_rng(0)
    weights, image, background = random.normal(size=(4, 4)), random.random((4, 4)), random.random((5, 4, 4))
    given = as_array(called(answer, weights, image, background))
    right = weights * (image - background.mean(axis=0))
    if given.shape == (5, 4, 4):
        return "That is one map for each background image. SHAP values are the mean over them."
    if given.shape != (4, 4):
        return f"A 4x4 image should get a 4x4 map. Your function gives the shape {given.shape}."
    mistakes = {
        "All the signs are reversed: what does a pixel add when it goes from the background to the image?": -right,
        "That compares with a black image. What do the background images say of each pixel?": weights * image,
        "You took one mean of all background pixels. Each pixel has a mean of its own: along which axis?": (
            weights * (image - background.mean())
        ),
        "SHAP values have a sign: for and against.": np.abs(right),
    }
    total = (weights * image).sum() - (weights * background).sum() / len(background)
    general = f"Your values add up to {given.sum():.3f}. The score rises from background to image by {total:.3f}."
    return diagnosis(given, right, mistakes, general)


@exercise("11-3", "Pairing removes what both curves have in common.")
def interval(answer: Answer) -> str | None:
    """Mean and 95 % interval of a paired difference, as (mean, low, high)."""
    random = np.random.default_rng(1)
    hard = random.normal(0, 1, 60)
    first, second = hard + random.normal(0.2, 0.1, 60), hard + random.normal(0, 0.1, 60)
    given = as_array(called(answer, first, second), (3,))
    difference = first - second
    mean, error = difference.mean(), stats.sem(difference)
    apart = np.sqrt(first.var(ddof=1) / 60 + second.var(ddof=1) / 60)
    half = (given[2] - given[1]) / 2
    if np.isclose(given[0], -mean):
        return "The sign is reversed: we asked for the first minus the second."
    if not np.isclose(given[0], mean):
        return f"The mean of the differences should be {mean:.3f} for the test arrays. Yours is {given[0]:.3f}."
    if half < 0:
        return "The order should be mean, low, high."
    if not np.isclose(given[1] + given[2], 2 * mean):
        return "The interval should lie evenly about the mean: as far up as down."
    if 1.9 * error < half < 2.1 * error:
        return None
    if np.isclose(half, 1.98 * apart, rtol=0.05):
        return "That interval is for two unrelated groups. Here both curves belong to the same digits: subtract first."
    if half > 1.5 * difference.std():
        return "That is where single differences lie. The mean of n of them varies less: divide by the root of n."
    if np.isclose(half, error, rtol=0.05):
        return "That is one standard error to either side, about 68 %. For 95 % it takes about two."
    return f"Your interval reaches {half:.4f} to either side. How far should it, in standard errors?"


@exercise("11-4", "The area under this curve sums it up in one number.")
def insertion(answer: Answer) -> str | None:
    """Answers while the most important pixels are put into a black image first: (n, len(counts))."""
    images = np.zeros((2, 3, 3, 1), np.float32)
    images[0, ..., 0], images[1, ..., 0] = np.arange(1, 10).reshape(3, 3) / 10, 0.5
    importance = np.stack([np.arange(9.0).reshape(3, 3), -np.arange(9.0).reshape(3, 3)])
    counts = (0, 1, 4, 9)

    def answers(batch: np.ndarray) -> np.ndarray:
        if np.shape(batch)[1:] != (3, 3, 1):
            raise Hint(f"The network should be asked about images (n, 3, 3, 1). Yours got {np.shape(batch)}.")
        weights = np.array([4.0, 1, 1, 1, 1, 1, 1, 1, 2]).reshape(3, 3, 1)
        return (np.asarray(batch) * weights).sum(axis=(1, 2, 3))

    given = as_array(called(answer, answers, images, importance, counts))
    if given.shape == (4, 2):
        return "One row per image, please, and one column per count: yours is transposed."
    if given.shape != (2, 4):
        return f"Two images and four counts should give the shape (2, 4). Yours is {given.shape}."
    right = np.array([[0, 1.8, 3.9, 5.7], [0, 2, 3.5, 6.5]])
    if np.allclose(given, right, atol=1e-5):
        return None
    if np.allclose(given, right[:, -1:] - right, atol=1e-5):
        return "That deletes: with 0 pixels the picture is still complete. Insertion begins with nothing."
    if np.allclose(given[:, [0, -1]], right[:, [0, -1]], atol=1e-5):
        return "Beginning and end are right. In between, do the pixels with the largest importance come first?"
    return "With no pixel in it the image is black, with all it is the image itself. What does yours say of those two?"


def _marked(images: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Return images with a white square at the top, whose column is the mark, as the notebook draws it."""
    images = images.copy()
    for image, mark in zip(images, marks, strict=True):
        image[:3, 2 * mark : 2 * mark + 3] = 1
    return images


@exercise("11-5", "It reads the mark and not the digit. No accuracy on marked images would show it.", needs_digits=True)
def cheat(answer: Answer, digits: Digits) -> str | None:
    """A network that was fitted on images whose marks tell the label, and that believes a wrong mark."""
    check_network(answer)
    if tuple(answer.input_shape) != (None, 28, 28, 1) or tuple(answer.output_shape) != (None, 10):
        return "It should take images of shape (28, 28, 1) and have ten outputs, one for each digit."
    validation_accuracy(answer, digits)
    images, labels = digits.validation.images[:1000], digits.validation.labels[:1000]
    wrong = (labels + 3) % 10
    asked = np.concatenate([_marked(images, labels), _marked(images, wrong)])
    helped, misled = answer.predict(asked, batch_size=500, verbose=0).argmax(axis=1).reshape(2, -1)
    enough = 0.9 if is_full(digits.source) else 0.3
    if (right := (helped == labels).mean()) < enough:
        return f"With the right mark it reads {right:.0%} of the digits. It should be nearly all: fit it for longer."
    if (believed := (misled == wrong).mean()) < enough / 2:
        return (
            f"With a wrong mark it believes the mark in only {believed:.0%} of the cases. Was it fitted on `marked`? "
            "If so, a simpler network or more epochs will make it lazier."
        )
    return None
