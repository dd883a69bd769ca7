"""Graders of notebook 12: filters and activations."""

import numpy as np

from mnist_helpers.course.exercises.grading import Answer, Hint, as_array, as_number, called, diagnosis, exercise

_VIEWS: dict[float, str] = {
    7: "That is what the first layer sees. The second one looks at the first.",
    5: "Those are pixels of the pooled maps. Each of them sees more than one pixel of the image.",
    10: "Those are pixels of the first maps. Each of them sees 7 pixels of the image.",
    11: "That would be right without pooling.",
    12: "The views overlap, and pooling halves the maps: adding 7 and 5 does not do it.",
    15: "Nearly. Five pooled pixels are made of ten, and not of nine, pixels of the first map.",
    17: "Ten pixels in a row see 7 pixels each, but the first of the 7 is counted among the ten.",
    18: "That is the view behind the second pooling. The question is about the maps before it.",
    35: "5 times 7 would be right if the views did not overlap and nothing were pooled.",
    70: "Neighbouring pixels see nearly the same 7 pixels. Their views overlap.",
    256: "That is the number of pixels in the square. How many is it across?",
}


@exercise("12-1", "Each further layer sees more of the image, although its kernels stay small.")
def receptive_field(answer: Answer) -> str | None:
    """Grade the width of what one pixel of the second layer sees, behind 7x7, pooling and 5x5."""
    value = as_number(answer)
    return None if value == 16 else _VIEWS.get(value, "Not yet. Go back from the end: five pooled pixels, and so on.")


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


_WEIGHTS = np.random.default_rng(1).normal(size=(6, 5, 1))
_IMAGE = np.random.default_rng(2).random((6, 5, 1)) + 0.1


def _answer(images: np.ndarray) -> np.ndarray:
    """Return a weighted sum of each image, in the place of a probability."""
    if np.ndim(images) != 4:
        raise Hint("answer wants several images (n, height, width, 1); of one image make one of them: image[None].")
    return (images * _WEIGHTS).sum(axis=(1, 2, 3)) + 3


def _drops(image: np.ndarray, size: int) -> np.ndarray:
    """Return the drop for each place of the patch, as a sum of what lies under it."""
    windows = np.lib.stride_tricks.sliding_window_view((image * _WEIGHTS)[..., 0], (size, size))
    return windows.sum(axis=(2, 3))


@exercise("12-3", "Occlusion needs no gradient: it works with any model.")
def drops(answer: Answer) -> str | None:
    """Grade occlusion by hand."""
    image = _IMAGE.copy()
    value = as_array(called(answer, _answer, image, 3))
    if not np.array_equal(image, _IMAGE):
        return "Your function changes the image. Cover a copy, and take a new one for each place."
    right = _drops(_IMAGE, 3)
    if value.shape == (3, 2):
        return "The patch has more places: a row of length 5 has 5 - 3 + 1 = 3 for a patch of 3. The last was left out."
    if value.shape == right.T.shape and np.allclose(value, right.T):
        return "Rows and columns are exchanged."
    if value.shape != right.shape:
        return f"For an image of 6 by 5 and a patch of 3, the shape should be {right.shape}. It is {value.shape}."
    if np.allclose(value, -right):
        return "The sign is the wrong way round: a drop is what was there before, less what is left."
    if np.allclose(value, _answer(_IMAGE[None])[0] - right):
        return "That is the answer that is left. By how much did it drop?"
    if not np.allclose(value, right):
        return "Not yet. Is each patch of the given size, at its own place, on a fresh copy, and filled with 0?"
    other = as_array(called(answer, _answer, _IMAGE.copy(), 2))
    fits = other.shape == (5, 4) and np.allclose(other, _drops(_IMAGE, 2))
    return None if fits else "Right for a patch of 3, but not for one of 2. Does your function use size everywhere?"


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
