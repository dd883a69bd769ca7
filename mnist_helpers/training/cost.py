"""What a network costs, counted from its layers: floating-point operations (FLOPs)."""

import math

from mnist_helpers.common.backend import keras
from mnist_helpers.common.checks import check_positive_int, problem

_FUNCTION = "forward_flops"
_COUNTED = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)
_TRAINING = 3  # forwards once, and backwards twice as much: the gradients of the inputs, and those of the weights


def forward_flops(model: keras.Model) -> int:
    """Return the floating-point operations of one image's way through a network.

    A multiplication and an addition count as two. Convolutions and dense layers are counted, which do nearly all of
    the work; biases, activations, pooling, normalisation and augmentation are left out, as is usual. A layer that is
    used several times is counted once.

    Raises ``TypeError`` for what is no Keras model, ``ValueError`` for one that is not built, has no fixed image size,
    or holds matrices of weights in a layer of another kind.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(problem("model", _FUNCTION, "a Keras model", type(model).__name__))
    if not model.built:
        raise ValueError(problem("model", _FUNCTION, "built, with an explicit Input", f"{model.name!r}, not built"))
    counted = [layer for layer in _leaves(model) if isinstance(layer, _COUNTED)]
    _check_all_counted(model, counted)
    return sum(_layer_flops(layer) for layer in counted)


def training_flops(model: keras.Model, *, images: int, epochs: int) -> int:
    """Return the floating-point operations of training on ``images`` for ``epochs``: three forward passes per image.

    One pass forwards, and two backwards: for the gradients of the layers' inputs and for those of their weights.
    Source: Kaplan et al. (2020), "Scaling laws for neural language models", section 2.1.

    Raises ``TypeError`` or ``ValueError`` as `forward_flops` does, and for numbers below 1.
    """
    images = check_positive_int(images, name="images", function="training_flops")
    epochs = check_positive_int(epochs, name="epochs", function="training_flops")
    return _TRAINING * forward_flops(model) * images * epochs


def known_training_flops(model: keras.Model, *, images: int, epochs: int) -> int | None:
    """Return what `training_flops` counts, or None for a network that it cannot count: no run fails for that."""
    try:
        return training_flops(model, images=images, epochs=epochs)
    except (KeyError, TypeError, ValueError):  # a layer of another kind, or images of any size
        return None


def _leaves(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the layers within a layer that hold no others, each once, or the layer itself if it holds none."""
    inner = layer.layers if isinstance(layer, keras.Model) else _held(layer)
    leaves = [leaf for part in inner for leaf in _leaves(part)] if inner else [layer]
    return list({id(leaf): leaf for leaf in leaves}.values())


def _held(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the layers that a layer made by hand keeps in its attributes, by themselves or in lists."""
    found = []
    for value in vars(layer).values():
        parts = value if isinstance(value, list | tuple) else [value]
        found += [part for part in parts if isinstance(part, keras.layers.Layer)]
    return found


def _layer_flops(layer: keras.layers.Layer) -> int:
    """Return two for each weight of the kernel, at each place of the output where the kernel is applied."""
    output = layer.compute_output_shape(layer.get_build_config()["input_shape"])
    channels_first = getattr(layer, "data_format", None) == "channels_first"
    places = output[2:] if channels_first else output[1:-1]
    if None in places:
        raise ValueError(problem("model", _FUNCTION, "for images of a fixed size", f"{layer.name!r}: {output}"))
    return 2 * math.prod(places) * math.prod(layer.kernel.shape)


def _check_all_counted(model: keras.Model, counted: list[keras.layers.Layer]) -> None:
    """Refuse a matrix of weights that belongs to no counted layer, rather than call it free."""
    kernels = {id(layer.kernel) for layer in counted}
    missed = [weight.path for weight in model.weights if len(weight.shape) > 1 and id(weight) not in kernels]
    if missed:
        kinds = ", ".join(kind.__name__ for kind in _COUNTED)
        raise ValueError(problem("model", _FUNCTION, f"a network whose matrices are kernels of {kinds}", missed))
