import gzip
import socket
import threading
import time
import warnings

import numpy as np
import pytest
from conftest import send
from test_containers import idx_bytes

from mnist_helpers.data.containers import IDX_NAMES, DataError
from mnist_helpers.data.download import MIRRORS, FetchError, Limits, Mirror, fetch

QUICK = Limits(answer=10, stall=10, total=30, retries=2, delay=0.01)
SHORT = Limits(answer=0.6, stall=0.6, total=10, retries=2, delay=0.01)


def npz_mirror(server, path="/mnist.npz"):
    return Mirror(server.url + path, "npz")


def idx_files(fake):
    return {f"/mnist/{IDX_NAMES[name]}.gz": gzip.compress(idx_bytes(array)) for name, array in fake.arrays.items()}


def assert_complete(arrays, fake):
    assert all(np.array_equal(arrays[name], fake.arrays[name]) for name in fake.specs)


def refused(mirrors, fake, limits=QUICK, match=""):
    """Fetch from mirrors that all fail; return the seconds that it took."""
    start = time.monotonic()
    with pytest.raises(FetchError, match=match):
        fetch(mirrors, fake.specs, limits)
    return time.monotonic() - start


@pytest.fixture(autouse=True)
def no_proxy(home):
    """These tests talk to this machine only."""


def test_mirrors_are_encrypted_and_enough():
    assert len({mirror.host for mirror in MIRRORS}) >= 3
    assert {mirror.form for mirror in MIRRORS} == {"npz", "idx"}
    assert all(mirror.url.startswith("https://") for mirror in MIRRORS)


def test_npz_mirror(serve, fake):
    server = serve({"/mnist.npz": fake.npz})
    arrays, mirror = fetch([npz_mirror(server)], fake.specs, QUICK)
    assert_complete(arrays, fake)
    assert mirror.url == f"{server.url}/mnist.npz"
    assert server.asked == ["/mnist.npz"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_idx_mirror(serve, fake, slash):
    server = serve(idx_files(fake))
    arrays, _ = fetch([Mirror(f"{server.url}/mnist{slash}", "idx")], fake.specs, QUICK)
    assert_complete(arrays, fake)
    assert len(server.asked) == 4


def test_progress_is_shown(serve, fake, capsys):
    server = serve({"/mnist.npz": lambda handler: send(handler, fake.npz, piece=20_000, pause=0.15)})
    fetch([npz_mirror(server)], fake.specs, QUICK)
    shown = capsys.readouterr().err
    assert "MNIST: mnist.npz" in shown
    assert "B/s" in shown


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!DOCTYPE html><html>Please sign in</html>", "not a complete npz archive"),
        (b"", "not a complete npz archive"),
        ("truncated", "not a complete npz archive"),
    ],
)
def test_wrong_content_is_not_asked_for_again(serve, fake, content, reason):
    bad = serve({"/mnist.npz": fake.npz[:-3000] if content == "truncated" else content})
    good = serve({"/mnist.npz": fake.npz})
    with pytest.warns(UserWarning, match=f"does not deliver MNIST.*{reason}"):
        arrays, mirror = fetch([npz_mirror(bad), npz_mirror(good)], fake.specs, QUICK)
    assert_complete(arrays, fake)
    assert mirror.host in good.url
    assert len(bad.asked) == 1


def test_other_images_are_refused(serve, fake):
    files = idx_files(fake)
    other = fake.arrays["x_test"][::-1]
    files[f"/mnist/{IDX_NAMES['x_test']}.gz"] = gzip.compress(idx_bytes(other))
    with pytest.warns(UserWarning, match="x_test must have the SHA-256"):
        refused([Mirror(serve(files).url + "/mnist/", "idx")], fake, match="x_test must have the SHA-256")


def test_missing_file_is_not_asked_for_again(serve, fake):
    server = serve({})
    refused([npz_mirror(server)], fake, match="HTTP status 404")
    assert len(server.asked) == 1


def test_overloaded_server_is_asked_again_with_warnings(serve, fake):
    server = serve({"/mnist.npz": 503})
    with pytest.warns(UserWarning, match="Retry downloading from url: .*HTTP status 503") as caught:
        refused([npz_mirror(server)], fake, match="HTTP status 503")
    assert len(server.asked) == 3
    assert len([item for item in caught if item.category is UserWarning]) == 2


@pytest.mark.parametrize("sent", [0, 20_000])
def test_broken_transfer_is_repeated(serve, fake, sent):
    def break_off_once(handler):
        if len(server.asked) > 1:
            send(handler, fake.npz)
        elif sent:
            send(handler, fake.npz[:sent], length=len(fake.npz))
        else:
            handler.connection.shutdown(socket.SHUT_RDWR)

    server = serve({"/mnist.npz": break_off_once})
    with pytest.warns(UserWarning, match="Retry downloading"):
        arrays, _ = fetch([npz_mirror(server)], fake.specs, QUICK)
    assert_complete(arrays, fake)
    assert len(server.asked) == 2


def test_refused_connection_is_not_repeated(fake):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    mirrors = [Mirror(f"http://127.0.0.1:{port}/mnist.npz", "npz"), Mirror(f"http://127.0.0.1:{port}/mnist/", "idx")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert refused(mirrors, fake, match="not reachable") < 5


def test_silent_host_is_asked_once(fake):
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never says a word
        threading.Thread(target=lambda: connections.append(silent.accept()), daemon=True).start()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        mirrors = [Mirror(f"{url}/a.npz", "npz"), Mirror(f"{url}/b/", "idx")]
        assert refused(mirrors, fake, SHORT, match="no answer within 0.6 s") < 5
        silent.settimeout(0.1)
        with pytest.raises(TimeoutError):
            silent.accept()
    assert len(connections) == 1
    connections[0][0].close()


def test_stalling_server_is_given_up(serve, fake):
    held = threading.Event()

    def stall(handler):
        send(handler, fake.npz[:20_000], length=len(fake.npz))
        held.wait(5)

    good = serve({"/mnist.npz": fake.npz})
    mirrors = [npz_mirror(serve({"/mnist.npz": stall})), npz_mirror(good)]
    with pytest.warns(UserWarning, match="stalled for 0.6 s"):
        arrays, mirror = fetch(mirrors, fake.specs, Limits(answer=10, stall=0.6, total=30, retries=1, delay=0.01))
    held.set()
    assert_complete(arrays, fake)
    assert mirror.host in good.url


def test_dripping_server_meets_the_deadline(serve, fake):
    drip = serve({"/mnist.npz": lambda handler: send(handler, fake.npz, piece=9_000, pause=0.3)})
    assert refused([npz_mirror(drip)], fake, Limits(total=1.0), match="time limit") < 5


@pytest.mark.parametrize("claimed", [True, False])
def test_large_file_is_refused(serve, fake, claimed):
    def send_large(handler):
        handler.send_response(200)
        if claimed:
            handler.send_header("Content-Length", str(10**12))
        handler.end_headers()
        try:
            for _ in range(100):
                handler.wfile.write(bytes(100_000))
            sent.append("all")
        except OSError:
            pass  # the client went away, as it should

    sent = []
    server = serve({"/mnist.npz": send_large})
    with pytest.warns(UserWarning, match="larger than 50,000 bytes"):
        refused([npz_mirror(server)], fake, Limits(size=50_000), match="larger than 50,000 bytes")
    assert len(server.asked) == 1


def test_no_mirror_at_all(fake):
    refused([], fake, match="no mirror is known")


def test_fetch_error_is_a_connection_error_and_bad_data_a_value_error():
    assert issubclass(FetchError, ConnectionError)
    assert issubclass(DataError, ValueError)
