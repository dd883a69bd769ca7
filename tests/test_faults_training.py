"""Training under faults: no place to store, full disks, forged states. A trained network is never thrown away."""

from pathlib import Path

import numpy as np
import pytest
from small import digits_of, settings, tiny

from mnist_helpers import train
from mnist_helpers.common.backend import keras
from mnist_helpers.training import logs, resume
from mnist_helpers.training import store as checkpoints
from mnist_helpers.training.train import DivergedError

KEY = "0123456789abcdef"
ROW = {"loss": 2.0, "accuracy": 0.5, "val_loss": 2.0, "val_accuracy": 0.5, "learning_rate": 0.001}
FULL = OSError(28, "No space left on device")


pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(scope="module")
def digits():
    return digits_of(100, 20, 20)


# -- nowhere to store


def no_home(tmp_path, monkeypatch):
    monkeypatch.delenv("MNIST_CHECKPOINTS")
    monkeypatch.setenv("MNIST_CACHE", "/dev/null/mnist_helpers")  # what it is where there is no home


def below_a_file(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(tmp_path / "file" / "store"))


def folder_of_somebody_else(tmp_path, monkeypatch):
    """What the system refuses to others, and not to root, who may run this test."""
    for name in ("is_file", "unlink", "mkdir"):
        monkeypatch.setattr(Path, name, refused(getattr(Path, name), tmp_path / "store"))


def refused(real, place):
    def refusing(path, *arguments, **keywords):
        if place in (path, *path.parents):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **keywords)

    return refusing


@pytest.mark.parametrize("how", [no_home, below_a_file, folder_of_somebody_else])
def test_a_run_that_cannot_be_stored_is_returned_with_a_warning(digits, tmp_path, monkeypatch, how):
    how(tmp_path, monkeypatch)
    with pytest.warns(checkpoints.CheckpointWarning, match="could not be kept"):
        run = train(tiny(), digits, **settings(epochs=2))
    assert run.epochs == 2 and run.checkpoint is None
    assert run.model.predict(digits.test.images, verbose=0).shape == (20, 10)


def test_a_state_that_may_not_be_removed_is_in_nobodys_way(digits, store, monkeypatch):
    monkeypatch.setattr(Path, "unlink", refused(Path.unlink, store))
    assert train(tiny(), digits, **settings(epochs=2)).checkpoint
    assert len(list(store.iterdir())) == 2
    assert train(tiny(), digits, **settings(epochs=2)).from_checkpoint


def test_where_the_finished_run_finds_the_disk_full_the_next_trains_the_last_epoch_only(digits, store, monkeypatch):
    whole, fit, epochs = checkpoints.atomic_write, keras.Model.fit, []

    def full(path, content):
        if "unfinished" not in path.name:
            raise FULL
        whole(path, content)

    with monkeypatch.context() as patch, pytest.warns(checkpoints.CheckpointWarning, match="No space left on device"):
        patch.setattr(checkpoints, "atomic_write", full)
        first = train(tiny(), digits, **settings())
    monkeypatch.setattr(keras.Model, "fit", lambda *a, **b: epochs.append(b["initial_epoch"]) or fit(*a, **b))
    second = train(tiny(), digits, **settings())
    assert epochs == [2] and first.checkpoint is None  # counted from 0
    assert [path.name for path in store.iterdir()] == [second.checkpoint]
    assert same(first.model.get_weights(), second.model.get_weights())


# -- logs


def test_a_log_that_finds_the_disk_full_costs_a_warning_and_not_the_run(digits, store, tmp_path, monkeypatch):
    def full(path, content):
        raise FULL

    monkeypatch.setattr(logs, "atomic_write", full)
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "train").write_text("a file where TensorFlow makes a folder")
    with pytest.warns(logs.LogWarning, match="The history could not be written to .*") as told:
        run = train(tiny(), digits, **settings(csv_log=tmp_path / "log.csv", tensorboard=tmp_path / "events"))
    texts = [str(warning.message) for warning in told]
    assert any("log.csv: [Errno 28]" in text for text in texts) and f"{tmp_path / 'events'}: " in texts[-1]
    assert run.epochs == 3 and [path.name for path in store.iterdir()] == [run.checkpoint]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"csv_log": "file/log.csv"},
            ValueError,
            "'csv_log' .* path of a file that can be written. Got 'file/log.csv'",
        ),
        (
            {"csv_log": "folder"},
            ValueError,
            "'csv_log' .* path of a file that can be written. Got 'folder' .it is a fol",
        ),
        ({"csv_log": "nul\0/log.csv"}, ValueError, "'csv_log' parameter of train must be the path of a file"),
        ({"csv_log": 3}, TypeError, "'csv_log' parameter of train must be the path of a file. Got 3 .int. instead"),
        ({"tensorboard": "file"}, ValueError, "'tensorboard' .* path of a folder that can be written. Got 'file'"),
        ({"tensorboard": True}, TypeError, "'tensorboard' .* the path of a folder. Got True .bool. instead"),
    ],
)
def test_a_log_that_cannot_be_written_is_refused_before_training(digits, tmp_path, monkeypatch, change, error, message):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    Path("folder").mkdir()
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("it was trained"))
    with pytest.raises(error, match=message):
        train(tiny(), digits, **settings(**change))


# -- divergence


@keras.saving.register_keras_serializable("tests")
class InfiniteAtTest(keras.layers.Layer):
    """Infinite where nothing is learned, as moving averages can be that ran away."""

    def call(self, inputs, training=None):
        return inputs if training else inputs / 0.0


def test_a_validation_loss_that_is_not_finite_ends_the_run_with_a_clear_error(digits):
    base = tiny()
    model = keras.Sequential([keras.Input((28, 28, 1)), *base.layers, InfiniteAtTest()], name="runaway")
    with pytest.raises(DivergedError, match=r"val_loss of runaway became (nan|inf) in epoch 1\. A smaller"):
        train(model, digits, **settings(loss="mse"))


# -- the state of an unfinished run


def ready():
    """A compiled model and its callbacks, as ``train`` has them before the first epoch."""
    model = tiny()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    return model, resume.SteadyCallbacks([stop], keras.callbacks.Callback(), model)


def everything(model, callbacks):
    arrays = [resume._array(variable) for variable in (*model.variables, *model.optimizer.variables)]
    stop = callbacks.users[0]
    return [*arrays, stop.wait, stop.best, *(stop.best_weights or [])]


def same(first, second):
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def unfinished():
    """The arrays and the record of a run after two epochs of three."""
    model, callbacks = ready()
    for variable in (*model.variables, *model.optimizer.variables):
        variable.assign(variable + 1)
    callbacks.users[0].wait, callbacks.users[0].best = 1, 1.5
    callbacks.users[0].best_weights = model.get_weights()
    state = resume.State().after_epoch(ROW, 1.0, stopped=False).after_epoch(ROW, 1.0, stopped=False)
    resume.save(state, model, callbacks, "x", KEY)
    found = checkpoints.find("x unfinished", KEY)
    record = {name: value for name, value in found.record.items() if name not in ("format", "key")}
    return found.arrays, record, everything(model, callbacks)


def test_a_state_is_put_back_whole():
    _, _, kept = unfinished()
    model, callbacks = ready()
    state = resume.load(model, callbacks, "x", KEY)
    assert (state.epoch, state.seconds, state.stopped) == (2, 2.0, False) and len(state.rows) == 2
    assert same(everything(model, callbacks), kept)


ARRAYS = {
    "a weight of text": lambda arrays: arrays | {"m1": np.full(arrays["m1"].shape, "x")},
    "a weight of other precision": lambda arrays: arrays | {"m1": arrays["m1"].astype(np.complex64)},
    "an optimizer's slot of another shape": lambda arrays: arrays | {"o3": arrays["o3"][:1]},
    "a weight too few": lambda arrays: {name: array for name, array in arrays.items() if name != "m2"},
    "a stranger": lambda arrays: arrays | {"z": arrays["m1"]},
    "best weights without a number": lambda arrays: arrays | {"c0_x": arrays["c0_0"]},
    "best weights of no callback": lambda arrays: arrays | {"c1_0": arrays["c0_0"]},
    "best weights of another shape": lambda arrays: arrays | {"c0_0": arrays["c0_0"][:5]},
    "best weights too few": lambda arrays: {name: array for name, array in arrays.items() if name != "c0_3"},
}
RECORDS = {
    "an epoch of text": {"epoch": "2"},
    "half an epoch": {"epoch": 2.5},
    "no epoch": {"epoch": 0, "rows": []},
    "an epoch too many": {"epoch": 3},
    "rows of text": {"rows": ["a", "b"]},
    "rows without a loss": {"rows": [{"epoch": 1}, {"epoch": 2}]},
    "losses of text": {"rows": [ROW | {"epoch": 1}, ROW | {"epoch": 2, "val_loss": "low"}]},
    "no rows": {"rows": None},
    "seconds of text": {"seconds": "2"},
    "stopped at 7": {"stopped": 7},
    "a callback of text": {"callbacks": ["wait"]},
    "a callback of numbers": {"callbacks": [[1, 2]]},
    "callbacks too many": {"callbacks": [{}, {}]},
    "callbacks by name": {"callbacks": {"stop": {}}},
    "no callbacks": {"callbacks": None},
}


def assert_passed_over(arrays, record):
    checkpoints.write("x unfinished", KEY, arrays, record)
    model, callbacks = ready()
    before = everything(model, callbacks)
    with pytest.warns(checkpoints.CheckpointWarning, match="x-unfinished-.* is not usable"):
        assert resume.load(model, callbacks, "x", KEY) == resume.State()
    assert same(everything(model, callbacks), before)


@pytest.mark.parametrize("change", ARRAYS.values(), ids=ARRAYS)
def test_a_state_with_arrays_that_do_not_fit_is_passed_over_and_nothing_is_changed(change):
    arrays, record, _ = unfinished()
    assert_passed_over(change(arrays), record)


@pytest.mark.parametrize("change", RECORDS.values(), ids=RECORDS)
def test_a_state_whose_record_does_not_fit_is_passed_over_and_nothing_is_changed(change):
    arrays, record, _ = unfinished()
    assert_passed_over(arrays, record | change)
