"""Graders of notebook 12: filters and activations."""

from typing import Any

import numpy as np

from mnist_helpers.common.profile import is_full
from mnist_helpers.course.exercises.grading import (
    Answer,
    as_array,
    as_number,
    called,
    check_network,
    diagnosis,
    exercise,
    in_words,
    validation_accuracy,
    with_article,
)
from mnist_helpers.data.mnist import Digits

KERNELS = [{"first": first, "second": second} for first, second in ((7, 5), (5, 3), (9, 3), (5, 7))]


@exercise("12-1", "Each further layer sees more of the image, although its kernels stay small.", variants=KERNELS)
def receptive_field(answer: Answer, first: int, second: int) -> str | None:
    """Grade the width of what one pixel of the second layer sees, with kernels this large and pooling between them."""
    value, row = as_number(answer), 2 * second
    right = row + first - 1
    five, ten, nine = (in_words(n) for n in (second, row, row - 1))
    mistakes: dict[float, str] = {
        first: "That is what the first layer sees. The second one looks at the first.",
        second: "Those are pixels of the pooled maps. Each of them sees more than one pixel of the image.",
        row: f"Those are pixels of the first maps. Each of them sees {first} pixels of the image.",
        first + second - 1: "That would be right without pooling.",
        first + second: f"The views overlap, and pooling halves the maps: adding {first} and {second} does not do it.",
        right - 1: (
            f"Nearly. {five.capitalize()} pooled pixels are made of {ten}, and not of {nine}, pixels of the first map."
        ),
        right + 1: (
            f"{ten.capitalize()} pixels in a row see {first} pixels each, "
            f"but the first of the {first} is counted among the {ten}."
        ),
        right + 2: "That is the view after the second pooling. The question is about the maps before it.",
        second * first: (
            f"{second} times {first} would be right if the views did not overlap and nothing were pooled."
        ),
        row * first: f"Neighbouring pixels see nearly the same {first} pixels. Their views overlap.",
        right**2: "That is the number of pixels in the square. How many is it across?",
    }
    general = f"Not yet. Go back from the end: {five} pooled pixels, and so on."
    return None if value == right else mistakes.get(value, general)


def _maps() -> np.ndarray:
    """Return maps (3, 4, 5, 6): filters 1 and 4 dead, filter 2 in one image only, filter 5 alive at one pixel only."""
    maps = np.random.default_rng(0).random((3, 4, 5, 6)).astype(np.float32)
    maps[..., [1, 4]] = 0
    maps[0, ..., 2] = 0
    maps[..., 5] = 0
    maps[2, 3, 4, 5] = 0.01
    return maps


@exercise("12-2", "A dead ReLU gets no gradient, so it stays dead.")
def dead_filters(answer: Answer) -> str | None:
    """Grade a function that finds the filters that are 0 everywhere."""
    value = as_array(called(answer, _maps()))
    if value.dtype == bool and value.shape == (6,):
        return "That is a mark for each filter. Which numbers do the marked ones have?"
    found = sorted(value.ravel().tolist())
    if found == [1, 4]:
        return (
            None if len(as_array(called(answer, _maps()[..., [0, 3]]))) == 0 else "You find dead ones among the living."
        )
    if found == [0, 2, 3, 5]:
        return "Those are the living."
    if value.ndim == 0 and found == [2]:
        return "That is how many there are. Which ones are they?"
    if found == [1, 2, 4, 5]:
        return "A filter that is silent for some images is not dead. It must be 0 in all of them."
    if found == [1, 4, 5]:
        return "A filter that answers weakly, at a single pixel, is alive: its maximum is not 0."
    return "Not yet. The filters are the last axis; a dead one is 0 in all images, rows and columns."


@exercise("12-3", "One line, and you can look inside. What do its maps show?", needs_digits=True)
def inside(answer: Answer, digits: Digits) -> str | None:
    """Grade a fitted network, and the model that ends after its first convolution."""
    from mnist_helpers.common.backend import keras

    if not isinstance(answer, list | tuple) or len(answer) != 2:
        return "Hand over two things, (network, inside)."
    network, inner = answer
    check_network(network)
    first = next((layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)), None)
    if first is None:
        return "Your network has no convolution. Begin with a Conv2D."
    accuracy = validation_accuracy(network, digits)
    if accuracy <= (0.9 if is_full(digits.source) else 0.3):
        return f"It reads {accuracy:.1%} of the validation images. One more epoch, or more images?"
    if isinstance(inner, np.ndarray):
        return "inside should be a model, and not the maps themselves. Leave out the predict."
    if not isinstance(inner, keras.Model):
        return f"inside should be a keras.Model. This is {with_article(type(inner).__name__)}."
    return _about_inside(first, inner, digits.validation.images[:3])


def _about_inside(first: Any, inner: Any, images: np.ndarray) -> str | None:
    """Compare what ``inner`` gives with the maps of the first convolution."""
    right, given = np.asarray(first(images)), inner.predict(images, verbose=0)
    if isinstance(given, list):
        return "inside has several outputs. Only the maps of the first convolution are asked for."
    if given.shape != right.shape:
        return f"The maps of the first convolution have the shape {right.shape[1:]}. Yours have {given.shape[1:]}."
    if not np.allclose(given, right, atol=1e-4):
        return "The shape is right, but the numbers differ. Does inside use the layers of your trained network?"
    return None


def _explain(model: int, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return made-up maps that depend on the "network", the image and the target; images differ much in strength."""
    noise = np.random.default_rng(model).normal(size=images.shape[:3])
    strength = 10.0 ** np.arange(len(images))[:, None, None]
    return strength * (images[..., 0] + noise + np.arange(len(images))[:, None, None] + 0.1 * targets[:, None, None])


@exercise("12-4", "A map that hardly changes when the weights are random does not explain the network.")
def sanity(answer: Answer) -> str | None:
    """Grade the sanity check: the mean over images of the correlation of two networks' maps."""
    images, targets = 2 * np.random.default_rng(5).random((4, 8, 8, 1)), np.array([3, 1, 4, 1])
    value = as_number(called(answer, _explain, 7, 8, images, targets))
    first, second = _explain(7, images, targets), _explain(8, images, targets)
    pairs = list(zip(first, second, strict=True))
    mistakes = {
        "All images were thrown together: the strongest maps then decide alone. Correlate image by image.": _r(
            first, second
        ),
        "The signs were dropped. The maps count as they are, for and against.": np.mean(
            [_r(abs(a), abs(b)) for a, b in pairs]
        ),
        "That is the sum over the images. The mean is asked for.": sum(_r(a, b) for a, b in pairs),
        "Both maps come from the same network.": 1.0,
        "That is the correlation of the mean maps. Correlate image by image, and then take the mean.": _r(
            first.mean(axis=0), second.mean(axis=0)
        ),
    }
    general = "Not yet. For each image: the correlation of its two maps. Then the mean of these numbers."
    return diagnosis(value, np.mean([_r(a, b) for a, b in pairs]), mistakes, general)


def _r(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])
