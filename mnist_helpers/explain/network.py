"""A network as it answers: a copy without dropout and augmentation, and the checks that all explanations share."""

import functools
import inspect
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from mnist_helpers.common.backend import keras, layers, ops
from mnist_helpers.common.checks import check_images, problem
from mnist_helpers.common.types import Tensor

_SATURATED = keras.activations.softmax, keras.activations.sigmoid
_TINY = 1e-30  # probability, so that a logarithm exists


def inference_model(model: keras.Model) -> keras.Model:
    """Return the network as it answers: a copy in which everything that only acts in training is switched off.

    Dropout, noise, augmentation and batch normalisation behave as in ``model.predict``, even where a call does not say
    so. A sequential model inside the model is laid open, so that each of its layers can be reached.

    Parameters
    ----------
    model : keras.Model
        Built sequential or functional model that takes one image and gives one vector.

    Returns
    -------
    keras.Model
        Uncompiled functional model with weights of its own. Its layers keep their names; where a name is taken, the
        inner model's name comes in front.

    Raises
    ------
    TypeError, ValueError
        ``model`` is anything else.
    """
    check_network(model, "inference_model")
    names = _names(model)
    image = keras.Input(model.input_shape[1:], name=model.inputs[0]._keras_history.operation.name)

    @functools.cache  # a layer that is used twice is copied once
    def copied(layer: keras.layers.Layer) -> keras.layers.Layer:
        """Return a layer of the same settings and name."""
        if isinstance(layer, keras.Sequential) or not isinstance(layer, layers.Layer):
            return layer
        return type(layer).from_config(layer.get_config() | {"name": names[layer]})

    copy = keras.Model(image, _on_top(model, image, copied), name=model.name)
    for layer, name in names.items():
        copy.get_layer(name).set_weights(layer.get_weights())
    return copy


def _on_top(model: keras.Model, image: Tensor, copied: Callable[[keras.layers.Layer], keras.layers.Layer]) -> Tensor:
    """Return what copies of a model's layers make of a symbolic image."""

    def call(layer: keras.layers.Layer, *args: Tensor, **kwargs: object) -> Tensor:
        if isinstance(layer, keras.Sequential):
            return functools.reduce(lambda tensor, inner: call(copied(inner), tensor), layer.layers, args[0])
        if "training" in inspect.signature(layer.call).parameters:
            kwargs["training"] = False
        return layer(*args, **kwargs)

    if isinstance(model, keras.Sequential):
        return call(model, image)
    like_input = [image] if isinstance(model.input, list) else image
    return keras.models.clone_model(model, like_input, clone_function=copied, call_function=call).outputs[0]


def _names(model: keras.Model) -> dict[layers.Layer, str]:
    names: dict[layers.Layer, str] = {}
    for layer, within in _inner_layers(model):
        if layer not in names:
            names[layer] = f"{within}_{layer.name}" if layer.name in names.values() else layer.name
    return names


def _inner_layers(model: keras.Model) -> Iterator[tuple[layers.Layer, str]]:
    """Yield each layer and the name of its model, those of inner sequential models among them."""
    for layer in model.layers:
        if isinstance(layer, keras.Sequential):
            yield from _inner_layers(layer)
        else:
            yield layer, model.name


def class_scores(copy: keras.Model) -> keras.Model:
    """Return an inference copy that ends with scores that do not saturate: the logits of a softmax or sigmoid.

    After an end without an activation of its own, such as an average of networks, these are the logarithms of the
    outputs; after any other, the outputs.
    """
    output = copy.outputs[0]
    last = output._keras_history.operation
    activation = getattr(last, "activation", None)
    if isinstance(last, layers.Softmax) or (activation in _SATURATED and not last.weights):
        output = last.input
    elif activation in _SATURATED:
        linear = type(last).from_config(last.get_config() | {"activation": "linear", "name": f"{last.name}_logits"})
        output = linear(last.input)
        linear.set_weights(last.get_weights())
    elif activation is None:
        output = ops.log(ops.maximum(output, _TINY))
    return keras.Model(copy.inputs[0], output)


def check_network(model: keras.Model, function: str) -> None:
    """Raise ``TypeError`` or ``ValueError`` for what is no built model from one image to one vector."""
    if not isinstance(model, keras.Model):
        raise TypeError(problem("model", function, "a Keras model", type(model).__name__))
    if not model.built:
        raise ValueError(problem("model", function, "built, with an explicit Input", f"{model.name!r}, not built"))
    one = all(len(getattr(model, side, None) or ()) == 1 for side in ("inputs", "outputs"))
    if not one or len(model.input_shape) != 4 or len(model.output_shape) != 2:
        wanted = "a sequential or functional model from images (n, height, width, channels) to (n, classes)"
        got = f"{model.input_shape} to {model.output_shape}" if one else repr(model.name)
        raise ValueError(problem("model", function, wanted, got))


def check_explained(model: keras.Model, images: np.ndarray, function: str, name: str = "images") -> np.ndarray:
    """Check the model, and return images of the shape that it takes as float32 in [0, 1]; else raise."""
    check_network(model, function)
    images = check_images(images, function=function, name=name)
    if images.shape[1:] != tuple(model.input_shape[1:]):
        wanted = f"of shape (n, {', '.join(map(str, model.input_shape[1:]))}) for this model"
        raise ValueError(problem(name, function, wanted, f"shape {images.shape}"))
    return images


def check_targets(model: keras.Model, targets: npt.ArrayLike, n: int, function: str) -> np.ndarray:
    """Return one class for each of n images as int64 (n,); a single class stands for all. Else raise."""
    array, classes = np.asarray(targets), int(model.output_shape[-1])
    if array.dtype.kind not in "iu" or array.shape not in ((), (n,)):
        got = f"an array of {array.dtype} of shape {array.shape}"
        raise ValueError(problem("targets", function, f"one class, or {n} integers", got))
    if array.min() < 0 or array.max() >= classes:
        got = f"values from {array.min()} to {array.max()}"
        raise ValueError(problem("targets", function, f"classes from 0 to {classes - 1}", got))
    return np.broadcast_to(array, (n,)).astype(np.int64)
