"""What a stranger's file can do: nothing. No pickle, no code, no bomb, no script, no file from elsewhere."""

import ast
import base64
import hashlib
import io
import pickle
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_output
from sample_notebooks import code, text, write

import mnist_helpers
from mnist_helpers import checkpoints
from mnist_helpers.editions import write_student_edition
from mnist_helpers.site import Site
from mnist_helpers.slides import write_slides

KEY = "0123456789abcdef"
LIBRARY = sorted(Path(mnist_helpers.__file__).parent.rglob("*.py"))

# -- the library


def dangers(source):
    """What in a program could run code from a file, or ask the network."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {part for alias in node.names for part in (alias.name, alias.name.split(".")[0])}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, node.module.split(".")[0]} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            safe = any(
                keyword.arg == "allow_pickle" and not ast.literal_eval(keyword.value) for keyword in node.keywords
            )
            found.add("np.load without allow_pickle=False" if name == "np.load" and not safe else name)
            found |= {ast.unparse(word) for word in node.keywords if word.arg in ("allow_pickle", "shell", "safe_mode")}
        elif isinstance(node, ast.Constant) and str(node.value).startswith("http://"):
            found.add("http://")
    return found


RUNS_CODE = {"pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal", "yaml", "eval", "exec", "os.system"}
RUNS_CODE |= {"np.load without allow_pickle=False", "allow_pickle=True", "shell=True", "safe_mode=False"}
RUNS_CODE |= {"keras.models.load_model", "keras.saving.load_model", "pd.read_pickle", "compile"}
ASKS_THE_NETWORK = {"requests", "urllib3", "urllib.request", "http", "socket", "ftplib", "httpx", "aiohttp", "http://"}


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_no_module_unpickles_or_evaluates_and_only_one_asks_the_network(path):
    found = dangers(path.read_text(encoding="utf-8"))
    assert not found & RUNS_CODE
    assert path.stem == "download" or not found & ASKS_THE_NETWORK


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from joblib import load", "np.load(p)", "np.load(p, allow_pickle=True)", "exec(text)"]
    + ["import http.client", "from urllib.request import urlopen", "url = 'http://x.example'", "run(c, shell=True)"],
)
def test_the_check_of_the_modules_sees(source):
    assert dangers(source) & (RUNS_CODE | ASKS_THE_NETWORK)


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


def test_an_archive_that_lies_about_its_size_costs_no_memory(store):
    """Its tables say 100 bytes, its content unpacks to 30 million."""
    path = store / f"x-{KEY}.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("record.npy", bytes(30_000_000))
    content = path.read_bytes().replace(struct.pack("<I", 30_000_000), struct.pack("<I", 100))
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.warns(checkpoints.CheckpointWarning, match="is not usable"):
        assert checkpoints.find("x", KEY) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6


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


# -- notebooks

EVIL = "<script>evil()</script>"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A stranger's notebook, and what is made of it without executing it: the page and the slides."""
    folder = tmp_path_factory.mktemp("above")
    (folder / "secret.txt").write_text("nobody's business")
    (folder / "secret.png").write_bytes(b"nobody's business")
    links = f"[s](../secret.txt) [t]({folder}/secret.txt) [u](%2e%2e/secret.txt) ![p](../secret.png)"
    frames = "<iframe src='https://e.example'></iframe><meta http-equiv='refresh' content='0;url=https://e.example'>"
    prose = f"# T </title>{EVIL}\n\n**What you will learn:** {EVIL}\n\n{links} [x](javascript:evil())\n\n{frames}"
    cell = code(f"open({str(folder / 'executed')!r}, 'w')")
    cell.metadata["alt"] = f'">{EVIL}'
    images = "<img src=x onerror=evil() OnLoad=evil()><a href=' java\tscript:evil()'>y</a><svg onload=evil()></svg>"
    outputs = {
        "text/html": f"{EVIL}{images}{frames}<base href='https://e.example'><link rel=stylesheet href='https://e.example'>",
        "application/javascript": "evil()",
        "image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{EVIL}</svg>",
        "text/markdown": f"{EVIL}\n\n[z](javascript:evil())",
        "text/latex": f"${EVIL}$",
    }
    cell.outputs = [new_output("display_data", data={mime: data}) for mime, data in outputs.items()]
    cell.outputs.append(new_output("error", ename=EVIL, evalue=EVIL, traceback=[EVIL]))
    path = write(folder / "notebooks" / "00_<b>x.ipynb", text(prose), cell)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Site(folder / "html", path.parent).complete()
        (deck,) = write_slides(notebooks=path.parent, output=folder / "slides")
        write_student_edition(notebooks=path.parent, output=folder / "student")
    assert not (folder / "executed").exists()
    made = {"page": folder / "html" / "00_<b>x.html", "slides": deck, "index": folder / "html" / "index.html"}
    return {name: file.read_text(encoding="utf-8") for name, file in made.items()}


@pytest.mark.parametrize("name", ["page", "slides", "index"])
def test_a_page_carries_no_script_but_its_own_and_its_policy_allows_no_other(pages, name):
    soup = BeautifulSoup(pages[name], "html.parser")
    scripts = [tag.string for tag in soup.find_all("script")]
    assert len(scripts) == (name != "index") and not any("evil" in script for script in scripts)
    charset, policy = soup.head.find_all("meta")[:2]
    assert charset.has_attr("charset") and policy["http-equiv"] == "Content-Security-Policy"
    assert soup.head.find_all(True)[:2] == [charset, policy]  # nothing is before it
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    rules = dict(rule.split(None, 1) for rule in policy["content"].split("; "))
    assert rules["script-src"] == (f"'sha256-{digests[0]}'" if digests else "'none'")
    assert (rules["default-src"], rules["img-src"], rules["base-uri"]) == ("'none'", "data:", "'none'")


@pytest.mark.parametrize("name", ["page", "slides", "index"])
def test_a_page_carries_nothing_else_that_acts(pages, name):
    soup = BeautifulSoup(pages[name], "html.parser")
    for tag in soup.body.find_all(True):
        assert tag.name not in ("iframe", "object", "embed", "base", "meta", "link")
        assert not [attribute for attribute in tag.attrs if attribute.startswith("on")]
        assert "script:" not in str(tag.get("href", "")).lower()


@pytest.mark.parametrize("name", ["page", "slides", "index"])
def test_a_page_carries_no_file_from_outside_of_its_folder(pages, name):
    for offset in range(3):  # base64 looks different at each place
        encoded = base64.b64encode(b"_" * offset + b"nobody's business").decode()[4:-4]
        assert encoded not in pages[name]
    assert "nobody's business" not in pages[name]
