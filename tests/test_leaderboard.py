"""The results table: what is written, what is not, and what survives."""

import dataclasses
from types import SimpleNamespace

import faults
import numpy as np
import pandas as pd
import pytest

from mnist_helpers import CommitteeEvaluation, Evaluation, leaderboard

RUN = SimpleNamespace(
    parameters=7850,
    epochs=5,
    seconds=12.34,
    device="2 cores",
    seed=0,
    train_accuracy=0.99,
    validation_accuracy=0.98,
    full=True,
    checkpoint="lenet5-0123.npz",
    training_flops=600_000_000_001,
)


def evaluation(errors, split="test", source="mnist"):
    labels = np.zeros(10_000, np.int64)
    predictions = labels.copy()
    predictions[:errors] = 1
    return Evaluation(predictions, labels, None, split, source)


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_RESULTS", str(tmp_path))
    monkeypatch.setenv("MNIST_PROFILE", "full")
    (tmp_path / "reported.csv").write_text("id,reported_test_accuracy\nS0.9,0.9802\nS3.E,\n")
    return tmp_path


def record(system="S0.9", errors=200, run=RUN, **changes):
    return leaderboard.record(system, run, evaluation(errors, **changes), notebook="05", description="a network")


def test_a_row_holds_the_run_and_its_evaluation():
    record()
    table = leaderboard.read()
    assert tuple(table.reset_index().columns) == leaderboard.COLUMNS
    row = table.loc["S0.9"]
    assert (row.parameters, row.epochs, row.seconds, row.errors) == (7850, 5, 12.3, 200)
    assert row.training_flops == 600_000_000_001
    assert (row.train_accuracy, row.validation_accuracy, row.test_accuracy) == (0.99, 0.98, 0.98)
    from statsmodels.stats.proportion import proportion_confint

    bounds = proportion_confint(9800, 10_000, method="wilson")
    assert (row.low, row.high) == pytest.approx(bounds, abs=6e-8)  # seven places: four after another rounding are right
    assert (row.reported_accuracy, row.notebook, row.source) == (0.9802, "05", "mnist")
    assert (row.checkpoint, row.runs) == ("lenet5-0123.npz", 1) and pd.isna(row.deviation)


def test_a_system_has_one_row_and_rows_are_sorted(results):
    for system in ("our-committee", "S0.10", "S2.1", "S0.9", "S1.2-l2", "S0.9"):
        record(system, errors=7)
    assert list(leaderboard.read().index) == ["S0.9", "S0.10", "S1.2-l2", "S2.1", "our-committee"]
    record("S0.9", errors=9)
    assert leaderboard.read().loc["S0.9", "errors"] == 9
    assert not list(results.glob("*.tmp"))


def test_several_runs_make_a_mean_with_a_deviation():
    changes = [{"seed": seed, "seconds": 10.0 + seed, "training_flops": 10**15 + 4 * seed} for seed in range(3)]
    runs = [SimpleNamespace(**(vars(RUN) | change)) for change in changes]
    results = [evaluation(errors) for errors in (100, 200, 361)]
    leaderboard.record("S4.1", runs, results, notebook="03")
    row = leaderboard.read().loc["S4.1"]
    assert (row.runs, row.seed, row.seconds, row.training_flops) == (3, "0 1 2", 11.0, 10**15 + 4)
    assert row.test_accuracy == pytest.approx(0.97796667, abs=6e-8) and row.errors == 220.3
    assert row.deviation == pytest.approx(np.std([0.99, 0.98, 0.9639], ddof=1), abs=6e-8)


@pytest.mark.parametrize(
    ("profile", "source", "full"),
    [("smoke", "mnist", True), ("full", "sklearn-digits", True), ("full", "mnist", False)],
)
def test_incomplete_results_are_returned_but_never_written(results, monkeypatch, profile, source, full):
    monkeypatch.setenv("MNIST_PROFILE", profile)
    row = record(run=SimpleNamespace(**(vars(RUN) | {"full": full})), source=source)
    assert row.loc["S0.9", "errors"] == 200
    assert not (results / "leaderboard.csv").exists()


def test_another_time_alone_does_not_change_the_file(results):
    record()
    before = (results / "leaderboard.csv").read_bytes()
    record(run=SimpleNamespace(**(vars(RUN) | {"seconds": 99.0, "device": "8 cores"})))
    assert (results / "leaderboard.csv").read_bytes() == before
    record(errors=201)
    assert (results / "leaderboard.csv").read_bytes() != before


def test_an_unchanged_row_needs_no_writable_directory(monkeypatch, recwarn):
    record()
    monkeypatch.setattr(leaderboard, "FileLock", lambda *_, **__: pytest.fail("a lock was asked for"))
    record()
    assert not recwarn.list


def test_only_test_results_count():
    with pytest.raises(ValueError, match="'result' parameter of leaderboard.record must be measured on the test"):
        record(split="validation")
    with pytest.raises(ValueError, match="one evaluation for each of the 2 runs"):
        leaderboard.record("S4.1", [RUN, RUN], [evaluation(1)], notebook="03")


HEAD = ",".join(leaderboard.COLUMNS).encode() + b"\n"
ROW = b"S0.1,net,05,7850,5,,12.3,2 cores,1,0,0.99,0.98,0.98,,200,0.97707,0.98257,,mnist,net.npz\n"
DAMAGED = {
    "other columns": (b"a,b\n1,2\n", "must have the columns system, .*, but has a, b"),
    "no columns": (b"", "but has none"),
    "too short": (HEAD + b"S0.1,only two\n", "a row of the wrong length: S0.1"),
    "too long": (HEAD + ROW.replace(b"\n", b",more\n"), "a row of the wrong length: S0.1"),
    "cut in the last field": (HEAD + ROW[:-3], "was cut off"),
    "cut in quotes": (HEAD + ROW.replace(b"net.npz", b'"net.n'), "is no CSV file"),
    "a system twice": (HEAD + ROW + ROW.replace(b"S0.1,", b"S0.2,") + ROW, "several rows of S0.1"),
    "text for a number": (HEAD + ROW.replace(b"12.3", b"fast"), "numbers in the column seconds, but has 'fast'"),
    "infinity": (HEAD + ROW.replace(b"0.97707", b"inf"), "numbers in the column low, but has 'inf'"),
    "no accuracy": (
        HEAD + ROW.replace(b"0.98,,", b",,"),
        "a row of S0.1 whose accuracy, errors and interval contradict",
    ),
    "an accuracy of another row": (
        HEAD + ROW.replace(b"0.98,,", b"0.88,,"),
        "a row of S0.1 whose accuracy, errors and",
    ),
    "more errors than images": (HEAD + ROW.replace(b",200,", b",20000,"), "a row of S0.1 whose accuracy, errors and"),
    "Latin-1": (HEAD + ROW.replace(b"net,", "café,".encode("latin-1")), "is not UTF-8 text"),
    "zero bytes": (HEAD + ROW + b"\0" * 20, "leaderboard.csv (is no CSV file|was cut off)"),
}


@pytest.mark.parametrize(("content", "message"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_an_error_that_names_it_and_stays_as_it_is(results, content, message):
    path = results / "leaderboard.csv"
    path.write_bytes(content)
    for attempt in (record, leaderboard.read):
        with pytest.raises(ValueError, match=message) as caught:
            attempt()
        assert type(caught.value) is ValueError and str(path) in str(caught.value)
    assert path.read_bytes() == content


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_row_that_is_damaged_above_is_a_good_one(results, end):
    (results / "leaderboard.csv").write_bytes((HEAD + ROW).replace(b"\n", end))
    (results / "wrong_images.csv").write_text("system,images\nS0.1,3 5\n")
    assert leaderboard.read().loc["S0.1", "checkpoint"] == "net.npz"


@pytest.mark.parametrize("images", ["1 x 3", "1.5", "-1", "3 2", "2 2", "\N{SUPERSCRIPT TWO}"])
def test_images_that_are_no_indices_are_an_error(results, images):
    (results / "wrong_images.csv").write_text(f"system,images\nS0.1,{images}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="wrong_images.csv must have increasing whole numbers in the column images"):
        leaderboard.wrong_images()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,accuracy\nS0.9,0.98\n", "must have the columns id, reported_test_accuracy, but has id, accuracy"),
        (b"id,reported_test_accuracy\nS0.9\n", "a row of the wrong length: S0.9"),
        (b"id,reported_test_accuracy\nS0.9,98 %\n", "numbers in the column reported_test_accuracy, but has '98 %'"),
        (b"id,reported_test_accuracy\nS0.9,0.9", "was cut off"),
        (b"id,reported_test_accuracy\n\xff,0.9\n", "is not UTF-8"),
    ],
)
def test_damaged_published_figures_are_an_error_that_names_the_file(results, content, message):
    (results / "reported.csv").write_bytes(content)
    with pytest.raises(ValueError, match=rf"reported\.csv.* {message}"):
        record()
    assert not (results / "leaderboard.csv").exists()


def test_a_directory_that_cannot_be_written_costs_a_warning(results, monkeypatch):
    (results / "file").write_text("")
    monkeypatch.setenv("MNIST_RESULTS", str(results / "file"))
    with pytest.warns(leaderboard.LeaderboardWarning, match="'S0.9' could not be written"):
        record()


def test_two_writers_at_once_lose_no_row():
    writers = [faults.start(faults.write_rows, range(first, first + 5)) for first in (0, 5)]
    for writer in writers:
        writer.join(60)
    assert list(leaderboard.read()["errors"]) == list(range(1, 11))


def test_an_empty_leaderboard_reads_as_an_empty_table():
    assert leaderboard.read().empty


def test_rows_of_estimators_have_no_epochs_and_no_operations():
    run = SimpleNamespace(**(vars(RUN) | {"parameters": None, "seed": None, "checkpoint": None}))
    del run.epochs, run.training_flops
    leaderboard.record("S0.4", run, dataclasses.replace(evaluation(3)), notebook="02")
    row = leaderboard.read().loc["S0.4"]
    assert pd.isna(row.epochs) and pd.isna(row.training_flops) and pd.isna(row.parameters)
    assert pd.isna(row.seed) and pd.isna(row.checkpoint)


def test_a_committee_is_one_system_of_many_networks():
    members = [SimpleNamespace(**{**vars(RUN), "seed": seed, "checkpoint": f"net-{seed}.npz"}) for seed in (3, 4)]
    committee = SimpleNamespace(runs=members, parameters=15700, seconds=24.68)
    validation = evaluation(300, split="validation")
    leaderboard.record("S2.6", committee, evaluation(100), notebook="10", validation=validation)
    row = leaderboard.read().loc["S2.6"]
    assert (row.runs, row.parameters, row.seconds, row.epochs) == (1, 15700, 24.7, 5)
    assert row.training_flops == 1_200_000_000_002
    assert (row.seed, row.checkpoint, row.device) == ("3 4", "net-3.npz net-4.npz", "2 cores")
    assert (row.validation_accuracy, row.test_accuracy) == (0.97, 0.99) and pd.isna(row.train_accuracy)


def test_several_committees_make_a_mean():
    members = [SimpleNamespace(**{**vars(RUN), "seed": seed, "checkpoint": f"net-{seed}.npz"}) for seed in range(4)]
    seconds = (24.0, 26.0)
    pairs = [SimpleNamespace(runs=members[i : i + 2], parameters=15700, seconds=seconds[i // 2]) for i in (0, 2)]
    validations = [evaluation(errors, split="validation") for errors in (300, 400)]
    tests = [evaluation(errors) for errors in (100, 131)]
    leaderboard.record("compact-committee", pairs, tests, notebook="10", validation=validations)
    row = leaderboard.read().loc["compact-committee"]
    assert (row.runs, row.parameters, row.seconds, row.training_flops) == (2, 15700, 25, 1_200_000_000_002)
    assert (row.validation_accuracy, row.test_accuracy, row.errors) == (0.965, 0.98845, 115.5)
    assert (row.seed, row.checkpoint) == ("0 1 2 3", "net-0.npz net-1.npz net-2.npz net-3.npz")
    assert row.deviation == pytest.approx(np.std([0.99, 0.9869], ddof=1), abs=6e-8)
    with pytest.raises(ValueError, match="'validation' parameter of leaderboard.record must be one .* the 2 runs"):
        leaderboard.record("compact-committee", pairs, tests, notebook="10", validation=validations[0])


def test_the_wrong_images_of_the_first_run_are_kept_beside_the_row(results):
    record("S0.9", errors=3)
    leaderboard.record("S4.1", [RUN, RUN], [evaluation(2), evaluation(5)], notebook="03")
    record("S0.10", errors=0)
    wrong = leaderboard.wrong_images()
    assert {system: images.tolist() for system, images in wrong.items()} == {
        "S0.9": [0, 1, 2],
        "S0.10": [],
        "S4.1": [0, 1],
    }
    assert all(images.dtype == np.int64 for images in wrong.values())
    before = (results / "wrong_images.csv").read_bytes()
    record("S0.9", errors=3, run=SimpleNamespace(**(vars(RUN) | {"seconds": 99.0})))
    assert (results / "wrong_images.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("run", "error", "got"),
    [
        ([], ValueError, "Got none instead"),
        (None, TypeError, "Got NoneType without parameters and seconds"),
        ([RUN, "net"], TypeError, "Got str without parameters and seconds"),
        (SimpleNamespace(parameters=1, seconds=1.0), TypeError, "Got SimpleNamespace without device and seed and full"),
        (SimpleNamespace(parameters=1, seconds=1.0, runs=[None]), TypeError, "Got NoneType without device"),
    ],
)
def test_what_is_no_run_is_refused(run, error, got):
    with pytest.raises(error, match=f"'run' parameter of leaderboard.record must be a run or a committee.*{got}"):
        leaderboard.record("S0.9", run, [] if run == [] else evaluation(3), notebook="05")


def test_results_on_a_part_of_the_test_images_or_on_different_parts_are_never_written():
    part = evaluation(3)
    part = Evaluation(part.predictions[:1000], part.labels[:1000], None, "test", "mnist")
    assert leaderboard.record("S0.9", RUN, part, notebook="05").loc["S0.9", "errors"] == 3
    assert leaderboard.read().empty
    with pytest.raises(ValueError, match=r"'result' parameter .* as many images each. Got \[10000, 1000\] instead"):
        leaderboard.record("S0.9", [RUN, RUN], [evaluation(3), part], notebook="05")


def test_what_is_no_evaluation_or_of_another_split_is_refused():
    committee = SimpleNamespace(runs=[RUN], parameters=15700, seconds=24.68)
    of_all = CommitteeEvaluation((dataclasses.replace(evaluation(10), probabilities=np.zeros((10_000, 10))),))
    with pytest.raises(TypeError, match="'result' parameter of leaderboard.record must be an Eval.*Got CommitteeEval"):
        leaderboard.record("S2.6", committee, of_all, notebook="10")
    for wrong, error in ((of_all, TypeError), (evaluation(10), ValueError)):
        with pytest.raises(error, match="'validation' parameter of leaderboard.record must be"):
            leaderboard.record("S2.6", committee, evaluation(10), notebook="10", validation=wrong)
    assert leaderboard.read().empty


def test_a_committee_with_one_shortened_member_is_not_written():
    members = [RUN, SimpleNamespace(**{**vars(RUN), "full": False})]
    committee = SimpleNamespace(runs=members, parameters=15700, seconds=24.68)
    leaderboard.record("S2.6", committee, evaluation(10), notebook="10")
    assert leaderboard.read().empty
