"""Members trained by executors: the files, weights and figures of one process, whatever dies on the way."""

import multiprocessing
import os
import signal
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
from small import bare, compiled, digits_of, settings, tiny

from mnist_helpers import repeat, train_committee
from mnist_helpers.common.backend import keras
from mnist_helpers.data import mnist
from mnist_helpers.models.augmentation import RandomAffine, augmented

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(scope="module")
def digits():
    return digits_of(120, 30, 30)


def in_one_process(store, study):
    """What a study gives, and the files that it leaves, in a store of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_CHECKPOINTS", str(store.parent / "alone"))
        return study(), files(store.parent / "alone")


def files(folder):
    """The files of a store, and the arrays in them: all but the record, which tells how long it took."""
    stored = {}
    for path in sorted(folder.iterdir()):
        with np.load(path) as archive:
            stored[path.name] = {name: archive[name].tobytes() for name in archive.files if name != "record"}
    return stored


def rotated():
    """A network with a layer of the library, dropout, and an optimizer that spares the biases."""
    optimizer = keras.optimizers.AdamW(weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    loss = keras.losses.SparseCategoricalCrossentropy()
    return compiled(augmented(bare(), RandomAffine(rotation=20)), optimizer=optimizer, loss=loss)


class DiesOnce(keras.callbacks.Callback):
    """Kill the first process in which a second epoch begins, as a computer that fails would."""

    def __init__(self, path):
        super().__init__()
        self.path = str(path)

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1 and not Path(self.path).exists():
            Path(self.path).touch()
            os.kill(os.getpid(), signal.SIGKILL)


class InPlace(Executor):
    """Does a job at once, here."""

    def submit(self, function, /, *arguments):
        future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


def committee(digits, executor=None, factory=tiny, **changes):
    return train_committee(factory, digits, executor=executor, **settings(members=2, epochs=2) | changes)


def same_weights(one, other):
    for mine, yours in zip(one.models, other.models, strict=True):
        for weight, twin in zip(mine.get_weights(), yours.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, twin)


def test_a_committee_by_threads_is_that_of_one_process(digits, store):
    """Threads share Keras's random generators, so that they take turns."""
    stop = keras.callbacks.EarlyStopping("loss", mode="max", patience=1, restore_best_weights=True)
    chosen = {"factory": rotated, "callbacks": [stop], "epochs": 4, "keep": "int8"}
    alone, stored = in_one_process(store, lambda: committee(digits, **chosen))
    with ThreadPoolExecutor(2) as executor:
        together = committee(digits, executor, **chosen)
    assert files(store) == stored and len(stored) == 2
    same_weights(alone, together)
    for one, other in zip(alone.runs, together.runs, strict=True):
        assert one.history.equals(other.history) and one.checkpoint == other.checkpoint and one.seed == other.seed
        assert one.epochs == 2 and one.validation_accuracy == other.validation_accuracy and not other.from_checkpoint
        assert other.evaluate(digits.test).errors == one.evaluate(digits.test).errors


def test_only_what_is_not_stored_is_trained(digits):
    asked = []

    class Counting(InPlace):
        def submit(self, function, /, *arguments):
            asked.append(arguments)
            return super().submit(function, *arguments)

    first = committee(digits, members=1, epochs=1)
    second = committee(digits, Counting(), members=2, epochs=1)
    assert len(asked) == 1 and [run.from_checkpoint for run in second.runs] == [True, False]
    same_weights(first, type(first)(second.runs[:1]))
    assert not committee(digits, Counting(), members=1, epochs=1, retrain=True).runs[0].from_checkpoint


def test_what_comes_from_another_store_is_filed_here_though_a_member_fails(digits, store, monkeypatch):
    class Elsewhere(InPlace):
        def submit(self, function, /, *arguments):
            jobs.append(arguments)
            with monkeypatch.context() as patch:
                patch.setenv("MNIST_CHECKPOINTS", str(store.parent / "elsewhere"))
                return super().submit(function if len(jobs) == 2 else lambda *_: 1 / 0, *arguments)

    jobs = []
    with pytest.raises(ZeroDivisionError):
        committee(digits, Elsewhere(), epochs=1)
    assert files(store) == files(store.parent / "elsewhere") and len(files(store)) == 1


def test_a_study_by_an_executor_is_that_of_one_process(digits, store, capsys):
    chosen = {"epochs": 1, "seeds": range(2), "batch_size": 64}
    alone, stored = in_one_process(store, lambda: repeat(tiny, digits, **chosen))
    told = capsys.readouterr().out
    for loaded in (False, True):
        together = repeat(tiny, digits, executor=InPlace(), **chosen)
        assert files(store) == stored and capsys.readouterr().out == told
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one.predictions["test"], other.predictions["test"])
            assert one.history.equals(other.history) and other.from_checkpoint is loaded


def test_digits_that_a_worker_can_load_do_not_travel(digits, monkeypatch):
    class Weighing(Executor):
        def submit(self, function, /, job):
            sizes.append(len(job))
            raise InterruptedError

    sizes = []
    for loaded in ([], [digits]):
        monkeypatch.setattr(mnist, "_loaded", loaded)
        with pytest.raises(InterruptedError):
            committee(digits, Weighing())
    assert sizes[0] - sizes[1] > digits.train.images.nbytes


def test_a_worker_with_other_digits_says_so(digits, monkeypatch):
    class Elsewhere(InPlace):
        def submit(self, function, /, job):
            monkeypatch.setattr(mnist, "_loaded", [digits_of(60, 20, 20)])
            return super().submit(function, job)

    monkeypatch.setattr(mnist, "_loaded", [digits])
    with pytest.raises(ValueError, match="A worker has other digits than you: .*MNIST_DATA and MNIST_PROFILE"):
        committee(digits, Elsewhere())


def test_a_smoke_run_keeps_nothing_and_a_bar_counts_the_members(digits, store, monkeypatch):
    lines = []

    class Line:
        def show(self, done, text):
            lines.append((done, text))

        def close(self):
            lines.append("gone")

    monkeypatch.setattr("mnist_helpers.training.executors.TerminalLine", Line)
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    assert [run.checkpoint for run in committee(digits, InPlace(), verbose=1).runs] == [None, None]
    assert not store.exists()
    assert lines[-2][0] == 1 and lines[-2][1].startswith("tiny: 2 of 2 trained") and lines[-1] == "gone"


class WithLock(keras.callbacks.Callback):
    """A callback that cannot be pickled, for a reason that its description does not see."""

    def __reduce__(self):
        raise TypeError("cannot pickle 'lock' object")


class Unknown(keras.layers.Layer):
    def get_config(self):
        return super().get_config()

    def call(self, inputs):
        return inputs


def with_a_layer_of_a_notebook():
    layer = type("Homemade", (Unknown,), {"get_config": Unknown.get_config})()
    return compiled(keras.Sequential([keras.Input((28, 28, 1)), layer, *bare().layers], name="homemade"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"executor": "four"}, "'executor' parameter of train_committee must be a concurrent.futures.Exec.*Got 'four'"),
        ({"callbacks": [WithLock()]}, "'callbacks' parameter of train_committee .*pickle can send.*'lock'"),
        (
            {"factory": with_a_layer_of_a_notebook},
            "A worker cannot read the network or a callback.*notebook: Could not locate class 'Homemade'",
        ),
    ],
)
def test_what_cannot_travel_is_named(digits, store, changes, message):
    with pytest.raises(TypeError, match=message):
        committee(digits, changes.pop("executor", InPlace()), **changes)
    assert not store.exists()
    with pytest.raises(ValueError, match="'keep' parameter of train must be one of {'weights', 'int8'}"):
        committee(digits, InPlace(), keep="predictions")
    with pytest.raises(TypeError, match="'executor' parameter of repeat"):
        repeat(tiny, digits, epochs=1, executor=3)


@pytest.fixture(scope="module")
def killer(tmp_path_factory):
    return DiesOnce(tmp_path_factory.mktemp("killer") / "died")


@pytest.fixture
def alone(digits, store, killer):
    """The committee in one process, and its files."""
    Path(killer.path).touch()
    made = in_one_process(store, lambda: committee(digits, members=2, callbacks=[killer]))
    Path(killer.path).unlink()
    return made


@pytest.mark.system
@pytest.mark.timeout(1800)  # six processes import TensorFlow, each in its own time
def test_a_process_is_killed_and_a_second_run_finishes(digits, store, alone, killer):
    def spawned():
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
            return committee(digits, executor, members=2, callbacks=[killer])

    with pytest.raises(BrokenProcessPool):
        spawned()
    assert Path(killer.path).exists()
    same_weights(alone[0], spawned())
    assert files(store) == alone[1] and len(alone[1]) == 2


@pytest.mark.system
@pytest.mark.timeout(1800)  # six processes import TensorFlow, each in its own time
def test_a_cluster_replaces_the_worker_that_is_killed(digits, store, alone, killer):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        together = committee(digits, client.get_executor(), members=2, callbacks=[killer])
    assert Path(killer.path).exists()
    same_weights(alone[0], together)
    assert files(store) == alone[1] and len(alone[1]) == 2
    assert [run.from_checkpoint for run in committee(digits, members=2, callbacks=[killer]).runs] == [True] * 2
