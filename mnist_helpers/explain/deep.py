"""DeepExplainer of shap on a Keras 3 network: in pieces, and checked."""

import contextlib
import warnings
from collections.abc import Iterator
from types import ModuleType

import numpy as np

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.common.checks import problem
from mnist_helpers.explain.compiled import answering, check_backend

TOLERANCE = 1e-3  # of the largest sum, or absolute where that is below 1


class Deep:
    """DeepExplainer on an inference model, for one class and one piece of the background at a time.

    The class is the weights of a layer on top, so that shap builds one graph and not one per class. The background is
    given as a function, so that another piece of it needs no new explainer; pieces of one length share a graph.
    """

    def __init__(self, model: keras.Model) -> None:
        self._classes = int(model.output_shape[-1])
        self._pick = layers.Dense(1, use_bias=False, name="picked_class")
        self._answer = answering(model)
        self._piece = np.zeros(0)
        # as a list: shap passes lists, and Keras warns where the structure of the input is another
        network = keras.Model([model.inputs[0]], self._pick(model.outputs[0]))
        with _shap() as shap:
            self._explainer = shap.DeepExplainer(network, lambda _: [self._piece])

    def maps(self, images: np.ndarray, piece: np.ndarray, digit: int) -> np.ndarray:
        """Return the values for one class, float64 (n, height, width); ``ValueError`` where they do not add up."""
        try:
            values = self._attributions(images, piece, digit)
        except Exception as error:  # shap raises anything, from AssertionError to LookupError
            raise ValueError(self._failure(f"{type(error).__name__}: {error}")) from error
        difference = self._answer(images)[:, digit] - self._answer(piece)[:, digit].mean()
        missed = np.abs(values.sum(axis=(1, 2)) - difference).max()
        if not missed <= TOLERANCE * max(np.abs(difference).max(), 1):  # NaN too
            raise ValueError(self._failure(f"values that miss their sum by {missed:.2g}"))
        return values

    def _attributions(self, images: np.ndarray, piece: np.ndarray, digit: int) -> np.ndarray:
        self._piece = piece
        self._pick.set_weights([np.eye(self._classes, dtype=np.float32)[:, [digit]]])
        with _shap():
            values = self._explainer.shap_values(images, check_additivity=False)
        return np.asarray(values).reshape(images.shape).sum(axis=-1)

    @staticmethod
    def _failure(got: str) -> str:
        wanted = "a network whose layers DeepExplainer knows (see shap's documentation)"
        return problem("model", "target_shap_values", wanted, got)


@contextlib.contextmanager
def _shap() -> Iterator[ModuleType]:
    """Import shap, without three warnings that say nothing about a result.

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
