import os
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from conftest import send

from mnist_helpers.data import sources
from mnist_helpers.data.containers import DataError, write_npz
from mnist_helpers.data.download import FetchError, Limits, Mirror
from mnist_helpers.data.sources import CACHE_FILE, Catalogue, cache_directory, find, keras_file

LIMITS = Limits(answer=10, stall=10, total=30, retries=0, delay=0.01)


@pytest.fixture
def mirror(serve, fake, home):
    """A mirror of the small MNIST; ``catalogue`` names it, ``asked`` is what it was asked for."""
    server = serve({"/mnist.npz": fake.npz})
    server.catalogue = Catalogue(fake.specs, [Mirror(f"{server.url}/mnist.npz", "npz")], LIMITS)
    return server


@pytest.fixture
def nowhere(fake, home):
    return Catalogue(fake.specs, [], LIMITS)


@pytest.fixture
def own(fake, home):
    """Our own copy in the cache."""
    write_npz(cache_directory() / CACHE_FILE, fake.arrays)
    return cache_directory() / CACHE_FILE


@pytest.fixture
def keras_copy(fake, home):
    keras_file().parent.mkdir(parents=True)
    keras_file().write_bytes(fake.npz)
    return keras_file()


def test_download_is_stored_and_read_the_next_time(mirror, fake):
    first = find(mirror.catalogue)
    assert first.origin.startswith("the mirror 127.0.0.1")
    assert first.path == cache_directory() / CACHE_FILE
    second = find(mirror.catalogue)
    assert second.origin == "the cache"
    assert len(mirror.asked) == 1
    for name, array in fake.arrays.items():
        assert np.array_equal(first.arrays[name], array)
        assert np.array_equal(second.arrays[name], array)
    assert {path.name for path in cache_directory().iterdir()} <= {CACHE_FILE, f".{CACHE_FILE}.lock"}


def test_order_of_the_sources(fake, mirror, own, keras_copy, tmp_path, monkeypatch):
    named = tmp_path / "mine.npz"
    named.write_bytes(fake.npz)
    monkeypatch.setenv("MNIST_DATA", str(named))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = find(mirror.catalogue)
        assert (found.origin, found.path) == ("MNIST_DATA", named)
        monkeypatch.setenv("MNIST_DATA", "")
        assert find(mirror.catalogue).path == own
        own.unlink()
        assert find(mirror.catalogue).path == keras_copy
        assert not mirror.asked
        keras_copy.unlink()
        find(mirror.catalogue)
    assert mirror.asked == ["/mnist.npz"]


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (None, FileNotFoundError, "bad.npz', which cannot be read: No such file"),
        (b"", DataError, "bad.npz: not a complete npz archive"),
        (b"PK\x03\x04" + bytes(99), DataError, "bad.npz: not a complete npz archive"),
        ("directory", FileNotFoundError, "train-images-idx3-ubyte', which cannot be read"),
        ("unreadable", PermissionError, "which cannot be read: Permission denied"),
    ],
)
def test_bad_file_in_mnist_data_is_refused_and_not_passed_over(
    content, kind, message, mirror, own, monkeypatch, tmp_path
):
    path = tmp_path / "bad.npz"
    if content == "directory":
        path.mkdir()
    elif content == "unreadable":
        path.write_bytes(b"")
        monkeypatch.setattr(type(path), "open", refuse)  # a mode would not stop the superuser
    elif content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("MNIST_DATA", str(path))
    with pytest.raises(kind, match=f"The environment variable MNIST_DATA must name an npz file.*{message}"):
        find(mirror.catalogue)
    assert not mirror.asked


def refuse(path, *args, **kwargs):
    raise PermissionError(13, "Permission denied", str(path))


def test_damaged_cache_is_replaced_by_a_verified_download(mirror, own, fake):
    own.write_bytes(own.read_bytes()[:5000])
    with pytest.warns(UserWarning, match="MNIST in the cache cannot be used.*not a complete npz") as caught:
        found = find(mirror.catalogue)
    assert len(caught) == 1
    assert found.origin.startswith("the mirror")
    assert find(mirror.catalogue).origin == "the cache"


def test_damaged_cache_stays_where_nothing_better_is_found(nowhere, own):
    own.write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="MNIST in the cache"), pytest.raises(FetchError):
        find(nowhere)
    assert own.read_bytes() == b"damaged"


def test_damaged_copy_of_keras_is_passed_over_and_kept(mirror, keras_copy):
    keras_copy.write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="MNIST in the copy of Keras cannot be used"):
        assert find(mirror.catalogue).origin.startswith("the mirror")
    assert keras_copy.read_bytes() == b"damaged"


def test_file_of_another_program_in_the_cache_directory_is_kept(mirror):
    cache_directory().mkdir()
    (cache_directory() / "mnist.npz").write_bytes(b"of another program")
    find(mirror.catalogue)
    assert (cache_directory() / "mnist.npz").read_bytes() == b"of another program"


def test_cache_that_cannot_be_made_costs_a_warning(mirror, home, fake, monkeypatch):
    (home / "file").write_bytes(b"")
    monkeypatch.setenv("MNIST_CACHE", str(home / "file" / "cache"))
    with pytest.warns(UserWarning, match="cannot be stored.*used from memory.*Set MNIST_CACHE"):
        found = find(mirror.catalogue)
    assert found.path is None
    assert np.array_equal(found.arrays["y_test"], fake.arrays["y_test"])


@pytest.mark.parametrize("number", [28, 30])  # no space left on device, read-only file system
def test_full_or_read_only_cache_costs_a_warning(number, mirror, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("filelock.FileLock.acquire", fail)
    monkeypatch.setattr(sources, "write_npz", fail)
    with pytest.warns(UserWarning, match=f"cannot be stored.*{os.strerror(number)}"):
        assert find(mirror.catalogue).path is None


def test_failed_download_leaves_nothing(serve, fake, home):
    server = serve({"/mnist.npz": fake.npz[:-100]})
    catalogue = Catalogue(fake.specs, [Mirror(f"{server.url}/mnist.npz", "npz")], LIMITS)
    with pytest.warns(UserWarning, match="does not deliver"), pytest.raises(FetchError):
        find(catalogue)
    assert {path.name for path in cache_directory().iterdir()} <= {f".{CACHE_FILE}.lock"}


def test_leftovers_of_killed_processes_are_removed(mirror):
    cache_directory().mkdir()
    old, new, other = (cache_directory() / name for name in (f".{CACHE_FILE}.a.tmp", f".{CACHE_FILE}.b.tmp", "c.tmp"))
    for path in (old, new, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (time.time() - 7200,) * 2)
    find(mirror.catalogue)
    assert (old.exists(), new.exists(), other.exists()) == (False, True, True)


SCRIPT = """
import sys, numpy as np
from mnist_helpers.data.containers import ArraySpec, digest_of
from mnist_helpers.data.download import Limits, Mirror
from mnist_helpers.data.sources import Catalogue, find
arrays = np.load(sys.argv[2])
specs = {name: ArraySpec(arrays[name].shape, digest_of(arrays[name])) for name in arrays.files}
print(find(Catalogue(specs, [Mirror(sys.argv[1], "npz")], Limits())).origin)
"""


def test_two_processes_download_once_and_both_have_it(serve, fake, home):
    server = serve({"/mnist.npz": lambda handler: send(handler, fake.npz, piece=40_000, pause=0.4)})
    (home / "expected.npz").write_bytes(fake.npz)
    command = [sys.executable, "-c", SCRIPT, f"{server.url}/mnist.npz", str(home / "expected.npz")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    results = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], results
    origins = sorted(out.strip() for out, _ in results)
    assert origins[0] == "the cache"
    assert origins[1].startswith("the mirror")
    assert len(server.asked) == 1


def test_default_directories(monkeypatch, tmp_path):
    monkeypatch.delenv("MNIST_CACHE", raising=False)
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_directory().name == "mnist_helpers"
    assert keras_file() == tmp_path / ".keras" / "datasets" / "mnist.npz"
    monkeypatch.setenv("MNIST_CACHE", "~/elsewhere")
    assert cache_directory() == tmp_path / "elsewhere"
