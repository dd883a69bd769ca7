"""The network as it answers: what every explanation looks at, and the checks that all of them share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_helpers.common.backend import keras, layers, ops
from mnist_helpers.common.checks import as_array, check_images, check_positive_int, check_sequence, problem
from mnist_helpers.models.augmentation import RandomAffine
from mnist_helpers.training.train import seeded

_TRAINING_ONLY = (
    RandomAffine,
    layers.Dropout,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.AlphaDropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.ActivityRegularization,
    layers.RandomBrightness,
    layers.RandomContrast,
    layers.RandomFlip,
    layers.RandomRotation,
    layers.RandomTranslation,
    layers.RandomZoom,
)
_SATURATED = keras.activations.softmax, keras.activations.sigmoid
_TINY = 1e-30  # probability, so that a logarithm exists


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A network laid open: an inference copy, and where in it each layer of the original answers.

    image, output : symbolic tensors, in and out. layers : the output tensor of each layer by its name; for a layer
    that only acts in training, what goes into it.
    """

    image: Any
    output: Any
    layers: dict[str, Any]


def inference_model(model: keras.Model) -> keras.Model:
    """Return the network as it answers: a copy without the layers that only act in training.

    Dropout, noise and augmentation (`RandomAffine`, Keras's random layers) are left out, so that no explanation can
    see them; a sequential model within the model is laid open. The predictions are those of ``model.predict``.

    Parameters
    ----------
    model : built sequential or functional Keras model that takes one image and gives one vector.

    Returns
    -------
    Uncompiled functional model with weights of its own.

    Raises
    ------
    TypeError, ValueError : anything else.
    """
    check_network(model, function="inference_model")
    return as_model(anatomy(model), name=model.name)


def as_model(parts: Anatomy, output: Any = None, *, name: str | None = None) -> keras.Model:
    """Return the model from the image to ``output``, by default to the network's own."""
    return keras.Model(parts.image, parts.output if output is None else output, name=name)


def layer_names(model: keras.Model) -> list[str]:
    """Return the names of all layers in the order of ``model.layers``; a sequential model in it is laid open.

    Raises ``TypeError`` or ``ValueError`` for what is no built sequential or functional model.
    """
    check_network(model, function="layer_names")
    return list(_names(model).values())


def anatomy(model: keras.Model) -> Anatomy:
    """Copy a checked model layer by layer, and keep the tensor that each layer gives."""
    copier = _Copier(_names(model))
    image = keras.Input(model.input_shape[1:], name="image")
    if isinstance(model, keras.Sequential):
        return Anatomy(image, copier(model, image), copier.tensors)
    # clone_model walks through the graph of a functional model; the copier does what is done at each node.
    like_input = [image] if isinstance(model.input, list) else image
    walked = keras.models.clone_model(model, like_input, clone_function=_same, call_function=copier)
    inputs = (layer for layer in model.layers if isinstance(layer, layers.InputLayer))
    return Anatomy(image, walked.outputs[0], {_names(model)[id(layer)]: image for layer in inputs} | copier.tensors)


class _Copier:
    """Puts a copy of each layer, with its weights, on top of a tensor; layers that only act in training put nothing."""

    def __init__(self, names: dict[int, str]) -> None:
        self._names = names
        self._copies: dict[int, Any] = {}
        self.tensors: dict[str, Any] = {}

    def __call__(self, layer: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(layer, keras.Sequential):
            tensor = args[0]
            for inner in layer.layers:
                tensor = self(inner, tensor)
            return tensor
        if isinstance(layer, _TRAINING_ONLY):
            output = args[0]
        else:
            output = self._called(layer, args, {key: value for key, value in kwargs.items() if key != "training"})
        if id(layer) in self._names:
            self.tensors[self._names[id(layer)]] = output
        return output

    def _called(self, layer: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        if not isinstance(layer, layers.Layer):  # an operation of keras.ops
            return layer(*args, **kwargs)
        if id(layer) not in self._copies:
            copied = type(layer).from_config(layer.get_config() | {"name": self._names[id(layer)]})
            copied(*args, **kwargs)  # builds it
            copied.set_weights(layer.get_weights())
            self._copies[id(layer)] = copied
        return self._copies[id(layer)](*args, **kwargs)


def _same(layer: Any) -> Any:
    return layer


def _names(model: keras.Model) -> dict[int, str]:
    """Return a name for each layer by its id; a name that is taken gets the inner model's in front."""
    names: dict[int, str] = {}

    def add(layer: Any, within: str) -> None:
        if isinstance(layer, keras.Sequential):
            for inner in layer.layers:
                add(inner, layer.name)
        elif id(layer) not in names:
            names[id(layer)] = f"{within}_{layer.name}" if layer.name in names.values() else layer.name

    for layer in model.layers:
        add(layer, model.name)
    return names


def class_scores(parts: Anatomy) -> Any:
    """Return the tensor of scores that do not saturate: the logits where a softmax or sigmoid ends the network.

    After an end without an activation of its own, such as an average of networks: the logarithm of the outputs. After
    any other: the outputs.
    """
    last = parts.output._keras_history.operation
    activation = getattr(last, "activation", None)
    if isinstance(last, layers.Softmax) or (activation in _SATURATED and not last.weights):
        return last.input
    if activation in _SATURATED:
        copied = type(last).from_config(last.get_config() | {"activation": "linear", "name": f"{last.name}_logits"})
        logits = copied(last.input)
        copied.set_weights(last.get_weights())
        return logits
    return ops.log(ops.maximum(parts.output, _TINY)) if activation is None else parts.output


def randomised(model: keras.Model, *, seed: int, layers: Any = None) -> keras.Model:
    """Return a copy with fresh random weights, drawn from each layer's own initial distribution.

    An explanation that hardly changes with it does not explain what the network learned.

    Parameters
    ----------
    model : built sequential or functional Keras model.
    seed : of the weights, at least 0. Not the seed that the network was trained with: that one draws the weights with
        which its training began, and which it still resembles.
    layers : the layers to randomise, as names or positions in ``model.layers``; None for all. All others keep their
        weights: from the last layer down, this is the cascade of the source.

    Source: Adebayo et al. (2018), "Sanity checks for saliency maps".

    Raises
    ------
    TypeError, ValueError : a model or a seed that is none; a layer that the model does not have.
    """
    check_network(model, function="randomised")
    seed = check_positive_int(seed, name="seed", function="randomised", minimum=0)
    own = chosen = [layer.name for layer in model.layers]
    if layers is not None:
        listed = check_sequence(layers, kind="a sequence of layers", name="layers", function="randomised")
        chosen = [check_layer(each, own, function="randomised", name="layers") for each in listed]
    with seeded(seed):
        fresh = keras.models.clone_model(model)
    for old, new in zip(model.layers, fresh.layers, strict=True):
        if old.name not in chosen:
            new.set_weights(old.get_weights())
    return fresh


def check_layer(layer: Any, names: list[str], *, function: str, name: str = "layer") -> str:
    """Return the name of a layer that is given by name or position, else raise ``ValueError`` that lists the layers."""
    known = "one of the layers " + ", ".join(f"{i} {each!r}" for i, each in enumerate(names))
    if isinstance(layer, str) and layer in names:
        return layer
    is_position = isinstance(layer, int | np.integer) and not isinstance(layer, bool)
    if is_position and -len(names) <= layer < len(names):
        return names[int(layer)]
    raise ValueError(problem(name, function, known, repr(layer)))


def check_network(model: Any, *, function: str) -> None:
    """Raise ``TypeError`` or ``ValueError`` for what is no built model from one image to one vector."""
    if not isinstance(model, keras.Model):
        raise TypeError(problem("model", function, "a Keras model", type(model).__name__))
    if not model.built:
        raise ValueError(problem("model", function, "built, with an explicit Input", f"{model.name!r}, not built"))
    if not hasattr(model, "outputs") or not all(_has_one(model, side) for side in ("input", "output")):
        wanted = "a sequential or functional model with one input and one output"
        raise ValueError(problem("model", function, wanted, repr(model.name)))
    if len(model.input_shape) != 4 or len(model.output_shape) != 2:
        wanted = "a network from images (n, height, width, channels) to (n, classes)"
        raise ValueError(problem("model", function, wanted, f"{model.input_shape} to {model.output_shape}"))


def _has_one(model: Any, side: str) -> bool:
    return len(getattr(model, f"{side}s") or ()) == 1


def check_explained(model: Any, images: Any, *, function: str, name: str = "images") -> np.ndarray:
    """Check the model, and return images of the shape that it takes as float32 in [0, 1]; else raise."""
    check_network(model, function=function)
    images = check_images(images, function=function, name=name)
    if images.shape[1:] != tuple(model.input_shape[1:]):
        wanted = f"of shape (n, {', '.join(map(str, model.input_shape[1:]))}) for this model"
        raise ValueError(problem(name, function, wanted, f"shape {images.shape}"))
    return images


def check_targets(targets: Any, model: keras.Model, n: int, *, function: str, name: str = "targets") -> np.ndarray:
    """Return one class for each of n images as int64 (n,); a single class stands for all. Else raise."""
    array = as_array(targets, name=name, function=function)
    if array.dtype.kind not in "iu":
        raise TypeError(problem(name, function, "an integer or an array of integers", f"an array of {array.dtype}"))
    if array.shape not in ((), (n,)):
        raise ValueError(problem(name, function, f"one class, or of shape ({n},)", f"shape {array.shape}"))
    classes = int(model.output_shape[-1])
    if array.min() < 0 or array.max() >= classes:
        got = f"values from {array.min()} to {array.max()}"
        raise ValueError(problem(name, function, f"classes from 0 to {classes - 1}", got))
    return np.broadcast_to(array, (n,)).astype(np.int64)


def in_batches(function: Callable, images: np.ndarray, *others: np.ndarray, batch_size: int) -> np.ndarray:
    """Apply ``function`` to batches of images, and of what belongs to them, and return the results as one array."""
    starts = range(0, len(images), batch_size)
    parts = [function(*(each[start : start + batch_size] for each in (images, *others))) for start in starts]
    return np.concatenate([np.asarray(part) for part in parts])
