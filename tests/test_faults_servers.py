"""Mirrors that stall, break off, lead elsewhere or send something else: a message, no ruins, and the next one helps."""

import gzip
import http.server
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
import tracemalloc
from shutil import which

import faults
import numpy as np
import pytest
import requests
from conftest import send
from faults import assert_one_verified_copy
from test_containers import npz_of

from mnist_helpers.data import download
from mnist_helpers.data.download import FetchError, Limits, Mirror, fetch
from mnist_helpers.data.sources import CACHE_FILE, cache_directory, find

IMPATIENT = Limits(answer=20, stall=1.5, total=60, retries=0, delay=0.01)


@pytest.fixture(autouse=True)
def empty(home):
    """Nothing is there yet, and only this machine is spoken to."""
    return home


def redirect(address):
    def answer(handler):
        handler.send_response(302)
        handler.send_header("Location", address)
        handler.end_headers()

    return answer


def stall(handler):
    send(handler, b"PK\3\4" + bytes(20_000), length=10**6)
    time.sleep(5)


def reset(handler):
    send(handler, b"PK\3\4" + bytes(20_000), length=10**6)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def sign_in(handler):
    send(handler, b"<!DOCTYPE html><html><body>Please accept our terms</body></html>")


def other_protocol(handler):
    handler.wfile.write(b"220 mail.example ESMTP\r\n")


def not_a_length(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "many")
    handler.end_headers()


def swollen(handler):
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.end_headers()
    handler.wfile.write(gzip.compress(bytes(40 * 2**20), 1))


def wrong_file(handler):
    rng = np.random.default_rng(7)  # as Fashion-MNIST: everything but the content is as it should be
    shapes = {"x_train": (240, 28, 28), "y_train": (240,), "x_test": (40, 28, 28), "y_test": (40,)}
    arrays = {name: rng.integers(0, 10, shape, np.uint8) for name, shape in shapes.items()}
    send(handler, npz_of(**arrays).getvalue())


BAD = {
    stall: "stalled for 1.5 s",
    reset: "the transfer broke off",
    sign_in: "not a complete npz archive",
    other_protocol: "BadStatusLine",
    not_a_length: "invalid literal for int.. with base 10: .many",
    swollen: "larger than 16,777,216 bytes",
    wrong_file: "must have the SHA-256",
    redirect("http://other.example/mnist.npz"): "leads to http://other.example, which is no listed mirror",
    redirect("//127.0.0.1:1/mnist.npz"): "leads to http://127.0.0.1:1, which is no listed mirror",
    redirect("file:///etc/passwd"): "leads to file://, which is no listed mirror",
    redirect("/mnist.npz"): "Exceeded 30 redirects",
}


@pytest.mark.filterwarnings("ignore:.*does not deliver MNIST")
@pytest.mark.parametrize(("fault", "reason"), BAD.items())
def test_a_bad_server_costs_a_message_and_leaves_nothing(serve, fake, fault, reason):
    answers = {"/mnist.npz": fault}
    bad, good = serve(answers), serve({"/mnist.npz": fake.npz})
    urls = [f"{server.url}/mnist.npz" for server in (bad, good)]
    limits = IMPATIENT if fault is stall else faults.LIMITS
    with pytest.raises(FetchError, match=f"No mirror of MNIST delivered it. 127.0.0.1:.*{reason}"):
        find(faults.catalogue(fake, urls[0], limits=limits))
    assert {path.name for path in cache_directory().iterdir()} <= {f".{CACHE_FILE}.lock"}
    assert find(faults.catalogue(fake, *urls, limits=limits)).origin.endswith(good.url.rpartition("/")[2])
    assert_one_verified_copy(fake)
    (cache_directory() / CACHE_FILE).unlink()
    answers["/mnist.npz"] = fake.npz  # the server has been mended
    find(faults.catalogue(fake, urls[0]))
    assert_one_verified_copy(fake)


def test_a_redirect_within_the_mirror_is_followed(serve, fake):
    server = serve({"/mnist.npz": redirect("/moved.npz"), "/moved.npz": fake.npz})
    fetch([Mirror(f"{server.url}/mnist.npz", "npz")], fake.specs, faults.LIMITS)
    assert server.asked == ["/mnist.npz", "/moved.npz"]


@pytest.mark.parametrize("packed", [False, True])
def test_nothing_that_comes_with_a_redirect_is_read(serve, fake, packed):
    sent = []
    piece = gzip.compress(bytes(2**24), 1) if packed else bytes(2**16)  # 16 MiB unpacked, each time

    def endless(handler):
        handler.send_response(302)
        handler.send_header("Location", "/moved.npz")
        handler.send_header("Content-Encoding", "gzip" if packed else "identity")
        handler.end_headers()
        try:
            while len(sent) < 2000:
                handler.wfile.write(piece)
                sent.append(len(piece))
        except OSError:
            sent.append("stopped")  # the client went away, as it should

    server = serve({"/mnist.npz": endless, "/moved.npz": fake.npz})
    tracemalloc.start()
    fetch([Mirror(f"{server.url}/mnist.npz", "npz")], fake.specs, Limits(answer=5, total=10, retries=0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert server.asked == ["/mnist.npz", "/moved.npz"] and peak < 12e6


@pytest.mark.parametrize(
    ("location", "refused"),
    [
        ("http://mirror.example/mnist.npz", True),
        ("https://mirror.example.evil.example/mnist.npz", True),
        ("https://mirror.example@evil.example/mnist.npz", True),
        ("ftp://mirror.example/mnist.npz", True),
        ("/elsewhere/mnist.npz", False),
        ("https://mirror.example/elsewhere.npz", False),
    ],
)
def test_no_redirect_leads_away_from_https_or_from_the_mirror(location, refused):
    response = requests.Response()
    response.url, response.status_code, response.headers["location"] = "https://mirror.example/m.npz", 302, location
    if refused:
        with pytest.raises(download._Failure, match="which is no listed mirror"):
            download._check_redirect(response)
    else:
        download._check_redirect(response)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for this machine that nobody trusts, and its key."""
    if which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate")
    key, path = (tmp_path_factory.mktemp("tls") / name for name in ("key.pem", "certificate.pem"))
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(path)]
    subprocess.run(["openssl", *options.split(), *names], check=True, capture_output=True)
    return path, key


def test_over_tls_only_a_trusted_server_is_heard_and_no_redirect_to_http(serve, fake, certificate, monkeypatch):
    plain = serve({"/mnist.npz": fake.npz})

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            redirect(f"{plain.url}/mnist.npz")(self) if "moved" in self.path else send(self, fake.npz)

        def log_message(self, *args): ...

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        url = f"https://127.0.0.1:{server.server_port}"
        with pytest.raises(FetchError, match="not reachable .SSLError"):
            fetch([Mirror(f"{url}/mnist.npz", "npz")], fake.specs, faults.LIMITS)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
        assert fetch([Mirror(f"{url}/mnist.npz", "npz")], fake.specs, faults.LIMITS)
        with pytest.raises(FetchError, match="leads to http://127.0.0.1:[0-9]+, which is no listed mirror"):
            fetch([Mirror(f"{url}/moved.npz", "npz")], fake.specs, faults.LIMITS)
        server.shutdown()
    assert not plain.asked
