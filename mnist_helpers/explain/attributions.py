"""Which pixels count? Gradients, paths and covered patches, and a test of any such answer: deleting pixels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mnist_helpers.common.backend import keras, ops
from mnist_helpers.common.checks import check_images, problem
from mnist_helpers.common.types import Tensor
from mnist_helpers.explain.compiled import answering, gradient, in_batches
from mnist_helpers.explain.network import check_explained, check_targets, class_scores, inference_model

FRACTIONS = tuple(step / 20 for step in range(21))


@dataclass(frozen=True, eq=False)
class IntegratedGradients:
    """What each pixel adds to the output for a target class along the way from a baseline.

    Attributes
    ----------
    values : ndarray of float32, shape (n, height, width)
        Signed, in units of the network's output (for a softmax: probability).
    error : ndarray of float32, shape (n,)
        Completeness: the absolute difference between the sum of an image's values and the change of the output from
        the baseline to the image. It falls with more steps.
    """

    values: np.ndarray
    error: np.ndarray


def saliency(model: keras.Model, images: np.ndarray, targets: npt.ArrayLike) -> np.ndarray:
    """Return the gradient of each image's target score with respect to its pixels.

    Parameters
    ----------
    model : keras.Model
        Built sequential or functional model.
    images : ndarray of float32, shape (n, height, width, 1)
        In [0, 1].
    targets : int or array of int, shape (n,)
        Class of each image, or one class for all.

    Returns
    -------
    ndarray of float32, shape (n, height, width)
        Signed; the saliency map of the source is the absolute value.

    Notes
    -----
    The score is the logit, the input of the softmax (of an average of networks, the logarithm of its output): where a
    network is certain, its probability hardly changes with any pixel.

    Source: Simonyan, Vedaldi and Zisserman (2014), "Deep inside convolutional networks", section 3.
    """
    images = check_explained(model, images, "saliency")
    targets = check_targets(model, targets, len(images), "saliency")
    slope = gradient(_target_score(class_scores(inference_model(model))))
    return in_batches(slope, images, _one_hot(model, targets)).sum(axis=-1)


def _one_hot(model: keras.Model, targets: np.ndarray) -> np.ndarray:
    return np.eye(model.output_shape[-1], dtype=np.float32)[targets]


def _target_score(model: keras.Model) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function of images and one-hot targets that gives each image's output for its target."""
    return lambda images, one_hot: ops.sum(model(images, training=False) * one_hot, axis=-1)


def integrated_gradients(
    model: keras.Model,
    images: np.ndarray,
    targets: npt.ArrayLike,
    *,
    baseline: float | np.ndarray = 0.0,
    steps: int = 50,
) -> IntegratedGradients:
    """Average the gradient of the target's output along the line from a baseline to each image, times the difference.

    Parameters
    ----------
    model, images, targets : as for `saliency`
        Here the output itself (the probability) is explained.
    baseline : float or ndarray of float32, shape (b, height, width, 1)
        Brightness 0 to 1 of a blank image, or several images: the values are the mean over these.
    steps : int
        Points on each line (midpoint rule), 1 or more. Time is linear in n, b and steps.

    Returns
    -------
    IntegratedGradients

    Notes
    -----
    Source: Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks".
    """
    images = check_explained(model, images, "integrated_gradients")
    targets = check_targets(model, targets, len(images), "integrated_gradients")
    starts = baseline if isinstance(baseline, np.ndarray) else np.full((1, *images.shape[1:]), baseline, np.float32)
    starts = check_explained(model, starts, "integrated_gradients", "baseline")
    network, one_hot = inference_model(model), _one_hot(model, targets)
    answer, slope = answering(network), gradient(_target_score(network))
    shares = ((np.arange(steps) + 0.5) / steps).astype(np.float32)[:, None, None, None]
    values = np.zeros(images.shape, np.float64)
    for i, image in enumerate(images):
        for start in starts:
            slopes = in_batches(slope, start + shares * (image - start), np.repeat(one_hot[[i]], steps, axis=0))
            values[i] += slopes.mean(axis=0, dtype=np.float64) * (image - start) / len(starts)
    change = in_batches(answer, images)[np.arange(len(images)), targets]
    change = change - in_batches(answer, starts).mean(axis=0)[targets]
    error = np.abs(values.sum(axis=(1, 2, 3)) - change)
    return IntegratedGradients(values.sum(axis=-1).astype(np.float32), error.astype(np.float32))


def occlusion(
    model: keras.Model,
    images: np.ndarray,
    targets: npt.ArrayLike,
    *,
    size: int = 5,
    stride: int = 1,
    value: float | np.ndarray = 0.0,
) -> np.ndarray:
    """Cover a square patch at every place, and see how far the target's output drops.

    Parameters
    ----------
    model, images, targets : as for `saliency`
        Here the output itself (the probability) is watched.
    size : int
        Height and width of the patch in pixels; it lies inside the image.
    stride : int
        Pixels from one place to the next; the last place always touches the edge.
    value : float or ndarray of float32, shape (height, width, 1)
        What covers the patch: a brightness 0 to 1, or an image of which the patch is shown.

    Returns
    -------
    ndarray of float32, shape (n, height, width)
        For each pixel the mean drop over all patches that cover it; positive where the patch held evidence for the
        target.

    Notes
    -----
    Source: Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks", section 4.2.
    """
    images = check_explained(model, images, "occlusion")
    targets = check_targets(model, targets, len(images), "occlusion")
    if not 1 <= size <= min(images.shape[1:3]):
        wanted = f"at least 1 and at most that of images of {images.shape[1:3]}"
        raise ValueError(problem("size", "occlusion", wanted, repr(size)))
    filling = _filling(value, images, "occlusion")
    answer = answering(inference_model(model))
    patches = _patches(images.shape[1:3], size, stride)  # (patches, height, width)
    said = in_batches(answer, images)
    drops = np.zeros((len(images), len(patches)), np.float32)
    for i, target in enumerate(targets):
        # patches that change nothing cost nothing
        changed = np.flatnonzero((patches & (images[i] != filling).any(axis=-1)).any(axis=(1, 2)))
        if len(changed):
            covered = np.where(patches[changed, :, :, None], filling, images[i])
            drops[i, changed] = said[i, target] - in_batches(answer, covered)[:, target]
    return np.tensordot(drops, patches.astype(np.float32), axes=1) / patches.sum(axis=0, dtype=np.float32)


def _patches(shape: tuple[int, ...], size: int, stride: int) -> np.ndarray:
    """Return a mask (height, width) for every place of a square patch: bool (places, height, width)."""
    tops, lefts = (sorted({*range(0, length - size + 1, stride), length - size}) for length in shape)
    masks = np.zeros((len(tops), len(lefts), *shape), bool)
    for i, top in enumerate(tops):
        for j, left in enumerate(lefts):
            masks[i, j, top : top + size, left : left + size] = True
    return masks.reshape(-1, *shape)


def _filling(value: float | np.ndarray, images: np.ndarray, function: str) -> np.ndarray:
    """Return what takes the place of removed pixels, as float32 that fits an image."""
    filling = np.asarray(value, np.float32)
    if filling.shape not in ((), images.shape[1:]) or not (filling.min() >= 0 and filling.max() <= 1):
        wanted = f"a brightness, or an image of shape {images.shape[1:]}, in [0, 1]"
        got = repr(value) if filling.ndim == 0 else f"shape {filling.shape} up to {filling.max():g}"
        raise ValueError(problem("value", function, wanted, got))
    return filling


def deletion_curve(
    model: keras.Model,
    images: np.ndarray,
    targets: npt.ArrayLike,
    importance: np.ndarray,
    *,
    value: float | np.ndarray = 0.0,
) -> np.ndarray:
    """Remove the most important pixels first, and watch the target's output: a good explanation makes it drop fast.

    Parameters
    ----------
    model, images, targets : as for `saliency`
        Here the output itself (the probability) is watched.
    importance : ndarray of float, shape (n, height, width)
        The larger, the sooner a pixel is removed; pixels of equal importance go in reading order.
    value : float or ndarray of float32, shape (height, width, 1)
        What takes a removed pixel's place: a brightness 0 to 1, or an image.

    Returns
    -------
    ndarray of float32, shape (n, 21)
        The outputs for the targets after ``FRACTIONS`` (0, 0.05, ... 1) of all pixels have been removed.

    Notes
    -----
    Sources: Samek et al. (2017), "Evaluating the visualization of what a deep neural network has learned"; Petsiuk, Das
    and Saenko (2018), "RISE", who call the area under this curve the deletion score.
    """
    images = check_explained(model, images, "deletion_curve")
    targets = check_targets(model, targets, len(images), "deletion_curve")
    filling = _filling(value, images, "deletion_curve")
    if np.shape(importance) != images.shape[:3] or not np.isfinite(importance).all():
        wanted = f"finite numbers of shape {images.shape[:3]}"
        raise ValueError(problem("importance", "deletion_curve", wanted, f"shape {np.shape(importance)}"))
    ranks, answer = _ranks(importance), answering(inference_model(model))
    curve = np.zeros((len(images), len(FRACTIONS)), np.float32)
    for place, share in enumerate(FRACTIONS):
        left = np.where(ranks < round(share * ranks[0].size), filling, images)
        curve[:, place] = in_batches(answer, left)[np.arange(len(images)), targets]
    return curve


def _ranks(importance: np.ndarray) -> np.ndarray:
    """Return 0 for the most important pixel of each image, and so on: int64 (n, height, width, 1)."""
    order = np.argsort(-importance.reshape(len(importance), -1).astype(np.float64), axis=1, kind="stable")
    return np.argsort(order, axis=1).reshape(*importance.shape, 1)


def random_importance(images: np.ndarray, *, seed: int = 0, ink: bool = False) -> np.ndarray:
    """Return random numbers as importance: what an explanation must beat.

    Parameters
    ----------
    images : ndarray of float32, shape (n, height, width, 1)
        In [0, 1].
    seed : int
        Of the numbers.
    ink : bool
        Whether all pixels with ink come first, in random order: the harder baseline, since most pixels of a digit are
        empty, and deleting them deletes nothing.

    Returns
    -------
    ndarray of float32, shape (n, height, width)
        In [0, 2).
    """
    images = check_images(images, function="random_importance")
    numbers = np.random.default_rng(seed).random(images.shape[:3], np.float32)
    return numbers + (images[..., 0] > 0) if ink else numbers
