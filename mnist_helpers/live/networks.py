"""Networks as the browser sees them: layers and rounded weights, from Keras models or from the file that lies here."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mnist_helpers.common.checks import problem
from mnist_helpers.common.types import Plain
from mnist_helpers.live.figure import Asset, Rounded

if TYPE_CHECKING:
    import keras

FILE = Path(__file__).with_name("networks.json")
_IDLE = {"InputLayer", "Dropout", "SpatialDropout2D", "GaussianNoise", "RandomAffine"}  # nothing after training
_ACTIVATIONS = {"linear", "relu", "tanh", "sigmoid", "softmax"}


def describe(model: keras.Model, *, bits: int = 8) -> Plain:
    """Return the layers of a Keras model for ``layers.js``, with rounded weights.

    Parameters
    ----------
    model : keras.Model
        A ``keras.Sequential`` of convolutions, pooling, padding, batch normalisation, dense layers, and of layers that
        do nothing after training.
    bits : 8 or 16
        Of each weight.

    Returns
    -------
    dict
        ``layers``, a list of dicts with ``class`` and settings; weights are `Rounded`.

    Raises
    ------
    ValueError
        It is no row of layers, or has one that ``layers.js`` does not know.
    """
    found: list[Plain] = []
    for layer in _layers(model):
        kind = type(layer).__name__
        if kind in _IDLE or kind.startswith("Random"):
            continue
        if kind not in _WRITTEN:
            raise ValueError(problem("model", "describe", f"built of {', '.join(_WRITTEN)}", f"a layer {kind}"))
        found.append({"class": kind, **_WRITTEN[kind](layer, bits)})
    return {"layers": found}


def _layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of a model in order, those of models inside it, too."""
    if type(model).__name__ != "Sequential":
        raise ValueError(problem("model", "describe", "a keras.Sequential", type(model).__name__))
    inside = [_layers(layer) if hasattr(layer, "layers") else [layer] for layer in model.layers]
    return [layer for layers in inside for layer in layers]


def _activation(layer: keras.layers.Layer) -> str:
    name = getattr(layer.activation, "__name__", str(layer.activation))
    if name not in _ACTIVATIONS:
        raise ValueError(problem("model", "describe", f"activations of {sorted(_ACTIVATIONS)}", repr(name)))
    return name


def _weights(layer: keras.layers.Layer, bits: int) -> Plain:
    kernel, *bias = layer.get_weights()
    weights = {"kernel": Rounded(kernel, bits), "activation": _activation(layer)}
    return weights | {"bias": Rounded(bias[0], 16)} if bias else weights


def _convolution(layer: keras.layers.Layer, bits: int) -> Plain:
    if tuple(layer.dilation_rate) != (1, 1) or layer.groups != 1:
        raise ValueError(problem("model", "describe", "plain convolutions", "dilation or groups"))
    return {**_weights(layer, bits), "strides": list(layer.strides), "padding": layer.padding}


def _pooling(layer: keras.layers.Layer, bits: int) -> Plain:
    return {"pool_size": list(layer.pool_size), "strides": list(layer.strides), "padding": layer.padding}


def _normalization(layer: keras.layers.Layer, bits: int) -> Plain:
    mean, variance = (np.asarray(value) for value in (layer.moving_mean, layer.moving_variance))
    scale = (np.asarray(layer.gamma) if layer.scale else 1) / np.sqrt(variance + layer.epsilon)
    shift = (np.asarray(layer.beta) if layer.center else 0) - mean * scale
    return {"scale": Rounded(scale, 16), "shift": Rounded(shift, 16)}


def _nothing(layer: keras.layers.Layer, bits: int) -> Plain:
    return {}


_WRITTEN: dict[str, Callable[..., Plain]] = {
    "Conv2D": _convolution,
    "MaxPooling2D": _pooling,
    "AveragePooling2D": _pooling,
    "GlobalAveragePooling2D": _nothing,
    "ZeroPadding2D": lambda layer, bits: {"padding": [list(pair) for pair in layer.padding]},
    "BatchNormalization": _normalization,
    "Flatten": _nothing,
    "Dense": _weights,
    "Activation": lambda layer, bits: {"activation": _activation(layer)},
}


def rounded(model: keras.Model, *, bits: int = 8) -> list[np.ndarray]:
    """Return the weights of a model as the browser sees them, in the order of ``model.get_weights()``.

    For models without batch normalisation, whose four vectors are folded into two.
    """
    layers = describe(model, bits=bits)["layers"]
    return [layer[name].array for layer in layers for name in ("kernel", "bias") if name in layer]


@cache
def _stored() -> Plain:
    return json.loads(FILE.read_text(encoding="utf-8"))


def names() -> list[str]:
    """Return the names of the stored networks: "linear", "dense", "LeNet-5", "LeNet-5, augmented", "distilled"."""
    return list(_stored())


def record(name: str) -> Plain:
    """Return how a stored network was trained: epochs, seed, augmentation, and its accuracy on validation images."""
    return _stored()[name]["record"]


def load(name: str) -> keras.Model:
    """Return a stored network as a Keras model; images (n, 28, 28, 1) in [0, 1] to probabilities (n, 10)."""
    from mnist_helpers.common.backend import keras

    model = keras.Sequential([keras.Input((28, 28, 1))], name=re.sub(r"\W+", "_", name))
    for found in _stored()[name]["layers"]:
        settings = {key: value for key, value in found.items() if key not in ("class", "kernel", "bias")}
        if "kernel" in found:
            *size, units = found["kernel"]["shape"]
            settings |= {"filters": units, "kernel_size": size[:2]} if len(size) == 3 else {"units": units}
        model.add(getattr(keras.layers, found["class"])(**settings))
    packed = [found[key] for found in _stored()[name]["layers"] for key in ("kernel", "bias") if key in found]
    model.set_weights([_unpacked(array) for array in packed])
    return model


def _unpacked(packed: Plain) -> np.ndarray:
    values = np.frombuffer(zlib.decompress(base64.b64decode(packed["zlib"])), packed["dtype"])
    return values.reshape(packed["shape"]) * np.array(packed["scale"], np.float32)


def asset(model: keras.Model, *, bits: int = 8) -> Asset:
    """Return a network for the data of a figure: the name of a stored one, or a Keras model."""
    if not isinstance(model, str):
        return Asset(describe(model, bits=bits))
    if model not in _stored():
        raise ValueError(problem("model", "asset", f"one of {names()}", repr(model)))
    return Asset({"layers": _stored()[model]["layers"]})
