"""The stored results: every row of the leaderboard is consistent, has its checkpoints, and follows from them."""

import os
import zipfile
from functools import cache

import numpy as np
import pandas as pd
import pytest
import skops.io
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.metrics import log_loss
from stored_networks import network, stored

from mnist_helpers import evaluate, leaderboard, load_mnist, wilson_interval
from mnist_helpers.data import fold
from mnist_helpers.data.shifts import shifted
from mnist_helpers.evaluation.comparisons import difference_interval
from mnist_helpers.live import networks
from mnist_helpers.training import store as checkpoints
from mnist_helpers.training.cost import forward_flops

ROWS = leaderboard.read()
WRONG = leaderboard.wrong_images()
RESULTS = leaderboard.results_directory()
DEAR = 20e6  # floating-point operations for an image; of such networks, evaluating ten takes half a minute
# members look again, at shifted images, where no probability is above that
SECOND_LOOK = {"compact-committee": 0.85, "compact-cnn-looks-again": 0.85}
CALIBRATED = {"calibrated-committee"}  # each member by a temperature, on the fold that it left out
CLOSE = 0.0003  # three of 10,000 images: another processor rounds in another way


def files_of(row):
    return row["checkpoint"].split() if isinstance(row["checkpoint"], str) else []


@pytest.mark.parametrize("system", list(ROWS.index))
def test_a_row_agrees_with_itself_and_with_what_was_published(system):
    row = ROWS.loc[system]
    assert row["source"] == "mnist" and row["seconds"] > 0
    assert row["errors"] == pytest.approx(10_000 * (1 - row["test_accuracy"]), abs=0.11)
    low, high = wilson_interval(
        round(10_000 - row["errors"]), 10_000
    )  # a mean of accuracies may lie between two counts
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=1e-5)
    reported = leaderboard.reported_accuracies().get(system)
    assert row["reported_accuracy"] == pytest.approx(reported) if reported else pd.isna(row["reported_accuracy"])
    assert all((checkpoints.series_directory() / name).is_file() for name in files_of(row))
    assert row["runs"] == 1 or len(files_of(row)) % row["runs"] == 0  # as many files to a committee
    if files_of(row) and isinstance(row["seed"], str):
        assert len(row["seed"].split()) == len(files_of(row))


def systems_that_keep(array):
    """The systems whose checkpoints hold an array of this name."""
    for system, row in ROWS.iterrows():
        for name in files_of(row)[:1]:
            with zipfile.ZipFile(checkpoints.series_directory() / name) as archive:
                if f"{array}.npy" in archive.namelist():
                    yield system


PREDICTED = list(systems_that_keep("test"))
ESTIMATED = list(systems_that_keep("estimator"))
TAUGHT = ["distilled-cnn"]  # its weights were learned from networks, and lie under the key of that study
WEIGHED = [s for s, row in ROWS.iterrows() if files_of(row) and s not in PREDICTED + ESTIMATED + TAUGHT]


@pytest.fixture(scope="module")
def digits():
    if not os.environ.get("MNIST_DATA"):
        pytest.skip("MNIST_DATA does not name the real MNIST")
    return load_mnist()


@pytest.mark.parametrize("system", PREDICTED)
def test_accuracies_follow_from_the_predictions_in_the_checkpoints(system, digits):
    row = ROWS.loc[system]
    arrays = [stored(name).arrays for name in files_of(row)]
    accuracies = [np.mean(each["test"] == digits.test.labels) for each in arrays]
    assert row["test_accuracy"] == pytest.approx(np.mean(accuracies), abs=1e-5)
    np.testing.assert_array_equal(WRONG[system], np.flatnonzero(arrays[0]["test"] != digits.test.labels))
    if "validation" in arrays[0]:
        validated = np.mean([np.mean(each["validation"] == digits.validation.labels) for each in arrays])
        assert row["validation_accuracy"] == pytest.approx(validated, abs=1e-5)


@pytest.mark.parametrize("system", ESTIMATED)
def test_accuracies_follow_from_the_estimators_in_the_checkpoints(system, digits):
    row = ROWS.loc[system]
    estimator = skops.io.loads(stored(row["checkpoint"]).arrays["estimator"].tobytes())
    wrong = np.flatnonzero(estimator.predict(digits.test.flat) != digits.test.labels)
    assert len(np.setxor1d(WRONG[system], wrong)) <= 10_000 * CLOSE
    assert 1 - row["test_accuracy"] == pytest.approx(len(wrong) / 10_000, abs=CLOSE)


@pytest.fixture(scope="module")
def answer(digits):
    """Evaluate the network of a checkpoint on all test images, each network once; and count its operations."""

    @cache
    def evaluated(name, second_look=0.0):
        model = network(name)
        size = model.input_shape[1]
        split = digits.test if size == 28 else shifted(digits.test, size, seed=2)
        result = evaluate(model, split, batch_size=500 if size == 28 else 100)
        answers = result.probabilities.astype(np.float64)
        unsure = np.flatnonzero(answers.max(axis=1) < second_look)
        if len(unsure):
            answers[unsure] = np.mean([model.predict(v, verbose=0) for v in views(split.images[unsure])], axis=0)
        return answers, forward_flops(model)

    return evaluated


def views(images):
    """The images moved by one pixel or none, in each direction: nine times as many."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return [padded[:, top : top + 28, left : left + 28] for top in range(3) for left in range(3)]


def calibrated(answers, model, part):
    """Probabilities to the power 1/T, with the T that makes the log-loss on the fold that was left out smallest."""
    left_out = model.predict(part.validation.images, batch_size=500, verbose=0).astype(np.float64)
    found = np.log(np.maximum(left_out, 1e-7))
    result = minimize_scalar(lambda t: log_loss(part.validation.labels, softmax(found / t, axis=1)), (0.8, 1.2))
    return softmax(np.log(np.maximum(answers, 1e-7)) / result.x, axis=1)


def flops_of(row):
    """The operations of one image's way through one network, as the row has it."""
    return row["training_flops"] * row["runs"] / (3 * 50_000 * row["epochs"] * len(files_of(row)))


@pytest.mark.parametrize("system", WEIGHED)
def test_accuracies_and_operations_follow_from_the_networks_in_the_checkpoints(system, answer, digits):
    row, files = ROWS.loc[system], files_of(ROWS.loc[system])
    runs = row["runs"]
    if system in CALIBRATED and os.environ.get("MNIST_RECOMPUTE") != "all":
        pytest.skip("MNIST_RECOMPUTE=all calibrates the members again; make test-results does")
    if flops_of(row) > DEAR and os.environ.get("MNIST_RECOMPUTE") != "all":
        if runs < len(files):
            pytest.skip("MNIST_RECOMPUTE=all evaluates all members of large committees; make test-results does")
        files, runs = files[:1], 1  # the first run alone, held to the images that it gets wrong
    answers, flops = zip(*[answer(name, SECOND_LOOK.get(system, 0.0)) for name in files], strict=True)
    if system in CALIBRATED:
        own = [fold(digits, k) for k in range(len(files))]
        answers = [calibrated(p, network(name), part) for p, name, part in zip(answers, files, own, strict=True)]
    shares = np.reshape(answers, (runs, -1, 10_000, 10)).mean(axis=1)  # a committee's members are averaged
    wrong = shares.argmax(axis=2) != digits.test.labels  # (runs, images)
    assert len(np.setxor1d(WRONG[system], np.flatnonzero(wrong[0]))) <= 10_000 * CLOSE
    if runs == row["runs"]:
        assert 1 - row["test_accuracy"] == pytest.approx(wrong.mean(), abs=CLOSE)
    epochs = [len(stored(name).record["history"]) for name in files]
    operations = 3 * 50_000 * np.dot(flops, epochs) / runs
    assert row["training_flops"] == pytest.approx(operations, abs=0.5)


@pytest.mark.parametrize("system", TAUGHT)
def test_the_network_of_the_live_figures_is_the_one_that_was_taught(system, digits):
    row = ROWS.loc[system]
    model = networks.load("distilled")
    assert row["parameters"] == model.count_params() < 300_000
    wrong = evaluate(model, digits.test, batch_size=500).wrong
    assert len(np.setxor1d(WRONG[system], wrong)) <= 10_000 * CLOSE
    assert row["errors"] == pytest.approx(len(wrong), abs=10_000 * CLOSE)
    taught = [weight.ravel() for weight in stored(row["checkpoint"]).arrays.values() if weight.ndim == 4]
    shown = [weight.ravel() for weight in model.get_weights() if weight.ndim == 4]  # scaled by normalisation, 8 bits
    assert [a.size for a in taught] == [b.size for b in shown]
    assert all(np.mean((a > 0) == (b > 0)) > 0.9 for a, b in zip(taught, shown, strict=True))


def test_every_system_has_its_wrong_images():
    assert list(WRONG) == list(ROWS.index)
    for system, row in ROWS.iterrows():
        assert row["runs"] > 1 or len(WRONG[system]) == row["errors"]


def differs(system, reported):
    """Whether what we measured differs from what was published by more than both test sets' noise."""
    if system not in ROWS.index or pd.isna(reported["reported_test_accuracy"]):
        return False
    pair = ROWS.loc[system, "test_accuracy"], reported["reported_test_accuracy"]
    low, high = difference_interval(*pair, n=(10_000, int(reported["test_images"])))
    return low > 0 or high < 0


def test_what_differs_or_is_missing_is_explained_and_nothing_else():
    reported = pd.read_csv(RESULTS / "reported.csv", index_col="id")
    explained = pd.read_csv(RESULTS / "explanations.csv", index_col="id")
    needed = [i for i, row in reported.iterrows() if i not in ROWS.index or differs(i, row)]
    assert list(explained.index) == needed
    assert (explained["explanation"].str.split().str.len() >= 8).all()


def test_all_checkpoints_together_stay_small():
    total = sum(path.stat().st_size for path in checkpoints.series_directory().glob("*.npz"))
    assert total <= 60 * 2**20, f"{total / 2**20:.1f} MB"
