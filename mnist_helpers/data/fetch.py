"""Find MNIST, verify it, and keep a copy.

It is looked for in the file that MNIST_DATA names (which is used, or refused with a reason), in our cache, in Keras's,
and on public mirrors. Whatever carries them, what counts is the SHA-256 of the four arrays. What a mirror sends stays
in memory until it is verified, and nothing is ever unpickled.
"""

import gzip
import hashlib
import io
import os
import tempfile
import threading
import time
import warnings
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from mnist_helpers.common.files import atomic_write

if TYPE_CHECKING:
    from tqdm import tqdm

Arrays = dict[str, np.ndarray]

ARRAYS = {  # all of uint8: shape and SHA-256
    "x_train": ((60000, 28, 28), "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757"),
    "y_train": ((60000,), "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13"),
    "x_test": ((10000, 28, 28), "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161"),
    "y_test": ((10000,), "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5"),
}
MIRRORS = (  # an npz file, or a folder of IDX files
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
# What the mirrors send, with its SHA-256: nothing else is unpacked.
NPZ_HASH = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
IDX_FILES = {
    "y_test": ("t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    "y_train": ("train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    "x_test": ("t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    "x_train": ("train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
}
# Seconds until a mirror's first bytes (three silent ones take less than ten), between two pieces, and for one file.
ANSWER, STALL, TOTAL = 3.0, 10.0, 300.0
MAX_BYTES = 16 * 2**20  # of one file; the largest takes 11 MiB
# Not "mnist.npz": the folder may be one that other programs use, and only our own file may ever be replaced.
CACHE_FILE = "mnist-verified.npz"
_ADVICE = (
    "No mirror delivered MNIST. Connect to the network and run",
    "    python -m mnist_helpers data",
    "or set the environment variable MNIST_DATA to a copy of mnist.npz.",
)


@dataclass(frozen=True)
class Found:
    """The verified ``arrays`` by name, their ``origin`` in words, and the file they lie in (None: only in memory)."""

    arrays: Arrays
    origin: str
    path: Path | None


def cache_directory() -> Path:
    """Return the folder of everything this library stores: MNIST_CACHE, or the platform's cache directory."""
    if named := os.environ.get("MNIST_CACHE"):
        return _expanded(named)
    import pooch

    try:
        return pooch.os_cache("mnist_helpers")
    except RuntimeError:  # a user without a home
        return Path(tempfile.gettempdir()) / "mnist_helpers"


def keras_file() -> Path:
    """Return where Keras keeps its copy of MNIST (KERAS_HOME, or ``.keras`` in the home directory)."""
    return _expanded(os.environ.get("KERAS_HOME") or "~/.keras") / "datasets" / "mnist.npz"


def find() -> Found:
    """Return MNIST from the first source that has it.

    A damaged copy in a cache is passed over with a warning and never deleted; our own is replaced once a verified
    download is there.

    Raises
    ------
    OSError, ValueError
        What MNIST_DATA names cannot be read, or is not MNIST.
    ConnectionError
        No source has MNIST; the message says, in a line for each mirror, why.
    """
    if named := os.environ.get("MNIST_DATA"):
        return _named(_expanded(named))
    cached = cache_directory() / CACHE_FILE
    return _copy(cached, "the cache") or _copy(keras_file(), "the copy of Keras") or _download(cached)


def _expanded(named: str) -> Path:
    return Path(os.path.expanduser(named))  # noqa: PTH111 - Path.expanduser raises for a user without a home


def _named(path: Path) -> Found:
    try:
        return Found(_read(path), "MNIST_DATA", path)
    except (OSError, ValueError) as error:
        wanted = "The environment variable MNIST_DATA must name an mnist.npz, or a folder of the four IDX files."
        raise type(error)(f"{wanted} {error}") from error


def _copy(path: Path, origin: str, *, quiet: bool = False) -> Found | None:
    try:
        return Found(_read(path), origin, path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        if not quiet:
            warnings.warn(f"MNIST in {origin} cannot be used, looking elsewhere: {error}", stacklevel=2)
        return None


def _read(path: Path) -> Arrays:
    try:
        if path.is_dir():
            return _verified(_read_folder(path))
        with path.open("rb") as stream:  # NumPy leaves the file of a damaged archive open
            return _verified(_read_npz(stream))
    except OSError:
        raise
    except Exception as error:  # zipfile, zlib, NumPy and Python's parser let through whatever they trip over
        whole = path.is_dir() or zipfile.is_zipfile(path)
        reason = (str(error) or type(error).__name__) if whole else "it is no complete npz archive"
        raise ValueError(f"{path} is damaged, or not MNIST: {reason}") from error


def _read_npz(stream: IO[bytes]) -> Arrays:
    with np.load(stream, allow_pickle=False) as archive:
        return {name: archive[name] for name in ARRAYS}


def _read_folder(folder: Path) -> Arrays:
    packed = {name: folder / file for name, (file, _) in IDX_FILES.items()}
    files = {name: file if file.exists() else file.with_suffix("") for name, file in packed.items()}
    return {name: _read_idx(file.read_bytes(), name) for name, file in files.items()}


def _read_idx(content: bytes, name: str) -> np.ndarray:
    plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    shape = ARRAYS[name][0]
    return np.frombuffer(plain, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)  # a magic number, then the lengths


def _verified(arrays: Arrays) -> Arrays:
    for name, (shape, digest) in ARRAYS.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != np.uint8:
            raise ValueError(f"{name} must be uint8 of shape {shape}. Got {array.dtype} of shape {array.shape}.")
        if hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() != digest:
            raise ValueError(f"{name} holds other values than MNIST's.")
    return arrays


def _download(path: Path) -> Found:
    import filelock

    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"), timeout=TOTAL)
    # Where there are no locks, or in a folder that cannot be written: all download, a waste, but files are renamed.
    with suppress(OSError, NotImplementedError):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        # another process may have stored it while this one waited; a damaged copy has been reported already
        if found := _copy(path, "the cache", quiet=True):
            return found
        arrays, host = _fetch()
        return Found(arrays, f"the mirror {host}", path if _stored(path, arrays) else None)
    finally:
        lock.release()


def _stored(path: Path, arrays: Arrays) -> bool:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    try:
        atomic_write(path, buffer.getvalue())
    except OSError as error:
        warnings.warn(
            f"MNIST cannot be stored in {path.parent} ({error}): it is fetched again next time. Set MNIST_CACHE to a"
            " folder that can be written.",
            stacklevel=2,
        )
        return False
    return True


def _fetch() -> tuple[Arrays, str]:
    """Return the arrays from the first mirror that delivers, and its host; the others are named in a warning each."""
    skipped = []
    for url in MIRRORS:
        host = urlsplit(url).netloc
        try:
            arrays = _from_mirror(url)
        except (OSError, ValueError) as error:
            skipped.append(f"{host}: {error}")
            continue
        for line in skipped:
            warnings.warn(f"A mirror of MNIST was skipped: {line}", stacklevel=2)
        return arrays, host
    raise ConnectionError("\n".join([*_ADVICE, *skipped]))


def _from_mirror(url: str) -> Arrays:
    if url.endswith(".npz"):
        return _verified(_read_npz(io.BytesIO(_get(url, NPZ_HASH))))
    return _verified({name: _read_idx(_get(url + file, known), name) for name, (file, known) in IDX_FILES.items()})


def _get(url: str, known_hash: str) -> bytes:
    """Return a file, or raise ``OSError`` or ``ValueError`` with a short reason.

    pooch receives it in a thread, which is abandoned when it takes too long: a timeout of the HTTP library bounds each
    single wait, but not their sum, nor the wait for a name server.
    """
    import pooch
    from tqdm import tqdm

    class Bar(tqdm):
        def __bool__(self) -> bool:
            return True  # otherwise, as long as it has no total, pooch leaves it alone

    content, failures = io.BytesIO(), []
    with Bar(desc=f"MNIST: {url.rpartition('/')[2]}", unit="B", unit_scale=True, leave=False, delay=0.5) as bar:
        downloader = pooch.HTTPDownloader(progressbar=bar, timeout=ANSWER + STALL)

        def receive() -> None:
            try:
                downloader(url, content, None)
            except Exception as error:  # handed over to the waiting thread
                failures.append(error)

        thread = threading.Thread(target=receive, daemon=True)
        thread.start()
        try:
            _wait(thread, bar)
        except BaseException:
            content.close()  # the abandoned thread ends with the next piece that arrives, and its memory is free again
            raise
    if failures:
        status = getattr(getattr(failures[0], "response", None), "status_code", None)
        broken = f"not reachable, or the transfer broke off ({type(failures[0]).__name__})"
        raise ConnectionError(f"HTTP status {status}" if status else broken) from failures[0]
    if hashlib.sha256(content.getbuffer()).hexdigest() != known_hash:
        raise ValueError("what it sends is another file, or a part of the file")
    return content.getvalue()


def _wait(thread: threading.Thread, bar: "tqdm") -> None:
    """Wait for a transfer as long as it moves, within the limits."""
    begun = moved = time.monotonic()
    received = 0
    while thread.is_alive():
        thread.join(0.05)
        now = time.monotonic()
        if bar.n != received:
            received, moved = bar.n, now
        if now - moved > (patience := STALL if received else ANSWER):
            raise TimeoutError(f"{'stalled' if received else 'no answer'} for {patience:g} s")
        if now - begun > TOTAL:
            raise TimeoutError(f"not finished within {TOTAL:g} s")
        if max(received, bar.total or 0) > MAX_BYTES:
            raise ValueError(f"the file is larger than {MAX_BYTES:,} bytes")
