"""Who has solved what: right answers are noted where a teacher asks for it, and nothing else is."""

import pytest

from mnist_helpers import check
from mnist_helpers.__main__ import main
from mnist_helpers.course.passes import overview


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_PASSES", str(tmp_path / "passes.csv"))
    monkeypatch.setenv("JUPYTERHUB_USER", "ada, of 3b")
    return tmp_path / "passes.csv"


def test_right_answers_are_noted_with_time_and_name(file):
    check("03-1", ...)
    check("03-1", 3)
    assert not file.exists()
    check("03-1", 535_818)
    check("03-1", 266_610, variant=1)
    lines = file.read_text().splitlines()
    assert len(lines) == 2 and all(line.endswith(",ada  of 3b,03-1") for line in lines)


@pytest.mark.parametrize("place", ["", "nowhere/passes.csv"])
def test_no_learner_is_disturbed_where_nothing_can_be_noted(file, monkeypatch, tmp_path, place):
    monkeypatch.setenv("MNIST_PASSES", place and str(tmp_path / place))
    assert check("03-1", 535_818) and list(tmp_path.iterdir()) == []


def test_the_overview_has_a_row_for_each_learner_and_the_first_time(file, capsys):
    lines = [
        "2027-01-02T10:00:00,ben,04-1",
        "2027-01-03T10:00:00,ada,04-1",
        "half a li",
        "2027-01-01T10:00:00,ada,03-2",
    ]
    file.write_text("\n".join([*lines, "2027-01-02T09:00:00,ada,04-1"]) + "\n")
    table = overview(file)
    assert table.loc["ada"].to_dict() == {"03-2": "2027-01-01T10:00:00", "04-1": "2027-01-02T09:00:00"}
    assert table.loc["ben"].to_dict() == {"03-2": "", "04-1": "2027-01-02T10:00:00"}
    assert main(["passes", str(file)]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()[2:]] == [
        ["ada", "✓", "✓", "2"],
        ["ben", "·", "✓", "1"],
    ]
    file.write_text("")
    assert main(["passes", str(file)]) == 0 and main(["passes", str(file.parent / "none")]) == 1
