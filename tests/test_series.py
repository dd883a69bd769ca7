"""Notebooks are found by number or name, and say of themselves what the contents show."""

import os

import pytest
from sample_notebooks import code, text, write
from sample_series import FIRST

from mnist_helpers.series import NOTEBOOKS, Lesson, RunError, find_notebooks, first_line, lessons


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        ((), ["01_a", "02_b", "12_c"]),
        (("2",), ["02_b"]),
        (("12", "01"), ["01_a", "12_c"]),
        (("02_b", "02"), ["02_b"]),
        (("notebooks/12_c.ipynb",), ["12_c"]),
    ],
)
def test_selection_by_number_or_name_in_reading_order(tmp_path, selection, found):
    for name in ("12_c", "02_b", "01_a"):
        write(tmp_path / f"{name}.ipynb")
    (tmp_path / "conftest.py").touch()
    assert [path.stem for path in find_notebooks(tmp_path, selection)] == found


@pytest.mark.parametrize("selection", ["", "1_", "3", "b", "_"])
def test_selections_that_fit_nothing(tmp_path, selection):
    write(tmp_path / "01_a.ipynb")
    with pytest.raises(RunError, match="No notebook fits"):
        find_notebooks(tmp_path, [selection])


def test_a_lesson_is_what_the_first_cell_says():
    lesson = Lesson.of("00_first", FIRST)
    assert lesson.title == "00 First steps: a start"
    assert lesson.summary == "What a cell is; how to see it; more"
    assert lesson.time == "1.5 minutes to read, no time to run"


@pytest.mark.parametrize(
    ("learned", "summary"),
    [
        ("one; two. And three.", "One; two"),
        ("one; " + "x" * 120, "One"),
        ("how far one gets: " + "by many ways, " * 12 + "and on", "How far one gets"),
        ("y" * 130, "Y" + "y" * 129),
    ],
)
def test_a_summary_is_about_one_line(learned, summary):
    assert Lesson.of("a", f"# A\n\n**What you will learn:** {learned}\n\n**Time:** 2 h.").summary == summary


def test_notebooks_that_say_nothing_or_cannot_be_read_are_known_by_their_names(tmp_path):
    write(tmp_path / "00_a.ipynb", code("1"))
    (tmp_path / "01_b.ipynb").write_text("{no notebook")
    (tmp_path / "02_c.ipynb").write_text('{"cells": 3}')
    write(tmp_path / "03_d.ipynb", text("No title"), text("# Later"))
    (tmp_path / "04_e.ipynb").write_text("[" * 100_000)
    (tmp_path / "05_f.ipynb").write_text('{"cells": [3]}')
    assert lessons(tmp_path) == [Lesson(name, name) for name in ("00_a", "01_b", "02_c", "03_d", "04_e", "05_f")]


def test_what_is_no_file_is_no_notebook(tmp_path):
    write(tmp_path / "00_a.ipynb")
    os.mkfifo(tmp_path / "01_pipe.ipynb")  # to open it would wait for ever
    (tmp_path / "02_folder.ipynb").mkdir()
    (tmp_path / "03_link.ipynb").symlink_to(tmp_path / "nowhere.ipynb")
    assert [path.stem for path in find_notebooks(tmp_path)] == ["00_a"]


@pytest.mark.parametrize(("error", "line"), [(ValueError("\n one\ntwo"), " one"), (MemoryError(), "MemoryError")])
def test_an_error_is_said_in_a_line(error, line):
    assert first_line(error) == line


def test_every_notebook_of_the_series_has_title_summary_and_time():
    for lesson in lessons(NOTEBOOKS):
        assert lesson.title[:3] == f"{lesson.name[:2]} ", lesson
        assert 10 < len(lesson.summary) <= 140 and "minute" in lesson.time, lesson
