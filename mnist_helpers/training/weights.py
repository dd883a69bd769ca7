"""Trained weights, rounded to what a checkpoint keeps of them.

A run's network is rounded when its training ends, so that the network that was measured and the one that a checkpoint
brings back are the same to the last bit.
"""

from collections.abc import Mapping, Sequence

import numpy as np


def packed(weights: Sequence[np.ndarray], *, int8: bool = False) -> dict[str, np.ndarray]:
    """Return float32 weights as the arrays of a checkpoint, "w0", "w1", ...

    Each becomes float16, or stays float32 where float16 cannot hold it. With ``int8`` the kernels (two and more
    dimensions) take 8 bits a weight: integers -127 to 127, and for each output channel a float32 step, "s0", ...
    """
    arrays = {}
    for i, weight in enumerate(weights):
        if int8 and weight.ndim >= 2:
            arrays[f"w{i}"], arrays[f"s{i}"] = _quantised(weight)
        else:
            arrays[f"w{i}"] = _half(weight)
    return arrays


def unpacked(arrays: Mapping[str, np.ndarray], count: int) -> list[np.ndarray]:
    """Return the first ``count`` weights of a checkpoint as float32. Raises ``KeyError`` when one is missing."""
    weights = []
    for i in range(count):
        weight = arrays[f"w{i}"].astype(np.float32)
        weights.append(weight * arrays[f"s{i}"] if f"s{i}" in arrays else weight)
    return weights


def _half(weight: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        half = weight.astype(np.float16)
    return half if np.isfinite(half).all() else weight.astype(np.float32)


def _quantised(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    largest = np.abs(weight).max(axis=tuple(range(weight.ndim - 1)))  # one for each output channel
    step = (largest / 127).astype(np.float32)
    step[step == 0] = 1  # nothing but zeros, or numbers so small that their step is none
    return np.rint(weight / step).astype(np.int8), step
