"""Which pixels count? Gradients, paths and covered patches, and a test of any such answer: deleting pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_helpers.common.backend import keras, ops
from mnist_helpers.common.checks import (
    as_array,
    check_fraction,
    check_images,
    check_positive_int,
    check_sequence,
    problem,
)
from mnist_helpers.explain.compiled import answering, value_and_gradient
from mnist_helpers.explain.inference import (
    anatomy,
    as_model,
    check_explained,
    check_targets,
    class_scores,
    in_batches,
    inference_model,
)

FRACTIONS = tuple(step / 20 for step in range(21))


@dataclass(frozen=True, eq=False)
class IntegratedGradients:
    """What each pixel adds to the output for a target class along the way from a baseline.

    values : float32 (n, height, width), signed, in units of the network's output (for a softmax: probability).
    error : float32 (n,), completeness: the absolute difference between the sum of an image's values and the change of
        the output from the baseline to the image. It falls with more steps.
    """

    values: np.ndarray
    error: np.ndarray


def saliency(model: keras.Model, images: np.ndarray, targets: Any, *, batch_size: int = 256) -> np.ndarray:
    """Return the gradient of each image's target score with respect to its pixels, float32 (n, height, width).

    Parameters
    ----------
    model : built sequential or functional Keras model.
    images : float (n, height, width, 1) in [0, 1].
    targets : class of each image, integers (n,), or one class for all.
    batch_size : images at a time.

    The score is the logit, the input of the softmax (of an average of networks, the logarithm of its output): where a
    network is certain, its probability hardly changes with any pixel. The gradient is signed; the saliency map of the
    source is its absolute value.

    Source: Simonyan, Vedaldi and Zisserman (2014), "Deep inside convolutional networks", section 3.

    Raises
    ------
    TypeError, ValueError : a bad argument, naming it.
    """
    images = check_explained(model, images, function="saliency")
    targets = check_targets(targets, model, len(images), function="saliency")
    batch_size = check_positive_int(batch_size, name="batch_size", function="saliency")
    parts = anatomy(model)
    gradient = value_and_gradient(_target_score(as_model(parts, class_scores(parts))))
    one_hot = np.eye(model.output_shape[-1], dtype=np.float32)[targets]
    return in_batches(lambda *batch: gradient(*batch)[1], images, one_hot, batch_size=batch_size).sum(axis=-1)


def _target_score(model: keras.Model) -> Callable[[Any, Any], Any]:
    """Return a function of images and one-hot targets that gives each image's output for its target."""
    return lambda images, one_hot: ops.sum(model(images, training=False) * one_hot, axis=-1)


def integrated_gradients(
    model: keras.Model,
    images: np.ndarray,
    targets: Any,
    *,
    baseline: float | np.ndarray = 0.0,
    steps: int = 50,
    batch_size: int = 256,
) -> IntegratedGradients:
    """Sum the gradient of the target's output along the straight line from a baseline to each image.

    Parameters
    ----------
    model, images, targets : as for `saliency`; here the output itself (the probability) is explained.
    baseline : brightness 0 to 1 of a blank image, or images (b, height, width, 1): the values are the mean over these.
    steps : points on each line (midpoint rule), at least 1.
    batch_size : points at a time; bounds the memory, not the result. Time is linear in n, b and steps.

    Source: Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks".

    Raises
    ------
    TypeError, ValueError : a bad argument, naming it.
    """
    name = "integrated_gradients"
    images = check_explained(model, images, function=name)
    targets = check_targets(targets, model, len(images), function=name)
    steps = check_positive_int(steps, name="steps", function=name)
    batch_size = check_positive_int(batch_size, name="batch_size", function=name)
    starts = _baselines(model, baseline)
    network = inference_model(model)
    answer, gradient = answering(network), value_and_gradient(_target_score(network))
    one_hot = np.eye(model.output_shape[-1], dtype=np.float32)
    shares = ((np.arange(steps) + 0.5) / steps).astype(np.float32)[:, None, None, None]
    values = np.zeros(images.shape, np.float64)
    for i, image in enumerate(images):
        wanted = np.broadcast_to(one_hot[targets[i]], (steps, one_hot.shape[1]))
        for start in starts:
            line = start + shares * (image - start)
            slopes = in_batches(lambda *batch: gradient(*batch)[1], line, wanted, batch_size=batch_size)
            values[i] += slopes.mean(axis=0, dtype=np.float64) * (image - start) / len(starts)
    said, before = [in_batches(answer, each, batch_size=batch_size) for each in (images, starts)]
    change = said[np.arange(len(images)), targets] - before.mean(axis=0)[targets]
    error = np.abs(values.sum(axis=(1, 2, 3)) - change)
    return IntegratedGradients(values.sum(axis=-1).astype(np.float32), error.astype(np.float32))


def _baselines(model: keras.Model, baseline: Any) -> np.ndarray:
    """Return one or more images (b, height, width, channels) to start from."""
    if isinstance(baseline, np.ndarray):
        return check_explained(model, baseline, function="integrated_gradients", name="baseline")
    brightness = check_fraction(baseline, name="baseline", function="integrated_gradients")
    return np.full((1, *model.input_shape[1:]), brightness, np.float32)


def occlusion(
    model: keras.Model,
    images: np.ndarray,
    targets: Any,
    *,
    size: int = 5,
    stride: int = 1,
    value: float | np.ndarray = 0.0,
    batch_size: int = 256,
) -> np.ndarray:
    """Cover a square patch at every place, and see how far the target's output drops.

    Parameters
    ----------
    model, images, targets : as for `saliency`; here the output itself (the probability) is watched.
    size : pixels, height and width of the patch; it lies inside of the image.
    stride : pixels from one place to the next; the last place always touches the edge.
    value : what covers the patch: a brightness 0 to 1, or an image (height, width, 1) of which the patch is shown.
    batch_size : images at a time.

    Returns
    -------
    float32 (n, height, width): for each pixel the mean drop over all patches that cover it; positive where the patch
    held evidence for the target. Patches that change nothing cost nothing.

    Source: Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks", section 4.2.

    Raises
    ------
    TypeError, ValueError : a bad argument, naming it.
    """
    images = check_explained(model, images, function="occlusion")
    targets = check_targets(targets, model, len(images), function="occlusion")
    shape = images.shape[1:3]
    size = check_positive_int(size, name="size", function="occlusion")
    if size > min(shape):
        raise ValueError(problem("size", "occlusion", f"at most that of images of {shape}", repr(size)))
    stride = check_positive_int(stride, name="stride", function="occlusion")
    batch_size = check_positive_int(batch_size, name="batch_size", function="occlusion")
    filling = _filling(value, images, function="occlusion")
    answer = answering(inference_model(model))
    patches = _patches(shape, size, stride)  # (patches, height, width)
    said = in_batches(answer, images, batch_size=batch_size)
    drops = np.zeros((len(images), len(patches)), np.float32)
    for i, target in enumerate(targets):
        changed = np.flatnonzero((patches & (images[i] != filling).any(axis=-1)).any(axis=(1, 2)))
        if len(changed):
            covered = np.where(patches[changed, :, :, None], filling, images[i])
            drops[i, changed] = said[i, target] - in_batches(answer, covered, batch_size=batch_size)[:, target]
    return np.tensordot(drops, patches.astype(np.float32), axes=1) / patches.sum(axis=0, dtype=np.float32)


def _patches(shape: tuple[int, int], size: int, stride: int) -> np.ndarray:
    """Return a mask (height, width) for every place of a square patch: bool (places, height, width)."""
    tops, lefts = [sorted({*range(0, length - size + 1, stride), length - size}) for length in shape]
    masks = np.zeros((len(tops), len(lefts), *shape), bool)
    for i, top in enumerate(tops):
        for j, left in enumerate(lefts):
            masks[i, j, top : top + size, left : left + size] = True
    return masks.reshape(-1, *shape)


def _filling(value: Any, images: np.ndarray, *, function: str) -> np.ndarray:
    """Return what takes the place of removed pixels, as float32 that fits an image."""
    if not isinstance(value, np.ndarray):
        return np.asarray(check_fraction(value, name="value", function=function), np.float32)
    if value.shape != images.shape[1:]:
        wanted = f"a brightness, or an image of shape {images.shape[1:]}"
        raise ValueError(problem("value", function, wanted, f"shape {value.shape}"))
    return check_images(value[None], function=function, name="value")[0]


def deletion_curve(
    model: keras.Model,
    images: np.ndarray,
    targets: Any,
    importance: np.ndarray,
    *,
    fractions: Sequence[float] = FRACTIONS,
    value: float | np.ndarray = 0.0,
    batch_size: int = 256,
) -> np.ndarray:
    """Remove the most important pixels first, and watch the target's output: a good explanation makes it drop fast.

    Parameters
    ----------
    model, images, targets : as for `saliency`; here the output itself (the probability) is watched.
    importance : float (n, height, width), the larger the sooner a pixel is removed; pixels of equal importance go in
        reading order.
    fractions : shares of all pixels to remove, each 0 to 1; by default 0, 0.05, ... 1.
    value : what takes a removed pixel's place: a brightness 0 to 1, or an image (height, width, 1).
    batch_size : images at a time.

    Returns
    -------
    float32 (n, number of fractions), the outputs for the targets.

    Sources: Samek et al. (2017), "Evaluating the visualization of what a deep neural network has learned"; Petsiuk, Das
    and Saenko (2018), "RISE", who call the area under this curve the deletion score.

    Raises
    ------
    TypeError, ValueError : a bad argument, naming it.
    """
    name = "deletion_curve"
    images = check_explained(model, images, function=name)
    targets = check_targets(targets, model, len(images), function=name)
    listed = check_sequence(fractions, kind="a sequence of shares", name="fractions", function=name)
    if not listed:
        raise ValueError(problem("fractions", name, "one share or more", "none"))
    shares = [check_fraction(share, name="fractions", function=name) for share in listed]
    batch_size = check_positive_int(batch_size, name="batch_size", function=name)
    filling = _filling(value, images, function=name)
    ranks = _ranks(importance, images)
    answer = answering(inference_model(model))
    curve = np.zeros((len(images), len(shares)), np.float32)
    for place, share in enumerate(shares):
        left = np.where(ranks < round(share * ranks[0].size), filling, images)
        curve[:, place] = in_batches(answer, left, batch_size=batch_size)[np.arange(len(images)), targets]
    return curve


def _ranks(importance: Any, images: np.ndarray) -> np.ndarray:
    """Return 0 for the most important pixel of each image, and so on: int64 (n, height, width, 1)."""
    importance = as_array(importance, name="importance", function="deletion_curve")
    if importance.dtype.kind not in "fiu" or importance.shape != images.shape[:3]:
        got = f"an array of {importance.dtype} of shape {importance.shape}"
        raise ValueError(problem("importance", "deletion_curve", f"numbers of shape {images.shape[:3]}", got))
    if not np.isfinite(importance).all():
        raise ValueError(problem("importance", "deletion_curve", "finite", "NaN or infinite values"))
    order = np.argsort(-importance.reshape(len(images), -1).astype(np.float64), axis=1, kind="stable")
    return np.argsort(order, axis=1).reshape(*images.shape[:3], 1)


def random_importance(images: np.ndarray, *, seed: int = 0, ink: bool = False) -> np.ndarray:
    """Return random numbers as importance, float32 (n, height, width) in [0, 2): what an explanation must beat.

    With ``ink=True`` all pixels with ink come first, in random order: the harder baseline, since most pixels of a digit
    are empty, and deleting them deletes nothing. Raises ``TypeError`` or ``ValueError`` for a bad argument.
    """
    images = check_images(images, function="random_importance")
    seed = check_positive_int(seed, name="seed", function="random_importance", minimum=0)
    numbers = np.random.default_rng(seed).random(images.shape[:3], np.float32)
    return numbers + (images[..., 0] > 0) if ink else numbers
