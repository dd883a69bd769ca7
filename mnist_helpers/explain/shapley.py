"""SHAP values of the pixels: what each adds to a class's probability, against images of a background."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mnist_helpers.common.backend import keras
from mnist_helpers.common.checks import check_choice, check_positive_int, check_sequence, problem
from mnist_helpers.explain.bar import Bar
from mnist_helpers.explain.compiled import answering
from mnist_helpers.explain.deep import Deep, expected_gradients
from mnist_helpers.explain.inference import (
    Anatomy,
    anatomy,
    as_model,
    check_explained,
    check_targets,
    class_scores,
    in_batches,
)

_EXPLAINERS = ("deep", "gradient")
_OUTPUTS = ("probability", "logit")


@dataclass(frozen=True, eq=False)
class ShapValues:
    """What each pixel adds to the outputs of some classes, for n images and k classes.

    values : float32 (n, height, width, k), signed, in units of ``output``.
    classes : the k classes.
    expected : float32 (k,), mean output over the background: what the network says before it sees any pixel.
    outputs : float32 (n, k), what it says of the images. ``expected`` plus the sum of an image's values is its output.
    additivity_error : the largest absolute difference from that rule.
    explainer : "deep" or "gradient". background : number of background images. output : "probability" or "logit".
    """

    values: np.ndarray
    classes: tuple[int, ...]
    expected: np.ndarray
    outputs: np.ndarray
    additivity_error: float
    explainer: str
    background: int
    output: str

    def of(self, digit: int) -> np.ndarray:
        """Return the values for one class, (n, height, width).

        Raises ``ValueError`` for a class that was not explained.
        """
        check_choice(digit, self.classes, name="digit", function="ShapValues.of")
        return self.values[..., self.classes.index(digit)]


def shap_values(
    model: keras.Model,
    images: np.ndarray,
    background: np.ndarray,
    *,
    classes: Sequence[int] | None = None,
    output: str = "probability",
    explainer: str = "deep",
    batch_size: int = 50,
    samples: int = 200,
    progress: bool = True,
    seed: int = 0,
) -> ShapValues:
    """Explain what a network says of images, pixel by pixel and class by class, with the library shap.

    Parameters
    ----------
    model : built sequential or functional Keras model; explained as it answers, without dropout or augmentation.
    images : float (n, height, width, 1) in [0, 1].
    background : float (b, height, width, 1) in [0, 1]: the images that an image is compared with. The values are a mean
        over them: with "deep", time is linear in n, b and the number of classes.
    classes : outputs to explain; None for all.
    output : what is explained: "probability" for the network's own outputs, or "logit" for what goes into its softmax.
        Behind a softmax, DeepExplainer's rule divides by differences of logits, and where a background image has
        nearly the same logit as the image, its values are large and cancel in the sum only: such single background
        images outweigh hundreds of others. Of the logits there are no such, and fewer background images are enough.
    explainer : "deep" for DeepExplainer (Deep SHAP), or "gradient" for GradientExplainer (expected gradients), which
        can take any differentiable layer.
    batch_size : background images (for "gradient": samples) at a time: bounds the memory, not the result.
    samples : of "gradient", random points between the image and background images.
    progress : whether a bar is shown on a terminal or in a live notebook.
    seed : of the samples of "gradient".

    Returns
    -------
    ShapValues. With "deep" they are additive to 1e-3 (of the largest sum, where that is above 1). With "gradient" they
    are so only in the mean: the error, of the order of 1 / sqrt(samples), is reported and never refused.

    Sources: Lundberg and Lee (2017), "A unified approach to interpreting model predictions"; Shrikumar, Greenside and
    Kundaje (2017), "Learning important features through propagating activation differences" (the rule inside); Erion
    et al. (2021), "Improving performance of deep learning models with axiomatic attribution priors" ("gradient").

    Raises
    ------
    TypeError, ValueError : a bad argument; a layer for which DeepExplainer's values do not add up, naming it.
    """
    name = "shap_values"
    images, background, batch_size = _checked(model, images, background, batch_size, function=name)
    chosen = _check_classes(classes, model, function=name)
    check_choice(explainer, _EXPLAINERS, name="explainer", function=name)
    samples = check_positive_int(samples, name="samples", function=name)
    seed = check_positive_int(seed, name="seed", function=name, minimum=0)
    parts = _explained(model, output, function=name)
    said, of_background = _answers(parts, images, batch_size), _answers(parts, background, batch_size)
    if explainer == "deep":
        pieces = np.array_split(background, -(-len(background) // batch_size))
        with Bar("SHAP values", len(chosen) * len(pieces), show=progress) as bar:
            values = _mean_maps(Deep(parts, function=name), images, pieces, chosen, bar)
    else:
        values = np.zeros((*images.shape[:3], len(chosen)))
        with Bar("SHAP values", len(chosen), show=progress) as bar:
            for place, digit in enumerate(chosen):
                settings = (digit, batch_size, samples, seed)
                values[..., place] = expected_gradients(parts, images, background, *settings)
                bar.step()
    outputs, expected = said[:, chosen], of_background.mean(axis=0)[list(chosen)]
    error = float(np.abs(values.sum(axis=(1, 2)) + expected - outputs).max())
    values, expected = values.astype(np.float32), expected.astype(np.float32)
    return ShapValues(values, chosen, expected, outputs.astype(np.float32), error, explainer, len(background), output)


def target_shap_values(
    model: keras.Model,
    images: np.ndarray,
    targets: Any,
    background: np.ndarray,
    *,
    output: str = "probability",
    batch_size: int = 50,
    progress: bool = True,
) -> np.ndarray:
    """Explain one class an image, such as the predicted one, by DeepExplainer: a tenth of the cost of all ten.

    Parameters
    ----------
    targets : class of each image, integers (n,), or one for all. Otherwise as for `shap_values`.

    Returns
    -------
    float32 (n, height, width), additive as in `shap_values`.

    Raises
    ------
    TypeError, ValueError : as `shap_values`.
    """
    name = "target_shap_values"
    images, background, batch_size = _checked(model, images, background, batch_size, function=name)
    targets = check_targets(targets, model, len(images), function=name)
    pieces = np.array_split(background, -(-len(background) // batch_size))
    present = tuple(int(digit) for digit in np.unique(targets))
    values = np.zeros(images.shape[:3], np.float32)
    deep = Deep(_explained(model, output, function=name), function=name)
    with Bar("SHAP values", len(present) * len(pieces), show=progress) as bar:
        for digit in present:
            of_digit = targets == digit
            values[of_digit] = _mean_maps(deep, images[of_digit], pieces, (digit,), bar)[..., 0]
    return values


def background_agreement(
    model: keras.Model,
    images: np.ndarray,
    background: np.ndarray,
    sizes: Sequence[int],
    *,
    classes: Sequence[int] | None = None,
    output: str = "probability",
    batch_size: int = 50,
    progress: bool = True,
) -> pd.DataFrame:
    """Measure how many background images are enough: do fewer of them give the values that all of them give?

    One pass over the background: each size takes its first images, so their order should be random. A part is contained
    in the whole with which it is compared, and so agrees a little more than two separate draws do.

    Parameters
    ----------
    sizes : numbers of background images, each from 1 to len(background). All else as for `shap_values`.

    Returns
    -------
    A row a size, in ascending order. ``size``; ``correlation``, the mean over images and classes of Pearson's r between
    the pixels' values and those with all of the background; ``lowest``, the smallest r; ``relative_cost``, size /
    len(background). Where a map has no variation r is not defined, and left out.

    Raises
    ------
    TypeError, ValueError : as `shap_values`, and for sizes outside 1 to len(background).
    """
    name = "background_agreement"
    images, background, batch_size = _checked(model, images, background, batch_size, function=name)
    chosen, full = _check_classes(classes, model, function=name), len(background)
    listed = check_sequence(sizes, kind="a sequence of numbers", name="sizes", function=name)
    wanted = sorted({check_positive_int(size, name="sizes", function=name) for size in listed})
    if not wanted or wanted[-1] > full:
        expected = f"one or more numbers of background images, at most {full}"
        raise ValueError(problem("sizes", name, expected, repr(wanted[-1] if wanted else list(sizes))))
    deep, maps = Deep(_explained(model, output, function=name), function=name), {}
    total = np.zeros((*images.shape[:3], len(chosen)))
    pieces = list(_pieces(background, wanted, batch_size))
    with Bar("SHAP values", len(chosen) * len(pieces), show=progress) as bar:
        for end, piece in pieces:
            total += len(piece) * _mean_maps(deep, images, [piece], chosen, bar)
            maps[end] = total / end
    rows = [(size, *_agreement(maps[size], maps[full]), size / full) for size in wanted]
    return pd.DataFrame(rows, columns=["size", "correlation", "lowest", "relative_cost"])


def _pieces(background: np.ndarray, sizes: Sequence[int], batch_size: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield pieces of the background in order, each with where it ends; every size is the end of a piece."""
    start = 0
    for end in sorted({*sizes, len(background)}):
        for piece in np.array_split(background[start:end], -(-(end - start) // batch_size)):
            start += len(piece)
            yield start, piece


def _agreement(maps: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Return the mean and the smallest Pearson correlation of maps (n, height, width, k), image by image and class."""
    first, second = [each - each.mean(axis=(1, 2), keepdims=True) for each in (maps, reference)]
    with np.errstate(invalid="ignore"):
        r = (first * second).sum(axis=(1, 2)) / np.sqrt((first**2).sum(axis=(1, 2)) * (second**2).sum(axis=(1, 2)))
    r = r[np.isfinite(r)]
    return (float(r.mean()), float(r.min())) if len(r) else (np.nan, np.nan)


def _mean_maps(
    deep: Deep, images: np.ndarray, pieces: Sequence[np.ndarray], classes: Sequence[int], bar: Bar
) -> np.ndarray:
    """Return the mean of the values over all background images, float64 (n, height, width, k)."""
    total = np.zeros((*images.shape[:3], len(classes)))
    for piece in pieces:
        for place, digit in enumerate(classes):
            total[..., place] += len(piece) * deep.maps(images, piece, digit)
            bar.step()
    return total / sum(map(len, pieces))


def _checked(
    model: Any, images: Any, background: Any, batch_size: Any, *, function: str
) -> tuple[np.ndarray, np.ndarray, int]:
    images = check_explained(model, images, function=function)
    background = check_explained(model, background, function=function, name="background")
    return images, background, check_positive_int(batch_size, name="batch_size", function=function)


def _explained(model: keras.Model, output: Any, *, function: str) -> Anatomy:
    """Return the network laid open, ending with its own outputs or with the logits."""
    parts = anatomy(model)
    if check_choice(output, _OUTPUTS, name="output", function=function) == "probability":
        return parts
    return Anatomy(parts.image, class_scores(parts), {})


def _check_classes(classes: Any, model: keras.Model, *, function: str) -> tuple[int, ...]:
    every = tuple(range(int(model.output_shape[-1])))
    if classes is None:
        return every
    listed = check_sequence(classes, kind="a sequence of classes", name="classes", function=function)
    chosen = tuple(check_positive_int(digit, name="classes", function=function, minimum=0) for digit in listed)
    if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(every):
        wanted = f"one or more different classes from 0 to {every[-1]}"
        raise ValueError(problem("classes", function, wanted, repr(classes)))
    return chosen


def _answers(parts: Anatomy, images: np.ndarray, batch_size: int) -> np.ndarray:
    """Return the outputs as float64 (n, classes)."""
    return in_batches(answering(as_model(parts)), images, batch_size=batch_size).astype(np.float64)
