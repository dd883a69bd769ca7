"""The two files of the leaderboard under faults: stopped between them, cut, changed. No row is lost in silence."""

import faults
import numpy as np
import pytest

from mnist_helpers import leaderboard


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("MNIST_PROFILE", "full")
    return tmp_path


def record(system, errors):
    return leaderboard.record(system, faults.RUN, faults.result_of(errors), notebook="05")


def both(folder):
    return [(folder / "results" / name).read_bytes() for name in ("leaderboard.csv", "wrong_images.csv")]


@pytest.fixture
def undisturbed(folder, monkeypatch):
    """Both files as they are when nothing is stopped."""
    monkeypatch.setenv("MNIST_RESULTS", str(folder / "other" / "results"))
    for system, errors in (("S9.0", 2), ("S9.1", 5)):
        record(system, errors)
    monkeypatch.setenv("MNIST_RESULTS", str(folder / "results"))
    return both(folder / "other")


@pytest.mark.parametrize("how", ["killed", "full disk"])
@pytest.mark.parametrize("before", [3, None], ids=["again", "new"])
def test_a_record_that_was_stopped_between_its_two_files_is_made_whole_by_the_next(
    folder, monkeypatch, undisturbed, before, how
):
    record("S9.0", 2)
    if before:
        record("S9.1", before)
    if how == "killed":
        process = faults.start(faults.record_and_die, "S9.1", 5)
        process.join(60)
        assert process.exitcode < 0
    else:
        whole, calls = leaderboard.atomic_write, iter([None, OSError(28, "No space left on device")])

        def full(path, content):
            if error := next(calls):
                raise error
            whole(path, content)

        with monkeypatch.context() as patch, pytest.warns(leaderboard.LeaderboardWarning, match="No space left"):
            patch.setattr(leaderboard, "atomic_write", full)
            record("S9.1", 5)
    assert both(folder) != undisturbed
    if not before:
        with pytest.warns(
            leaderboard.LeaderboardWarning, match="leaderboard.csv has no row of 'S9.1'.*Record it again"
        ):
            assert list(leaderboard.read().index) == ["S9.0"]
    record("S9.1", 5)
    assert both(folder) == undisturbed


def test_images_of_an_older_record_are_replaced_although_the_row_is_the_same(folder, undisturbed):
    record("S9.0", 2)
    record("S9.1", 5)
    path = folder / "results" / "wrong_images.csv"
    path.write_text(path.read_text().replace("S9.1,0 1 2 3 4", "S9.1,0 1 2"))
    record("S9.1", 5)
    assert both(folder) == undisturbed


@pytest.mark.parametrize("name", ["leaderboard.csv", "wrong_images.csv"])
def test_a_file_that_was_cut_at_the_end_of_a_row_is_named_and_never_written_back_shorter(folder, name):
    for number in range(4):
        faults.write_row(number)
    path = folder / "results" / name
    lines = path.read_bytes().splitlines(keepends=True)
    for kept in (1, 2, 3):
        path.write_bytes(b"".join(lines[:kept]))
        lost = ", ".join(f"S9.{number}" for number in range(kept - 1, 4))
        for attempt in (leaderboard.read, leaderboard.wrong_images, lambda: record("S9.7", 1)):
            with pytest.raises(ValueError, match=f"{name} has no row of {lost}, as .*version control mends it"):
                attempt()
        assert path.read_bytes() == b"".join(lines[:kept])
    path.unlink()
    with pytest.raises(ValueError, match=f"{name} has no row of S9.0"):
        record("S9.7", 1)


def test_one_row_that_is_missing_at_the_end_is_told(folder):
    for number in range(4):
        faults.write_row(number)
    path = folder / "results" / "leaderboard.csv"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    record("S9.7", 1)  # as after a record of S9.3 that was stopped, which must not keep others from being recorded
    with pytest.warns(leaderboard.LeaderboardWarning, match="no row of 'S9.3'.*version control"):
        assert list(leaderboard.read().index) == ["S9.0", "S9.1", "S9.2", "S9.7"]


def test_a_changed_digit_in_a_row_is_noticed(folder):
    record("S9.0", 159)
    leaderboard.record("S9.1", [faults.RUN] * 3, [faults.result_of(n) for n in (150, 170, 201)], notebook="05")
    path = folder / "results" / "leaderboard.csv"
    whole = path.read_text()
    noticed = 0
    for row in leaderboard.read().itertuples():
        for value in (row.test_accuracy, row.errors, row.low, row.high):
            text = f"{value:g}" if value > 1 else str(value)
            for place in [i for i, sign in enumerate(text[:6]) if sign.isdigit()]:  # accuracies: down to 0.0001
                other = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
                path.write_text(whole.replace(f",{text},", f",{other},"))
                with pytest.raises(
                    ValueError, match=f"leaderboard.csv has a row of {row.Index} whose accuracy, errors"
                ):
                    leaderboard.read(path)
                noticed += 1
    assert noticed >= 36


def test_files_that_may_not_be_read_cost_a_warning(folder, monkeypatch):
    record("S9.0", 1)
    faults.closed(monkeypatch, folder / "results" / "leaderboard.csv")
    with pytest.warns(leaderboard.LeaderboardWarning, match="'S9.1' could not be written.*Permission denied"):
        assert record("S9.1", 2).loc["S9.1", "errors"] == 2


@pytest.mark.parametrize("errors", [(100, 131), (100, 100, 100, 101, 101), (0,), (10_000,)])
def test_every_row_that_is_written_is_one_that_can_be_read(errors):
    leaderboard.record("S0.9", [faults.RUN] * len(errors), [faults.result_of(each) for each in errors], notebook="05")
    assert leaderboard.read().loc["S0.9", "errors"] == pytest.approx(np.mean(errors), abs=0.05)
