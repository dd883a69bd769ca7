"""The number format in which networks are trained: float32, or bfloat16 where the processor has units for it.

bfloat16 keeps the range of float32 and 8 bits of its precision. Processors with matrix units for it (Intel's AMX, most
graphics cards) train convolutional networks about twice as fast; on others it is slower. Weights, sums and the
last layer stay in float32. What that costs in accuracy was not measured. It belongs to the machine, as the
number of cores does, and is recorded with it; a run that was interrupted and went on in the other format
records the last one.
"""

import os
from typing import Any

from mnist_helpers.common.backend import keras
from mnist_helpers.common.text import device_name

FORMATS = ("float32", "bfloat16")


def training_format() -> str:
    """Return "float32" or "bfloat16" from the variable MNIST_PRECISION ("float32" when unset).

    Raises ``ValueError`` for any other value.
    """
    chosen = os.environ.get("MNIST_PRECISION") or "float32"
    if chosen not in FORMATS:
        raise ValueError(f"The environment variable MNIST_PRECISION must be one of {FORMATS}. Got {chosen!r} instead.")
    return chosen


def training_device() -> str:
    """Return the processor that trains here and, unless it is float32, the format."""
    chosen = training_format()
    return device_name() if chosen == "float32" else f"{device_name()}, {chosen}"


def trainable_copy(model: keras.Model) -> keras.Model:
    """Return a copy with fresh weights that computes in the chosen format.

    What comes before the first weights (augmentation, scaling) works on pixels and stays in float32, as does the last
    layer, whose small probabilities the loss needs exactly. What lies inside a layer or a model within the model
    (`Inception`) computes in float32 too.
    """
    weighted = [layer for layer in model.layers if layer.weights]
    if training_format() == "float32" or not weighted:
        return keras.models.clone_model(model)
    first = model.layers.index(weighted[0])
    inner = {layer.name for layer in model.layers[first:-1]}

    def copied(layer: Any) -> Any:
        config = layer.get_config()
        if layer.name in inner:
            config["dtype"] = "mixed_bfloat16"
        return type(layer).from_config(config)

    return keras.models.clone_model(model, clone_function=copied)
