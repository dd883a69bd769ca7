"""Graders of notebook 08: limits of an augmentation, blur that adds up, a network with augmentation, an own change."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mnist_helpers.common.profile import is_full
from mnist_helpers.course.exercises.grading import (
    Answer,
    Hint,
    as_array,
    as_number,
    called,
    check_network,
    diagnosis,
    exercise,
    validation_accuracy,
)
from mnist_helpers.data.mnist import Digits

LIMITS = [
    {"degrees": degrees, "across": across, "down": down}  # the shifts in pixels
    for degrees, across, down in ((12, 3, 2), (15, 4, 3), (10, 2, 3), (8, 3, 4))
]
_ENOUGH = 0.78  # of the validation images, after a hundred training images
_FAIR = 0.4  # least mean correlation of a changed image with the original: a shift by three pixels passes


@exercise("08-1", "Is every image that these limits allow still readable?", variants=LIMITS)
def limits(answer: Answer, degrees: int, across: int, down: int) -> str | None:
    """Grade the limits of ``RandomAffine`` for these degrees, no zoom, and these pixels across and down."""
    right = {"rotation": degrees, "zoom": 0.0, "width_shift": across / 28, "height_shift": down / 28}
    if not isinstance(answer, dict) or set(answer) != set(right):
        return f"The answer should be a dictionary with the keys {', '.join(right)}."
    given = {name: _limit(name, value) for name, value in answer.items()}
    wrong = [name for name in right if not np.isclose(given[name], right[name], rtol=0.01, atol=1e-4)]
    return f"Look at {wrong[0]} again. {_limit_hint(wrong[0], given, right)}" if wrong else None


def _limit(name: str, value: Answer) -> float:
    if isinstance(value, tuple | list) and len(value) == 2:
        raise Hint(f"Look at {name} again. One number says how far to either side: 5 means from -5 to 5.")
    try:
        return as_number(value)
    except Hint as hint:
        raise Hint(f"Look at {name} again. {hint}") from None


def _limit_hint(name: str, given: dict[str, float], right: dict[str, float]) -> str:
    value = given[name]
    if name == "rotation":
        radians = np.isclose(value, np.radians(right[name]), atol=0.01)
        return "RandomAffine takes degrees, not radians." if radians else "It is the largest angle to either side."
    if name == "zoom":
        return "It is the largest *change* of size: 0.1 means 0.9 to 1.1 times as large. What is no change at all?"
    width, height = right["width_shift"], right["height_shift"]
    if np.isclose(given["width_shift"], height, rtol=0.01) and np.isclose(given["height_shift"], width, rtol=0.01):
        return "Width and height have changed places."
    pixels = round(28 * right[name])
    if np.isclose(value, pixels / 28, rtol=0.05):
        return f"Nearly, but rounded: write {pixels} / 28, and let Python divide."
    if np.isclose(value, pixels):
        return "Shifts are shares of the image, not pixels."
    if np.isclose(value, 2 * pixels / 28, rtol=0.01) or np.isclose(value, pixels / 56, rtol=0.01):
        return "The limit counts to either side, from where the digit stands."
    return "Shifts are shares of the image, and an image has 28 pixels each way."


@exercise(
    "08-2",
    "Each resampling blurs. `RandomAffine` combines all its changes, and resamples once.",
    needs_digits=True,
)
def twelve_turns(answer: Answer, digits: Digits) -> str | None:
    """Grade the share of sharpness that the first 100 training images keep after twelve turns by 30 degrees."""
    value, images = as_number(answer), digits.train.images[:100]
    after = _turns(images, 13)
    right = after[12]
    mistakes = {
        "The answer should be a share, from 0 to 1, not in percent.": 100 * right,
        "That is how many times sharper the originals are. It is asked the other way round.": 1 / right,
        "That is what was lost. How much is left?": 1 - right,
        "That is what one turn leaves. Does each turn start from the result of the turn before it?": after[1],
        "That is what eleven turns leave.": after[11],
        "That is what thirteen turns leave.": after[13],
    }
    general = "Divide the sharpness after twelve turns by that of the same 100 images before the first one."
    if np.isclose(value, 1, atol=0.01):
        general = "A single turn by 360 degrees moves nothing. Turn by 30 degrees, and turn the result again."
    return diagnosis(value, right, mistakes, general, rtol=2e-3)


def _turns(images: np.ndarray, most: int) -> list[float]:
    """Return the share of sharpness that is left after 0, 1, ... ``most`` turns by 30 degrees."""
    from mnist_helpers.models.augmentation import affine_transform

    sharp = [_sharpness(images)]
    for _ in range(most):
        images = affine_transform(images, rotation=30)
        sharp.append(_sharpness(images))
    return [each / sharp[0] for each in sharp]


def _sharpness(images: np.ndarray) -> float:
    return float((np.diff(images, axis=1) ** 2).mean() + (np.diff(images, axis=2) ** 2).mean())


@exercise(
    "08-3",
    "The same hundred images, more work for the computer, none for you. How far do you get without the augmentation?",
    needs_digits=True,
)
def network_with_augmentation(answer: Answer, digits: Digits) -> str | None:
    """Grade a network with augmentation in the model, compiled and fitted on a hundred images."""
    check_network(answer)
    if tuple(answer.input_shape) != (None, 28, 28, 1) or tuple(answer.output_shape) != (None, 10):
        return "It should take images of shape (28, 28, 1) and have ten outputs, one for each digit."
    kinds = [type(layer).__name__ for layer in _flat_layers(answer)]
    changes = [kind for kind in kinds if kind.startswith("Random")]
    if not changes:
        return "There is no augmentation in the model. Put the layers in front: `cnn(*three_layers())`."
    if "RandomFlip" in changes:
        return "There is a RandomFlip in it. Is the mirror image of a 4 still a 4?"
    if kinds.index(changes[0]) > next((i for i, kind in enumerate(kinds) if kind in ("Conv2D", "Dense")), len(kinds)):
        return f"The {changes[0]} comes after a layer that learns. It should change the image, so it goes to the front."
    accuracy = validation_accuracy(answer, digits)
    if accuracy > (_ENOUGH if is_full(digits.source) else 0.3):
        return None
    said = f"It reads {accuracy:.1%} of the validation images."
    return f"{said} More epochs? With a hundred images, an epoch is only a few steps."


def _flat_layers(model: Any) -> list:
    """Return the layers of a model in order, with those of models inside it in their place."""
    inside = [_flat_layers(layer) if hasattr(layer, "layers") else [layer] for layer in model.layers]
    return [layer for layers in inside for layer in layers]


@exercise("08-4", "Whether it helps, only training can tell: with and without it, over several seeds.")
def own_change(answer: Answer) -> str | None:
    """Grade a function of images and a generator that changes each image at random and leaves it readable."""
    return next(_faults(answer), None)


def _faults(answer: Answer) -> Iterator[str]:
    """Yield what is wrong with an augmentation, the most basic fault first."""
    images = _shapes()
    before = images.copy()
    first = as_array(called(answer, images, np.random.default_rng(0)), images.shape)
    if not np.array_equal(images, before):
        yield "Your function changes the images that it was given. Work on a copy: images.copy()."
    if first.dtype.kind != "f" or first.min() < 0 or first.max() > 1:
        yield "The result should have fractions from 0 to 1, as the images have: np.clip helps."
    changed = np.abs(first - before).max(axis=(1, 2, 3)) > 0.01
    if changed.mean() < 0.25:
        yield "Most images came back as they were."
    yield from _label_faults(first, before)
    again, other = (called(answer, before.copy(), np.random.default_rng(seed)) for seed in (0, 1))
    if not np.array_equal(first, again):
        yield "Twice the same seed gave two results. Draw every random number from the argument random."
    if np.array_equal(first, other):
        yield "Two generators gave the same result. Is anything drawn from the argument random?"
    copies = called(answer, np.repeat(before[:1], 20, axis=0), np.random.default_rng(0))
    if len(np.unique(np.round(copies, 4), axis=0)) < 5:
        yield "All images of a batch are changed alike. Draw for each image anew."


def _label_faults(changed: np.ndarray, before: np.ndarray) -> Iterator[str]:
    """Yield why a label may not have survived: the image looks more like its mirror image, or like nothing."""
    alike = _correlation(changed, before)
    mirrored = np.maximum(_correlation(changed, before[:, :, ::-1]), _correlation(changed, before[:, ::-1]))
    if np.mean(mirrored > alike + 0.1) > 0.1:
        yield "Some images come back as mirror images, or upside down. Does a label survive that?"
    if alike.mean() < _FAIR:
        yield "The images are hardly to be recognised. Look at them with plot_digits, and be gentler."


def _correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the correlation of each image with its partner, shape (n,); 0 for an image without any contrast."""
    a, b = (images.reshape(len(images), -1) - images.mean(axis=(1, 2, 3))[:, None] for images in (first, second))
    return (a * b).sum(axis=1) / np.maximum(np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1)), 1e-12)


def _shapes() -> np.ndarray:
    """Return 40 images of a thick F, a shape that is no mirror image of itself, each a little elsewhere."""
    images = np.zeros((40, 28, 28, 1), np.float32)
    for n, image in enumerate(images):
        top, left = 4 + n % 3, 7 + n % 4
        image[top : top + 18, left : left + 4] = 0.9
        image[top : top + 4, left : left + 13] = 0.9
        image[top + 8 : top + 12, left : left + 9] = 0.9
    return images
