"""Where MNIST may lie, in the order in which it is looked for: MNIST_DATA, our cache, Keras's cache, the mirrors."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mnist_helpers.data.containers import MNIST_ARRAYS, Arrays, DataError, Specs, read_path, write_npz
from mnist_helpers.data.download import MIRRORS, Limits, Mirror, fetch

# Not "mnist.npz": the directory may be one that other programs use, and only our own file may ever be replaced.
CACHE_FILE = "mnist-verified.npz"


@dataclass(frozen=True)
class Found:
    """Verified arrays, their ``origin`` in words, and the file they lie in (None: only in memory)."""

    arrays: Arrays
    origin: str
    path: Path | None


@dataclass(frozen=True)
class Catalogue:
    """What is looked for and where else than on this machine: array digests, mirrors, and the limits of a download."""

    specs: Specs
    mirrors: Sequence[Mirror]
    limits: Limits


MNIST = Catalogue(MNIST_ARRAYS, MIRRORS, Limits())


def cache_directory() -> Path:
    """Return the directory of everything this library stores: MNIST_CACHE, or the platform's cache directory."""
    if named := os.environ.get("MNIST_CACHE"):
        return _expanded(named)
    import pooch

    nowhere = Path(os.devnull) / "mnist_helpers"  # where nothing can be stored, which is said when it is tried
    try:
        path = Path(pooch.os_cache("mnist_helpers"))
    except RuntimeError:  # a user without a home directory, as in some containers
        return nowhere
    return path if path.is_absolute() else nowhere  # older versions call it "~", a folder wherever we are


def keras_file() -> Path:
    """Return where Keras keeps its copy of MNIST (KERAS_HOME, or ``.keras`` in the home directory)."""
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    return _expanded(home) / "datasets" / "mnist.npz"


def find(catalogue: Catalogue = MNIST) -> Found:
    """Return MNIST from the first source that has it, verified.

    A file named by MNIST_DATA is used or refused. A damaged copy in a cache is passed over with a warning, and never
    deleted; our own is replaced once a verified download is there. Raises ``OSError`` or ``DataError`` (a
    ``ValueError``) for a bad MNIST_DATA, ``FetchError`` (a ``ConnectionError``) when no source has MNIST.
    """
    if named := os.environ.get("MNIST_DATA"):
        return _read_named(_expanded(named), catalogue.specs)
    return _read_cached(catalogue) or _read_keras(catalogue) or _download(catalogue)


def _read_named(path: Path, specs: Specs) -> Found:
    wanted = "The environment variable MNIST_DATA must name an npz file (or a directory of the IDX files) with MNIST."
    try:
        return Found(read_path(path, specs), "MNIST_DATA", path)
    except DataError as error:
        raise DataError(f"{wanted} Got a bad one: {error}") from error
    except OSError as error:
        reason = f"{wanted} Got '{error.filename or path}', which cannot be read: {error.strerror or error}"
        raise OSError(error.errno, reason) from error  # becomes FileNotFoundError, PermissionError, ... by its number


def _expanded(named: str) -> Path:
    try:
        return Path(named).expanduser()
    except RuntimeError:  # a user without a home directory, as in some containers
        return Path(named)


def _read_cached(catalogue: Catalogue) -> Found | None:
    return _read_copy(cache_directory() / CACHE_FILE, "the cache", catalogue.specs)


def _read_keras(catalogue: Catalogue) -> Found | None:
    return _read_copy(keras_file(), "the copy of Keras", catalogue.specs)


def _read_copy(path: Path, origin: str, specs: Specs, *, quiet: bool = False) -> Found | None:
    try:
        return Found(read_path(path, specs), origin, path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, DataError) as error:
        if not quiet:
            warnings.warn(f"MNIST in {origin} cannot be used, looking elsewhere: {error}", stacklevel=2)
        return None


def _download(catalogue: Catalogue) -> Found:
    path = cache_directory() / CACHE_FILE
    with _locked(path.parent, catalogue.limits.total):
        # another process may have stored it while this one waited; a damaged file has been reported already
        if found := _read_copy(path, "the cache", catalogue.specs, quiet=True):
            return found
        arrays, mirror = fetch(catalogue.mirrors, catalogue.specs, catalogue.limits)
        return Found(arrays, f"the mirror {mirror.host}", path if _stored(path, arrays) else None)


def _stored(path: Path, arrays: Arrays) -> bool:
    try:
        write_npz(path, arrays)
    except OSError as error:
        warnings.warn(
            f"MNIST was fetched but cannot be stored in {path.parent} ({error}): it is used from memory, and fetched"
            " again next time. Set MNIST_CACHE to a directory that can be written.",
            stacklevel=2,
        )
        return False
    return True


@contextmanager
def _locked(directory: Path, seconds: float) -> Iterator[None]:
    """Let one process at a time download. Without the lock both would: a waste, but harmless, as files are renamed."""
    import filelock

    lock = filelock.FileLock(directory / f".{CACHE_FILE}.lock", timeout=seconds)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except (OSError, NotImplementedError):
        pass  # read-only, full, a file system without locks, or a very slow neighbour: go on without
    try:
        yield
    finally:
        lock.release()
