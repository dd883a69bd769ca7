"""MNIST as the whole series uses it: one split into train, validation and test, the same on every machine.

MNIST: Y. LeCun, C. Cortes, C. J. C. Burges, 70,000 handwritten digits, CC BY-SA 3.0.
"""

import hashlib
import os
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mnist_helpers.common.checks import check_choice, check_images, check_labels, check_positive_int, problem
from mnist_helpers.data.download import FetchError
from mnist_helpers.data.sources import MNIST, Found, cache_directory, find

__all__ = ["REAL", "STANDIN", "Digits", "Split", "cache_directory", "fetch_and_report", "load_mnist"]

REAL = "mnist"
STANDIN = "sklearn-digits"
SEED = 42
_PARTS = ("train", "validation", "test")
_MODES = ("never", "auto", "always")
_ADVICE = (
    "To get the real data, connect to the network and run `python -m mnist_helpers data`, or set the environment"
    " variable MNIST_DATA to a copy of mnist.npz."
)


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """One part of the data; its arrays are read-only views, so that no cell can change them for the next.

    Attributes
    ----------
    images : float32 (n, size, size, 1), pixels in [0, 1], 0 is the background; ``load_mnist`` gives size 28
    labels : int64 (n,), 0 to 9; other integers are converted
    name : "train", "validation" or "test"
    source : "mnist" or "sklearn-digits"

    Raises ``TypeError`` or ``ValueError`` for other dtypes, shapes, values or names.
    """

    images: np.ndarray
    labels: np.ndarray
    name: str
    source: str

    def __post_init__(self) -> None:
        if not isinstance(self.images, np.ndarray) or self.images.dtype != np.float32:
            got = getattr(self.images, "dtype", type(self.images).__name__)
            raise TypeError(problem("images", "Split", "a NumPy array of float32", got))
        shape = self.images.shape
        if len(shape) != 4 or shape[1] != shape[2] or shape[3] != 1 or 0 in shape:
            raise ValueError(problem("images", "Split", "of shape (n, size, size, 1), n >= 1", f"shape {shape}"))
        check_images(self.images, function="Split")
        labels = check_labels(self.labels, function="Split", n=shape[0])
        check_choice(self.name, _PARTS, name="name", function="Split")
        check_choice(self.source, (REAL, STANDIN), name="source", function="Split")
        for key, array in (("images", self.images.view()), ("labels", labels.view())):
            array.setflags(write=False)
            object.__setattr__(self, key, array)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Split({self.name}: {len(self):,} images, source={self.source!r})"

    @property
    def flat(self) -> np.ndarray:
        """The images as float32 (n, size * size), 784 for MNIST: a view."""
        return self.images.reshape(len(self), -1)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of images and labels, hexadecimal."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()

    def take(self, n: int, seed: int = 0) -> "Split":
        """Return ``n`` of the images, drawn in the proportions of the classes, in the order in which they stand here.

        Raises ``TypeError`` or ``ValueError`` unless ``n`` is an integer from 1 to ``len(self)``.
        """
        n = check_positive_int(n, name="n", function="take")
        if n > len(self):
            raise ValueError(problem("n", "take", f"at most {len(self)}, the size of the {self.name} split", n))
        if n == len(self):
            return self
        chosen = np.sort(stratified_indices(self.labels, n, seed)[0])
        return Split(self.images[chosen], self.labels[chosen], self.name, self.source)


@dataclass(frozen=True, eq=False)
class Digits:
    """The three splits, their ``source`` ("mnist" or "sklearn-digits") and ``origin``, where they were found.

    Raises ``TypeError`` where a part is no `Split`, ``ValueError`` for another source.
    """

    train: Split
    validation: Split
    test: Split
    source: str
    origin: str = field(repr=False)

    def __post_init__(self) -> None:
        for name in _PARTS:
            if not isinstance(part := getattr(self, name), Split):
                raise TypeError(problem(name, "Digits", "a Split", type(part).__name__))
        check_choice(self.source, (REAL, STANDIN), name="source", function="Digits")


def check_digits(digits: Any, *, function: str) -> Digits:
    """Return ``digits`` if they are ``Digits``, else raise ``TypeError``."""
    if not isinstance(digits, Digits):
        raise TypeError(problem("digits", function, "Digits, as load_mnist returns them", type(digits).__name__))
    return digits


def load_mnist(*, standin: str | None = None) -> Digits:
    """Return MNIST: 50,000 training, 10,000 validation and 10,000 test images.

    The validation images are drawn from the 60,000 training images, stratified, with seed 42, exactly as by
    ``train_test_split(..., test_size=10_000, stratify=labels, random_state=42)``; the test images are MNIST's own, in
    their order. Looked for in: the environment variable MNIST_DATA (a file that is used or refused), the cache
    directory (MNIST_CACHE), Keras's copy (KERAS_HOME), public mirrors. Every array is verified by its SHA-256.

    Parameters
    ----------
    standin : "never", "auto" or "always"
        Whether scikit-learn's small digits may stand in: never, with a warning when MNIST cannot be had, or always,
        without looking for MNIST (not even for MNIST_DATA). Default: the variable MNIST_STANDIN, else "auto".

    Raises
    ------
    OSError, ValueError
        MNIST_DATA cannot be read, or is not MNIST; or ``standin`` is none of the three.
    ConnectionError
        "never", and no source has MNIST.
    """
    mode = _mode(standin)
    if mode == "always":
        return _load_standin("asked for")
    try:
        return _split(find(MNIST))
    except FetchError as error:
        if mode == "never":
            raise FetchError(f"MNIST cannot be had, and the stand-in is ruled out. {_ADVICE} {error}") from error
        warnings.warn(
            "This is not MNIST: it cannot be had, and the 1,797 small digits (8x8) of scikit-learn, framed in 28x28"
            f" images, stand in for it. No result on them is a result on MNIST. {_ADVICE} {error}",
            stacklevel=2,
        )
        return _load_standin("MNIST cannot be had")


def fetch_and_report() -> str:
    """Find or fetch MNIST, never the stand-in, and return where it came from, where it lies and what it is.

    Raises what ``load_mnist(standin="never")`` raises.
    """
    try:
        found = find(MNIST)
    except FetchError as error:
        raise FetchError(f"MNIST cannot be had. {_ADVICE} {error}") from error
    lines = [
        "MNIST is complete and verified.",
        f"  found in  {found.origin}",
        f"  lies in   {found.path or 'memory only: the cache directory cannot be written'}",
    ]
    for name, array in found.arrays.items():
        lines.append(f"  {name:8}  {array.shape} {array.dtype}, SHA-256 {MNIST.specs[name].digest}")
    return "\n".join(lines)


def stratified_indices(labels: np.ndarray, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of ``n`` examples in the proportions of the classes, and of the others, both shuffled.

    The method, and every random draw, of scikit-learn's ``StratifiedShuffleSplit``, whose import alone would take
    longer than loading MNIST. ``RandomState`` is NumPy's frozen generator: its numbers never change.
    """
    rng = np.random.RandomState(seed)
    counts = np.bincount(labels)
    quota = _quota(counts, n, rng)
    rest = _quota(counts - quota, len(labels) - n, rng)
    chosen, others = [], []
    for label, (first, second) in enumerate(zip(quota, rest, strict=True)):
        members = rng.permutation(np.flatnonzero(labels == label))
        chosen.append(members[:first])
        others.append(members[first : first + second])
    return rng.permutation(np.concatenate(chosen)), rng.permutation(np.concatenate(others))


def _quota(counts: np.ndarray, n: int, rng: np.random.RandomState) -> np.ndarray:
    """Return how many of ``n`` draws fall to each class: rounded down, then up by the largest remainders."""
    exact = counts / counts.sum() * n
    quota = np.floor(exact).astype(np.int64)
    remainder = exact - quota
    for value in np.unique(remainder)[::-1]:
        if missing := n - quota.sum():
            tied = np.flatnonzero(remainder == value)
            quota[rng.choice(tied, size=min(missing, len(tied)), replace=False)] += 1
    return quota


def _mode(standin: str | None) -> str:
    if standin is not None:
        return check_choice(standin, _MODES, name="standin", function="load_mnist")
    mode = os.environ.get("MNIST_STANDIN") or "auto"
    if mode not in _MODES:
        raise ValueError(f"The environment variable MNIST_STANDIN must be one of {_MODES}. Got {mode!r} instead.")
    return mode


def _split(found: Found) -> Digits:
    arrays = found.arrays
    labels = arrays["y_train"]
    train, validation = stratified_indices(labels, len(labels) - len(labels) // 6, SEED)
    return Digits(
        Split(_scaled(arrays["x_train"][train]), _wide(labels[train]), "train", REAL),
        Split(_scaled(arrays["x_train"][validation]), _wide(labels[validation]), "validation", REAL),
        Split(_scaled(arrays["x_test"]), _wide(arrays["y_test"]), "test", REAL),
        source=REAL,
        origin=found.origin,
    )


def _scaled(images: np.ndarray) -> np.ndarray:
    return np.divide(images, np.float32(255), dtype=np.float32)[..., np.newaxis]


def _wide(labels: np.ndarray) -> np.ndarray:
    return labels.astype(np.int64)


def _load_standin(reason: str) -> Digits:
    """Return scikit-learn's digits, divided like MNIST: 5 parts to train on, 1 to validate, 1 to test."""
    from mnist_helpers.data.standin import load_framed

    images, labels = load_framed()
    rest, test = stratified_indices(labels, len(labels) - len(labels) // 7, SEED)
    train, validation = (rest[part] for part in stratified_indices(labels[rest], len(rest) - len(rest) // 6, SEED))
    return Digits(
        Split(images[train], labels[train], "train", STANDIN),
        Split(images[validation], labels[validation], "validation", STANDIN),
        Split(images[test], labels[test], "test", STANDIN),
        source=STANDIN,
        origin=f"scikit-learn ({reason})",
    )
