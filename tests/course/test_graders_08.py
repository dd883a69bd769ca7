"""The exercises of notebook 08: right answers pass, usual mistakes get the hint meant for them."""

from functools import cache

import numpy as np
from graders import OPEN, RIGHT, judged
from small import digits_of

from mnist_helpers.common.backend import keras
from mnist_helpers.models.augmentation import RandomAffine, affine_transform

LIMITS = {"rotation": 12, "zoom": 0, "width_shift": 3 / 28, "height_shift": 2 / 28}


test_limits = judged(
    "08-1",
    [
        (LIMITS, RIGHT),
        (LIMITS | {"width_shift": 0.107, "height_shift": 0.0714}, RIGHT),
        (LIMITS | {"width_shift": 0.11}, "Look at width_shift again. Nearly, but rounded: write 3 / 28"),
        (LIMITS | {"rotation": (-12, 12)}, "Look at rotation again. One number says how far"),
        (LIMITS | {"rotation": ...}, OPEN),
        (LIMITS | {"rotation": np.radians(12)}, "not radians"),
        (LIMITS | {"rotation": 24}, "to either side"),
        (LIMITS | {"zoom": 1}, "change* of size"),
        (LIMITS | {"width_shift": 3}, "Look at width_shift again. Shifts are shares"),
        (LIMITS | {"height_shift": 2}, "Look at height_shift again. Shifts are shares"),
        (LIMITS | {"width_shift": 6 / 28}, "to either side"),
        (LIMITS | {"width_shift": 2 / 28, "height_shift": 3 / 28}, "changed places"),
        (LIMITS | {"width_shift": 0.3}, "28 pixels each way"),
        (LIMITS | {"width_shift": "3"}, "should be one number"),
        (LIMITS | {"seed": 1}, "with the keys rotation, zoom"),
    ],
)

OTHER = {"rotation": 15, "zoom": 0, "width_shift": 4 / 28, "height_shift": 3 / 28}

test_limits_of_another_scanner = judged(
    "08-1",
    [
        (OTHER, RIGHT),
        (LIMITS, "Look at rotation again. It is the largest angle"),
        (OTHER | {"rotation": np.radians(15)}, "not radians"),
        (OTHER | {"width_shift": 0.14}, "Look at width_shift again. Nearly, but rounded: write 4 / 28"),
        (OTHER | {"height_shift": 3}, "Look at height_shift again. Shifts are shares"),
        (OTHER | {"width_shift": 8 / 28}, "to either side"),
        (OTHER | {"width_shift": 3 / 28, "height_shift": 4 / 28}, "changed places"),
    ],
    variant=1,
)


DIGITS = digits_of(train=120)


def sharpness(images):
    return (np.diff(images, axis=1) ** 2).mean() + (np.diff(images, axis=2) ** 2).mean()


@cache
def left_after(turns):
    images = before = DIGITS.train.images[:100]
    for _ in range(turns):
        images = affine_transform(images, rotation=30)
    return sharpness(images) / sharpness(before)


test_twelve_turns = judged(
    "08-2",
    [
        (lambda: left_after(12), RIGHT),
        (lambda: np.float32(left_after(12)), RIGHT),
        (lambda: 100 * left_after(12), "not in percent"),
        (lambda: 1 / left_after(12), "the other way round"),
        (lambda: 1 - left_after(12), "what was lost"),
        (lambda: left_after(1), "the turn before it"),
        (lambda: left_after(11), "eleven"),
        (lambda: left_after(13), "thirteen"),
        (lambda: 0.9999, "single turn by 360"),
        (lambda: 3.0, "Divide the sharpness"),
        (lambda: ..., OPEN),
        (lambda: [1, 2], "should be one number"),
    ],
    build=True,
    digits=DIGITS,
)


def network(*front, shape=(28, 28, 1), outputs=10, compiled=True, epochs=0, behind=()):
    """A network of one layer, with ``front`` before it and ``behind`` after it, that may have learned these digits."""
    layers = [*front, keras.layers.Flatten(), keras.layers.Dense(outputs, activation="softmax"), *behind]
    model = keras.Sequential([keras.Input(shape), *layers])
    if compiled:
        model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    if epochs:
        model.fit(DIGITS.train.images, DIGITS.train.labels, epochs=epochs, verbose=0)
    return model


def shift():
    return keras.layers.RandomTranslation(0.01, 0.01, fill_mode="constant")


test_network_with_augmentation = judged(
    "08-3",
    [
        (lambda: network(shift(), epochs=40), RIGHT),
        (lambda: network(RandomAffine(rotation=1), epochs=40), RIGHT),
        (lambda: network(keras.Sequential([keras.Input((28, 28, 1)), shift()]), epochs=40), RIGHT),
        (lambda: ..., OPEN),
        (lambda: 3, "a Keras network"),
        (keras.callbacks.History, "the network itself"),
        (lambda: keras.Sequential([shift(), keras.layers.Dense(10)]), "keras.Input"),
        (lambda: network(shape=(32, 32, 1)), "images of shape (28, 28, 1)"),
        (lambda: network(epochs=1), "no augmentation in the model"),
        (lambda: network(keras.layers.RandomFlip(), shift()), "mirror image"),
        (lambda: network(behind=[keras.layers.Reshape((10, 1, 1)), shift(), keras.layers.Flatten()]), "after a layer"),
        (lambda: network(shift(), compiled=False), "still has to be compiled"),
        (lambda: network(shift()), "Compiled, but not trained"),
        (lambda: network(shift(), epochs=1), "More epochs?"),
    ],
    build=True,
    digits=DIGITS,
)


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


def in_place(images, random):
    images *= random.uniform(0.5, 1, (len(images), 1, 1, 1)).astype(np.float32)
    return images


def mirrored(images, random):
    heads = random.random(len(images)) < 0.5
    return np.where(heads[:, None, None, None], images[:, :, ::-1], images)


test_changes_with_a_fault_get_their_hint = judged(
    "08-4",
    [
        (lambda images, random: ..., OPEN),
        *((change, RIGHT) for change in (erased, noisy, dimmed, rolled, affine(10, 0.1, 0.1), affine(15, 0.12, 0.12))),
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
