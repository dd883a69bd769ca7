"""Augmentation: batches against image by image, and what the layer adds to the training of a network.

The published notebooks augmented with Keras's old ``ImageDataGenerator``, which transforms one image after the other
with SciPy. It is a peer here for as long as TensorFlow brings it along; the other peer does the same work with SciPy
and NumPy alone, without the generator's checks and options. All of it is measured in one process, by turns.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from .figures import Figure, Part
from .workers import ask, say

FASTER, ADDED = 10, 20  # the targets: times the images per CPU second; per cent of CPU time added to training
BATCH = 86
SETTINGS = {"rotation": 10.0, "zoom": 0.1, "width_shift": 0.1, "height_shift": 0.1}  # of systems S2.4 to S2.8
_PEERS = {"keras": "Keras's ImageDataGenerator", "scipy": "SciPy, one image at a time"}


def measure(*, quick: bool = False) -> Part:
    """Measure the layer alone against both peers, and the training of ``simple_cnn`` with and without it."""
    rounds, share = (2, 10) if quick else (7, 1)
    say("augmentation: images")
    speeds = ask("bench_augmentation", {"task": "images", "rounds": rounds, "batches": 50 // share})
    say("augmentation: training of simple_cnn")
    seconds = ask("bench_augmentation", {"task": "training", "rounds": rounds, "batches": 100 // share})
    return Part([*speed_figures(speeds), training_figure(seconds)])


def speed_figures(speeds: dict[str, list[float]]) -> list[Figure]:
    """Return a figure for each peer that was there, from images per CPU second of every round."""
    ours = tuple(speeds["layer"])
    return [
        Figure(
            "augmentation", "RandomAffine", "", "images/CPU s", ours, tuple(speeds[peer]), True, FASTER, f"peer: {told}"
        )
        for peer, told in _PEERS.items()
        if speeds.get(peer)
    ]


def training_figure(seconds: dict[str, list[float]]) -> Figure:
    """Return the per cent of CPU time that the layer adds, from CPU seconds of every round with and without it."""
    pairs = list(zip(seconds["with"], seconds["without"], strict=True))
    added = tuple(100 * (ours / plain - 1) for ours, plain in pairs)
    note = "batch {}, {:.2f} / {:.2f} CPU s with / without".format(
        BATCH, *(median(side) for side in zip(*pairs, strict=True))
    )
    return Figure("augmentation", "simple_cnn", "", "% CPU added", added, target=ADDED, note=note)


def image_speeds(rounds: int, batches: int) -> dict[str, list[float]]:
    """Return images per CPU second of the layer and of its peers, which take turns."""
    images = np.random.default_rng(0).random((batches * BATCH, 28, 28, 1), np.float32)
    works = {"layer": (_layer_passes(images, 10), 10), "scipy": (lambda: _exhaust(one_by_one(images, BATCH)), 1)}
    if generator := _keras_generator(images):
        works["keras"] = (generator, 1)
    found: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, (work, passes) in works.items():
            seconds = cpu_seconds(work)
            if number:  # the first round warms up
                found[name].append(passes * len(images) / seconds)
    return found


def _layer_passes(images: np.ndarray, passes: int) -> Callable[[], Any]:
    """Return a function that augments all images, batch by batch within one TensorFlow graph, as in training."""
    import tensorflow as tf

    from mnist_helpers.models.augmentation import RandomAffine

    layer, held = RandomAffine(**SETTINGS, seed=0), tf.constant(images)

    @tf.function
    def work() -> Any:
        total = tf.constant(0.0)
        for start in tf.tile(tf.range(0, len(images), BATCH), [passes]):
            total += layer(held[start : start + BATCH], training=True)[0, 0, 0, 0]  # so that no batch is left out
        return total

    return work


def _keras_generator(images: np.ndarray) -> Callable[[], None] | None:
    """Return a function that augments all images with Keras's own generator, or None when there is none any more."""
    import tensorflow as tf

    generator = getattr(getattr(tf.keras.preprocessing, "image", None), "ImageDataGenerator", None)
    if generator is None:
        return None
    names = ("rotation_range", "zoom_range", "width_shift_range", "height_shift_range")
    flow = generator(**dict(zip(names, SETTINGS.values(), strict=True))).flow(images, batch_size=BATCH, seed=0)
    return lambda: _exhaust(next(flow) for _ in range(len(flow)))


def one_by_one(images: np.ndarray, batch_size: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Yield shuffled, augmented batches as the old generator makes them: a matrix and an interpolation an image."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(images))
    for start in range(0, len(images), batch_size):
        chosen = order[start : start + batch_size]
        batch = np.zeros((len(chosen), *images.shape[1:]), np.float32)
        for place, index in enumerate(chosen):
            batch[place] = _transformed(images[index], _drawn_matrix(rng, *images.shape[1:3]))
        yield batch


def _drawn_matrix(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Draw rotation, shifts and two zooms, and return the (3, 3) matrix from the result's pixels to the image's."""
    turn = np.deg2rad(rng.uniform(-SETTINGS["rotation"], SETTINGS["rotation"]))
    down = rng.uniform(-SETTINGS["height_shift"], SETTINGS["height_shift"]) * height
    right = rng.uniform(-SETTINGS["width_shift"], SETTINGS["width_shift"]) * width
    zooms = rng.uniform(1 - SETTINGS["zoom"], 1 + SETTINGS["zoom"], 2)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    shift = np.array([[1, 0, down], [0, 1, right], [0, 0, 1]])
    zoom = np.array([[zooms[0], 0, 0], [0, zooms[1], 0], [0, 0, 1]])
    there, back = (np.array([[1, 0, s * (height - 1) / 2], [0, 1, s * (width - 1) / 2], [0, 0, 1]]) for s in (1, -1))
    return there @ (rotation @ shift @ zoom) @ back


def _transformed(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    channels = [
        ndimage.affine_transform(channel, matrix[:2, :2], matrix[:2, 2], order=1, mode="nearest")
        for channel in np.moveaxis(image, -1, 0)
    ]
    return np.stack(channels, axis=-1)


def training_seconds(rounds: int, batches: int) -> dict[str, list[float]]:
    """Return CPU seconds of training ``simple_cnn`` on random digits with and without the layer, by turns."""
    from mnist_helpers.models import simple_cnn
    from mnist_helpers.models.augmentation import RandomAffine, augmented

    rng = np.random.default_rng(0)
    pixels, labels = rng.random((batches * BATCH, 28, 28, 1), np.float32), rng.integers(0, 10, batches * BATCH)
    networks = {"with": augmented(simple_cnn(), RandomAffine(**SETTINGS, seed=0)), "without": simple_cnn()}
    for network in networks.values():
        network.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    found: dict[str, list[float]] = {name: [] for name in networks}
    for number in range(rounds + 1):
        for name in sorted(networks, reverse=bool(number % 2)):  # each is the first as often as the second
            seconds = cpu_seconds(partial(networks[name].fit, pixels, labels, batch_size=BATCH, epochs=1, verbose=0))
            if number:
                found[name].append(seconds)
    return found


def _exhaust(batches: Any) -> None:
    for _ in batches:
        pass


def cpu_seconds(work: Callable[[], Any]) -> float:
    """Return the CPU seconds of this process, all its threads together, that a function takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps({"images": image_speeds, "training": training_seconds}[given.pop("task")](**given)))
