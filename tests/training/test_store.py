"""The store: keys, verification, damaged files, directories that cannot be written."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mnist_helpers.training import store as checkpoints

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
    found = checkpoints.find("Linear SVM, 85!", KEY)
    assert found.record["seconds"] == 2.5 and found.path == path
    assert found.arrays["a"].dtype == np.float16
    np.testing.assert_array_equal(found.arrays["a"], ARRAYS["a"])
    assert checkpoints.find("Linear SVM, 85!", "f" * 16) is None


def test_the_series_own_checkpoints_come_first(store, tmp_path):
    checkpoints.write("x", KEY, ARRAYS, {"seconds": 1})
    store.rename(tmp_path / "series")
    checkpoints.write("x", KEY, ARRAYS, {"seconds": 2})
    assert checkpoints.find("x", KEY).record["seconds"] == 1


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
        assert checkpoints.find("x", KEY) is None
    assert path.is_file()


def test_a_file_that_unpacks_to_too_much_is_not_read(monkeypatch):
    checkpoints.write("x", KEY, {"a": np.zeros(2**20, np.uint8)}, {})
    monkeypatch.setattr(checkpoints, "_MAX_BYTES", 2**19)
    with pytest.warns(checkpoints.CheckpointWarning, match="unpacks to"):
        assert checkpoints.find("x", KEY) is None


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


def test_keys_depend_on_values_and_not_on_order_or_float_noise():
    key = checkpoints.key_of({"a": 1, "b": [0.001, "x"]})
    assert key == checkpoints.key_of({"b": (float(np.float32(0.001)), "x"), "a": np.int64(1)})
    assert len(key) == 16 and int(key, 16)
    for other in ({"a": 2, "b": [0.001, "x"]}, {"a": 1, "b": [0.0011, "x"]}, {"a": 1, "b": ["x", 0.001]}, {"a": 1}):
        assert checkpoints.key_of(other) != key
    with pytest.raises(TypeError, match="may hold numbers"):
        checkpoints.key_of({"a": object()})


def test_the_store_is_for_complete_runs_on_the_real_mnist(monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "full")
    assert checkpoints.checkpoints_apply("mnist") and not checkpoints.checkpoints_apply("sklearn-digits")
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    assert not checkpoints.checkpoints_apply("mnist")


def test_the_default_directory_is_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("MNIST_CHECKPOINTS")
    monkeypatch.setenv("MNIST_CACHE", str(tmp_path / "cache"))
    assert checkpoints.user_directory() == tmp_path / "cache" / "checkpoints"


def test_files_are_plain_archives_of_arrays():
    path = checkpoints.write("x", KEY, ARRAYS, {})
    with zipfile.ZipFile(path) as archive:
        assert all(Path(name).suffix == ".npy" for name in archive.namelist())
