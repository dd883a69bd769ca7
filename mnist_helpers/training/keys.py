"""What a training run is made of, as plain data, and the key that follows from it.

Everything that can change the result is in the description, and nothing else: Keras's own configurations also hold
names that depend on what was built before, and options that come with new versions. So a key changes when a result can
change, and not because code moved, a layer was named or a library was updated.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mnist_helpers.common.backend import keras
from mnist_helpers.common.checks import problem
from mnist_helpers.common.types import Plain

_NOT_SETTINGS = {"name", "module", "registered_name", "build_config", "shared_object_id", "compile_config"}
_OURS = "mnist_helpers"


def key_of(description: Mapping[str, object]) -> str:
    """Return the key of a description: 16 hexadecimal digits of the SHA-256 of its canonical JSON.

    Parameters
    ----------
    description : mapping
        Numbers, text, lists and mappings. Floats count to seven significant digits, as many as float32 has, so that a
        number that travelled through float32 keeps its key; 3 and 3.0 are different.
    """
    text = json.dumps(_canonical(description), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_canonical(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, float | np.floating):
        return {"float": f"{float(value):.7g}"}
    if isinstance(value, int | np.integer):
        return int(value)
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"A description may hold numbers, text, lists and mappings. Got {value!r} instead.")


def describe_model(model: keras.Model) -> Plain:
    """Return a sequential or functional model's layers, their settings, wiring and weight shapes as plain data.

    The names of the model and its layers are left out, and so are layers that do nothing: ``Dropout(0)``, ``Identity``.

    Raises
    ------
    ValueError
        A layer of a class of your own that does not tell its settings by ``get_config``.
    """
    config = model.get_config()
    for layer in model.layers:
        _check_tells(layer, keras.layers.Layer, "model")
    names = {layer["config"]["name"]: f"#{index}" for index, layer in enumerate(config["layers"])}
    entries = []
    for layer in config["layers"]:
        entry = {"class": layer["class_name"], "settings": _KERAS_DEFAULTS.get(layer["class_name"], {})}
        entry["settings"] = entry["settings"] | _settings(layer["config"])
        if layer.get("inbound_nodes"):
            entry["inputs"] = _renamed(layer["inbound_nodes"], names)
        entries.append(entry)
    outputs = config.get("output_layers", [])
    if len(outputs) == 1 and not isinstance(outputs[0], str):  # so does Keras 3.10 say what 3.15 says without brackets
        outputs = outputs[0]
    described = {"layers": entries, "outputs": _renamed(outputs, names)}
    return without_idle_layers(described) | {"weights": [list(weight.shape) for weight in model.weights]}


def without_idle_layers(description: Plain) -> Plain:
    """Return the description of a model without layers that do nothing, whose readers are wired to what they read."""
    kept: list[Plain] = []
    place: dict[str, str] = {}
    for index, layer in enumerate(description["layers"]):
        if _idle(layer):
            source = _first_source(layer["inputs"]) if "inputs" in layer else None
            place[f"#{index}"] = place[source] if source else f"#{len(kept) - 1}"
        else:
            place[f"#{index}"] = f"#{len(kept)}"
            kept.append(dict(layer))
    for layer in kept:
        if "inputs" in layer:
            layer["inputs"] = _renamed(layer["inputs"], place)
        if layer["class"] in _OUR_DEFAULTS:
            defaults = _OUR_DEFAULTS[layer["class"]]
            layer["settings"] = {k: v for k, v in layer["settings"].items() if defaults.get(k, ...) != v}
    return {**description, "layers": kept, "outputs": _renamed(description["outputs"], place)}


# Arguments that older releases of Keras do not know, as newer ones tell them: the stored keys contain them.
_KERAS_DEFAULTS: dict[str, Plain] = {"BatchNormalization": {"renorm_momentum": 0.99}}

# An argument that one of our layers gains later, with a default that changes nothing, must not change a key.
_OUR_DEFAULTS: dict[str, Plain] = {
    "RandomAffine": {"fill_value": 0.0, "shear": 0.0},
    "LocalResponseNormalization": {},
    "Inception": {},
}


def _idle(layer: Plain) -> bool:
    name, settings = layer["class"], layer["settings"]
    return name == "Identity" or (name.endswith("Dropout") and settings.get("rate") == 0)


def _first_source(inputs: object) -> str | None:
    """Return the position, such as "#3", of the first layer that these inputs name."""
    if isinstance(inputs, str):
        return inputs if inputs.startswith("#") else None
    parts = inputs.values() if isinstance(inputs, Mapping) else inputs if isinstance(inputs, Sequence) else ()
    return next((found for part in parts if (found := _first_source(part))), None)


def describe_optimizer(optimizer: keras.optimizers.Optimizer) -> Plain:
    """Return an optimizer's class and settings as plain data, a learning-rate schedule and exceptions from weight decay
    included."""
    _check_tells(optimizer, keras.optimizers.Optimizer, "optimizer")
    described = _settings(keras.optimizers.serialize(optimizer))
    spared = decay_exceptions(optimizer)
    return described | ({"without weight decay": spared} if spared else {})


def decay_exceptions(optimizer: keras.optimizers.Optimizer) -> list[str]:
    """Return the words that spare a variable weight decay, which Keras's own configuration of an optimizer omits.

    Raises
    ------
    ValueError
        Single variables were excluded, which a fresh network does not have: exclude them by a part of their name.
    """
    if getattr(optimizer, "_exclude_from_weight_decay", None):
        wanted = 'one that excludes variables from weight decay by name, var_names=["bias"]'
        raise ValueError(problem("optimizer", "train", wanted, "single variables, var_list"))
    pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    return sorted(pattern.pattern.split("|")) if pattern else []


def describe_loss(loss: keras.losses.Loss | Callable) -> Plain:
    """Return a loss's class or function name and its settings as plain data.

    Raises
    ------
    ValueError
        A function of your own, or a class that does not tell its settings: a key cannot see what it computes.
    """
    if isinstance(loss, keras.losses.Loss):
        _check_tells(loss, keras.losses.Loss, "loss")
    elif not _is_kerass(loss):
        wanted = "one of Keras's losses, or a keras.losses.Loss with a get_config that tells its settings"
        raise ValueError(problem("loss", "train", wanted, f"the function {getattr(loss, '__name__', loss)!r}"))
    serialized = keras.losses.serialize(loss)
    return {"loss": serialized} if isinstance(serialized, str) else _settings(serialized)


def describe_callback(callback: keras.callbacks.Callback) -> Plain:
    """Return a callback's class and all its settings as plain data: numbers, text, lists, dictionaries and arrays.

    Raises
    ------
    ValueError
        A setting that cannot be described, such as a function: a key cannot see what it does.
    """
    standard = vars(keras.callbacks.Callback()).keys() | {"monitor_op"}  # which follows from monitor and mode
    settings = {key: value for key, value in vars(callback).items() if key not in standard and value is not None}
    if settings.get("best") in (float("inf"), float("-inf")):  # nothing seen yet, as older releases of Keras say it
        del settings["best"]
    name = type(callback).__name__
    return {"class": name, "settings": {key: _told(value, f"{name}.{key}") for key, value in settings.items()}}


def _told(value: object, where: str) -> Any:
    """Return a setting of a callback as plain data, in which values that differ stay different."""
    if isinstance(value, np.ndarray):
        return {"array": [str(value.dtype), list(value.shape), _told(value.tolist(), where)]}
    if isinstance(value, Mapping):
        return {"items": sorted(([repr(key), _told(item, where)] for key, item in value.items()), key=lambda x: x[0])}
    if isinstance(value, list | tuple):
        return [_told(item, where) for item in value]
    if isinstance(value, set | frozenset):
        return {"set": sorted(map(repr, value))}
    if isinstance(value, bool | int | float | str | np.number) or value is None:
        return value
    if _is_kerass(type(value)) and hasattr(value, "get_config"):
        return _settings(keras.saving.serialize_keras_object(value))
    wanted = "callbacks whose settings are numbers, text, lists, dictionaries or arrays"
    advice = "" if not callable(value) else "; for a learning rate that changes, give the optimizer a schedule"
    raise ValueError(problem("callbacks", "train", wanted, f"{where}, a {type(value).__name__}{advice}"))


def digest_of_weights(model: keras.Model) -> str:
    """Return the SHA-256 (hexadecimal) of a model's weights, for runs that start from trained weights."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _check_tells(thing: object, base: Any, name: str) -> None:
    """Raise ``ValueError`` for an object of a user's class that inherits ``get_config`` from Keras's base class."""
    kind: Any = type(thing)
    if not _is_kerass(kind) and kind.get_config is base.get_config:
        wanted = "made of classes that tell their settings by get_config"
        raise ValueError(problem(name, "train", wanted, f"a {kind.__name__} without one"))


def _is_kerass(thing: object) -> bool:
    return str(getattr(thing, "__module__", "")).split(".")[0] in ("keras", _OURS)


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
