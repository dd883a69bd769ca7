"""The exercises of notebook 08: right answers pass, usual mistakes get the hint meant for them."""

import re
from functools import cache

import numpy as np
import pytest
from small import digits_of

from mnist_helpers import check
from mnist_helpers.models.augmentation import RandomAffine, affine_transform

RIGHT = {"rotation": 12, "zoom": 0, "width_shift": 3 / 28, "height_shift": 2 / 28}


def said(capsys, number, answer, **data):
    check(number, answer, **data)
    return capsys.readouterr().out


def passes(number):
    return f"✓ {number}: right.\n"


@pytest.mark.parametrize("answer", [RIGHT, RIGHT | {"width_shift": 0.107, "height_shift": 0.0714}])
def test_the_limits(capsys, answer):
    assert said(capsys, "08-1", answer) == passes("08-1")


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"rotation": ...}, "not answered yet"),
        ({"rotation": np.radians(12)}, "not radians"),
        ({"rotation": 24}, "to either side"),
        ({"zoom": 1}, r"change\* of size"),
        ({"width_shift": 3}, "Look at width_shift again. Shifts are shares"),
        ({"height_shift": 2}, "Look at height_shift again. Shifts are shares"),
        ({"width_shift": 6 / 28}, "to either side"),
        ({"width_shift": 2 / 28, "height_shift": 3 / 28}, "changed places"),
        ({"width_shift": 0.3}, "28 pixels each way"),
        ({"width_shift": "3"}, "should be one number"),
        ({"seed": 1}, "with the keys rotation, zoom"),
    ],
)
def test_wrong_limits_get_their_hint(capsys, change, hint):
    assert re.match(f"✗ 08-1: .*{hint}", said(capsys, "08-1", RIGHT | change))


@cache
def small_digits():
    return digits_of(train=120)


def sharpness(images):
    return (np.diff(images, axis=1) ** 2).mean() + (np.diff(images, axis=2) ** 2).mean()


def left_after(turns):
    images = digits = small_digits().train.images[:100]
    for _ in range(turns):
        images = affine_transform(images, rotation=30)
    return sharpness(images) / sharpness(digits)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda left: left(12), None),
        (lambda left: np.float32(left(12)), None),
        (lambda left: 100 * left(12), "not in percent"),
        (lambda left: 1 / left(12), "the other way round"),
        (lambda left: 1 - left(12), "what was lost"),
        (lambda left: left(1), "the turn before it"),
        (lambda left: left(11), "eleven"),
        (lambda left: left(13), "thirteen"),
        (lambda left: 0.9999, "single turn by 360"),
        (lambda left: 3.0, "Divide the sharpness"),
        (lambda left: ..., "not answered yet"),
        (lambda left: [1, 2], "should be one number"),
    ],
)
def test_twelve_turns(capsys, answer, hint):
    printed = said(capsys, "08-2", answer(left_after), digits=small_digits())
    assert printed == passes("08-2") if hint is None else re.match(f"✗ 08-2: .*{hint}", printed)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda gain, share: share * (1.96 / gain) ** 2, None),
        (lambda gain, share: int(np.ceil(share * (1.96 / gain) ** 2)), None),
        (lambda gain, share: ..., "not answered yet"),
        (lambda gain, share: None, "Is there a return"),
        (0.0014, "should be a function"),
        (lambda gain, share: 1.96 * share / gain, "not squared"),
        (lambda gain, share: share / gain**2, "Where is the 1.96"),
        (lambda gain, share: 1.96 * share / gain**2, "square them, too"),
        (lambda gain, share: 1.96 * share**0.5 / gain, "still to be undone"),
        (lambda gain, share: (1.96 / gain) ** 2, "Only the images on which"),
        (lambda gain, share: (1.96 * share / gain) ** 2, "one root only"),
        (lambda gain, share: share * (2 / gain) ** 2, "not 2"),
        (lambda gain, share: 10_000, "Solve it for n"),
    ],
)
def test_images_needed(capsys, answer, hint):
    printed = said(capsys, "08-3", answer)
    assert printed == passes("08-3") if hint is None else re.match(f"✗ 08-3: .*{hint}", printed)


def erased(images, random):
    changed = images.copy()
    for image in changed:
        row, column = random.integers(4, 19, size=2)
        image[row : row + 5, column : column + 5] = 0
    return changed


def noisy(images, random):
    return np.clip(images + random.normal(0, 0.1, images.shape), 0, 1)


def dimmed(images, random):
    return images * random.uniform(0.5, 1, (len(images), 1, 1, 1))


def rolled(images, random):
    shifts = random.integers(-2, 3, (len(images), 2))
    return np.stack([np.roll(image, shift, axis=(0, 1)) for image, shift in zip(images, shifts, strict=True)])


def affine(rotation, zoom, shift):
    def change(images, random):
        layer = RandomAffine(rotation, zoom, shift, shift, seed=int(random.integers(1000)))
        return np.asarray(layer(images, training=True))

    return change


@pytest.mark.parametrize("change", [erased, noisy, dimmed, rolled, affine(10, 0.1, 0.1), affine(15, 0.12, 0.12)])
def test_changes_that_leave_the_label(capsys, change):
    assert said(capsys, "08-4", change) == passes("08-4")


def in_place(images, random):
    images *= random.uniform(0.5, 1, (len(images), 1, 1, 1)).astype(np.float32)
    return images


def mirrored(images, random):
    heads = random.random(len(images)) < 0.5
    return np.where(heads[:, None, None, None], images[:, :, ::-1], images)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda images, random: ..., "not answered yet"),
        (lambda images, random: None, "Is there a return"),
        (lambda images, random: images[0], "should have the shape"),
        (in_place, "Work on a copy"),
        (lambda images, random: images + random.normal(0, 0.1, images.shape), "from 0 to 1"),
        (lambda images, random: (images > random.random()).astype(int), "from 0 to 1"),
        (lambda images, random: images.copy(), "as they were"),
        (
            lambda images, random: np.clip(images + np.random.default_rng().normal(0, 0.1, images.shape), 0, 1),
            "argument random",
        ),
        (lambda images, random: images / 2, "Two generators gave the same"),
        (lambda images, random: images * random.uniform(0.5, 0.9), "changed alike"),
        (mirrored, "mirror images"),
        (affine(180, 0.5, 0.4), "upside down"),
        (lambda images, random: random.random(images.shape), "hardly to be recognised"),
    ],
)
def test_changes_with_a_fault_get_their_hint(capsys, change, hint):
    assert re.match(f"✗ 08-4: .*({hint})", said(capsys, "08-4", change))
