"""Remember what a study measured: arrays that take minutes to compute, filed under what they depend on."""

import time
from collections.abc import Callable, Mapping

import numpy as np

from mnist_helpers.common.profile import is_full
from mnist_helpers.common.text import device_name, duration
from mnist_helpers.data import Digits
from mnist_helpers.data.mnist import check_digits
from mnist_helpers.training import store
from mnist_helpers.training.keys import key_of

Arrays = Mapping[str, np.ndarray]


def remember(
    name: str, compute: Callable[[], Arrays], digits: Digits, *, settings: Mapping[str, object], again: bool = False
) -> Arrays:
    """Call ``compute``, or load the arrays that it returned when it was called with these settings before.

    Parameters
    ----------
    name : str
        How the study is announced and filed.
    compute : callable
        Takes nothing and returns named arrays; small types, such as float16 and uint8, make small files.
    digits : Digits
    settings : mapping
        All that the arrays depend on beside the digits, as numbers, text, lists and mappings. The code of ``compute``
        is not seen: when it changes, change a setting, or compute ``again``.
    again : bool
        Compute although the arrays are stored.

    Returns
    -------
    mapping of str to ndarray
        In the smoke profile and on the stand-in digits they are always computed, and not kept.
    """
    check_digits(digits, function="remember")
    data = {split.name: split.digest for split in (digits.train, digits.validation)}
    key = key_of({"study": name, "settings": settings, "data": data})
    if is_full(digits.source) and not again and (found := store.find(key)):
        print(f"{name} loaded: computed before, in {duration(found.record['seconds'])} (again=True computes it anew)")
        return found.arrays
    arrays, seconds = _computed(compute)
    if is_full(digits.source):
        store.write(name, key, arrays, {"seconds": seconds, "device": device_name()})
    print(f"{name} computed in {duration(seconds)}")
    return arrays


def _computed(compute: Callable[[], Arrays]) -> tuple[Arrays, float]:
    start = time.perf_counter()
    arrays = {name: np.asarray(array) for name, array in compute().items()}
    return arrays, time.perf_counter() - start
