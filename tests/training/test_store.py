"""The store: keys, verification, damaged files, directories that cannot be written."""

import json
import os
import time
import zipfile
from pathlib import Path

import faults
import numpy as np
import pytest
from faults import CONTEXT

from mnist_helpers.training import store as checkpoints
from mnist_helpers.training.store import packed, unpacked

KEY = "0123456789abcdef"
ARRAYS = {"a": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.array([1, 2], np.uint8)}


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(tmp_path / "user"))
    monkeypatch.setattr(checkpoints, "series_directory", lambda: tmp_path / "series")
    return tmp_path / "user"


def test_what_is_written_is_found():
    path = checkpoints.write("Linear SVM, 85!", KEY, ARRAYS, {"seconds": 2.5})
    assert path.name == f"linear-svm-85-{KEY}.npz"
    found = checkpoints.find(KEY)
    assert found.record["seconds"] == 2.5 and found.path == path
    assert found.arrays["a"].dtype == np.float16
    np.testing.assert_array_equal(found.arrays["a"], ARRAYS["a"])
    assert checkpoints.find("f" * 16) is None


def test_the_series_own_checkpoints_come_first(store, tmp_path):
    checkpoints.write("x", KEY, ARRAYS, {"seconds": 1})
    store.rename(tmp_path / "series")
    checkpoints.write("x", KEY, ARRAYS, {"seconds": 2})
    assert checkpoints.find(KEY).record["seconds"] == 1


def test_only_the_file_itself_remains_after_writing(store):
    checkpoints.write("x", KEY, ARRAYS, {})
    assert [path.name for path in store.iterdir()] == [f"x-{KEY}.npz"]


def repack(path, **changes):
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files} | changes
    np.savez(path, **arrays)


def truncated(path):
    path.write_bytes(path.read_bytes()[:-40])


def bit_flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(bytes(content))


def with_other_weights(path):
    repack(path, a=ARRAYS["a"] + 1)


def with_other_record(path):
    with np.load(path) as stored:
        record = json.loads(stored["record"].tobytes()) | {"seconds": 99}
    repack(path, record=np.frombuffer(json.dumps(record).encode(), np.uint8))


def with_a_pickle(path):
    repack(path, a=np.array([{"run": "me"}], dtype=object))


def under_another_key(path):
    other = checkpoints.write("y", "f" * 16, ARRAYS, {})
    other.rename(path)


def no_archive(path):
    path.write_text("<html>not found</html>")


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "damage",
    [
        truncated,
        bit_flipped,
        with_other_weights,
        with_other_record,
        with_a_pickle,
        under_another_key,
        no_archive,
        empty,
    ],
)
def test_a_damaged_file_is_passed_over_with_a_warning_and_kept(damage):
    path = checkpoints.write("x", KEY, ARRAYS, {"seconds": 1})
    damage(path)
    with pytest.warns(checkpoints.CheckpointWarning, match=f"x-{KEY}.npz is not usable"):
        assert checkpoints.find(KEY) is None
    assert path.is_file()


def test_a_file_that_unpacks_to_too_much_is_not_read(monkeypatch):
    checkpoints.write("x", KEY, {"a": np.zeros(2**20, np.uint8)}, {})
    monkeypatch.setattr(checkpoints, "_MAX_BYTES", 2**19)
    with pytest.warns(checkpoints.CheckpointWarning, match="unpacks to"):
        assert checkpoints.find(KEY) is None


def test_a_directory_that_cannot_be_made_costs_a_warning(store, tmp_path):
    store.write_text("a file where the directory should be")
    with pytest.warns(checkpoints.CheckpointWarning, match="could not be kept"):
        assert checkpoints.write("x", KEY, ARRAYS, {}) is None


def test_a_failed_write_leaves_the_old_file_and_no_other(store, monkeypatch):
    checkpoints.write("x", KEY, ARRAYS, {"seconds": 1})
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.warns(checkpoints.CheckpointWarning, match="No space left"):
        checkpoints.write("x", KEY, ARRAYS, {"seconds": 2})
    monkeypatch.undo()
    assert checkpoints.read(store / f"x-{KEY}.npz", KEY).record["seconds"] == 1
    assert len(list(store.iterdir())) == 1


def test_the_default_directory_is_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("MNIST_CHECKPOINTS")
    monkeypatch.setenv("MNIST_CACHE", str(tmp_path / "cache"))
    assert checkpoints.user_directory() == tmp_path / "cache" / "checkpoints"


def test_files_are_plain_archives_of_arrays():
    path = checkpoints.write("x", KEY, ARRAYS, {})
    with zipfile.ZipFile(path) as archive:
        assert all(Path(name).suffix == ".npy" for name in archive.namelist())


# -- killed at any moment, a full disk, damaged bytes


def kept():
    """The number in the checkpoint, which must be whole."""
    found = checkpoints.find(KEY)
    assert (found.arrays["a"] == found.record["number"]).all()
    return found.record["number"]


@pytest.mark.system
def test_killed_while_it_writes_the_last_whole_state_is_there(store):
    lost = []
    for attempt in range(3):
        written = CONTEXT.Value("i", -1, lock=False)
        process = faults.start(faults.write_for_ever, faults.write_checkpoint, written)
        while written.value < 1:
            assert process.is_alive()
            time.sleep(0.001)
        time.sleep(0.003 * attempt)
        faults.kill(process)
        lost.append(written.value > kept())
        for path in store.glob("*.npz"):
            path.unlink()
    assert not any(lost)


@pytest.mark.parametrize("deadly", [False, True], ids=["full disk", "killed"])
def test_a_file_that_could_not_be_written_whole_leaves_the_old_one(store, deadly):
    faults.write_checkpoint(3)
    path = store / f"x-{KEY}.npz"
    before = path.read_bytes()
    told = CONTEXT.SimpleQueue()
    process = faults.start(faults.with_small_files, len(before) // 2, deadly, faults.write_checkpoint, 4, told)
    process.join(60)
    assert path.read_bytes() == before
    if not deadly:
        assert process.exitcode == 0 and "could not be kept" in told.get()[1][0]
    faults.write_checkpoint(4)
    assert kept() == 4


def test_damaged_bytes_give_a_refusal_or_what_was_stored():
    arrays = {"w0": np.arange(600, dtype=np.float32).reshape(30, 20) ** 0.5, "w1": np.zeros(9, np.float16)}
    path = checkpoints.write("x", KEY, arrays, {"seconds": 1.5})
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 301)]
    rng = np.random.default_rng(3)
    for trial in range(100):
        content = np.frombuffer(whole, np.uint8).copy()
        content[rng.choice(len(content), size=1 + trial % 3)] ^= np.uint8(1 << trial % 8)
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


# -- the rounding of weights


def kernels():
    rng = np.random.default_rng(2)
    scales = 10.0 ** np.arange(-3, 3)  # of the output channels, which differ a lot
    return [rng.normal(size=shape).astype("float32") * scales.astype("float32") for shape in [(30, 6), (5, 5, 4, 6)]]


def vector():
    return np.random.default_rng(3).normal(size=50).astype("float32")


def test_float16_is_the_nearest_and_its_range_is_minded():
    large = np.array([[1.0, 70_000.0]], "float32")
    arrays = packed([*kernels(), large])
    assert {name: array.dtype for name, array in arrays.items()} == {"w0": "f2", "w1": "f2", "w2": "f4"}
    for before, after in zip([*kernels(), large], unpacked(arrays, 3), strict=True):
        assert after.dtype == np.float32
        np.testing.assert_allclose(after, before, rtol=2**-11, atol=2**-25)
    np.testing.assert_array_equal(arrays["w2"], large)


def test_int8_is_wrong_by_at_most_half_a_step_of_its_own_channel():
    arrays = packed([*kernels(), vector()], int8=True)
    for i, before in enumerate(kernels()):
        assert arrays[f"w{i}"].dtype == np.int8 and arrays[f"s{i}"].dtype == np.float32
        largest = abs(before).reshape(-1, 6).max(axis=0)
        np.testing.assert_allclose(arrays[f"s{i}"], largest / 127, rtol=1e-6)
        error = abs(unpacked(arrays, 3)[i] - before).reshape(-1, 6).max(axis=0)
        assert (error <= largest / 254 * (1 + 1e-4)).all() and (error > largest / 300).all()
    assert arrays["w2"].dtype == np.float16  # a bias


def test_a_channel_of_zeros_stays_zero():
    kernel = kernels()[0]
    kernel[:, 2] = 0
    kernel[:, 3] = 1e-44  # a step of this divided by 127 is 0 in float32
    (after,) = unpacked(packed([kernel], int8=True), 1)
    assert (after[:, 2:4] == 0).all() and np.isfinite(after).all()


def test_a_missing_weight_is_an_error():
    with pytest.raises(KeyError, match="w1"):
        unpacked(packed([vector()]), 2)
