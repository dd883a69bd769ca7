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
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mnist_helpers.common.files import atomic_write
from mnist_helpers.data.budget import profile_from_environment
from mnist_helpers.data.containers import open_archive
from mnist_helpers.data.mnist import REAL, cache_directory

FORMAT = 1
_MAX_BYTES = 256 * 2**20  # unpacked; the largest network of the series has 16 MB of weights


class CheckpointWarning(UserWarning):
    """A checkpoint could not be used or written; the work is done anew or not kept."""


@dataclass(frozen=True)
class Checkpoint:
    """One stored result: named arrays and a JSON record (history, seconds, settings, device)."""

    arrays: dict[str, np.ndarray]
    record: dict[str, Any]
    path: Path


def key_of(description: Mapping[str, Any]) -> str:
    """Return the key of a description: 16 hex digits of the SHA-256 of its canonical JSON.

    Floats count to seven significant digits, so that a float32 that travelled through Python keeps its key.
    """
    return hashlib.sha256(_canonical(description).encode()).hexdigest()[:16]


def _canonical(value: Any) -> str:
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return f"{float(value):.7g}"
    if isinstance(value, np.integer):
        return int(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"A checkpoint description may hold numbers, text, lists and mappings. Got {value!r} instead.")


def checkpoints_apply(source: str) -> bool:
    """Return whether checkpoints are read and written: in the full profile on the real MNIST only."""
    return source == REAL and profile_from_environment() == "full"


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


def find(name: str, key: str, *, holding: Collection[str] = ()) -> Checkpoint | None:
    """Return the checkpoint filed under this name and key that has the arrays ``holding``, or None.

    Looks among the series' own, then the user's. A file that may not be read, or is truncated, altered or of another
    format, is passed over with a ``CheckpointWarning``; it is never deleted.
    """
    for directory in (series_directory(), user_directory()):
        path = directory / file_name(name, key)
        try:
            found = read(path, key) if path.is_file() else None
        except (OSError, ValueError) as error:  # OSError: a folder of somebody else, where not even a look is allowed
            refuse(path, error)
        else:
            if found is not None and set(holding) <= set(found.arrays):
                return found
    return None


def refuse(path: Path, error: Exception) -> None:
    """Warn that a checkpoint is not usable, and why. The file stays where it is."""
    reason = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
    warnings.warn(f"The checkpoint {path.name} is not usable: {reason}", CheckpointWarning, stacklevel=4)


def read(path: Path, key: str) -> Checkpoint:
    """Read one checkpoint file and verify it. Raises ``ValueError`` or ``OSError`` when it is not what it should be."""
    try:
        arrays = _unpacked(path)
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


def _unpacked(path: Path) -> dict[str, np.ndarray]:
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"it has more than the {_MAX_BYTES:,} bytes allowed")
    with path.open("rb") as file:
        with open_archive(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > _MAX_BYTES:
            raise ValueError(f"it unpacks to {size:,} bytes, more than the {_MAX_BYTES:,} allowed")
        file.seek(0)
        with np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}


def write(
    name: str, key: str, arrays: Mapping[str, np.ndarray], record: Mapping[str, Any], *, compress: bool = True
) -> Path | None:
    """File arrays and a record under a name and key, and return the path.

    The file appears under its name only when it is complete. Where it cannot be written (a full disk, a read-only
    directory) a ``CheckpointWarning`` says so and None is returned: the result in memory is not lost.
    """
    path = user_directory() / file_name(name, key)
    full = dict(record) | {"format": FORMAT, "key": key}
    full["digest"] = _digest(arrays, full)
    try:
        atomic_write(path, _packed(arrays, full, compress))
    except OSError as error:
        warnings.warn(f"The checkpoint {path.name} could not be kept: {error}", CheckpointWarning, stacklevel=3)
        return None
    return path


def _packed(arrays: Mapping[str, np.ndarray], record: Mapping[str, Any], compress: bool) -> bytes:
    buffer = io.BytesIO()
    contents: dict[str, Any] = {"record": np.frombuffer(_json(record), np.uint8), **arrays}
    save = np.savez_compressed if compress else np.savez
    save(buffer, **contents)
    return buffer.getvalue()


def _json(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True, allow_nan=False).encode()


def _digest(arrays: Mapping[str, np.ndarray], record: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(_json(record))
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
