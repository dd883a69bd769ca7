"""train(): reproducible, resumable, stored; early stopping, logs, divergence, bad arguments."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from small import digits_of, settings, tiny

from mnist_helpers import train
from mnist_helpers.common.backend import keras
from mnist_helpers.training import store as checkpoints
from mnist_helpers.training.plan import targets_for
from mnist_helpers.training.train import DivergedError, seeded

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(scope="module")
def digits():
    return digits_of()


def same_weights(first, second):
    pairs = zip(first.model.get_weights(), second.model.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_same_seed_same_weights_and_the_given_model_is_not_touched(digits):
    model = tiny()
    before = model.get_weights()
    first = train(model, digits, **settings(retrain=True))
    second = train(model, digits, **settings(retrain=True))
    other = train(model, digits, **settings(retrain=True, seed=2))
    assert same_weights(first, second) and not same_weights(first, other)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert train(tiny(), digits, **settings(epochs=8, batch_size=8)).validation_accuracy > 0.3


def test_the_seed_leaves_other_random_numbers_alone(digits):
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.RandomState(5).random(3)
    train(tiny(), digits, **settings(epochs=1))
    np.testing.assert_array_equal(np.random.random(3), expected)  # noqa: NPY002


def test_the_second_time_the_run_is_loaded(digits, capsys):
    first = train(tiny(), digits, **settings())
    second = train(tiny(), digits, **settings())
    assert second.from_checkpoint and not first.from_checkpoint and second.full
    assert same_weights(first, second)
    pd.testing.assert_frame_equal(first.history, second.history)
    told = ("seconds", "train_accuracy", "validation_accuracy", "seed", "device", "checkpoint", "parameters")
    for field in (*told, "training_flops"):
        assert getattr(first, field) == getattr(second, field)
    assert "tiny: loaded (3 epochs in" in capsys.readouterr().out


def test_training_is_what_a_loop_over_batches_does(digits):
    run = train(tiny(rate=0.0), digits, **settings(optimizer="sgd"))
    given = tiny(rate=0.0)
    with seeded(1):
        model = keras.models.clone_model(given)
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    for epoch in range(3):
        order = np.random.default_rng([1, epoch]).permutation(300)
        for start in range(0, 300, 64):
            batch = order[start : start + 64]
            model.train_on_batch(digits.train.images[batch], digits.train.labels[batch])
    for ours, theirs in zip(run.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-3)  # ours are rounded to float16


def test_weights_are_those_of_the_checkpoint_to_the_bit(digits):
    run = train(tiny(), digits, **settings())
    for weight in run.model.get_weights():
        np.testing.assert_array_equal(weight, weight.astype(np.float16).astype(np.float32))


def test_the_history_counts_the_epochs_that_were_trained(digits):
    run = train(tiny(), digits, **settings())
    assert list(run.history.index) == [1, 2, 3] and run.epochs == 3 and run.history.index.name == "epoch"
    assert set(run.history) == {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    assert run.history["learning_rate"].tolist() == pytest.approx([0.001] * 3) and run.parameters == 6370


def test_a_record_holds_the_settings_as_given_and_not_as_a_callback_left_them(digits, store):
    halving = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, min_delta=100)
    run = train(tiny(), digits, **settings(callbacks=[halving]))
    assert run.history["learning_rate"].iloc[-1] < 0.001
    stored = checkpoints.read(store / run.checkpoint, run.checkpoint[:-4].split("-")[-1])
    assert checkpoints.key_of(stored.record["description"]) == stored.record["key"]


def test_early_stopping_counts_over_epochs_and_restores_the_best_weights(digits):
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    rate = keras.optimizers.SGD(5.0)  # so large that the validation loss soon gets worse
    run = train(tiny(), digits, **settings(epochs=60, optimizer=rate, callbacks=[stop]))
    assert run.epochs < 60 and run.training_flops == 3 * 2 * (784 * 8 + 8 * 10) * 300 * run.epochs
    assert run.epochs == run.history["val_loss"].idxmin() + 2
    assert run.validation_accuracy == pytest.approx(run.history["val_accuracy"][run.history["val_loss"].idxmin()], 0.05)
    assert stop.best is None or stop.wait == 0  # the caller's object is not the one that was used


def test_predictions_alone_can_be_kept(digits, store):
    first = train(tiny(), digits, **settings(keep="predictions"))
    second = train(tiny(), digits, **settings(keep="predictions"))
    assert second.model is None and second.from_checkpoint
    expected = first.model.predict(digits.test.images, verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(second.predictions["test"], expected)
    assert second.predictions["validation"].dtype == np.int64


def test_warm_start_goes_on_from_the_weights_of_the_model(digits):
    first = train(tiny(), digits, **settings())
    second = train(first.model, digits, **settings(warm_start=True, epochs=1))
    fresh = train(tiny(), digits, **settings(epochs=1))
    assert second.history.loss[1] < first.history.loss[1] == fresh.history.loss[1]
    assert train(first.model, digits, **settings(warm_start=True, epochs=1)).from_checkpoint
    assert not train(second.model, digits, **settings(warm_start=True, epochs=1)).from_checkpoint


def test_a_csv_log_is_replaced_not_appended_to(digits, tmp_path):
    for _ in range(2):
        run = train(tiny(), digits, **settings(csv_log=tmp_path / "log.csv"))
        log = pd.read_csv(tmp_path / "log.csv", index_col="epoch")
        pd.testing.assert_frame_equal(log, run.history, rtol=1e-4)


def test_tensorboard_gets_one_curve(digits, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    for _ in range(2):
        run = train(tiny(), digits, **settings(tensorboard=tmp_path))
        events = EventAccumulator(str(tmp_path / "validation")).Reload()
        scalars = events.Tensors("epoch_accuracy")
        assert [event.step for event in scalars] == [1, 2, 3]
        values = [float(make_ndarray(event.tensor_proto)) for event in scalars]
        assert values == pytest.approx(list(run.history["val_accuracy"]))


def test_a_diverging_run_stops_with_a_clear_error(digits, store):
    with pytest.raises(DivergedError, match=r"loss of tiny became (nan|inf) in epoch \d+.*smaller learning rate"):
        train(tiny(), digits, **settings(epochs=9, loss="mse", optimizer=keras.optimizers.SGD(float("1e30"))))
    assert not [path for path in store.glob("*") if "unfinished" not in path.name]


def test_smoke_trains_and_stores_nothing(digits, store, monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    run = train(tiny(), digits, **settings())
    assert not run.full and run.checkpoint is None and not store.exists()


def test_a_damaged_checkpoint_is_trained_anew(digits, store):
    first = train(tiny(), digits, **settings())
    path = store / first.checkpoint
    path.write_bytes(path.read_bytes()[:200])
    with pytest.warns(checkpoints.CheckpointWarning, match="not usable"):
        again = train(tiny(), digits, **settings())
    assert not again.from_checkpoint and same_weights(first, again)
    assert train(tiny(), digits, **settings()).from_checkpoint


def forged(name, key, network):
    """Put a whole checkpoint of another network under this name and key."""
    arrays = {f"w{i}": weight for i, weight in enumerate(network.get_weights())}
    row = {"epoch": 1, "loss": 1.0, "accuracy": 1.0, "val_loss": 1.0, "val_accuracy": 1.0, "learning_rate": 1.0}
    accuracies = {"train_accuracy": 1.0, "validation_accuracy": 1.0}
    checkpoints.write(name, key, arrays, {"history": [row], "seconds": 1.0, "device": "x", **accuracies})


@pytest.mark.parametrize("name", ["tiny", "tiny unfinished"])
def test_a_checkpoint_of_another_architecture_is_never_used(digits, name):
    first = train(tiny(), digits, **settings(retrain=True))
    key = first.checkpoint[:-4].split("-")[-1]
    other = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    forged(name, key, other)
    if name == "tiny unfinished":
        (checkpoints.user_directory() / first.checkpoint).unlink()
    with pytest.warns(checkpoints.CheckpointWarning, match="not usable"):
        again = train(tiny(), digits, **settings())
    assert not again.from_checkpoint and same_weights(first, again)


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
    for form in (loss, keras.losses.get(loss)):
        assert targets_for(form, np.array([3]))[0].tolist() == expected
    instance = keras.losses.deserialize({"class_name": loss, "config": {}})
    assert targets_for(instance, np.array([3]))[0].tolist() == expected


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "'epochs' parameter of train must be at least 1. Got 0"),
        ({"batch_size": 2.5}, TypeError, "'batch_size'.*an integer"),
        ({"seed": -1}, ValueError, "'seed'.*at least 0"),
        ({"optimizer": "adamm"}, ValueError, "'optimizer' parameter of train must be the name of a Keras optimizer"),
        ({"loss": "crossentropy!"}, ValueError, "'loss' parameter of train must be the name of a Keras loss"),
        ({"callbacks": ["stop"]}, TypeError, "'callbacks'.*Keras callbacks"),
        ({"callbacks": [keras.callbacks.LearningRateScheduler(lambda e: 0.1)]}, ValueError, "LearningRateSchedule"),
        ({"keep": "all"}, ValueError, "'keep' parameter of train must be one of"),
    ],
)
def test_bad_arguments_are_refused(digits, change, error, message):
    with pytest.raises(error, match=message):
        train(tiny(), digits, **settings(**change))


def test_bad_models_are_refused(digits):
    with pytest.raises(TypeError, match="'model' parameter of train must be a Keras model. Got str"):
        train("lenet5", digits, **settings())
    with pytest.raises(ValueError, match="built"):
        train(keras.Sequential([keras.layers.Dense(10)]), digits, **settings())
    other = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    with pytest.raises(ValueError, match=r"images of shape \(28, 28, 1\)"):
        train(other, digits, **settings())


KILLED = """
    import os, signal, sys
    sys.path.insert(0, {tests!r})
    from small import digits_of, settings, tiny
    from mnist_helpers import train
    from mnist_helpers.training import train as training
    from mnist_helpers.common.backend import keras

    class Kill(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.epoch == 2 and batch == 2:
                os.kill(os.getpid(), signal.SIGKILL)
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

    real = training.TrainingProgress
    def bar_and_kill(*arguments):
        bar = real(*arguments)
        kill = Kill()
        kill.close = bar.close
        return kill

    training.TrainingProgress = bar_and_kill
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    train(tiny(), digits_of(), **settings(epochs=5, callbacks=[stop]))
"""


def test_a_run_killed_within_an_epoch_goes_on_and_ends_with_the_same_weights(digits, store, monkeypatch):
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    undisturbed = train(tiny(), digits, **settings(epochs=5, callbacks=[stop], retrain=True))
    for path in store.iterdir():
        path.unlink()
    script = textwrap.dedent(KILLED.format(tests=os.path.dirname(__file__)))  # noqa: PTH120
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [path.name.split("-")[1] for path in store.iterdir()] == ["unfinished"]
    epochs = []
    monkeypatch.setattr(keras.Model, "fit", _counted(keras.Model.fit, epochs))
    resumed = train(tiny(), digits, **settings(epochs=5, callbacks=[stop]))
    assert epochs == [2, 3, 4]  # counted from 0: the third epoch, in which it was killed, and the rest
    assert same_weights(undisturbed, resumed)
    pd.testing.assert_frame_equal(undisturbed.history, resumed.history)
    assert [path.name for path in store.iterdir()] == [resumed.checkpoint]


TWICE = """
    import sys
    sys.path.insert(0, {tests!r})
    from small import digits_of, settings, tiny
    from mnist_helpers import train
    print(train(tiny(), digits_of(), **settings()).validation_accuracy)
"""


def test_two_kernels_that_train_the_same_leave_one_whole_checkpoint(digits, store):
    script = textwrap.dedent(TWICE.format(tests=os.path.dirname(__file__)))  # noqa: PTH120
    both = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=120)[0].splitlines()[-1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    run = train(tiny(), digits, **settings())
    assert run.from_checkpoint and [path.name for path in store.iterdir()] == [run.checkpoint]
    assert [float(accuracy) for accuracy in printed] == [run.validation_accuracy] * 2


def _counted(fit, epochs):
    def counting(self, *arguments, initial_epoch, **keywords):
        epochs.append(initial_epoch)
        return fit(self, *arguments, initial_epoch=initial_epoch, **keywords)

    return counting
