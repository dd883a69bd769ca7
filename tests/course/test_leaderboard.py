"""The published table and the learner's own: who writes which, what stands in a row, and what survives."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from mnist_helpers import Evaluation, leaderboard

PUBLISHED = leaderboard.results_directory()
SETTINGS = {"batch_size": 32, "optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.001}}}


def run(**changes):
    figures = {"parameters": 7850, "epochs": 5, "seconds": 12.34, "device": "2 cores", "seed": 0, "full": True}
    figures |= {"train_accuracy": 0.99, "validation_accuracy": 0.98, "training_flops": 600_000_000_001}
    return SimpleNamespace(**figures | {"checkpoint": "lenet5-0123.npz", "settings": SETTINGS} | changes)


def evaluation(errors, split="test", source="mnist", n=10_000):
    predictions = (np.arange(n) < errors).astype(np.int64)
    return Evaluation(predictions, np.zeros(n, np.int64), None, split, source)


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """A clone's results and a learner's own, both empty but for what others published."""
    published, mine = tmp_path / "notebooks", tmp_path / "mine"
    published.mkdir()
    (published / "reported.csv").write_text("id,reported_test_accuracy\nS0.9,0.9802\nS3.E,\n")
    monkeypatch.setattr(leaderboard, "results_directory", lambda: published)
    monkeypatch.setenv("MNIST_RESULTS", str(mine))
    monkeypatch.setenv("MNIST_PROFILE", "full")
    monkeypatch.delenv("MNIST_AUTHORS", raising=False)
    return SimpleNamespace(published=published, mine=mine)


@pytest.fixture
def author(monkeypatch):
    monkeypatch.setenv("MNIST_AUTHORS", "1")


def record(system="S0.9", errors=200, runs=None, results=None, **changes):
    results = results if results is not None else evaluation(errors)
    return leaderboard.record(system, runs or run(), results, **{"notebook": "05", "description": "a net"} | changes)


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}


@pytest.mark.parametrize(
    ("name", "columns"), [("leaderboard.csv", leaderboard.COLUMNS), ("wrong_images.csv", ("system", "images"))]
)
def test_the_published_files_go_through_unchanged(folders, author, name, columns):
    shutil.copy(PUBLISHED / name, folders.published)
    path = folders.published / name
    for row in leaderboard._load(path, columns).tail(2).to_dict("records"):
        leaderboard._put(path, row, columns, ["system"])
    assert path.read_bytes() == (PUBLISHED / name).read_bytes()


def test_a_row_holds_the_run_and_its_evaluation(author):
    record()
    row = leaderboard.read().loc["S0.9"]
    assert (row.parameters, row.epochs, row.seconds, row.errors, row.runs) == (7850, 5, 12.3, 200, 1)
    assert (row.train_accuracy, row.validation_accuracy, row.test_accuracy) == (0.99, 0.98, 0.98)
    bounds = proportion_confint(9800, 10_000, method="wilson")
    assert (row.low, row.high) == pytest.approx(bounds, abs=6e-8)  # seven places: four after another rounding are right
    assert (row.reported_accuracy, row.notebook, row.source) == (0.9802, "05", "mnist")
    assert (row.checkpoint, row.training_flops) == ("lenet5-0123.npz", 600_000_000_001) and pd.isna(row.deviation)


def test_a_system_has_one_published_row_in_natural_order_and_its_wrong_images(author):
    for system in ("our-committee", "S0.10", "S2.1", "S0.9", "S1.2-l2", "S0.9"):
        record(system, errors=3)
    record("S0.9", errors=0)
    assert list(leaderboard.read().index) == ["S0.9", "S0.10", "S1.2-l2", "S2.1", "our-committee"]
    wrong = leaderboard.wrong_images()
    assert (wrong["S0.9"].tolist(), wrong["S2.1"].tolist()) == ([], [0, 1, 2])
    assert leaderboard.reported_accuracies() == {"S0.9": 0.9802}


def test_several_runs_make_a_mean_with_a_deviation(author):
    runs = [run(seed=seed, seconds=10.0 + seed, training_flops=10**15 + 4 * seed) for seed in range(3)]
    record("S4.1", runs=runs, results=[evaluation(errors) for errors in (100, 200, 361)])
    row = leaderboard.read().loc["S4.1"]
    assert (row.runs, row.seed, row.seconds, row.training_flops) == (3, "0 1 2", 11.0, 10**15 + 4)
    assert row.test_accuracy == pytest.approx(0.97796667, abs=6e-8) and row.errors == 220.3
    assert row.deviation == pytest.approx(np.std([0.99, 0.98, 0.9639], ddof=1), abs=6e-8)
    assert len(leaderboard.wrong_images()["S4.1"]) == 100  # of the first run


def test_estimators_have_no_epochs_no_operations_and_perhaps_no_parameters(author):
    record(runs=run(parameters=None, seed=None, checkpoint=None, epochs=None, training_flops=None, settings={}))
    row = leaderboard.read().loc["S0.9"]
    assert row[["epochs", "training_flops", "parameters", "seed", "checkpoint"]].isna().all()


def test_committees_are_systems_of_many_networks(author):
    members = [run(seed=seed, checkpoint=f"net-{seed}.npz") for seed in range(4)]
    pairs = [SimpleNamespace(runs=members[i : i + 2], parameters=15700, seconds=24.0 + i) for i in (0, 2)]
    validations = [evaluation(errors, split="validation") for errors in (300, 400)]
    record("one", runs=pairs[0], results=evaluation(100), validation=validations[0])
    record("two", runs=pairs, results=[evaluation(100), evaluation(131)], validation=validations)
    one, two = leaderboard.read().loc[["one", "two"]].itertuples()
    assert (one.runs, one.parameters, one.seconds, one.epochs, one.seed) == (1, 15700, 24, 5, "0 1")
    assert (one.training_flops, one.validation_accuracy, one.test_accuracy) == (1_200_000_000_002, 0.97, 0.99)
    assert (two.runs, two.seconds, two.training_flops) == (2, 25, 1_200_000_000_002) and pd.isna(two.train_accuracy)
    assert (two.validation_accuracy, two.test_accuracy, two.errors) == (0.965, 0.98845, 115.5)
    assert two.checkpoint == "net-0.npz net-1.npz net-2.npz net-3.npz"


def test_an_experiment_goes_to_the_learners_own_table_with_its_settings(folders, capsys):
    record(runs=run(epochs=1), errors=192)
    assert set(content(folders.published)) == {"reported.csv"}
    row = leaderboard.read(mine=True).loc["S0.9"]
    assert (row.epochs, row.errors, row.batch_size, row.optimizer) == (1, 192, 32, "Adam(0.001)")
    assert "recorded in your own table" in capsys.readouterr().out
    record(runs=run(epochs=1, seconds=99.0), errors=192)  # the same again: nothing is said, one row
    assert not capsys.readouterr().out
    record(runs=run(epochs=2, checkpoint="lenet5-4567.npz"), errors=150)
    record(runs=run(epochs=2, checkpoint="lenet5-4567.npz"), errors=151)  # retrained, on another processor
    svm = run(epochs=None, checkpoint=None, settings={"estimator": "LinearSVC(C=0.1)"})
    record("S0.4", runs=svm, errors=560)
    mine = leaderboard.read(mine=True)
    assert mine["errors"].tolist() == [560, 192, 151] and mine.loc["S0.4", "estimator"] == "LinearSVC(C=0.1)"
    assert leaderboard.read().empty


def test_the_published_run_is_no_experiment(folders, author, monkeypatch, capsys):
    record()
    before = content(folders.published)
    monkeypatch.delenv("MNIST_AUTHORS")
    record(runs=run(seconds=99.0, device="8 cores"))
    assert not folders.mine.exists() and not capsys.readouterr().out
    record(errors=201)
    assert content(folders.published) == before and leaderboard.read(mine=True)["errors"].tolist() == [201]


def test_time_and_device_alone_do_not_change_the_published_row(folders, author, monkeypatch):
    record()
    before = content(folders.published)
    with monkeypatch.context() as patch:
        patch.setattr(leaderboard, "FileLock", lambda *_, **__: pytest.fail("a lock was asked for"))
        record(runs=run(seconds=99.0, device="8 cores"))
    assert content(folders.published) == before
    (folders.published / "wrong_images.csv").write_text("system,images\nS0.9,0 1\n")  # stopped before its row
    record()
    assert content(folders.published) == before


@pytest.mark.parametrize("authors", ["1", "0"])
@pytest.mark.parametrize(
    ("profile", "source", "n", "full"),
    [
        ("smoke", "mnist", 10_000, True),
        ("full", "sklearn-digits", 10_000, True),
        ("full", "mnist", 10_000, False),
        ("full", "mnist", 500, True),
    ],
)
def test_incomplete_results_are_returned_but_never_written(folders, monkeypatch, authors, profile, source, n, full):
    monkeypatch.setenv("MNIST_AUTHORS", authors)
    monkeypatch.setenv("MNIST_PROFILE", profile)
    members = [run(), run(full=full)]  # a committee of which one member is shortened, for instance
    committee = SimpleNamespace(runs=members, parameters=1, seconds=1.0)
    row = record(runs=committee, results=evaluation(20, source=source, n=n))
    assert row.loc["S0.9", "errors"] == 20
    assert set(content(folders.published)) == {"reported.csv"} and not folders.mine.exists()


JOB = """
import os, pathlib, sys
import numpy as np
sys.path[:0] = sys.argv[1:2]
from types import SimpleNamespace
from mnist_helpers import Evaluation, leaderboard
assert str(leaderboard.results_directory()).startswith(sys.argv[1])
for errors in map(int, sys.argv[2:]):
    result = Evaluation((np.arange(10_000) < errors).astype(int), np.zeros(10_000, int), None, "test", "mnist")
    run = SimpleNamespace(parameters=14_000, epochs=1, seconds=9.0, device="cpu", seed=0, full=True,
                          checkpoint=f"simple-{errors}.npz", training_flops=7, settings={"batch_size": 128})
    leaderboard.record("S2.1", run, result, notebook="04", description="two conv 10@5x5")
"""


def start(clone, where, *errors, **environment):
    """Start a learner's process in a folder: notebook 04 with one epoch, as a class would run it."""
    names = ("MNIST_RESULTS", "MNIST_AUTHORS", "MNIST_CACHE")
    kept = {name: value for name, value in os.environ.items() if name not in names}
    command = [sys.executable, "-c", JOB, str(clone), *map(str, errors)]
    return subprocess.Popen(command, cwd=where, env=kept | environment)


@pytest.fixture
def clone(tmp_path):
    """An installation of the library beside its notebooks, with the published results."""
    clone = tmp_path / "clone"
    shutil.copytree(Path(leaderboard.__file__).parents[1], clone / "mnist_helpers")
    shutil.copytree(PUBLISHED, clone / "notebooks" / "results")
    (clone / "build" / "student").mkdir(parents=True)
    return clone


def own_rows(cache, monkeypatch):
    monkeypatch.delenv("MNIST_RESULTS")
    monkeypatch.setenv("MNIST_CACHE", str(cache))
    table = leaderboard.read(mine=True)
    monkeypatch.setenv("MNIST_RESULTS", "nowhere")
    return table


@pytest.mark.system
def test_experiments_of_a_class_leave_the_published_results_alone(clone, tmp_path, monkeypatch):
    """From the clone and from a student's copy; two users at once, one installation that they may not write."""
    before = content(clone / "notebooks" / "results")
    for path in [clone / "notebooks" / "results", *(clone / "notebooks" / "results").iterdir()]:
        path.chmod(0o555)
    learners = [
        start(clone, clone / "notebooks", 192, MNIST_CACHE=str(tmp_path / "first")),
        start(clone, clone / "build" / "student", 205, MNIST_CACHE=str(tmp_path / "second")),
    ]
    assert [learner.wait(120) for learner in learners] == [0, 0]
    assert content(clone / "notebooks" / "results") == before
    for cache, errors in (("first", 192), ("second", 205)):
        row = own_rows(tmp_path / cache, monkeypatch).loc["S2.1"]
        assert (row.epochs, row.errors, row.batch_size) == (1, errors, 128)


def test_the_authors_run_replaces_the_published_row(clone, tmp_path):
    assert start(clone, clone, 77, MNIST_AUTHORS="1", MNIST_CACHE=str(tmp_path)).wait(120) == 0
    files, before = content(clone / "notebooks" / "results"), content(PUBLISHED)
    changed = [name for name in before if files[name] != before[name]]
    assert changed == ["leaderboard.csv", "wrong_images.csv"] and not (tmp_path / "results").exists()
    assert b"S2.1,two conv 10@5x5,04,14000,1,7,9,cpu,1,0,,,0.9923," in files["leaderboard.csv"]


@pytest.mark.system
def test_writers_at_once_lose_no_row(clone, tmp_path, monkeypatch):
    writers = [start(clone, clone, *range(n, n + 5), MNIST_CACHE=str(tmp_path)) for n in (1, 6)]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    assert sorted(own_rows(tmp_path, monkeypatch)["errors"]) == list(range(1, 11))


def test_a_folder_that_cannot_be_written_costs_a_warning(folders):
    folders.mine.write_text("a file where the folder should be")
    with pytest.warns(leaderboard.LeaderboardWarning, match="'S0.9' could not be written"):
        assert record().loc["S0.9", "errors"] == 200


@pytest.mark.parametrize("damaged", [b"a,b\n1,2\n", b"", b"system\n\xff\n", b'system,"images\n'])
def test_a_damaged_file_is_named_and_stays_as_it_is(folders, author, damaged):
    path = folders.published / "leaderboard.csv"
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=f"{path} (is damaged|must have the columns)"):
        leaderboard.read()
    with pytest.warns(leaderboard.LeaderboardWarning, match="leaderboard.csv"):
        record()
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"results": evaluation(1, split="validation")}, ValueError, "'result' .* measured on the test images"),
        ({"runs": [run(), run()], "results": [evaluation(1)]}, ValueError, "'result' .* each of 2 runs"),
        ({"results": SimpleNamespace(average=evaluation(1))}, TypeError, "'result' .* give .average or .vote"),
        ({"validation": evaluation(1)}, ValueError, "'validation' .* measured on the validation images"),
    ],
)
def test_only_test_results_count_one_for_each_run(folders, changes, error, message):
    with pytest.raises(error, match=message):
        record(**changes)
    assert not folders.mine.exists()
