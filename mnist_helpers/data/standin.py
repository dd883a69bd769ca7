"""The stand-in for MNIST where there is no network: scikit-learn's embedded 8x8 digits, framed as MNIST frames its own.

Source: the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak, UCI repository, CC BY
4.0). Framing: Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998: scaled to fit a 20x20
box with the aspect ratio kept, centred in 28x28 by the centre of mass.
"""

import numpy as np

FRAME = 28
BOX = 20
_WHITE = 16.0


def load_framed() -> tuple[np.ndarray, np.ndarray]:
    """Return the stand-in's images and labels.

    Returns
    -------
    images : ndarray of float32, shape (1797, 28, 28, 1)
        Pixels in [0, 1], of 256 grey levels like MNIST's.
    labels : ndarray of int64, shape (1797,)
        The digits, 0 to 9.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.stack([frame(image) for image in digits.images / _WHITE])
    levels = np.floor(images * 255 + 0.5 + 1e-6)  # the small term lets ties fall to the same side on every processor
    return (levels / 255).astype(np.float32)[..., np.newaxis], digits.target.astype(np.int64)


def frame(image: np.ndarray) -> np.ndarray:
    """Return a digit (any height and width, ink positive, some ink) in the middle of a 28x28 image."""
    rows = np.flatnonzero(image.any(axis=1))
    columns = np.flatnonzero(image.any(axis=0))
    ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, round(side * BOX / max(ink.shape))) for side in ink.shape)
    box = _stretch(height, ink.shape[0]) @ ink @ _stretch(width, ink.shape[1]).T  # (height, width)
    framed = np.zeros((FRAME, FRAME))
    top, left = _offset(box.sum(axis=1)), _offset(box.sum(axis=0))
    framed[top : top + height, left : left + width] = box
    return framed


def _stretch(size: int, old: int) -> np.ndarray:
    """Return the weights (size, old) of linear interpolation between pixel centres, edges repeated."""
    position = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
    return np.maximum(0, 1 - np.abs(position[:, np.newaxis] - np.arange(old)))


def _offset(profile: np.ndarray) -> int:
    """Return where to put a profile of ink so that its centre of mass is that of the frame, all of it inside."""
    centre = np.average(np.arange(len(profile)), weights=profile)
    return int(np.clip(round((FRAME - 1) / 2 - centre), 0, FRAME - len(profile)))
