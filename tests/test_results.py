"""The stored results: every row of the leaderboard is consistent, has its checkpoints, and follows from them."""

import os
import zipfile

import numpy as np
import pandas as pd
import pytest

from mnist_helpers import checkpoints, leaderboard, load_mnist, wilson_interval

ROWS = leaderboard.read(leaderboard.results_directory() / "leaderboard.csv")


def files_of(row):
    return row["checkpoint"].split() if isinstance(row["checkpoint"], str) else []


@pytest.mark.parametrize("system", list(ROWS.index))
def test_a_row_agrees_with_itself_and_with_what_was_published(system):
    row = ROWS.loc[system]
    assert row["source"] == "mnist" and row["seconds"] > 0
    assert row["errors"] == pytest.approx(10_000 * (1 - row["test_accuracy"]), abs=0.11)
    low, high = wilson_interval(round(10_000 * row["test_accuracy"]), 10_000)
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=1e-5)
    reported = leaderboard.reported_accuracies().get(system)
    assert row["reported_accuracy"] == pytest.approx(reported) if reported else pd.isna(row["reported_accuracy"])
    assert all((checkpoints.series_directory() / name).is_file() for name in files_of(row))
    assert row["runs"] == 1 or row["runs"] == len(files_of(row))


def keeps_predictions(name):
    with zipfile.ZipFile(checkpoints.series_directory() / name) as archive:
        return "test.npy" in archive.namelist()


# the others keep weights, from which their notebooks compute the accuracies again
PREDICTED = [system for system, row in ROWS.iterrows() if files_of(row) and keeps_predictions(files_of(row)[0])]


@pytest.fixture(scope="module")
def labels():
    if not os.environ.get("MNIST_DATA"):
        pytest.skip("MNIST_DATA does not name the real MNIST")
    digits = load_mnist()
    return {"validation": digits.validation.labels, "test": digits.test.labels}


@pytest.mark.parametrize("system", PREDICTED)
def test_accuracies_follow_from_the_predictions_in_the_checkpoints(system, labels):
    row = ROWS.loc[system]
    stored = [checkpoints.read(checkpoints.series_directory() / f, f[:-4].split("-")[-1]) for f in files_of(row)]
    accuracies = [np.mean(each.arrays["test"] == labels["test"]) for each in stored]
    assert row["test_accuracy"] == pytest.approx(np.mean(accuracies), abs=1e-5)
    if "validation" in stored[0].arrays:
        validated = np.mean([np.mean(each.arrays["validation"] == labels["validation"]) for each in stored])
        assert row["validation_accuracy"] == pytest.approx(validated, abs=1e-5)


def test_all_checkpoints_together_stay_small():
    total = sum(path.stat().st_size for path in checkpoints.series_directory().glob("*.npz"))
    assert total <= 25 * 2**20, f"{total / 2**20:.1f} MB"
