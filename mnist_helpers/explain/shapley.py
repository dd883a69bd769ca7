"""SHAP values of the pixels: what each adds to a class's score, against images of a background."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm.auto import tqdm

from mnist_helpers.common.backend import keras
from mnist_helpers.common.checks import problem
from mnist_helpers.explain.compiled import answering, in_batches
from mnist_helpers.explain.deep import Deep
from mnist_helpers.explain.network import check_explained, check_targets, class_scores, inference_model

Output = Literal["probability", "logit"]
_PATIENCE = 1.0  # seconds: what is done by then shows no bar


@dataclass(frozen=True, eq=False)
class ShapValues:
    """What each pixel adds to the outputs for k classes, for n images.

    Attributes
    ----------
    values : ndarray of float32, shape (n, height, width, k)
        Signed, in units of the output that was explained.
    classes : tuple of int
        The k classes.
    expected : ndarray of float32, shape (k,)
        Mean output over the background: what the network says before it sees any pixel.
    outputs : ndarray of float32, shape (n, k)
        What it says of the images: ``expected`` plus the sum of an image's values.
    additivity_error : float
        The largest absolute difference from that rule.
    """

    values: np.ndarray
    classes: tuple[int, ...]
    expected: np.ndarray
    outputs: np.ndarray
    additivity_error: float


def shap_values(
    model: keras.Model,
    images: np.ndarray,
    background: np.ndarray,
    *,
    classes: Sequence[int] | None = None,
    output: Output = "probability",
    batch_size: int = 50,
    progress: bool = True,
) -> ShapValues:
    """Explain what a network says of images, pixel by pixel and class by class, with shap's DeepExplainer.

    Parameters
    ----------
    model : keras.Model
        Built sequential or functional model; explained as it answers, without dropout or augmentation.
    images : ndarray of float32, shape (n, height, width, 1)
        In [0, 1].
    background : ndarray of float32, shape (b, height, width, 1)
        The images that an image is compared with, in [0, 1]; the values are a mean over them. Time is linear in n, b
        and the number of classes.
    classes : sequence of int, optional
        Outputs to explain; by default all.
    output : {"probability", "logit"}
        What is explained: the network's own outputs, or what goes into its softmax.
    batch_size : int
        Background images at a time: bounds the memory, not the result.
    progress : bool
        Whether a bar is shown where it takes longer than a second.

    Returns
    -------
    ShapValues
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
    images, background = _checked(model, images, background, "shap_values")
    chosen = _check_classes(model, classes, "shap_values")
    explained = _explained(model, output, "shap_values")
    answer = answering(explained)
    outputs = in_batches(answer, images)[:, chosen]
    expected = in_batches(answer, background)[:, chosen].mean(axis=0, dtype=np.float64)
    pieces = np.array_split(background, -(-len(background) // batch_size))
    with _bar(len(chosen) * len(pieces), progress) as bar:
        values = _mean_maps(Deep(explained), images, pieces, chosen, bar)
    error = float(np.abs(values.sum(axis=(1, 2)) + expected - outputs).max())
    return ShapValues(values.astype(np.float32), tuple(chosen), expected.astype(np.float32), outputs, error)


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
    """Explain one class per image, such as the predicted one: a tenth of the cost of all ten.

    Parameters
    ----------
    model, images : as for `shap_values`
    targets : int or array of int, shape (n,)
        Class of each image, or one for all.
    background, output, batch_size, progress : as for `shap_values`

    Returns
    -------
    ndarray of float32, shape (n, height, width)
        Additive as in `shap_values`.
    """
    images, background = _checked(model, images, background, "target_shap_values")
    targets = check_targets(model, targets, len(images), "target_shap_values")
    deep, present = Deep(_explained(model, output, "target_shap_values")), np.unique(targets)
    pieces = np.array_split(background, -(-len(background) // batch_size))
    values = np.zeros(images.shape[:3], np.float32)
    with _bar(len(present) * len(pieces), progress) as bar:
        for digit in present:
            of_digit = targets == digit
            values[of_digit] = _mean_maps(deep, images[of_digit], pieces, [int(digit)], bar)[..., 0]
    return values


def background_agreement(
    model: keras.Model,
    images: np.ndarray,
    background: np.ndarray,
    sizes: Sequence[int],
    *,
    classes: Sequence[int] | None = None,
    output: Output = "probability",
    batch_size: int = 50,
    progress: bool = True,
) -> pd.DataFrame:
    """Measure how many background images are enough: how well fewer of them give the values that all of them give.

    Parameters
    ----------
    model, images : as for `shap_values`
    background : as for `shap_values`
        Its order should be random: each size takes its first images.
    sizes : sequence of int
        Numbers of background images, each from 1 to len(background).
    classes, output, batch_size, progress : as for `shap_values`

    Returns
    -------
    DataFrame
        One row per size, ascending: ``size``; ``correlation``, the mean over images and classes of Pearson's r between
        the pixels' values and those with the whole background; ``lowest``, the smallest r. A map without variation
        has no r and is left out.

    Notes
    -----
    A part is contained in the whole with which it is compared, and so agrees a little more than two separate draws do.
    """
    images, background = _checked(model, images, background, "background_agreement")
    chosen, wanted = _check_classes(model, classes, "background_agreement"), sorted(set(sizes))
    if not wanted or wanted[0] < 1 or wanted[-1] > len(background):
        expected = f"numbers of background images from 1 to {len(background)}"
        raise ValueError(problem("sizes", "background_agreement", expected, repr(list(sizes))))
    deep, maps = Deep(_explained(model, output, "background_agreement")), {}
    total = np.zeros((*images.shape[:3], len(chosen)))
    pieces = list(_pieces(background, wanted, batch_size))
    with _bar(len(chosen) * len(pieces), progress) as bar:
        for end, piece in pieces:
            total += len(piece) * _mean_maps(deep, images, [piece], chosen, bar)
            maps[end] = total / end
    rows = [(size, *_agreement(maps[size], maps[len(background)])) for size in wanted]
    return pd.DataFrame(rows, columns=["size", "correlation", "lowest"])


def _pieces(background: np.ndarray, sizes: Sequence[int], batch_size: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield pieces of the background in order, each with where it ends; every size is the end of a piece."""
    start = 0
    for end in sorted({*sizes, len(background)}):
        for piece in np.array_split(background[start:end], -(-(end - start) // batch_size)):
            start += len(piece)
            yield start, piece


def _agreement(maps: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Return the mean and the smallest Pearson correlation of maps (n, height, width, k), image by image and class."""
    first, second = (each - each.mean(axis=(1, 2), keepdims=True) for each in (maps, reference))
    with np.errstate(invalid="ignore"):
        r = (first * second).sum(axis=(1, 2)) / np.sqrt((first**2).sum(axis=(1, 2)) * (second**2).sum(axis=(1, 2)))
    r = r[np.isfinite(r)]
    return (float(r.mean()), float(r.min())) if len(r) else (np.nan, np.nan)


def _mean_maps(
    deep: Deep, images: np.ndarray, pieces: Sequence[np.ndarray], classes: Sequence[int], bar: tqdm
) -> np.ndarray:
    """Return the mean of the values over all background images, float64 (n, height, width, k)."""
    total = np.zeros((*images.shape[:3], len(classes)))
    for piece in pieces:
        for place, digit in enumerate(classes):
            total[..., place] += len(piece) * deep.maps(images, piece, digit)
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


def _check_classes(model: keras.Model, classes: Sequence[int] | None, function: str) -> list[int]:
    every = range(int(model.output_shape[-1]))
    chosen = list(every if classes is None else classes)
    if not chosen or not set(chosen) <= set(every):
        raise ValueError(problem("classes", function, f"one or more classes from 0 to {every[-1]}", repr(classes)))
    return chosen
