"""shap's explainers on a Keras 3 network: DeepExplainer in pieces and checked, and GradientExplainer."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.common.checks import problem
from mnist_helpers.explain.compiled import answering, check_backend
from mnist_helpers.explain.inference import Anatomy, as_model
from mnist_helpers.training.train import seeded

TOLERANCE = 1e-3
_FEW = 3  # images and background images that are enough to find out which layer fails


class Deep:
    """shap's DeepExplainer on an inference network, for one class and one piece of the background at a time.

    The class is the weights of a layer on top, so that shap builds one graph and not one a class; the background is
    given as a function, so that another piece of it needs no new explainer. Pieces of one length share a graph.
    """

    def __init__(self, parts: Anatomy, *, function: str) -> None:
        self._parts, self._function = parts, function
        self._classes = int(parts.output.shape[-1])
        self._pick = layers.Dense(1, use_bias=False, name="picked_class")
        # As a list: shap passes lists, and Keras warns where the structure of the input is another.
        network = keras.Model([parts.image], self._pick(parts.output))
        self._answer = answering(as_model(parts))
        self._piece = np.zeros(0)
        with _shap() as shap:
            self._explainer = shap.DeepExplainer(network, lambda _: [self._piece])

    def maps(self, images: np.ndarray, piece: np.ndarray, digit: int) -> np.ndarray:
        """Return the values for one class, float64 (n, height, width).

        Raises ``ValueError`` naming a layer that DeepExplainer cannot handle where they do not add up.
        """
        weights = np.zeros((self._classes, 1), np.float32)
        weights[digit] = 1
        try:
            values = self._attributions(images, piece, weights)
            error, size = self._additivity(values, images, piece, weights)
            cause = None
        except Exception as raised:  # shap raises anything, from AssertionError to LookupError
            error, size, cause = np.inf, 0.0, raised
        if not error <= TOLERANCE * max(size, 1):  # NaN too
            raise ValueError(self._explained_failure(images, piece, error, cause)) from cause
        return values

    def _attributions(self, images: np.ndarray, piece: np.ndarray, weights: np.ndarray) -> np.ndarray:
        self._piece = piece
        self._pick.set_weights([weights])
        with _shap():
            values = self._explainer.shap_values(images, check_additivity=False)
        return np.asarray(values).reshape(images.shape).sum(axis=-1)

    def _additivity(
        self, values: np.ndarray, images: np.ndarray, piece: np.ndarray, weights: np.ndarray
    ) -> tuple[float, float]:
        """Return the largest error of the sums, and the largest difference that they should sum up to."""
        said, before = [self._answer(each) @ weights for each in (images, piece)]
        difference = said[:, 0] - before.mean()
        return float(np.abs(values.sum(axis=(1, 2)) - difference).max()), float(np.abs(difference).max())

    def _explained_failure(self, images: np.ndarray, piece: np.ndarray, error: float, cause: Any) -> str:
        """Return the message: what fails, in which layer, and what to do instead."""
        layer = self._failing_layer(images[:_FEW], piece[:_FEW])
        wanted = "a network that DeepExplainer can handle (shap_values with explainer='gradient' takes any)"
        got = f"values that miss their sum by {error:.2g}" if cause is None else f"{type(cause).__name__}: {cause}"
        return problem("model", self._function, wanted, got if layer is None else f"the layer {_described(layer)}")

    def _failing_layer(self, images: np.ndarray, piece: np.ndarray) -> Any:
        """Return the first layer up to which the values do not add up, found by explaining ever more of the network."""
        for layer in keras.Model(self._parts.image, self._parts.output).layers[1:]:
            flat = layers.Flatten()(layer.output)
            prefix = Deep(Anatomy(self._parts.image, flat, {}), function=self._function)
            weights = np.random.default_rng(0).standard_normal((flat.shape[-1], 1)).astype(np.float32)
            try:
                values = prefix._attributions(images, piece, weights)
                error, size = prefix._additivity(values, images, piece, weights)
            except Exception:
                return layer
            if not error <= TOLERANCE * max(size, TOLERANCE):
                return layer
        return None


def _described(layer: Any) -> str:
    """Return a layer's name, class and activation."""
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    return f"{layer.name!r} ({type(layer).__name__}{'' if activation == 'linear' else f', activation {activation}'})"


def expected_gradients(
    parts: Anatomy, images: np.ndarray, background: np.ndarray, digit: int, batch_size: int, samples: int, seed: int
) -> np.ndarray:
    """Return the values for one class by shap's GradientExplainer, float64 (n, height, width)."""
    picked = layers.Dense(1, use_bias=False, name="picked_class")
    network = keras.Model([parts.image], picked(parts.output))
    weights = np.zeros((int(parts.output.shape[-1]), 1), np.float32)
    weights[digit] = 1
    picked.set_weights([weights])
    # it seeds NumPy's own generator
    with _shap() as shap, seeded(seed):
        explainer = shap.GradientExplainer(network, background, batch_size=batch_size)
        values = explainer.shap_values(images, nsamples=samples, rseed=seed)
    return np.asarray(values).reshape(images.shape).sum(axis=-1)


@contextlib.contextmanager
def _shap() -> Iterator[Any]:
    """Import shap, without three warnings that say nothing about a result; all others are shown.

    shap puts a function of its own into TensorFlow while it works, and leaves it there when it fails: from then on no
    gradient could be computed. It is taken back.
    """
    check_backend()
    from tensorflow.python.eager import execute

    recorder = execute.record_gradient
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Your TensorFlow version is newer than 2.4.0", UserWarning)
            warnings.filterwarnings("ignore", r"The set_(bad|over|under) function will be deprecated")
            warnings.filterwarnings("ignore", "IProgress not found")  # of tqdm, which shap imports
            import shap

            yield shap
    finally:
        execute.record_gradient = recorder
