"""train(): what fit does, reproducible, resumable, stored; early stopping, divergence, interrupts, bad arguments."""

import random
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small import bare, compiled, digits_of, settings, tiny

from mnist_helpers import train
from mnist_helpers.common.backend import keras
from mnist_helpers.training import store as checkpoints
from mnist_helpers.training.keys import key_of
from mnist_helpers.training.recipe import targets_for
from mnist_helpers.training.resume import DivergedError
from mnist_helpers.training.train import TrainingInterrupted, seeded

pytestmark = pytest.mark.usefixtures("store")
HERE = str(Path(__file__).parents[1])


@pytest.fixture(scope="module")
def digits():
    return digits_of()


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def weights_of(run):
    return [weight.copy() for weight in run.model.get_weights()]


def test_the_model_itself_is_trained_from_weights_that_the_seed_draws(digits):
    model = tiny()
    run = train(model, digits, **settings(retrain=True))
    assert run.model is model and model.compiled
    first = weights_of(run)
    assert same(first, weights_of(train(model, digits, **settings(retrain=True))))  # not from where it was
    assert not same(first, weights_of(train(model, digits, **settings(retrain=True, seed=2))))
    assert train(tiny(), digits, **settings(epochs=8, batch_size=8)).validation_accuracy > 0.3


def test_the_seed_leaves_other_random_numbers_alone(digits):
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.RandomState(5).random(3)
    train(tiny(), digits, **settings(epochs=1))
    np.testing.assert_array_equal(np.random.random(3), expected)  # noqa: NPY002


def test_threads_that_draw_meanwhile_change_nothing():
    """As those of dask do: its workers train in one thread, and draw random numbers in others."""

    def weights():
        with seeded(3):
            return bare().get_weights()

    def draw():
        while not over.wait(1e-5):
            random.random(), random.randint(0, 9)  # noqa: S311

    expected, over = weights(), threading.Event()
    other = threading.Thread(target=draw)
    other.start()
    try:
        assert all(same(expected, weights()) for _ in range(5))
    finally:
        over.set()
        other.join()


def test_the_second_time_the_run_is_loaded_into_the_model(digits, capsys):
    first = train(tiny(), digits, **settings(verbose=1))
    told = capsys.readouterr().out
    assert told.startswith("tiny trained: 3 epochs in ") and told.count("\n") == 1 and "validation accuracy" in told
    second = train(tiny(), digits, **settings(verbose=1))
    assert "tiny loaded: trained before, 3 epochs in" in capsys.readouterr().out
    assert second.from_checkpoint and not first.from_checkpoint and second.full
    assert same(weights_of(first), weights_of(second))
    pd.testing.assert_frame_equal(first.history, second.history)
    fields = ("seconds", "train_accuracy", "validation_accuracy", "seed", "device", "parameters", "precision")
    for field in (*fields, "checkpoint", "training_flops", "settings"):
        assert getattr(first, field) == getattr(second, field)
    scores = [run.evaluate(digits.test).probabilities for run in (first, second)]
    np.testing.assert_array_equal(*scores)
    train(tiny(), digits, **settings())
    assert capsys.readouterr().out == ""


def test_training_is_what_a_loop_over_batches_does(digits):
    run = train(tiny(rate=0.0, optimizer="sgd"), digits, **settings())
    given = bare(rate=0.0)
    with seeded(1):
        model = keras.models.clone_model(given)
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    for epoch in range(3):
        order = np.random.default_rng([1, epoch]).permutation(300)
        for start in range(0, 300, 64):
            batch = order[start : start + 64]
            model.train_on_batch(digits.train.images[batch], digits.train.labels[batch])
    for ours, theirs in zip(run.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2**-10, atol=1e-4)  # ours are rounded to float16


@pytest.mark.parametrize("keep", ["weights", "int8"])
def test_a_run_and_its_checkpoint_are_the_same_network_to_the_bit(digits, keep):
    first = train(tiny(), digits, **settings(epochs=1, keep=keep))
    second = train(tiny(), digits, **settings(epochs=1, keep=keep))
    assert second.from_checkpoint and same(weights_of(first), weights_of(second))


def test_the_history_counts_the_epochs_that_were_trained(digits):
    run = train(tiny(), digits, **settings())
    assert list(run.history.index) == [1, 2, 3] and run.epochs == 3 and run.history.index.name == "epoch"
    assert set(run.history) == {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    assert run.history["learning_rate"].tolist() == pytest.approx([0.001] * 3) and run.parameters == 6370


def test_the_model_is_compiled_afterwards_as_it_was_and_the_key_is_that_of_the_settings_as_given(digits, store):
    halving = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, min_delta=100)
    model = tiny(optimizer=keras.optimizers.Adam(0.01))
    run = train(model, digits, **settings(callbacks=[halving]))
    assert run.history["learning_rate"].iloc[-1] < 0.01
    assert float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) == pytest.approx(0.01)
    stored = checkpoints.read(store / run.checkpoint, run.checkpoint[:-4].split("-")[-1])
    assert key_of(stored.record["description"]) == stored.record["key"]
    assert train(model, digits, **settings(callbacks=[halving])).from_checkpoint
    model.fit(digits.train.images, digits.train.labels, verbose=0)  # a learner's own fit goes on from there


def test_labels_and_metrics_suit_whatever_loss_was_compiled(digits):
    model = bare()
    model.compile(optimizer="adam", loss="mse")  # no metrics
    run = train(model, digits, **settings())
    assert np.isfinite(run.history["val_accuracy"]).all() and "metrics" not in run.settings
    assert model.get_compile_config()["metrics"] is None  # as it was


def test_early_stopping_counts_over_epochs_and_restores_the_best_weights(digits):
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    model = tiny(optimizer=keras.optimizers.SGD(5.0))  # so large that the validation loss soon gets worse
    run = train(model, digits, **settings(epochs=60, callbacks=[stop]))
    assert run.epochs < 60 and run.training_flops == 3 * 2 * (784 * 8 + 8 * 10) * 300 * run.epochs
    assert run.epochs == run.history["val_loss"].idxmin() + 2
    assert run.validation_accuracy == pytest.approx(run.history["val_accuracy"][run.history["val_loss"].idxmin()], 0.05)
    assert getattr(stop, "best", None) is None or stop.wait == 0  # the caller's object is not the one that was used


def test_warm_start_goes_on_from_the_weights_of_the_model(digits):
    model = tiny()
    first = train(model, digits, **settings())
    learned = weights_of(first)
    second = train(model, digits, **settings(warm_start=True, epochs=1))
    fresh = train(tiny(), digits, **settings(epochs=1))
    assert second.history.loss[1] < first.history.loss[1] == fresh.history.loss[1]
    model.set_weights(learned)
    assert train(model, digits, **settings(warm_start=True, epochs=1)).from_checkpoint
    assert not train(model, digits, **settings(warm_start=True, epochs=1)).from_checkpoint


def test_variables_spared_weight_decay_stay_spared(digits):
    def decaying(spare):
        optimizer = keras.optimizers.AdamW(0.001, weight_decay=10.0)
        if spare:
            optimizer.exclude_from_weight_decay(var_names=["kernel", "bias"])
        return tiny(optimizer=optimizer)

    runs = {spare: train(decaying(spare), digits, **settings()) for spare in (True, False)}
    assert runs[True].checkpoint != runs[False].checkpoint
    norms = {spare: np.abs(run.model.get_weights()[0]).mean() for spare, run in runs.items()}
    plain = np.abs(train(tiny(), digits, **settings()).model.get_weights()[0]).mean()
    assert norms[True] == pytest.approx(plain, rel=1e-3) and norms[False] < 0.95 * plain


def test_a_diverging_run_stops_with_a_clear_error(digits, store):
    model = tiny(loss="mse", optimizer=keras.optimizers.SGD(1e30))
    with pytest.raises(DivergedError, match=r"loss of tiny became (nan|inf) in epoch \d+.*smaller learning rate"):
        train(model, digits, **settings(epochs=9))
    assert not [path for path in store.glob("*") if "unfinished" not in path.name]


def test_smoke_trains_one_epoch_and_stores_nothing(digits, store, monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    run = train(tiny(), digits, **settings())
    assert not run.full and run.checkpoint is None and run.epochs == 1 and not store.exists()


# -- faults


def test_a_damaged_checkpoint_is_trained_anew(digits, store):
    first = train(tiny(), digits, **settings())
    path = store / first.checkpoint
    path.write_bytes(path.read_bytes()[:200])
    with pytest.warns(checkpoints.CheckpointWarning, match="not usable"):
        again = train(tiny(), digits, **settings())
    assert not again.from_checkpoint and same(weights_of(first), weights_of(again))
    assert train(tiny(), digits, **settings()).from_checkpoint


@pytest.mark.parametrize("name", ["tiny", "tiny unfinished"])
def test_a_checkpoint_of_another_architecture_is_never_used(digits, name):
    first = train(tiny(), digits, **settings(retrain=True))
    key = first.checkpoint[:-4].split("-")[-1]
    (checkpoints.user_directory() / first.checkpoint).unlink()
    row = {"epoch": 1, "loss": 1.0, "accuracy": 1.0, "val_loss": 1.0, "val_accuracy": 1.0, "learning_rate": 1.0}
    record = {"history": [row], "rows": [row], "seconds": 1.0, "device": "x", "precision": "float32", "stopped": False}
    record |= {"train_accuracy": 1.0, "validation_accuracy": 1.0, "callbacks": []}
    checkpoints.write(name, key, {"w0": np.zeros((3, 3)), "m0": np.zeros((3, 3))}, record)
    with pytest.warns(checkpoints.CheckpointWarning, match="not usable"):
        again = train(tiny(), digits, **settings())
    assert not again.from_checkpoint and same(weights_of(first), weights_of(again))


def no_home(tmp_path, monkeypatch):
    monkeypatch.delenv("MNIST_CHECKPOINTS")
    monkeypatch.setenv("MNIST_CACHE", "/dev/null/mnist_helpers")  # what it is where there is no home


def below_a_file(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(tmp_path / "file" / "store"))


@pytest.mark.parametrize("how", [no_home, below_a_file])
def test_a_run_that_cannot_be_stored_is_returned_with_a_warning(digits, tmp_path, monkeypatch, how):
    how(tmp_path, monkeypatch)
    with pytest.warns(checkpoints.CheckpointWarning, match="could not be kept"):
        run = train(tiny(), digits, **settings(epochs=2))
    assert run.epochs == 2 and run.checkpoint is None


def test_where_the_finished_run_finds_the_disk_full_nothing_is_trained_again(digits, store, monkeypatch):
    whole = checkpoints.atomic_write

    def full(path, content):
        if "unfinished" not in path.name:
            raise OSError(28, "No space left on device")
        whole(path, content)

    with monkeypatch.context() as patch, pytest.warns(checkpoints.CheckpointWarning, match="No space left on device"):
        patch.setattr(checkpoints, "atomic_write", full)
        first = train(tiny(), digits, **settings())
    monkeypatch.setattr(keras.Model, "train_on_batch", lambda *_: pytest.fail("it was trained"))
    second = train(tiny(), digits, **settings())
    assert first.checkpoint is None and [path.name for path in store.iterdir()] == [second.checkpoint]
    assert same(weights_of(first), weights_of(second))


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C in the second epoch; it leaves no trace in the key."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1 and Interrupt.armed:
            raise KeyboardInterrupt

    armed = True


def test_an_interrupt_leaves_one_line_and_the_run_goes_on(digits, capsys, monkeypatch):
    undisturbed = train(tiny(), digits, **settings(retrain=True))
    monkeypatch.setattr(Interrupt, "armed", True)
    with pytest.raises(TrainingInterrupted, match="tiny stopped in epoch 2; run the cell again to go on") as caught:
        train(tiny(), digits, **settings(callbacks=[Interrupt()]))
    assert caught.value._render_traceback_() == [str(caught.value)]  # all that IPython shows
    monkeypatch.setattr(Interrupt, "armed", False)
    capsys.readouterr()
    resumed = train(tiny(), digits, **settings(callbacks=[Interrupt()], verbose=1))
    assert "tiny: an interrupted run goes on after epoch 1\n" in capsys.readouterr().out
    assert same(weights_of(undisturbed), weights_of(resumed))


KILLED = """
    import os, signal, sys
    sys.path.insert(0, {tests!r})
    from small import digits_of, settings, tiny
    from mnist_helpers import train
    from mnist_helpers.training import resume
    from mnist_helpers.common.backend import keras

    class Kill(resume.KeepState):
        def on_train_batch_end(self, batch, logs=None):
            if self.progress.epoch == 2 and batch == 2:
                os.kill(os.getpid(), signal.SIGKILL)

    resume.KeepState = Kill
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    train(tiny(), digits_of(), **settings(epochs=5, callbacks=[stop]))
"""


@pytest.mark.system
def test_a_run_killed_within_an_epoch_goes_on_and_ends_with_the_same_weights(digits, store, monkeypatch):
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    undisturbed = train(tiny(), digits, **settings(epochs=5, callbacks=[stop], retrain=True))
    for path in store.iterdir():
        path.unlink()
    script = textwrap.dedent(KILLED.format(tests=HERE))
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=180, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [path.name.split("-")[1] for path in store.iterdir()] == ["unfinished"]
    begun, real = [], keras.Model.fit
    monkeypatch.setattr(keras.Model, "fit", lambda *a, **k: begun.append(k["initial_epoch"]) or real(*a, **k))
    resumed = train(tiny(), digits, **settings(epochs=5, callbacks=[stop]))
    assert begun == [2]  # counted from 0: the epoch in which it was killed
    assert same(weights_of(undisturbed), weights_of(resumed))
    pd.testing.assert_frame_equal(undisturbed.history, resumed.history)
    assert [path.name for path in store.iterdir()] == [resumed.checkpoint]


TWICE = """
    import sys
    sys.path.insert(0, {tests!r})
    from small import digits_of, settings, tiny
    from mnist_helpers import train
    print(train(tiny(), digits_of(), **settings()).validation_accuracy)
"""


@pytest.mark.system
def test_two_kernels_that_train_the_same_leave_one_whole_checkpoint(digits, store):
    script = textwrap.dedent(TWICE.format(tests=HERE))
    both = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=180)[0].splitlines()[-1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    run = train(tiny(), digits, **settings())
    assert run.from_checkpoint and [path.name for path in store.iterdir()] == [run.checkpoint]
    assert [float(accuracy) for accuracy in printed] == [run.validation_accuracy] * 2


# -- arguments


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("sparse_categorical_crossentropy", 3),
        ("categorical_crossentropy", [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        ("mean_squared_error", [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        ("hinge", [-1, -1, -1, 1, -1, -1, -1, -1, -1, -1]),
        ("categorical_hinge", [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_targets_are_what_the_loss_needs(loss, expected):
    for form in (loss, keras.losses.get(loss), keras.losses.deserialize({"class_name": loss, "config": {}})):
        assert targets_for(form, np.array([3]))[0].tolist() == expected


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "'epochs' parameter of train must be at least 1. Got 0"),
        ({"batch_size": 2.5}, TypeError, "'batch_size'.*an integer"),
        ({"seed": -1}, ValueError, "'seed'.*at least 0"),
        ({"callbacks": ["stop"]}, TypeError, "'callbacks'.*Keras callbacks"),
        ({"callbacks": [keras.callbacks.LearningRateScheduler(lambda e: 0.1)]}, ValueError, "Scheduler.schedule, a fu"),
        ({"keep": "all"}, ValueError, "'keep' parameter of train must be one of"),
        ({"keep": "predictions"}, ValueError, "repeat keeps predictions"),
    ],
)
def test_bad_arguments_are_refused(digits, change, error, message):
    with pytest.raises(error, match=message):
        train(tiny(), digits, **settings(**change))


def own_loss(true, predicted):
    return keras.ops.mean(predicted)


def ending_in(*outputs):
    image = keras.Input((28, 28, 1))
    flat = keras.layers.Flatten()(image)
    ends = [keras.layers.Dense(output)(flat) for output in outputs]
    return compiled(keras.Model(image, ends if len(ends) > 1 else ends[0], name="net"), loss="mse")


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda: "lenet5", TypeError, "'model' parameter of train must be a Keras model. Got str"),
        (lambda: keras.Sequential([keras.layers.Dense(10)]), ValueError, "built"),
        (bare, ValueError, "must be compiled. Got 'tiny', which is not instead. For example: model.compile"),
        (lambda: tiny(optimizer=keras.optimizers.Adam(float("nan"))), ValueError, "rate above 0 and finite. Got nan"),
        (lambda: tiny(optimizer=keras.optimizers.Adam(-1.0)), ValueError, "rate above 0 and finite. Got -1"),
        (lambda: tiny(loss=own_loss), ValueError, "'loss' parameter of train .*the function 'own_loss'"),
        (lambda: ending_in(7), ValueError, r"one output of shape \(None, 10\).*Got \(None, 7\)"),
        (lambda: ending_in(10, 10), ValueError, r"Got \[\(None, 10\), \(None, 10\)\]"),
    ],
)
def test_bad_models_are_refused_before_training(digits, model, error, message):
    with pytest.raises(error, match=message):
        train(model(), digits, **settings())


def test_images_of_another_size_are_refused(digits):
    other = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    with pytest.raises(ValueError, match=r"images of shape \(28, 28, 1\)"):
        train(compiled(other), digits, **settings())


def test_a_schedule_must_be_as_long_as_the_run_and_stands_beside_no_plateau(digits):
    schedules = keras.optimizers.schedules
    with pytest.raises(ValueError, match="as long as the run, 15 steps .*Got a CosineDecay of 100 steps"):
        train(tiny(optimizer=keras.optimizers.Adam(schedules.CosineDecay(0.1, 100))), digits, **settings())
    rate = schedules.ExponentialDecay(0.1, 10, 0.5)
    with pytest.raises(ValueError, match="'callbacks' parameter of train .*and the schedule ExponentialDecay"):
        train(
            tiny(optimizer=keras.optimizers.Adam(rate)),
            digits,
            **settings(callbacks=[keras.callbacks.ReduceLROnPlateau()]),
        )
    assert not Path(checkpoints.user_directory()).exists()
