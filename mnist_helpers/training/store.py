"""A content-addressed store: results filed under a key made from everything that produced them.

A checkpoint is one ``.npz`` file, ``<name>-<key>.npz``: plain arrays, and a record in JSON. Nothing in it is pickled,
so reading a stranger's checkpoint runs no code. The series' own checkpoints lie in ``notebooks/checkpoints``; what a
user trains goes to the user's cache directory.
"""

import hashlib
import io
import json
import os
import re
import warnings
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnist_helpers.common.files import atomic_write
from mnist_helpers.common.types import Plain
from mnist_helpers.data.fetch import cache_directory

FORMAT = 2
_MAX_BYTES = 256 * 2**20  # unpacked; the largest network of the series has 16 MB of weights
_UNUSABLE = (OSError, ValueError, KeyError, TypeError)


class CheckpointWarning(UserWarning):
    """A checkpoint could not be used or written; the work is done anew or not kept."""


@dataclass(frozen=True)
class Checkpoint:
    """One stored result: named arrays and a JSON record (history, seconds, settings, device)."""

    arrays: dict[str, np.ndarray]
    record: Plain
    path: Path


def series_directory() -> Path:
    """Return the directory of the series' own checkpoints, which may not exist in an installation without notebooks."""
    return Path(__file__).resolve().parents[2] / "notebooks" / "checkpoints"


def user_directory() -> Path:
    """Return where new checkpoints are written: MNIST_CHECKPOINTS, or a folder of the user's cache directory."""
    named = os.environ.get("MNIST_CHECKPOINTS")
    return Path(named).expanduser() if named else cache_directory() / "checkpoints"


def file_name(name: str, key: str) -> str:
    """Return the file name of a checkpoint: the name in lower case with dashes, then the key."""
    return f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')[:60]}-{key}.npz"


def find(key: str, *, holding: Collection[str] = ()) -> Checkpoint | None:
    """Return the checkpoint filed under this key that has the arrays ``holding``, or None.

    Looks among the series' own, then the user's; the name in front of the key does not matter. A file that may not be
    read, or is truncated, altered or of another format, is passed over with a ``CheckpointWarning``; it is never
    deleted.
    """
    for directory in (series_directory(), user_directory()):
        for path in _filed_under(key, directory):
            try:
                found = read(path, key)
            except (OSError, ValueError) as error:
                refuse(path, error)
            else:
                if set(holding) <= set(found.arrays):
                    return found
    return None


def _filed_under(key: str, directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.glob(f"*-{key}.npz") if "-unfinished-" not in path.name)
    except OSError:  # a folder of somebody else, where not even a look is allowed
        return []


def refuse(path: Path, error: Exception) -> None:
    """Warn that a checkpoint is not usable, and why. The file stays where it is."""
    reason = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
    warnings.warn(f"The checkpoint {path.name} is not usable: {reason}", CheckpointWarning, stacklevel=4)


def read(path: Path, key: str) -> Checkpoint:
    """Read one checkpoint file and verify it.

    Raises
    ------
    OSError, ValueError
        It cannot be read, is damaged, of another format or under another key, or unpacks to more than 256 MB.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > _MAX_BYTES:
            raise ValueError(f"it unpacks to {size:,} bytes, more than the {_MAX_BYTES:,} allowed")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        record = dict(json.loads(arrays.pop("record").tobytes().decode()))
    except (OSError, ValueError):
        raise
    except Exception as error:  # zipfile, zlib, NumPy and json let through whatever damaged bytes make them trip over
        raise ValueError(f"it is damaged, or no checkpoint ({type(error).__name__}: {error})") from error
    if record.get("format") != FORMAT or record.get("key") != key:
        raise ValueError(f"it is of format {record.get('format')!r} under key {record.get('key')!r}")
    if record.pop("digest", None) != _digest(arrays, record):
        raise ValueError("its content does not match its digest")
    return Checkpoint(arrays, record, path)


def write(
    name: str, key: str, arrays: Mapping[str, np.ndarray], record: Mapping[str, object], *, compress: bool = True
) -> Path | None:
    """File arrays and a record under a name and key, and return the path.

    The file appears under its name only when it is complete. Where it cannot be written (a full disk, a read-only
    directory) a ``CheckpointWarning`` says so and None is returned: the result in memory is not lost.
    """
    path = user_directory() / file_name(name, key)
    full = dict(record) | {"format": FORMAT, "key": key}
    full["digest"] = _digest(arrays, full)
    try:
        atomic_write(path, packed_file(arrays, full, compress=compress))
    except OSError as error:
        warnings.warn(f"The checkpoint {path.name} could not be kept: {error}", CheckpointWarning, stacklevel=3)
        return None
    return path


def packed_file(arrays: Mapping[str, np.ndarray], record: Mapping[str, object], *, compress: bool = True) -> bytes:
    """Return the bytes of a checkpoint file."""
    buffer = io.BytesIO()
    contents: Plain = {"record": np.frombuffer(_json(record), np.uint8), **arrays}
    (np.savez_compressed if compress else np.savez)(buffer, **contents)
    return buffer.getvalue()


def _json(record: Mapping[str, object]) -> bytes:
    return json.dumps(record, sort_keys=True, allow_nan=False).encode()


def _digest(arrays: Mapping[str, np.ndarray], record: Mapping[str, object]) -> str:
    digest = hashlib.sha256(_json(record))
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def packed(weights: Sequence[np.ndarray], *, int8: bool = False) -> dict[str, np.ndarray]:
    """Return float32 weights as the arrays of a checkpoint, "w0", "w1", ...

    Each becomes float16, or stays float32 where float16 cannot hold it. With ``int8`` the kernels (two and more
    dimensions) take 8 bits a weight: integers -127 to 127, and for each output channel a float32 step, "s0", ...
    A run's network is rounded in this way when its training ends, so that the network that was measured and the one
    that a checkpoint brings back are the same to the last bit.
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
