"""What a training run is made of, as plain data: the part of a checkpoint key that comes from Keras objects.

Keras's own configurations hold names that depend on what was built before, and options that come with new versions.
Both are left out: a key changes when a result can change, and not with a library's patch version.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mnist_helpers.common.backend import keras

_NOT_SETTINGS = {"name", "module", "registered_name", "build_config", "shared_object_id", "compile_config"}


def describe_model(model: keras.Model) -> dict[str, Any]:
    """Return a model's layers, their settings, wiring and weight shapes as plain data."""
    config = model.get_config()
    names = {layer["config"]["name"]: f"#{index}" for index, layer in enumerate(config["layers"])}
    layers = []
    for layer in config["layers"]:
        entry = {"class": layer["class_name"], "settings": _settings(layer["config"])}
        if layer.get("inbound_nodes"):
            entry["inputs"] = _renamed(layer["inbound_nodes"], names)
        layers.append(entry)
    return {
        "name": model.name,
        "layers": layers,
        "outputs": _renamed(config.get("output_layers", []), names),
        "weights": [list(weight.shape) for weight in model.weights],
    }


def describe_optimizer(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    """Return an optimizer's class and settings, a learning-rate schedule included, as plain data."""
    return _settings(keras.optimizers.serialize(optimizer))


def describe_loss(loss: keras.losses.Loss | Callable) -> dict[str, Any]:
    """Return a loss's class or function name and its settings as plain data."""
    serialized = keras.losses.serialize(loss)
    return {"loss": serialized} if isinstance(serialized, str) else _settings(serialized)


def describe_callback(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """Return a callback's class and its public settings as plain data.

    Raises ``ValueError`` for a callback that holds a function: a key cannot see what a function does.
    """
    settings = {key: value for key, value in vars(callback).items() if not key.startswith("_") and value is not None}
    name = type(callback).__name__
    for key, value in settings.items():
        if callable(value) and key not in {"monitor_op", "model"}:
            raise ValueError(
                f"The 'callbacks' parameter of train must hold callbacks whose settings are plain values. Got {name} "
                f"with the function {key!r} instead; for a learning-rate schedule give the optimizer a "
                "keras.optimizers.schedules.LearningRateSchedule."
            )
    return {"class": name, "settings": {k: v for k, v in settings.items() if _is_plain(v)}}


def digest_of_weights(model: keras.Model) -> str:
    """Return the SHA-256 (hex) of a model's weights, for runs that start from trained weights."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str | np.number)


def _settings(value: Any) -> Any:
    """Drop names and options that are off; reduce a dtype policy to its name."""
    if isinstance(value, Mapping):
        kept = {}
        for key, item in value.items():
            if key in _NOT_SETTINGS or item is None or item is False:
                continue
            is_policy = key == "dtype" and isinstance(item, Mapping)
            kept[key] = item["config"]["name"] if is_policy else _settings(item)
        return kept
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_settings(item) for item in value]
    return value


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Put positions in the place of layer names, which depend on how many layers the process has built."""
    if isinstance(value, Mapping):
        return {key: _renamed(item, names) for key, item in value.items() if item is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
