"""Fixtures: a home without MNIST, an empty store, a small MNIST of random pixels, a mirror on this machine."""

import gzip
import hashlib
import io
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from serving import idx_bytes, send

from mnist_helpers.data import fetch
from mnist_helpers.training import store as checkpoints

SYSTEM = ("docs", "notebooks", "setup", "tools")  # folders whose tests start kernels and installers


def pytest_collection_modifyitems(items):
    for item in items:
        in_a_browser = {"show", "lab"} & set(getattr(item, "fixturenames", ()))
        if in_a_browser or (item.path.parent.name in SYSTEM and item.path.parent.parent == Path(__file__).parent):
            item.add_marker("system")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A machine without any copy of MNIST: nothing set, all caches empty. Returns its directory."""
    for name in ("MNIST_DATA", "MNIST_STANDIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MNIST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Checkpoints are kept here, in the full profile, and there are none yet, nor any of the series."""
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(tmp_path / "store"))
    monkeypatch.setattr(checkpoints, "series_directory", lambda: tmp_path / "series")
    monkeypatch.setenv("MNIST_PROFILE", "full")
    return tmp_path / "store"


@pytest.fixture
def real_mnist():
    """The path of the real MNIST, where MNIST_DATA names it."""
    if not (named := os.environ.get("MNIST_DATA")):
        pytest.skip("MNIST_DATA does not name the real MNIST")
    return Path(named).expanduser()


@pytest.fixture(scope="session")
def fake():
    """A small MNIST: ``arrays``, the files that carry them (``npz`` and ``idx``), and what `fetch` must know of it."""
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (240, 28, 28), dtype=np.uint8),
        "y_train": np.arange(240, dtype=np.uint8) % 10,
        "x_test": rng.integers(0, 256, (40, 28, 28), dtype=np.uint8),
        "y_test": np.arange(40, dtype=np.uint8) % 10,
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    idx = {file: gzip.compress(idx_bytes(arrays[name])) for name, (file, _) in fetch.IDX_FILES.items()}
    constants = {
        "ARRAYS": {name: (array.shape, sha256(array.tobytes())) for name, array in arrays.items()},
        "NPZ_HASH": sha256(buffer.getvalue()),
        "IDX_FILES": {name: (file, sha256(idx[file])) for name, (file, _) in fetch.IDX_FILES.items()},
        "MIRRORS": (),
    }
    return SimpleNamespace(arrays=arrays, npz=buffer.getvalue(), idx=idx, constants=constants)


@pytest.fixture
def small_mnist(home, fake, monkeypatch):
    """The small MNIST is looked for, on a machine without a copy; call it to name mirrors, as there are none."""
    for name, value in fake.constants.items():
        monkeypatch.setattr(fetch, name, value)
    return lambda *urls: monkeypatch.setattr(fetch, "MIRRORS", urls)


@pytest.fixture
def serve():
    """Start servers on this machine: ``serve({path: answer, ...})``; an answer is bytes, a status or a function.

    A function gets the request's handler. Returns an object with the ``url`` of the server and the paths ``asked`` for.
    """
    servers = []

    def start(answers):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                asked.append(self.path)
                answer = answers.get(self.path, 404)
                if callable(answer):
                    answer(self)
                elif isinstance(answer, int):
                    self.send_error(answer)
                else:
                    send(self, answer)

            def log_message(self, *args): ...

        asked = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", asked=asked)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def sha256(content):
    return hashlib.sha256(content).hexdigest()
