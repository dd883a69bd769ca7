"""Finding MNIST: right arrays, or a message, whatever mirrors send, files hold, disks refuse, or whoever is killed."""

import gzip
import hashlib
import io
import os
import pickle
import socket
import struct
import threading
import time
import warnings
from contextlib import ExitStack
from functools import partial

import numpy as np
import processes
import pytest
from processes import CONTEXT
from serving import idx_bytes, send

from mnist_helpers.data import fetch
from mnist_helpers.data.fetch import CACHE_FILE, cache_directory, find, keras_file

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # pooch leaves failed answers open
LEFT_BEHIND = {f".{CACHE_FILE}.lock"}


def npz_of(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def in_cache():
    return {path.name for path in cache_directory().iterdir()} if cache_directory().exists() else set()


def assert_one_verified_copy(fake):
    """The cache holds the data, whole, and no more."""
    with np.load(cache_directory() / CACHE_FILE) as stored:
        assert all(np.array_equal(stored[name], array) for name, array in fake.arrays.items())
    assert in_cache() <= {CACHE_FILE} | LEFT_BEHIND


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def mirror(serve, fake, small_mnist):
    """A mirror of the small MNIST; ``asked`` is what it was asked for."""
    server = serve({"/mnist.npz": fake.npz})
    small_mnist(f"{server.url}/mnist.npz")
    return server


def test_the_arrays_are_those_of_the_original_site(real_mnist):
    official = {  # MD5 of the uncompressed files
        "x_train": "6bbc9ace898e44ae57da46a324031adb",
        "y_train": "a25bea736e30d166cdddb491f175f624",
        "x_test": "2646ac647ad5339dbf082846283269ea",
        "y_test": "27ae3e4e09519cfbb04c329615203637",
    }
    arrays = find().arrays
    assert {name: hashlib.md5(idx_bytes(array)).hexdigest() for name, array in arrays.items()} == official


def test_three_hosts_and_what_they_send_are_known():
    assert len({url.split("/")[2] for url in fetch.MIRRORS}) == 3
    assert all(url.startswith("https://") and url.endswith((".npz", "/")) for url in fetch.MIRRORS)
    assert len(fetch.MIRRORS) * fetch.ANSWER < 10


def test_sources_are_asked_in_order_and_a_download_is_kept(fake, mirror, home, monkeypatch):
    named = put(home / "mine.npz", fake.npz)
    keras = put(keras_file(), fake.npz)
    monkeypatch.setenv("MNIST_DATA", str(named))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (find().origin, find().path) == ("MNIST_DATA", named)
        monkeypatch.setenv("MNIST_DATA", "")
        assert find().path == keras and not mirror.asked
        keras.unlink()
        first = find()
        assert first.origin.startswith("the mirror 127.0.0.1") and first.path == cache_directory() / CACHE_FILE
        put(keras_file(), fake.npz)
        second = find()
    assert second.origin == "the cache" and mirror.asked == ["/mnist.npz"]
    for found in (first, second):
        assert all(np.array_equal(found.arrays[name], array) for name, array in fake.arrays.items())
    assert_one_verified_copy(fake)


@pytest.mark.parametrize("packed", [False, True])
def test_mnist_data_may_be_a_folder_of_idx_files(fake, small_mnist, home, monkeypatch, packed):
    for file, content in fake.idx.items():
        put(
            home / "Ziffern für числа" / (file if packed else file[:-3]),
            content if packed else gzip.decompress(content),
        )
    monkeypatch.setenv("MNIST_DATA", str(home / "Ziffern für числа"))
    found = find().arrays
    assert all(np.array_equal(found[name], array) for name, array in fake.arrays.items())


def altered(arrays):
    changed = arrays["x_test"].copy()
    changed[7, 14, 14] ^= 1
    return npz_of(**arrays | {"x_test": changed})


NAMED = {
    "missing": (None, FileNotFoundError, "No such file.*bad.npz"),
    "empty": (lambda _: b"", ValueError, "bad.npz is damaged, or not MNIST: No data left in file|no complete npz"),
    "a page": (lambda _: b"<!DOCTYPE html>", ValueError, "it is no complete npz archive"),
    "truncated": (lambda arrays: npz_of(**arrays)[:-9999], ValueError, "it is no complete npz archive"),
    "one array": (lambda arrays: npz_of(x_train=arrays["x_train"]), ValueError, "y_train is not a file in the archive"),
    "a pixel": (altered, ValueError, "x_test holds other values"),
    "flat": (lambda a: npz_of(**a | {"x_train": a["x_train"].reshape(240, 784)}), ValueError, r"Got uint8 of .*784"),
    "floats": (lambda a: npz_of(**a | {"y_test": a["y_test"] / 1}), ValueError, "y_test must be uint8.*Got float64"),
    "a folder": ("folder", FileNotFoundError, "t10k-labels-idx1-ubyte"),
}


@pytest.mark.parametrize(("content", "kind", "message"), NAMED.values(), ids=NAMED)
def test_a_bad_mnist_data_is_refused_and_not_passed_over(content, kind, message, fake, mirror, home, monkeypatch):
    put(keras_file(), fake.npz)
    path = home / "bad.npz"
    if content == "folder":
        path.mkdir()
    elif content:
        path.write_bytes(content(fake.arrays))
    monkeypatch.setenv("MNIST_DATA", str(path))
    with pytest.raises(kind, match=f"(?s)The environment variable MNIST_DATA must name an mnist.npz.*({message})"):
        find()
    assert not mirror.asked


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_pickles_are_never_executed(fake, small_mnist, home, monkeypatch):
    trap = home / "executed"
    payload = np.array([Trap(str(trap))], dtype=object)
    monkeypatch.setenv("MNIST_DATA", str(put(home / "bad.npz", npz_of(**fake.arrays | {"x_train": payload}))))
    with pytest.raises(ValueError, match="Object arrays cannot be loaded when allow_pickle=False"):
        find()
    assert not trap.exists()
    pickle.loads(pickle.dumps(payload))[0].close()
    assert trap.exists()  # the trap would have worked


# -- bad mirrors


def stalled(handler):
    send(handler, b"PK\3\4" + bytes(20_000), length=250_000)
    time.sleep(3)


def reset(handler):
    send(handler, b"PK\3\4" + bytes(20_000), length=250_000)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(bytes(100_000))
    except OSError:
        pass  # the client went away, as it should


BAD = {
    "a page": (b"<!DOCTYPE html><html>Please accept our terms</html>", "another file, or a part"),
    "truncated": (lambda handler: send(handler, handler.whole[:-3000]), "another file, or a part"),
    "broken off": (reset, r"the transfer broke off \(\w+Error\)"),
    "stalled": (stalled, "stalled for 0.5 s"),
    "silent": (lambda _: time.sleep(3), "no answer for 0.4 s|ReadTimeout"),
    "dripping": (lambda handler: send(handler, handler.whole, piece=4000, pause=0.2), "not finished within 1 s"),
    "is large": (endless, "larger than 300,000 bytes"),
    "not found": (404, "HTTP status 404"),
}


@pytest.mark.parametrize(("fault", "reason"), BAD.values(), ids=BAD)
def test_a_bad_mirror_is_skipped_with_one_line_and_leaves_nothing(serve, fake, small_mnist, monkeypatch, fault, reason):
    for name, value in {"ANSWER": 0.4, "STALL": 0.5, "TOTAL": 1.0, "MAX_BYTES": 300_000}.items():
        monkeypatch.setattr(fetch, name, value)

    def answer(handler):
        handler.whole = fake.npz
        fault(handler)

    bad = serve({"/mnist.npz": answer if callable(fault) else fault})
    good = serve({"/mnist.npz": fake.npz})
    small_mnist(f"{bad.url}/mnist.npz")
    begun = time.monotonic()
    with pytest.raises(ConnectionError, match=f"(?s)No mirror delivered MNIST.*127.0.0.1:[0-9]+: .*({reason})"):
        find()
    assert time.monotonic() - begun < 4
    assert in_cache() <= LEFT_BEHIND
    small_mnist(f"{bad.url}/mnist.npz", f"{good.url}/mnist.npz")
    with pytest.warns(UserWarning, match=f"A mirror of MNIST was skipped: 127.0.0.1:.*({reason})") as caught:
        assert find().origin.endswith(good.url.rpartition("/")[2])
    (line,) = [str(warning.message) for warning in caught if warning.category is UserWarning]
    assert "\n" not in line
    assert_one_verified_copy(fake)
    while any("receive" in thread.name for thread in threading.enumerate()):  # none goes on filling the memory
        assert time.monotonic() - begun < 15
        time.sleep(0.05)


def test_other_arrays_are_refused_even_where_the_file_is_the_known_one(serve, fake, small_mnist, monkeypatch):
    other = altered(fake.arrays)
    monkeypatch.setattr(fetch, "NPZ_HASH", hashlib.sha256(other).hexdigest())
    small_mnist(f"{serve({'/mnist.npz': other}).url}/mnist.npz")
    with pytest.raises(ConnectionError, match="x_test holds other values than MNIST's"):
        find()
    assert in_cache() <= LEFT_BEHIND


def test_a_mirror_may_be_a_folder_of_idx_files(serve, fake, small_mnist):
    files = {f"/mnist/{file}": content for file, content in fake.idx.items()}
    server = serve(files)
    small_mnist(f"{server.url}/mnist/")
    find()
    assert_one_verified_copy(fake)
    (cache_directory() / CACHE_FILE).unlink()
    files["/mnist/t10k-images-idx3-ubyte.gz"] = gzip.compress(idx_bytes(fake.arrays["x_test"][::-1]))
    with pytest.raises(ConnectionError, match="another file, or a part"):
        find()
    assert in_cache() <= LEFT_BEHIND


@pytest.mark.parametrize("network", ["refused", "silent"])
def test_without_a_network_the_user_knows_within_the_time_of_three_answers(small_mnist, monkeypatch, network):
    monkeypatch.setattr(fetch, "ANSWER", 0.4)
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        small_mnist(*(f"http://127.0.0.1:{each.getsockname()[1]}/mnist.npz" for each in sockets))
        if network == "refused":
            stack.close()
        begun = time.monotonic()
        with pytest.raises(ConnectionError, match="python -m mnist_helpers data") as error, warnings.catch_warnings():
            warnings.simplefilter("error")
            find()
        assert time.monotonic() - begun < 3
    assert len(str(error.value).splitlines()) == 6


def test_a_name_server_that_does_not_answer_is_not_waited_for(small_mnist, monkeypatch):
    monkeypatch.setattr(fetch, "ANSWER", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(3))
    small_mnist("http://mirror.example/mnist.npz")
    begun = time.monotonic()
    with pytest.raises(ConnectionError, match="mirror.example: no answer for 0.3 s"):
        find()
    assert time.monotonic() - begun < 2


def test_progress_is_shown(serve, fake, small_mnist, capsys):
    server = serve({"/mnist.npz": lambda handler: send(handler, fake.npz, piece=30_000, pause=0.15)})
    small_mnist(f"{server.url}/mnist.npz")
    find()
    shown = capsys.readouterr().err
    assert "MNIST: mnist.npz" in shown and "B/s" in shown


# -- damaged copies, other people's files, disks


def bit_flipped(content):
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 4
    return bytes(flipped)


@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], bit_flipped])
def test_a_damaged_copy_is_never_used_and_never_deleted(serve, fake, small_mnist, damage):
    whole = npz_of(**fake.arrays)
    own, keras = put(cache_directory() / CACHE_FILE, damage(whole)), put(keras_file(), damage(whole))
    other = put(cache_directory() / "mnist.npz", b"of another program")
    with pytest.warns(UserWarning, match="cannot be used, looking elsewhere") as caught, pytest.raises(ConnectionError):
        find()
    assert len(caught) == 2
    assert own.read_bytes() == keras.read_bytes() == damage(whole)
    small_mnist(f"{serve({'/mnist.npz': fake.npz}).url}/mnist.npz")
    with pytest.warns(UserWarning, match="cannot be used"):
        assert find().origin.startswith("the mirror")
    assert other.read_bytes() == b"of another program" and keras.read_bytes() == damage(whole)
    other.unlink()
    assert_one_verified_copy(fake)  # the good one has taken the place of the damaged one


@pytest.mark.parametrize("trouble", ["a file in the way", "full", "read-only"])
def test_a_cache_that_cannot_be_written_costs_a_warning(mirror, fake, home, monkeypatch, trouble):
    if trouble == "a file in the way":
        monkeypatch.setenv("MNIST_CACHE", str(put(home / "file", b"") / "cache"))
    else:

        def fail(*_, **__):
            number = {"full": 28, "read-only": 30}[trouble]
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("filelock.FileLock.acquire", fail)
        monkeypatch.setattr(fetch, "atomic_write", fail)
    with pytest.warns(UserWarning, match=r"cannot be stored in .* \(.+\): it is fetched again.*Set MNIST_CACHE"):
        found = find()
    assert found.path is None and np.array_equal(found.arrays["y_test"], fake.arrays["y_test"])


def test_default_directories(home, monkeypatch):
    for name in ("MNIST_CACHE", "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    assert cache_directory().name == "mnist_helpers" and home in cache_directory().parents
    assert keras_file() == home / ".keras" / "datasets" / "mnist.npz"
    monkeypatch.setenv("MNIST_CACHE", "~/elsewhere")
    assert cache_directory() == home / "elsewhere"


def test_a_user_without_a_home_gets_the_data_and_no_folder_named_tilde(mirror, fake, home, monkeypatch):
    for name in ("HOME", "MNIST_CACHE", "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}["no such user"])
    monkeypatch.setattr("tempfile.tempdir", str(home / "tmp"))
    monkeypatch.chdir(home)
    find()
    assert [path.name for path in home.iterdir()] == ["tmp"]
    assert_one_verified_copy(fake)


# -- killed, and many at once


@pytest.mark.system
def test_killed_during_a_download_it_leaves_nothing_and_whoever_waited_goes_on(serve, fake, small_mnist):
    half, go_on = threading.Event(), threading.Event()

    def stuck_at_first(handler):
        if len(server.asked) > 1:
            return send(handler, fake.npz)
        send(handler, fake.npz[:100_000], length=len(fake.npz))
        half.set()
        return go_on.wait(60)

    server = serve({"/mnist.npz": stuck_at_first})
    constants = fake.constants | {"MIRRORS": (f"{server.url}/mnist.npz",), "STALL": 60}
    told = CONTEXT.SimpleQueue()
    first = processes.start(processes.find_data, constants, told)
    assert half.wait(60)
    second = processes.start(processes.find_data, constants, told)  # waits for the lock
    assert in_cache() == LEFT_BEHIND
    processes.kill(first)
    assert told.get()[0].startswith("the mirror")
    second.join(60)
    go_on.set()
    assert len(server.asked) == 2
    assert_one_verified_copy(fake)


@pytest.mark.parametrize("deadly", [False, True], ids=["full disk", "killed"])
def test_a_copy_that_could_not_be_stored_whole_is_not_stored(mirror, fake, deadly):
    constants = fake.constants | {"MIRRORS": fetch.MIRRORS}
    told = CONTEXT.SimpleQueue()
    process = processes.start(processes.with_small_files, 100_000, deadly, processes.find_data, constants, told)
    process.join(60)
    left = in_cache() - LEFT_BEHIND
    if deadly:
        assert process.exitcode < 0 and len(left) == 1  # what it had written so far, under another name
        (cache_directory() / left.pop()).unlink()
    else:
        origin, (warning,) = told.get()
        assert origin.startswith("the mirror") and "cannot be stored" in warning and not left
    assert find().origin.startswith("the mirror")
    assert_one_verified_copy(fake)


@pytest.mark.system
def test_eight_processes_at_once_end_with_one_verified_copy(serve, fake, small_mnist):
    server = serve({"/mnist.npz": partial(send, content=fake.npz, piece=50_000, pause=0.02)})
    constants = fake.constants | {"MIRRORS": (f"{server.url}/mnist.npz",), "ANSWER": 20}
    told, together = CONTEXT.SimpleQueue(), CONTEXT.Barrier(8)
    eight = [processes.start(processes.find_data, constants, told, together) for _ in range(8)]
    origins = sorted(told.get()[0] for _ in eight)
    for process in eight:
        process.join(60)
    assert origins[:-1] == ["the cache"] * 7 and origins[-1].startswith("the mirror")
    assert len(server.asked) == 1
    assert_one_verified_copy(fake)
