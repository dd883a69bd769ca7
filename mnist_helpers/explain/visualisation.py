"""Which image excites a filter or a class most? Found by climbing the gradient, from noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mnist_helpers.common.backend import keras, ops
from mnist_helpers.common.checks import check_fraction, check_positive_int, check_sequence, problem
from mnist_helpers.explain.compiled import answering, value_and_gradient
from mnist_helpers.explain.inference import anatomy, as_model, check_layer, check_network, class_scores, layer_names

_NAME = "maximise"


@dataclass(frozen=True, eq=False)
class Maximised:
    """An image that excites a unit, and the way to it; with several units, all arrays have them as a first axis.

    image : float32 (height, width, 1) in [0, 1].
    scores : float32 (steps + 1,), what the unit says of the image at the start and after each step, of the image as it
        is: not moved, and without the penalties.
    """

    image: np.ndarray
    scores: np.ndarray


def maximise(
    model: keras.Model,
    *,
    unit: int | Sequence[int],
    layer: str | int | None = None,
    steps: int = 200,
    learning_rate: float = 0.1,
    smoothness: float = 0.3,
    l2: float = 0.3,
    jitter: int = 3,
    seed: int = 0,
) -> Maximised:
    """Change a grey image of faint noise, step by step, into one that excites a filter or a class more and more.

    Parameters
    ----------
    model : built sequential or functional Keras model.
    unit : number of the filter, of the dense unit or of the class; several numbers are climbed side by side, each as it
        would be alone.
    layer : name or position of the layer, as for `activations`; the score of a filter is the mean of its map. None for
        a class, whose score is its logit (of an average of networks, the logarithm of its output).
    steps : of Adam with a rate that falls to 0 in half a cosine, at least 1.
    learning_rate : the first rate, greater than 0; of the logit of the pixels, which so stay between 0 and 1.
    smoothness, l2 : weights, at least 0, of the penalties: the mean total variation and the mean square of the pixels.
        The score's gradient is scaled to an absolute sum of 1 in each step, so that the same weights fit any unit.
    jitter : largest random move, in pixels (0 comes in), before each step; 0 for none. What must not depend on the
        exact place is smoother and easier to recognise.
    seed : of noise and moves. The same seed gives the same image.

    A unit that grey noise does not excite at all, such as a filter that is 0 everywhere, shows no way up: its score
    stays, and its image fades to grey or black.

    Sources: Erhan et al. (2009), "Visualizing higher-layer features of a deep network"; Simonyan, Vedaldi and Zisserman
    (2014), "Deep inside convolutional networks", section 2; Olah, Mordvintsev and Schubert (2017), "Feature
    visualization".

    Raises
    ------
    TypeError, ValueError : a bad argument; for an unknown layer, with a list of those there are.
    """
    check_network(model, function=_NAME)
    steps = check_positive_int(steps, name="steps", function=_NAME)
    jitter = check_positive_int(jitter, name="jitter", function=_NAME, minimum=0)
    seed = check_positive_int(seed, name="seed", function=_NAME, minimum=0)
    rates = {"learning_rate": learning_rate, "smoothness": smoothness, "l2": l2}
    rates = {name: check_fraction(rate, name=name, function=_NAME, high=np.inf) for name, rate in rates.items()}
    scorer, count = _scorer(model, layer)
    units = _check_units(unit, count)
    one_hot, answers = np.eye(count, dtype=np.float32)[units], answering(scorer)

    def score(images: Any) -> Any:
        return ops.sum(scorer(images, training=False) * one_hot, axis=-1)

    def answer(images: np.ndarray) -> np.ndarray:
        return (answers(images) * one_hot).sum(axis=-1)

    images, scores = _climb(score, answer, _noise(model.input_shape[1:], units, seed), steps, jitter, seed, **rates)
    return Maximised(images[0], scores[0]) if isinstance(unit, int | np.integer) else Maximised(images, scores)


def _scorer(model: keras.Model, layer: str | int | None) -> tuple[keras.Model, int]:
    """Return a network from images to one score a unit, (n, units), and the number of units."""
    parts = anatomy(model)
    if layer is None:
        output = class_scores(parts)
    else:
        output = parts.layers[check_layer(layer, layer_names(model), function=_NAME)]
        if len(output.shape) == 4:
            output = ops.mean(output, axis=(1, 2))
    return as_model(parts, output), int(output.shape[-1])


def _check_units(unit: Any, count: int) -> list[int]:
    one = isinstance(unit, int | np.integer)
    several = [unit] if one else check_sequence(unit, kind="a number, or several", name="unit", function=_NAME)
    units = [check_positive_int(each, name="unit", function=_NAME, minimum=0) for each in several]
    if not units or max(units) >= count:
        got = repr(unit) if units else "none"
        raise ValueError(problem("unit", _NAME, f"one or more of the units 0 to {count - 1} of this layer", got))
    return units


def _noise(shape: tuple[int, ...], units: Sequence[int], seed: int) -> np.ndarray:
    """Return the logits of the first pixels, (units, height, width, channels): a unit starts alike in any company."""
    return np.stack([np.random.default_rng([seed, unit]).normal(0, 0.1, shape) for unit in units])


def _climb(
    score: Callable[[Any], Any],
    answer: Callable[[np.ndarray], np.ndarray],
    logits: np.ndarray,
    steps: int,
    jitter: int,
    seed: int,
    *,
    learning_rate: float,
    smoothness: float,
    l2: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the images after all steps, and the scores (units, steps + 1)."""
    rng = np.random.default_rng(seed)
    of_score, of_penalty = value_and_gradient(score), value_and_gradient(partial(_penalty, smoothness, l2))
    images, scores = _sigmoid(logits), []
    first, second = np.zeros_like(logits), np.zeros_like(logits)
    for step in range(1, steps + 1):
        move = rng.integers(-jitter, jitter + 1, 2)
        slope = _moved(of_score(_moved(images, *move))[1], *-move)
        size = np.abs(slope).sum(axis=(1, 2, 3), keepdims=True)
        slope = slope / np.where(size > 0, size, 1) - of_penalty(images)[1]
        slope = slope * images * (1 - images)  # with respect to the logits
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        rate = learning_rate * (1 + np.cos(np.pi * (step - 1) / steps)) / 2
        logits = logits + rate * first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-12)
        scores.append(answer(images))
        images = _sigmoid(logits)
    return images, np.stack([*scores, answer(images)], axis=1)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def _moved(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return images moved by whole pixels, with 0 coming in."""
    height, width = images.shape[1:3]
    most = max(abs(down), abs(right))
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)))
    return padded[:, most - down : most - down + height, most - right : most - right + width]


def _penalty(smoothness: float, l2: float, images: Any) -> Any:
    """Return the penalty on each image: its mean total variation and its mean square, weighted."""
    down, right = images[:, 1:, :-1] - images[:, :-1, :-1], images[:, :-1, 1:] - images[:, :-1, :-1]
    variation = ops.mean(ops.sqrt(ops.square(down) + ops.square(right) + 1e-4), axis=(1, 2, 3))
    return smoothness * variation + l2 * ops.mean(ops.square(images), axis=(1, 2, 3))
