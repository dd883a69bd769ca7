"""MNIST under faults: killed, crowded, full disks, damaged files, clocks, homes. Right arrays, or a message."""

import os
import subprocess
import sys
import threading
import time
import warnings

import faults
import numpy as np
import pytest
from conftest import send
from faults import CONTEXT, assert_one_verified_copy
from test_containers import idx_bytes, npz_of

from mnist_helpers.data.containers import IDX_NAMES, DataError, write_npz
from mnist_helpers.data.download import FetchError
from mnist_helpers.data.sources import CACHE_FILE, cache_directory, find, keras_file


@pytest.fixture(autouse=True)
def empty(home):
    """Nothing is there yet, and only this machine is spoken to."""
    return home


@pytest.fixture
def stuck(serve, fake):
    """A server that stops half-way through the file the first time, and is well afterwards."""
    half, go_on = threading.Event(), threading.Event()

    def answer(handler):
        if len(server.asked) > 1:
            send(handler, fake.npz)
            return
        send(handler, fake.npz[:100_000], length=len(fake.npz))
        half.set()
        go_on.wait(60)

    server = serve({"/mnist.npz": answer})
    server.half = half
    yield server
    go_on.set()


# -- killed, and many at once


def test_killed_during_a_download_it_leaves_nothing_and_whoever_waited_goes_on(stuck, fake):
    results = CONTEXT.SimpleQueue()
    first = faults.start(faults.find_and_tell, faults.catalogue(fake, f"{stuck.url}/mnist.npz"), results)
    assert stuck.half.wait(60)
    second = faults.start(
        faults.find_and_tell, faults.catalogue(fake, f"{stuck.url}/mnist.npz"), results
    )  # waits for the lock
    assert {path.name for path in cache_directory().iterdir()} == {f".{CACHE_FILE}.lock"}
    faults.kill(first)
    assert results.get().startswith("the mirror")
    second.join(60)
    assert len(stuck.asked) == 2
    assert_one_verified_copy(fake)
    assert find(faults.catalogue(fake)).origin == "the cache"


@pytest.mark.parametrize(("processes", "locks"), [(8, True), (4, False)])
def test_many_processes_at_once_end_with_one_verified_copy(serve, fake, processes, locks):
    server = serve({"/mnist.npz": lambda handler: send(handler, fake.npz, piece=50_000, pause=0.02)})
    results, together = CONTEXT.SimpleQueue(), CONTEXT.Barrier(processes)
    catalogue = faults.catalogue(fake, f"{server.url}/mnist.npz")
    all_of_them = [faults.start(faults.find_and_tell, catalogue, results, together, locks) for _ in range(processes)]
    origins = sorted(results.get() for _ in all_of_them)
    for process in all_of_them:
        process.join(60)
    assert all(origin == "the cache" or origin.startswith("the mirror") for origin in origins), origins
    if locks:
        assert origins[:-1] == ["the cache"] * (processes - 1) and len(server.asked) == 1
    assert_one_verified_copy(fake)


# -- a disk that is full, or a process that dies, in the midst of storing


@pytest.mark.parametrize("deadly", [False, True], ids=["full disk", "killed"])
def test_a_copy_that_could_not_be_stored_whole_is_not_stored(serve, fake, deadly):
    catalogue = faults.catalogue(fake, f"{serve({'/mnist.npz': fake.npz}).url}/mnist.npz")
    told = CONTEXT.SimpleQueue()
    process = faults.start(faults.with_small_files, 100_000, deadly, faults.fetch_data, catalogue, told)
    process.join(60)
    left = {path.name for path in cache_directory().iterdir()} - {f".{CACHE_FILE}.lock"}
    if deadly:
        assert process.exitcode < 0 and len(left) == 1  # what it had written so far, under another name
        half_written = cache_directory() / left.pop()
        assert half_written.stat().st_size == 100_000
        os.utime(half_written, (time.time() + 10**8,) * 2)  # and then the clock was set back
    else:
        origin, (warning,) = told.get()
        assert origin.startswith("the mirror") and "cannot be stored" in warning and "used from memory" in warning
        assert not left
    assert find(catalogue).origin.startswith("the mirror")
    assert_one_verified_copy(fake)


# -- damaged files


def truncated(content):
    return content[: len(content) // 2]


def bit_flipped(content):
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 4
    return bytes(flipped)


@pytest.mark.parametrize("damage", [truncated, bit_flipped])
@pytest.mark.parametrize("saver", [np.savez, np.savez_compressed])
def test_a_damaged_copy_is_never_used_and_never_deleted(serve, fake, damage, saver):
    whole = npz_of(saver, **fake.arrays).getvalue()
    for path in (cache_directory() / CACHE_FILE, keras_file()):
        path.parent.mkdir(parents=True)
        path.write_bytes(damage(whole))
    with pytest.warns(UserWarning, match="cannot be used, looking elsewhere") as caught, pytest.raises(FetchError):
        find(faults.catalogue(fake))
    assert len(caught) == 2
    assert (cache_directory() / CACHE_FILE).read_bytes() == keras_file().read_bytes() == damage(whole)
    with pytest.warns(UserWarning, match="cannot be used"):
        find(faults.catalogue(fake, f"{serve({'/mnist.npz': fake.npz}).url}/mnist.npz"))
    assert_one_verified_copy(fake)


@pytest.mark.parametrize("damage", [truncated, bit_flipped])
@pytest.mark.parametrize("damaged", list(IDX_NAMES))
def test_a_damaged_idx_file_in_mnist_data_is_named(fake, home, monkeypatch, damage, damaged):
    folder = home / "Ziffern für числа"
    folder.mkdir()
    for name, array in fake.arrays.items():
        (folder / IDX_NAMES[name]).write_bytes(idx_bytes(array))
    path = folder / IDX_NAMES[damaged]
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    monkeypatch.setenv("MNIST_DATA", str(folder))
    with pytest.raises(DataError, match=f"MNIST_DATA must name.*{folder.name}/{IDX_NAMES[damaged]}"):
        find(faults.catalogue(fake))
    path.write_bytes(whole)
    assert np.array_equal(find(faults.catalogue(fake)).arrays[damaged], fake.arrays[damaged])


# -- clocks, homes, languages


@pytest.mark.parametrize("when", [0, 2**32], ids=["1970", "2106"])
def test_the_dates_of_files_do_not_matter(fake, when):
    write_npz(cache_directory() / CACHE_FILE, fake.arrays)
    os.utime(cache_directory() / CACHE_FILE, (when, when))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find(faults.catalogue(fake)).origin == "the cache"


def test_a_clock_that_is_set_back_and_forth_during_a_download_does_not_matter(serve, fake, monkeypatch):
    jumps = iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: 1.7e9 + (-1) ** next(jumps) * 10**7)
    server = serve({"/mnist.npz": lambda handler: send(handler, fake.npz, piece=50_000, pause=0.06)})
    find(faults.catalogue(fake, f"{server.url}/mnist.npz"))
    assert_one_verified_copy(fake)


def test_a_user_without_a_home_directory_gets_the_data_and_no_folder_named_tilde(serve, fake, home, monkeypatch):
    for name in ("HOME", "MNIST_CACHE", "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}["no such user"])
    monkeypatch.chdir(home)
    catalogue = faults.catalogue(fake, f"{serve({'/mnist.npz': fake.npz}).url}/mnist.npz")
    with pytest.warns(UserWarning, match="cannot be stored.*used from memory.*Set MNIST_CACHE"):
        found = find(catalogue)
    assert np.array_equal(found.arrays["x_test"], fake.arrays["x_test"]) and found.path is None
    assert not list(home.iterdir())
    monkeypatch.setenv("MNIST_CACHE", "here")
    find(catalogue)
    assert_one_verified_copy(fake)


# Root is not bound by modes, unless it gives that power up for good (capability 1, by prctl 24) and starts a program.
POWERLESS = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 1); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)

FIND = """
import os, sys, warnings
import numpy as np
from mnist_helpers.data.containers import ArraySpec, digest_of
from mnist_helpers.data.download import Limits, Mirror
from mnist_helpers.data.sources import Catalogue, find
if os.access(sys.argv[3], os.W_OK):
    sys.exit("modes do not bind here")
arrays = np.load(sys.argv[2])
specs = {name: ArraySpec(arrays[name].shape, digest_of(arrays[name])) for name in arrays.files}
warnings.showwarning = lambda message, *_: print("warning:", message)
print(find(Catalogue(specs, [Mirror(sys.argv[1], "npz")], Limits())).path)
"""


def test_a_read_only_home_in_the_c_locale_costs_a_warning_that_names_it(serve, fake, home, monkeypatch):
    """And the names of the folders need more than ASCII."""
    owner = home / "Zoë Ωmega"
    (owner / ".cache").mkdir(parents=True)
    (home / "erwartet – числа.npz").write_bytes(fake.npz)
    for path in (owner / ".cache", owner):
        path.chmod(0o555)
    url = f"{serve({'/mnist.npz': fake.npz}).url}/mnist.npz"
    environment = {"HOME": str(owner), "LC_ALL": "C", "NO_PROXY": "127.0.0.1", "PATH": os.environ["PATH"]}
    files = [str(home / "erwartet – числа.npz"), str(owner)]
    command = [sys.executable, "-c", POWERLESS, "-c", FIND, url, *files]
    found = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False)
    for path in (owner, owner / ".cache"):
        path.chmod(0o755)
    if "modes do not bind here" in found.stderr:
        pytest.skip("modes do not bind this user, and it cannot give that up")
    assert found.returncode == 0, found.stderr
    warning, path = found.stdout.splitlines()
    assert f"cannot be stored in {owner}/.cache/mnist_helpers" in warning and "Permission denied" in warning
    assert path == "None" and not list((owner / ".cache").iterdir())
    monkeypatch.setenv("MNIST_CACHE", str(owner / ".cache" / "mnist_helpers"))  # it can be written now
    find(faults.catalogue(fake, url))
    assert_one_verified_copy(fake)
