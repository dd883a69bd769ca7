"""MNIST's four arrays in the files that carry them: npz archives and IDX files, read with limits and verified.

Whatever the container, what counts is the SHA-256 of the arrays. Headers are compared with what is expected before
any data are read, into buffers of the expected size, and nothing is ever unpickled: a hostile or broken file costs an
error and no more.
"""

import gzip
import hashlib
import io
import math
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from mnist_helpers.common.files import atomic_write

Arrays = dict[str, np.ndarray]
T = TypeVar("T")

MAX_FILE_BYTES = 64 * 2**20  # the four arrays take 52.4 MiB uncompressed
# of the other methods, zipfile unpacks each piece that it reads whole, however little is asked for
_READABLE_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MAX_DIRECTORY_BYTES = 2**20  # of a zip archive's table of members; thousands of arrays fit
_END, _END_64, _END_BYTES, _LOCATOR_BYTES = b"PK\5\6", b"PK\6\7", 22, 20


class DataError(ValueError):
    """A file or a download that does not hold the expected arrays; the message says where and why."""


@dataclass(frozen=True)
class ArraySpec:
    """What one uint8 array must be: its ``shape`` and the SHA-256 ``digest`` of its bytes."""

    shape: tuple[int, ...]
    digest: str

    @property
    def nbytes(self) -> int:
        """Size of the array in bytes."""
        return math.prod(self.shape)


Specs = Mapping[str, ArraySpec]

MNIST_ARRAYS: Specs = {
    "x_train": ArraySpec((60000, 28, 28), "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757"),
    "y_train": ArraySpec((60000,), "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13"),
    "x_test": ArraySpec((10000, 28, 28), "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161"),
    "y_test": ArraySpec((10000,), "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5"),
}
IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def digest_of(array: np.ndarray) -> str:
    """Return the SHA-256 of an array's bytes, hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def read_npz(stream: IO[bytes], specs: Specs = MNIST_ARRAYS) -> Arrays:
    """Return the arrays named in ``specs`` from an open npz archive, verified.

    Raises ``DataError`` for what is no archive, is damaged, lacks an array, or holds other arrays than the expected.
    """
    with _parsing("npz archive"), open_archive(stream) as archive:
        return {name: _read_member(archive, name, spec) for name, spec in specs.items()}


def open_archive(stream: IO[bytes]) -> zipfile.ZipFile:
    """Return an open zip archive that costs no memory beyond what is read from it.

    Raises ``DataError`` for too many members, or one that is compressed in a way npz files do not use, and
    ``zipfile.BadZipFile`` or another exception for what is no archive.
    """
    _check_directory(stream)
    archive = zipfile.ZipFile(stream)
    for member in archive.infolist():
        if member.compress_type not in _READABLE_COMPRESSION:
            kind = f"compression type {member.compress_type}"
            raise DataError(f"{member.filename} is stored with {kind}, which npz files do not use")
    return archive


def read_idx(stream: IO[bytes], name: str, spec: ArraySpec) -> np.ndarray:
    """Return one array from an open IDX file, gzip-compressed or not, verified; raises ``DataError`` otherwise."""
    with _parsing("IDX file"):
        compressed = stream.read(2) == b"\x1f\x8b"
        stream.seek(0)
        plain = gzip.GzipFile(fileobj=stream) if compressed else stream
        # IDX: two zero bytes, the type (8 is uint8), the number of dimensions, then each of them, big-endian
        header = struct.pack(f">BBBB{len(spec.shape)}I", 0, 0, 8, len(spec.shape), *spec.shape)
        if (found := plain.read(len(header))) != header:
            raise DataError(f"{name} does not start like an IDX file of shape {spec.shape}: {found[:16]!r}")
        return _verified(_fill(plain, name, spec.shape), name, spec)


def read_path(path: Path, specs: Specs = MNIST_ARRAYS) -> Arrays:
    """Return the verified arrays of an npz file, or of a directory with the four IDX files (``.gz`` or not).

    Raises ``OSError`` for what is missing or unreadable, ``DataError`` for what is not the expected data.
    """
    if not path.is_dir():
        return _read_file(path, partial(read_npz, specs=specs))
    arrays = {}
    for name, spec in specs.items():
        plain = path / IDX_NAMES[name]
        packed = plain.with_name(plain.name + ".gz")
        file = packed if packed.exists() and not plain.exists() else plain
        arrays[name] = _read_file(file, partial(read_idx, name=name, spec=spec))
    return arrays


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write the arrays to an uncompressed npz file, whole or not at all; raises ``OSError`` where that cannot be."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    atomic_write(path, buffer.getvalue())


def _read_file(path: Path, read: Callable[[IO[bytes]], T]) -> T:
    status = path.stat()  # before opening: a pipe would wait for ever
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{path} is not a regular file")
    if status.st_size > MAX_FILE_BYTES:
        raise DataError(f"{path} has {status.st_size:,} bytes, more than MNIST can have ({MAX_FILE_BYTES:,})")
    with path.open("rb") as stream:
        try:
            return read(stream)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error


def _check_directory(stream: IO[bytes]) -> None:
    """Raise ``DataError`` for an archive whose table of members is too long: zipfile makes an object of each entry."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - _END_BYTES - 2**16 - _LOCATOR_BYTES))  # a comment of 64 KiB may follow the end record
    tail = stream.read()
    stream.seek(0)
    if (place := tail.rfind(_END)) < 0:
        return  # no archive, as zipfile will say
    record = tail[place : place + _END_BYTES]
    large = tail[max(0, place - _LOCATOR_BYTES) :].startswith(_END_64)
    if len(record) < _END_BYTES:
        raise zipfile.BadZipFile("the archive breaks off at its end")
    if large or int.from_bytes(record[12:16], "little") > _MAX_DIRECTORY_BYTES:
        raise DataError("the archive has more members than npz files have")


@contextmanager
def _parsing(kind: str) -> Iterator[None]:
    """Turn whatever a parser raises on damaged bytes into a ``DataError``."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib, NumPy and Python's parser let through whatever they trip over
        reason = str(error) or type(error).__name__
        raise DataError(f"not a complete {kind}, damaged or something else: {reason}") from error


def _read_member(archive: zipfile.ZipFile, name: str, spec: ArraySpec) -> np.ndarray:
    if f"{name}.npy" not in archive.namelist():
        raise DataError(f"the array {name} is missing; the archive holds {sorted(archive.namelist())[:8]}")
    with archive.open(f"{name}.npy") as stream:
        shape, fortran, dtype = _read_header(stream, name)
        if dtype.hasobject:
            raise DataError(f"{name} is a pickled object array, which is never read")
        if (shape, fortran, dtype) != (spec.shape, False, np.dtype(np.uint8)):
            raise DataError(f"{name} must have shape {spec.shape}, dtype uint8, in C order. Got {shape}, {dtype}")
        return _verified(_fill(stream, name, shape), name, spec)


def _read_header(stream: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    head = io.BytesIO(stream.read(8))
    version = np.lib.format.read_magic(head)
    if version != (1, 0):
        raise DataError(f"{name} is written in version {version} of the .npy format. Expected (1, 0)")
    length = stream.read(2)
    header = io.BytesIO(length + stream.read(int.from_bytes(length, "little")))
    return np.lib.format.read_array_header_1_0(header)


def _fill(stream: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(shape, np.uint8)
    buffer = array.data.cast("B")
    filled = 0
    while filled < len(buffer) and (count := stream.readinto(buffer[filled : filled + 2**20])):
        filled += count
    if filled < len(buffer) or stream.read(1):  # the extra read also makes zip and gzip check their CRC
        count = "fewer" if filled < len(buffer) else "more"
        raise DataError(f"{name} must have {len(buffer):,} bytes of data. Got {count}")
    return array


def _verified(array: np.ndarray, name: str, spec: ArraySpec) -> np.ndarray:
    if (found := digest_of(array)) != spec.digest:
        raise DataError(
            f"{name} must have the SHA-256 {spec.digest[:16]}... Got {found[:16]}...: other or altered data"
        )
    return array
