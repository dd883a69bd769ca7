"""What lies inside a network: the maps that its layers give for an image, and the kernels of its first layer."""

from typing import Any

import numpy as np

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.common.checks import check_positive_int, problem
from mnist_helpers.explain.compiled import answering
from mnist_helpers.explain.inference import (
    anatomy,
    as_model,
    check_explained,
    check_layer,
    check_network,
    in_batches,
    layer_names,
)


def activations(model: keras.Model, images: np.ndarray, layer: str | int, *, batch_size: int = 256) -> np.ndarray:
    """Return what a layer gives for images, when the network answers.

    Parameters
    ----------
    model : built sequential or functional Keras model.
    images : float (n, height, width, 1) in [0, 1].
    layer : name, or position in ``layer_names(model)``, which may count from the end. A layer that only acts in
        training, such as dropout, gives what goes into it.
    batch_size : images at a time.

    Returns
    -------
    float32 (n, height, width, filters) for a layer of maps, (n, units) for a dense one.

    Raises
    ------
    TypeError, ValueError : a bad argument; for an unknown layer, with a list of those there are.
    """
    images = check_explained(model, images, function="activations")
    batch_size = check_positive_int(batch_size, name="batch_size", function="activations")
    name = check_layer(layer, layer_names(model), function="activations")
    parts = anatomy(model)
    inner = as_model(parts, parts.layers[name])
    return in_batches(answering(inner), images, batch_size=batch_size).astype(np.float32, copy=False)


def first_kernels(model: keras.Model) -> np.ndarray:
    """Return the kernels of the first convolution, float32 (filters, height, width), for images of one channel.

    Raises ``TypeError`` or ``ValueError`` for a model that is none, not built, or without such a layer.
    """
    check_network(model, function="first_kernels")
    for layer in _inner_layers(model):
        if isinstance(layer, layers.Conv2D):
            kernels = np.asarray(layer.get_weights()[0], np.float32)  # (height, width, channels, filters)
            if kernels.shape[2] != 1:
                wanted = "a network whose first convolution sees one channel"
                raise ValueError(problem("model", "first_kernels", wanted, f"{kernels.shape[2]} at {layer.name!r}"))
            return kernels[:, :, 0].transpose(2, 0, 1)
    got = "the layers " + ", ".join(map(repr, layer_names(model)))
    raise ValueError(problem("model", "first_kernels", "a network with a convolution (Conv2D)", got))


def _inner_layers(model: keras.Model) -> list[Any]:
    inner: list[Any] = []
    for layer in model.layers:
        inner += _inner_layers(layer) if isinstance(layer, keras.Model) else [layer]
    return inner
