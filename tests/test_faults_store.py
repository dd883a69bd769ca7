"""Checkpoints and the leaderboard under faults: killed while writing, a full disk, damaged bytes. Nothing is lost."""

import io
import os
import re
import time
import zipfile
from queue import SimpleQueue

import faults
import numpy as np
import pytest
from faults import CONTEXT, KEY
from small import digits_of

from mnist_helpers import leaderboard
from mnist_helpers.common import files
from mnist_helpers.training import estimators
from mnist_helpers.training import store as checkpoints

FILES = {"checkpoint": f"store/x-{KEY}.npz", "leaderboard": "results/leaderboard.csv"}
WRITERS = {"checkpoint": faults.write_checkpoint, "leaderboard": faults.write_row}
NOT_KEPT = {"checkpoint": "The checkpoint .* could not be kept", "leaderboard": "could not be written to the leader"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(tmp_path / "store"))
    monkeypatch.setenv("MNIST_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("MNIST_PROFILE", "full")
    monkeypatch.setattr(checkpoints, "series_directory", lambda: tmp_path / "series")
    return tmp_path


def kept():
    """The number in the checkpoint, which must be whole."""
    found = checkpoints.find("x", KEY)
    assert (found.arrays["a"] == found.record["number"]).all()
    return found.record["number"]


def rows():
    """The rows of the leaderboard, which must be whole."""
    table = leaderboard.read()
    assert list(table["description"]) == [f"row {number}" for number in range(len(table))]
    assert list(table["errors"]) == [number + 1 for number in range(len(table))]
    images = leaderboard.wrong_images()
    assert all(np.array_equal(images[f"S9.{number}"], np.arange(number + 1)) for number in range(len(table)))
    assert (table["checkpoint"] == "lenet5-0123.npz").all()
    return len(table)


# -- killed at any moment


@pytest.mark.filterwarnings("ignore:The file .* has no row of")  # the one that was being recorded
@pytest.mark.parametrize("what", ["checkpoint", "leaderboard"])
def test_killed_while_it_writes_the_last_whole_state_is_there(folder, what):
    lost = []
    for attempt in range(4):
        written = CONTEXT.Value("i", -1, lock=False)
        process = faults.start(faults.write_for_ever, WRITERS[what], written)
        while written.value < 1:
            assert process.is_alive()
            time.sleep(0.001)
        time.sleep(0.003 * attempt)
        faults.kill(process)
        found = kept() if what == "checkpoint" else rows() - 1
        lost.append(written.value > found)
        for path in [*folder.glob("*/*.npz"), *folder.glob("*/*.csv")]:
            path.unlink()
    assert not any(lost)
    WRITERS[what](0)  # no lock and no ruin is in the way
    assert (folder / FILES[what]).is_file()


# -- a full disk, or the end of the process, in the midst of a file


@pytest.mark.parametrize("deadly", [False, True], ids=["full disk", "killed"])
@pytest.mark.parametrize("what", ["checkpoint", "leaderboard"])
def test_a_file_that_could_not_be_written_whole_leaves_the_old_one(folder, what, deadly):
    for number in range(4):
        WRITERS[what](number)
    before = (folder / FILES[what]).read_bytes()
    told = CONTEXT.SimpleQueue()
    process = faults.start(faults.with_small_files, len(before) // 2, deadly, WRITERS[what], 4, told)
    process.join(60)
    assert (folder / FILES[what]).read_bytes() == before
    ruins = list((folder / FILES[what]).parent.glob(".*.tmp"))
    if deadly:
        assert process.exitcode < 0 and [ruin.stat().st_size for ruin in ruins] == [len(before) // 2]
        os.utime(ruins[0], (time.time() - 7200,) * 2)
    else:
        assert process.exitcode == 0 and not ruins
        _, warnings = told.get()
        assert len(warnings) == 1 and re.search(f"{NOT_KEPT[what]}.*File too large", warnings[0]), warnings
    WRITERS[what](4)
    assert (kept() if what == "checkpoint" else rows() - 1) == 4
    assert not list((folder / FILES[what]).parent.glob(".*.tmp"))


# -- damaged bytes


@pytest.mark.filterwarnings("ignore:invalid escape sequence")  # damaged headers, seen by Python's parser
@pytest.mark.parametrize("compress", [True, False])
def test_a_damaged_checkpoint_gives_a_warning_or_what_was_stored(folder, compress):
    arrays = {"w0": np.arange(600, dtype=np.float32).reshape(30, 20) ** 0.5, "w1": np.zeros(9, np.float16)}
    path = checkpoints.write("x", KEY, arrays, {"seconds": 1.5, "history": [{"loss": 0.25}]}, compress=compress)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 301)]
    rng = np.random.default_rng(3)
    headers = np.r_[0:300, whole.find(b"PK\x01\x02") : len(whole)]
    for trial in range(250):
        content = np.frombuffer(whole, np.uint8).copy()
        content[rng.choice(headers if trial % 2 else len(content), size=1 + trial % 3)] ^= np.uint8(1 << trial % 8)
        damaged.append(content.tobytes())
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            found = checkpoints.read(path, KEY)
        except ValueError:
            refused += 1
        else:
            assert found.record["seconds"] == 1.5 and all(np.array_equal(found.arrays[n], arrays[n]) for n in arrays)
    assert refused > 0.8 * len(damaged)
    with pytest.warns(checkpoints.CheckpointWarning, match="is not usable"):
        path.write_bytes(whole[:-30])
        assert checkpoints.find("x", KEY) is None
    checkpoints.write("x", KEY, arrays, {"seconds": 2.5})
    assert checkpoints.find("x", KEY).record["seconds"] == 2.5


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def text(value):
    return npy(np.frombuffer(value.encode(), np.uint8))


def header_of(size):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": (size,)})
    return stream.getvalue()


@pytest.mark.parametrize(
    "record",
    [
        text("[1]"),
        text("3"),
        text("null"),
        text("[" * 100_000),
        text('{"format": 1, "key": "' + KEY + '", "digest": NaN}'),
        b"no array",
        header_of(2**40),
        header_of(10**30),
        npy(np.float64(1)),
    ],
    ids=["list", "number", "null", "nested", "nan", "text", "terabyte", "endless", "scalar"],
)
def test_a_made_up_checkpoint_is_refused_with_a_warning(folder, record):
    path = folder / FILES["checkpoint"]
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("record.npy", record)
    with pytest.warns(checkpoints.CheckpointWarning, match=f"x-{KEY}.npz is not usable: ."):
        assert checkpoints.find("x", KEY) is None


@pytest.mark.parametrize("content", [b"", b"PK", b"system,description\n", b"\xff\xfe\0\0"])
def test_a_damaged_leaderboard_is_named_and_never_overwritten(folder, content):
    path = folder / FILES["leaderboard"]
    faults.write_row(0)
    whole = path.read_bytes()
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"leaderboard\.csv"):
        faults.write_row(1)
    assert path.read_bytes() == content
    path.write_bytes(whole)
    faults.write_row(1)
    assert rows() == 2


# -- a clock that was set back


@pytest.mark.parametrize("what", ["checkpoint", "leaderboard"])
def test_ruins_from_the_future_are_swept_and_in_nobodys_way(folder, what):
    WRITERS[what](0)
    ruin = folder / FILES[what]
    ruin = ruin.with_name(f".{ruin.name}.abc.tmp")
    ruin.write_text("half")
    os.utime(ruin, (time.time() + 7200,) * 2)
    WRITERS[what](1)
    assert (kept() if what == "checkpoint" else rows() - 1) == 1
    assert not list(ruin.parent.glob(".*.tmp"))


@pytest.mark.parametrize("what", ["checkpoint", "leaderboard"])
def test_a_writer_whose_file_is_swept_away_by_another_tells_it_and_leaves_the_old_one(folder, monkeypatch, what):
    """The clock is set back while a file is written: to another process it looks left over."""
    WRITERS[what](0)
    path, real = folder / FILES[what], os.fsync

    def set_back(handle):
        real(handle)
        for part in path.parent.glob(f".{path.name}.*.tmp"):
            os.utime(part, (time.time() + 7200,) * 2)
            files._sweep(path)  # as the other process does first

    told = SimpleQueue()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", set_back)
        WRITERS[what](1, told)
    _, warnings = told.get()
    assert len(warnings) == 1 and re.search(f"{NOT_KEPT[what]}.*No such file", warnings[0]), warnings
    assert what == "leaderboard" or kept() == 0
    WRITERS[what](1)
    assert (kept() if what == "checkpoint" else rows() - 1) == 1


# -- estimators


def test_a_whole_checkpoint_that_holds_something_else_is_not_taken_for_an_estimators():
    from sklearn.naive_bayes import GaussianNB

    estimator, digits = GaussianNB(), digits_of()
    key = checkpoints.key_of(estimators._description(estimator, digits, "mine", ("validation",)))
    checkpoints.write("mine", key, {"validation": np.zeros(3, np.uint8)}, {"seconds": 1.0})
    with pytest.warns(checkpoints.CheckpointWarning, match="is not usable: KeyError"):
        run = estimators.fit_estimator(estimator, digits, name="mine")
    assert not run.from_checkpoint and len(run.predictions["validation"]) == len(digits.validation)


def test_an_estimator_is_fitted_although_the_store_may_not_be_looked_at(folder, monkeypatch):
    from sklearn.naive_bayes import GaussianNB

    faults.closed(monkeypatch, folder / "store")
    with pytest.warns(checkpoints.CheckpointWarning, match="mine-.*npz is not usable: .*Permission denied"):
        assert not estimators.fit_estimator(GaussianNB(), digits_of(), name="mine").from_checkpoint
