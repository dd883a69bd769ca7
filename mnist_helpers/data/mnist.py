"""MNIST as the whole series uses it: one split into train, validation and test, the same on every machine.

MNIST: Y. LeCun, C. Cortes, C. J. C. Burges, 70,000 handwritten digits, CC BY-SA 3.0.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mnist_helpers.common.checks import check_choice, check_images, check_labels, check_positive_int, problem
from mnist_helpers.common.profile import REAL, SMOKE_IMAGES, STANDIN, profile
from mnist_helpers.data.fetch import Found, cache_directory, find

__all__ = ["REAL", "STANDIN", "Digits", "Split", "cache_directory", "current", "load_mnist"]

SEED = 42
_PARTS = {"train": "training", "validation": "validation", "test": "test"}
_SOURCES = {REAL: "MNIST", STANDIN: "Stand-in (scikit-learn's digits, not MNIST)"}
_MODES = ("never", "auto", "always")
_loaded: list["Digits"] = []  # what load_mnist returned last


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """One part of the data; its arrays are read-only views, so that no cell can change them for the next.

    Parameters
    ----------
    images : ndarray of float32, shape (n, size, size, 1)
        Pixels in [0, 1], 0 is the background; ``load_mnist`` gives size 28. Other floats are converted.
    labels : ndarray of int64, shape (n,)
        The digits, 0 to 9. Other integers are converted.
    name : {"train", "validation", "test"}
        Which part it is.
    source : {"mnist", "sklearn-digits"}
        Whether it is the real MNIST, or the stand-in.
    """

    images: np.ndarray
    labels: np.ndarray
    name: str
    source: str

    def __post_init__(self) -> None:
        images = check_images(self.images, function="Split")
        labels = check_labels(self.labels, function="Split", n=len(images))
        check_choice(self.name, tuple(_PARTS), name="name", function="Split")
        check_choice(self.source, tuple(_SOURCES), name="source", function="Split")
        for key, array in (("images", images.view()), ("labels", labels.view())):
            array.setflags(write=False)
            object.__setattr__(self, key, array)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Split({self.name}: {len(self):,} images, source={self.source!r})"

    @property
    def flat(self) -> np.ndarray:
        """The images as float32 (n, size * size), 784 columns for MNIST: a view."""
        return self.images.reshape(len(self), -1)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of images and labels, hexadecimal."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()

    def take(self, n: int, seed: int = 0) -> "Split":
        """Return ``n`` of the images, in the proportions of the classes and in the order in which they stand here.

        Parameters
        ----------
        n : int
            How many, at least 1. The split itself is returned when it has no more. Of fewer than the classes (or all
            but so few) the proportions cannot be kept: then each image is as likely as the other.
        seed : int
            Which images; the same seed draws the same ones.
        """
        n = check_positive_int(n, name="n", function="take")
        if n >= len(self):
            return self
        chosen = np.sort(_stratified(self.labels, n, seed)[0])
        return Split(self.images[chosen], self.labels[chosen], self.name, self.source)


@dataclass(frozen=True, eq=False, repr=False)
class Digits:
    """The three splits of a data set.

    Parameters
    ----------
    train, validation, test : Split
        The parts.
    source : {"mnist", "sklearn-digits"}
        Whether they are the real MNIST, or the stand-in.
    origin : str
        Where they were found, in words.
    """

    train: Split
    validation: Split
    test: Split
    source: str
    origin: str = ""

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(getattr(self, name)):,} {word}" for name, word in _PARTS.items())
        return f"{_SOURCES[self.source]}: {sizes} images"


def check_is_split(split: object, *, function: str) -> Split:
    """Return a ``Split``, else raise ``TypeError``."""
    if not isinstance(split, Split):
        raise TypeError(problem("split", function, "a Split", type(split).__name__))
    return split


def check_digits(digits: object, *, function: str) -> Digits:
    """Return ``Digits``, else raise ``TypeError``."""
    if not isinstance(digits, Digits):
        raise TypeError(problem("digits", function, "Digits, as load_mnist returns them", type(digits).__name__))
    return digits


def load_mnist(*, standin: str | None = None) -> Digits:
    """Return MNIST: 50,000 training, 10,000 validation and 10,000 test images.

    Parameters
    ----------
    standin : {"never", "auto", "always"}, optional
        Whether scikit-learn's 1,797 small digits may stand in: never, where MNIST cannot be had (which is said in a
        banner), or always, without looking for MNIST. Default: the variable MNIST_STANDIN, else "auto".

    Returns
    -------
    Digits
        In the smoke profile no more than 2,000, 500 and 500 images.

    Raises
    ------
    OSError, ValueError
        MNIST_DATA cannot be read, or is not MNIST; or ``standin`` is none of the three.
    ConnectionError
        "never", and no source has MNIST.

    Notes
    -----
    The validation images are drawn from MNIST's 60,000 training images, stratified, with seed 42; the test images are
    its own, in their order. Looked for in: the file that the environment variable MNIST_DATA names, the cache
    directory (MNIST_CACHE), Keras's copy (KERAS_HOME), public mirrors. Every array is verified by its SHA-256.
    """
    mode = standin or os.environ.get("MNIST_STANDIN") or "auto"
    check_choice(mode, _MODES, name="standin", function="load_mnist (or the variable MNIST_STANDIN)")
    reason = "It was asked for."
    try:
        digits = _load_standin() if mode == "always" else _split(find())
    except ConnectionError as error:
        if mode == "never":
            raise
        reason, digits = str(error), _load_standin()
    if profile() == "smoke":
        train, validation, test = (getattr(digits, name).take(SMOKE_IMAGES[name]) for name in _PARTS)
        digits = Digits(train, validation, test, digits.source, digits.origin)
    _loaded[:] = [digits]
    _announce(digits, reason)
    return digits


def current() -> Digits | None:
    """Return the digits that ``load_mnist`` returned last, None before its first call."""
    return _loaded[0] if _loaded else None


def _announce(digits: Digits, reason: str) -> None:
    """Print a banner where results will not be those of the text."""
    lines = []
    if digits.source != REAL:
        lines = [
            "THIS IS NOT MNIST: the small 8x8 digits of scikit-learn, enlarged to 28x28,",
            "stand in for it. Figures and pictures differ from the text, and no result is a",
            "result on MNIST.",
            *reason.splitlines(),
        ]
    if profile() == "smoke":
        lines.append("SMOKE PROFILE: few images, hardly any training; figures differ from the text.")
    if lines:
        lines.append(f"{digits!r}.")
        bar = "=" * max(map(len, lines))
        print("\n".join([bar, *lines, bar]))


def _stratified(labels: np.ndarray, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of ``n`` images and of the others, in the proportions of the classes where that can be."""
    from sklearn.model_selection import train_test_split

    rest = len(labels) - n
    classes = np.unique_counts(labels).counts
    possible = len(classes) <= min(n, rest) and classes.min() > 1
    sizes = {"train_size": n, "test_size": rest}
    return train_test_split(np.arange(len(labels)), **sizes, random_state=seed, stratify=labels if possible else None)


def _split(found: Found) -> Digits:
    """Divide the training images of MNIST 5 to 1."""
    images, labels = found.arrays["x_train"], found.arrays["y_train"]
    chosen = _stratified(labels, len(labels) - len(labels) // 6, SEED)
    pairs = [*((images[part], labels[part]) for part in chosen), (found.arrays["x_test"], found.arrays["y_test"])]
    scaled = [(np.divide(x, np.float32(255), dtype=np.float32)[..., np.newaxis], y) for x, y in pairs]
    return _digits(scaled, REAL, found.origin)


def _load_standin() -> Digits:
    """Return scikit-learn's digits, divided like MNIST: 5 parts to train on, 1 to validate, 1 to test."""
    from mnist_helpers.data.standin import load_framed

    images, labels = load_framed()
    rest, test = _stratified(labels, len(labels) - len(labels) // 7, SEED)
    train, validation = (rest[part] for part in _stratified(labels[rest], len(rest) - len(rest) // 6, SEED))
    return _digits([(images[part], labels[part]) for part in (train, validation, test)], STANDIN, "scikit-learn")


def _digits(pairs: Iterable[tuple[np.ndarray, np.ndarray]], source: str, origin: str) -> Digits:
    train, validation, test = (Split(*pair, name, source) for name, pair in zip(_PARTS, pairs, strict=True))
    return Digits(train, validation, test, source, origin)
