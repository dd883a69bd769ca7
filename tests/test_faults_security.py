"""What a stranger's file can do: nothing. No pickle, no code, no bomb."""

import ast
import io
import pickle
import re
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

import mnist_helpers
from mnist_helpers import checkpoints

KEY = "0123456789abcdef"
LIBRARY = sorted(Path(mnist_helpers.__file__).parent.rglob("*.py"))

# -- the library


def imported(tree):
    """What each name of a program stands for: {"np": "numpy", "load": "joblib.load"}."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.split(".")[0]: alias.asname and alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    names = {name: full or name for name, full in names.items()}
    for node in ast.walk(tree):  # n = np, or load = np.load
        if isinstance(node, ast.Assign) and (full := full_name(node.value, names)):
            names |= {target.id: full for target in node.targets if isinstance(target, ast.Name)}
    return names


def full_name(node, names):
    """The dotted name of an expression that begins with an imported name, else None."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute) and (before := full_name(node.value, names)):
        return f"{before}.{node.attr}"
    return None


def is_harmless(call):
    """Whether a call says that it unpickles nothing, or imports from the package itself."""
    first = ast.unparse(call.args[0]) if call.args else ""
    return "allow_pickle=False" in map(ast.unparse, call.keywords) or first.startswith("f'{__package__}.")


def dangers(source):
    """What in a program could run code from a file, or ask the network: modules, names, and what is said in calls."""
    tree = ast.parse(source)
    names, found = imported(tree), set()
    nodes = list(ast.walk(tree))
    parts = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}  # np of np.load
    harmless = {id(node.func) for node in nodes if isinstance(node, ast.Call) and is_harmless(node)}
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name != "pooch"}  # whose names are looked at
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            found |= {ast.unparse(word) for word in node.keywords if word.arg in ("allow_pickle", "shell", "safe_mode")}
        elif isinstance(node, ast.Constant) and str(node.value).startswith("http://"):
            found.add("http://")
        elif isinstance(node, ast.Name | ast.Attribute) and id(node) not in parts:
            name = full_name(node, names) or getattr(node, "id", "")
            found.add(f"{name}, harmless" if id(node) in harmless else name)
    return {name.removeprefix("mnist_helpers.backend.").removeprefix("tensorflow.") for name in found}


RUNS_CODE = re.compile(
    r"(pickle|joblib|dill|cloudpickle|shelve|marshal|yaml|torch)(\.|$)|(builtins\.)?(eval|exec|compile|__import__)$|os\.system$"
    r"|numpy\.load$|(allow_pickle|shell)=(?!False)|safe_mode=(?!True)|pandas\.(.*\.)?read_pickle"
    r"|keras\.(.*\.)?(load_model|deserialize_keras_object|enable_unsafe_deserialization)|importlib\.import_module$|runpy"
)
ASKS_THE_NETWORK = re.compile(
    r"(requests|urllib3|http|socket|ssl|ftplib|smtplib|telnetlib|xmlrpc|httpx|aiohttp|websockets?|tensorflow_datasets"
    r"|tensorflow_hub|huggingface_hub|kagglehub|datasets)(\.|$)|urllib(\.request|$)|pooch(?!\.os_cache$)"
    r"|http://|asyncio\.open_connection|keras\.(utils\.)?get_file|keras\.utils$|keras\.datasets|keras\.applications"
    r"|sklearn\.datasets(\.fetch_|\.\*|$)|seaborn\.load_dataset|numpy\.DataSource"
)


def seen(pattern, source):
    return sorted(name for name in dangers(source) if pattern.match(name))


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_no_module_unpickles_or_evaluates_and_only_one_asks_the_network(path):
    source = path.read_text(encoding="utf-8")
    assert seen(RUNS_CODE, source) == []
    assert path.stem == "download" or seen(ASKS_THE_NETWORK, source) == []


def test_the_one_that_asks_the_network_is_seen():
    source = next(path for path in LIBRARY if path.stem == "download").read_text(encoding="utf-8")
    assert {"pooch.HTTPDownloader", "requests"} <= set(seen(ASKS_THE_NETWORK, source))


CODE = """
import pickle
import pickle as harmless
from joblib import load
exec(text)
run(c, shell=True)
import runpy
import numpy; numpy.load(p)
import numpy as np; np.load(p)
import numpy as np; np.load(p, allow_pickle=True)
import numpy as np; np.load(p, allow_pickle=wish)
import numpy as np; f(np.load)
import numpy as np; n = np; n.load(p)
import numpy as np; read = np.load; read(p)
from numpy import load as read; read(p)
from keras.models import load_model
import keras; keras.saving.load_model(p)
from mnist_helpers.backend import keras; keras.saving.load_model(p)
import pandas as pd; pd.read_pickle(p)
import importlib; importlib.import_module(name)
__import__(name)
""".strip().splitlines()
NETWORK = """
import requests
def f(): import requests
from requests import get
import http.client
import ssl
import urllib; urllib.request.urlopen(u)
from urllib.request import urlopen
url = 'http://x.example'
import pooch; pooch.retrieve(u, None)
import pooch as p; p.create(x)
import pooch; get = pooch; get.retrieve(u)
import pooch; f(pooch)
import pooch.core
from pooch import retrieve
from pooch import *
from keras.utils import get_file
from keras import datasets; datasets.mnist.load_data()
import keras.datasets.mnist
import tensorflow as tf; tf.keras.utils.get_file(u)
from mnist_helpers.backend import keras; keras.datasets.mnist.load_data()
from mnist_helpers.backend import keras as k; k.utils.get_file(u)
from sklearn.datasets import fetch_openml
from sklearn import datasets; datasets.fetch_openml('mnist_784')
import sklearn.datasets as d; d.fetch_openml(x)
import seaborn as sns; sns.load_dataset('iris')
""".strip().splitlines()
HARMLESS = """
import numpy as np; np.load(p, allow_pickle=False)
import pooch; pooch.os_cache('x')
import json; json.load(f)
import re; re.compile(p)
from sklearn.datasets import load_digits
from urllib.parse import urlsplit
from mnist_helpers.backend import keras; keras.utils.set_random_seed(0)
url = 'https://x.example'
""".strip().splitlines()


@pytest.mark.parametrize("source", CODE)
def test_the_check_of_the_modules_sees_what_runs_code(source):
    assert seen(RUNS_CODE, source)


@pytest.mark.parametrize("source", NETWORK)
def test_the_check_of_the_modules_sees_what_asks_the_network(source):
    assert seen(ASKS_THE_NETWORK, source)


@pytest.mark.parametrize("source", HARMLESS)
def test_the_check_of_the_modules_lets_pass(source):
    assert seen(RUNS_CODE, source) == seen(ASKS_THE_NETWORK, source) == []


# -- checkpoints


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(tmp_path / "store"))
    monkeypatch.setattr(checkpoints, "series_directory", lambda: tmp_path / "series")
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


@pytest.mark.parametrize("saved", [False, True], ids=["in place of an array", "as an array"])
def test_a_pickle_in_a_checkpoint_is_not_executed(store, tmp_path, saved):
    trap = tmp_path / "executed"
    payload = np.array([Trap(str(trap))], dtype=object)
    stream = io.BytesIO()
    np.save(stream, payload) if saved else stream.write(pickle.dumps(payload))
    with zipfile.ZipFile(store / f"x-{KEY}.npz", "w") as archive:
        archive.writestr("record.npy", stream.getvalue())
    with pytest.warns(checkpoints.CheckpointWarning, match="is not usable"):
        assert checkpoints.find("x", KEY) is None
    assert not trap.exists()
    pickle.loads(pickle.dumps(payload))[0].close()
    assert trap.exists()  # the trap would have worked


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_that_lies_about_its_size_costs_no_memory(store, method):
    """Its tables say 100 bytes, its content unpacks to 30 million."""
    path = store / f"x-{KEY}.npz"
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        archive.writestr("record.npy", bytes(30_000_000))
    content = path.read_bytes().replace(struct.pack("<I", 30_000_000), struct.pack("<I", 100))
    path.write_bytes(content)
    assert peak_of_refusing("is not usable") < 5e6


def peak_of_refusing(message):
    """The most memory in use while the checkpoint is looked at and passed over, in bytes."""
    tracemalloc.start()
    with pytest.warns(checkpoints.CheckpointWarning, match=message):
        assert checkpoints.find("x", KEY) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("comment", [b"", b"PK\5\6", b"..PK\5\6" + bytes(18)], ids=["alone", "cut", "twice"])
@pytest.mark.parametrize("zip64", [False, True])
def test_an_archive_of_many_members_costs_no_memory(store, zip64, comment):
    """Of each entry in the table of members, zipfile makes an object."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    table = entry * 50_000
    length = len(table)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0 if zip64 else length, 0, len(comment)) + comment
    if zip64:
        long_end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 50_000, 50_000, length, 0)
        end = long_end + struct.pack("<4sLQL", b"PK\6\7", 0, length, 1) + end
    (store / f"x-{KEY}.npz").write_bytes(table + end)
    assert peak_of_refusing("is not usable") < 5e6


def test_a_file_that_is_too_large_is_not_opened(store):
    with (store / f"x-{KEY}.npz").open("wb") as file:
        file.truncate(2**40)
    with pytest.warns(checkpoints.CheckpointWarning, match="more than the 268,435,456 bytes allowed"):
        assert checkpoints.find("x", KEY) is None


def test_an_unfinished_run_of_someone_else_changes_counters_and_nothing_more():
    from mnist_helpers import resume
    from mnist_helpers.backend import keras

    callback = keras.callbacks.ModelCheckpoint("mine.keras", monitor="loss")
    values = {"filepath": "/etc/passwd", "on_epoch_end": 3, "monitor": 0, "best": 0.5, "new": 1, "_model": 7}
    before = dict(vars(callback))
    resume._restore(callback, values, {}, "c0_")
    assert {name for name, value in vars(callback).items() if before.get(name, before) is not value} <= {
        "best",
        "_model",
    }
    assert callback.best == 0.5 and callback.filepath == "mine.keras"
