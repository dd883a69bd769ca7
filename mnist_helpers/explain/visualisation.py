"""Which image excites a filter or a class most? Found by climbing the gradient, from noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mnist_helpers.common.backend import keras, ops
from mnist_helpers.common.checks import problem
from mnist_helpers.common.profile import shrunk
from mnist_helpers.common.types import Tensor
from mnist_helpers.explain.compiled import answering, compiled, gradient
from mnist_helpers.explain.network import check_layer, check_network, class_scores, inference_model, layer_names


@dataclass(frozen=True, eq=False)
class Maximised:
    """An image that excites a unit, and the way to it; with several units, both arrays have them as a first axis.

    Attributes
    ----------
    image : ndarray of float32, shape (height, width, 1)
        In [0, 1].
    scores : ndarray of float32, shape (steps + 1,)
        What the unit says of the image at the start and after each step, of the image as it is: not moved, and without
        the penalties.
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
    model : keras.Model
        Built sequential or functional model.
    unit : int or sequence of int
        Number of the filter, of the dense unit or of the class; several are climbed side by side, each as it would be
        alone.
    layer : str or int, optional
        Name or position of the layer, as for `activations`; the score of a filter is the mean of its map. By default a
        class is excited, whose score is its logit (of an average of networks, the logarithm of its output).
    steps : int
        Of Adam, with a rate that falls to 0 in half a cosine. The smoke profile takes fewer.
    learning_rate : float
        The first rate; of the logits of the pixels, which so stay between 0 and 1.
    smoothness, l2 : float
        Weights of the penalties, the mean total variation and the mean square of the pixels. In each step the score's
        gradient is scaled to an absolute sum of 1, so that the same weights suit any unit.
    jitter : int
        Largest random move before each step in pixels (0 comes in); 0 for none. What must not depend on the exact
        place is smoother and easier to recognise.
    seed : int
        Of noise and moves. The same seed gives the same image.

    Returns
    -------
    Maximised

    Notes
    -----
    A unit that grey noise does not excite at all, such as a filter that is 0 everywhere, shows no way up: its score
    stays, and its image fades to grey or black.

    Sources: Erhan et al. (2009), "Visualizing higher-layer features of a deep network"; Simonyan, Vedaldi and Zisserman
    (2014), "Deep inside convolutional networks", section 2; Olah, Mordvintsev and Schubert (2017), "Feature
    visualization".
    """
    check_network(model, "maximise")
    scorer = _scorer(model, layer)
    count = int(scorer.output_shape[-1])
    units = [int(each) for each in np.ravel(unit)]
    if not units or not 0 <= min(units) <= max(units) < count:
        wanted = f"one or more of the units 0 to {count - 1} of this layer"
        raise ValueError(problem("unit", "maximise", wanted, repr(unit)))
    noise = np.stack([np.random.default_rng([seed, each]).normal(0, 0.1, model.input_shape[1:]) for each in units])
    rates = {"learning_rate": learning_rate, "smoothness": smoothness, "l2": l2}
    one_hot = np.eye(count, dtype=np.float32)[units]
    images, scores = _climb(scorer, one_hot, noise, shrunk(steps, "steps"), jitter, seed, **rates)
    return Maximised(images[0], scores[0]) if np.ndim(unit) == 0 else Maximised(images, scores)


def _scorer(model: keras.Model, layer: str | int | None) -> keras.Model:
    """Return a network from images to one score per unit, (n, units)."""
    copy = inference_model(model)
    if layer is None:
        return class_scores(copy)
    output = copy.get_layer(check_layer(layer, layer_names(model), "maximise")).output
    return keras.Model(copy.inputs[0], ops.mean(output, axis=(1, 2)) if len(output.shape) == 4 else output)


def _climb(
    scorer: keras.Model,
    one_hot: np.ndarray,
    noise: np.ndarray,
    steps: int,
    jitter: int,
    seed: int,
    *,
    learning_rate: float,
    smoothness: float,
    l2: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the images (units, height, width, channels) after all steps, and the scores (units, steps + 1)."""
    rng, answer = np.random.default_rng(seed), answering(scorer)
    of_score = gradient(lambda images: ops.sum(scorer(images, training=False) * one_hot, axis=-1))
    of_penalty = gradient(_penalty(smoothness, l2))
    logits = keras.Variable(noise, dtype="float32")
    # slopes are small, and epsilon must be smaller still
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps), epsilon=1e-12)
    adam.build([logits])
    climb = compiled(lambda slope: adam.apply([-slope], [logits]))  # it goes down by itself
    images, scores = _sigmoid(logits), []
    for _ in range(steps):
        move = rng.integers(-jitter, jitter + 1, 2)
        slope = _moved(of_score(_moved(images, *move)), *-move)
        size = np.abs(slope).sum(axis=(1, 2, 3), keepdims=True)
        slope = slope / np.where(size > 0, size, 1) - of_penalty(images)
        scores.append((answer(images) * one_hot).sum(axis=-1))
        climb(slope * images * (1 - images))  # the slope of the sigmoid
        images = _sigmoid(logits)
    scores.append((answer(images) * one_hot).sum(axis=-1))
    return images, np.stack(scores, axis=1)


def _sigmoid(logits: keras.Variable) -> np.ndarray:
    return ops.convert_to_numpy(ops.sigmoid(logits))


def _moved(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return images moved by whole pixels, with 0 coming in."""
    height, width = images.shape[1:3]
    most = max(abs(down), abs(right))
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)))
    return padded[:, most - down : most - down + height, most - right : most - right + width]


def _penalty(smoothness: float, l2: float) -> Callable[[Tensor], Tensor]:
    """Return the penalty on each image: its mean total variation and its mean square, weighted."""

    def penalty(images: Tensor) -> Tensor:
        down, right = images[:, 1:, :-1] - images[:, :-1, :-1], images[:, :-1, 1:] - images[:, :-1, :-1]
        variation = ops.mean(ops.sqrt(ops.square(down) + ops.square(right) + 1e-4), axis=(1, 2, 3))
        return smoothness * variation + l2 * ops.mean(ops.square(images), axis=(1, 2, 3))

    return penalty
