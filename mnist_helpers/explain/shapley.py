"""SHAP values of the pixels: what each adds to a class's score, against images of a background."""

import os
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from tqdm.auto import tqdm

from mnist_helpers.common.backend import keras
from mnist_helpers.common.checks import problem
from mnist_helpers.explain.deep import Deep
from mnist_helpers.explain.network import check_explained, check_targets, class_scores, inference_model

Output = Literal["probability", "logit"]
_PATIENCE = 1.0  # seconds: what is done by then shows no bar


def target_shap_values(
    model: keras.Model,
    images: np.ndarray,
    targets: npt.ArrayLike,
    background: np.ndarray,
    *,
    output: Output = "probability",
    batch_size: int = 50,
    progress: bool = True,
) -> np.ndarray:
    """Explain what a network says of images, pixel by pixel, for one class per image, with shap's DeepExplainer.

    Parameters
    ----------
    model : keras.Model
        Built sequential or functional model; explained as it answers, without dropout or augmentation.
    images : ndarray of float32, shape (n, height, width, 1)
        In [0, 1].
    targets : int or array of int, shape (n,)
        Class of each image, or one for all.
    background : ndarray of float32, shape (b, height, width, 1)
        The images that an image is compared with, in [0, 1]; the values are a mean over them. Time is linear in n and
        b.
    output : {"probability", "logit"}
        What is explained: the network's own outputs, or what goes into its softmax.
    batch_size : int
        Background images at a time: bounds the memory, not the result.
    progress : bool
        Whether a bar is shown where it takes longer than a second.

    Returns
    -------
    ndarray of float32, shape (n, height, width)
        Additive to 1e-3 (of the largest sum, where that is above 1).

    Raises
    ------
    ValueError
        The values do not add up, because DeepExplainer has no rule for a layer of the network.

    Notes
    -----
    After a softmax, DeepExplainer's rule divides by differences of logits. Where a background image has nearly the same
    logit as the image, its values are large and cancel in the sum only: single background images of that kind outweigh
    hundreds of others. Logits do not have the problem, and need fewer background images.

    Sources: Lundberg and Lee (2017), "A unified approach to interpreting model predictions"; Shrikumar, Greenside and
    Kundaje (2017), "Learning important features through propagating activation differences", for the rule.
    """
    images, background = _checked(model, images, background, "target_shap_values")
    targets = check_targets(model, targets, len(images), "target_shap_values")
    deep, present = Deep(_explained(model, output, "target_shap_values")), np.unique(targets)
    pieces = np.array_split(background, -(-len(background) // batch_size))
    values = np.zeros(images.shape[:3], np.float32)
    with _bar(len(present) * len(pieces), progress) as bar:
        for digit in present:
            of_digit = targets == digit
            values[of_digit] = _mean_maps(deep, images[of_digit], pieces, int(digit), bar)
    return values


def _mean_maps(deep: Deep, images: np.ndarray, pieces: Sequence[np.ndarray], digit: int, bar: tqdm) -> np.ndarray:
    """Return the mean of the values over all background images, float64 (n, height, width)."""
    total = np.zeros(images.shape[:3])
    for piece in pieces:
        total += len(piece) * deep.maps(images, piece, digit)
        bar.update()
    return total / sum(map(len, pieces))


def _bar(total: int, progress: bool) -> tqdm:
    """Return a bar that is gone at the end; the variable TQDM_DISABLE switches it off everywhere."""
    off = not progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")  # which tqdm's widget overlooks
    return tqdm(total=total, desc="SHAP values", leave=False, delay=_PATIENCE, disable=off)


def _checked(model: keras.Model, images: np.ndarray, background: np.ndarray, function: str) -> tuple[np.ndarray, ...]:
    return check_explained(model, images, function), check_explained(model, background, function, "background")


def _explained(model: keras.Model, output: Output, function: str) -> keras.Model:
    if output not in ("probability", "logit"):
        raise ValueError(problem("output", function, "one of {'probability', 'logit'}", repr(output)))
    copy = inference_model(model)
    return copy if output == "probability" else class_scores(copy)
