"""The edition for students: no solution, no result, everything else; and a student's own work is safe."""

import json
import os
import re
from pathlib import Path

import nbformat
import pytest
from sample_notebooks import code, text, write
from sample_series import write_series

from mnist_helpers import editions
from mnist_helpers.common.files import atomic_write
from mnist_helpers.editions import student_version, write_student_edition
from mnist_helpers.kernels import execute
from mnist_helpers.series import NOTEBOOKS, RunError, find_notebooks


@pytest.fixture
def folder(tmp_path):
    return write_series(tmp_path / "notebooks")


def edition_of(folder, **options):
    return write_student_edition(notebooks=folder, output=folder.parent / "student", **options)


def test_solutions_and_results_are_gone_and_everything_else_is_there(folder):
    before = (folder / "01_sécond.ipynb").read_bytes()
    edition = edition_of(folder)
    source = nbformat.read(folder / "01_sécond.ipynb", as_version=4)
    made = nbformat.read(edition.directory / "01_sécond.ipynb", as_version=4)
    nbformat.validate(made)
    assert [cell.source for cell in made.cells] == [cell.source for cell in source.cells if "secret" not in cell.source]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in made.cells if cell.cell_type == "code")
    assert "Use *plus*." in made.cells[4].source and made.cells[5].metadata["tags"] == ["exercise"]
    assert made.cells[1].metadata["alt"] == "A pixel" and made.metadata == source.metadata
    assert (folder / "01_sécond.ipynb").read_bytes() == before
    assert "2 notebooks without solutions" in str(edition) and "Kept" not in str(edition)


def test_markdown_tagged_as_solution_is_gone_too(tmp_path):
    answer = text("The answer is 2.")
    answer.metadata["tags"] = ["solution"]
    write(tmp_path / "a" / "00_a.ipynb", text("# A"), answer)
    made = write_student_edition(notebooks=tmp_path / "a", output=tmp_path / "b").directory / "00_a.ipynb"
    assert "The answer" not in made.read_text()


def test_no_notebook_of_the_series_needs_or_shows_what_its_solutions_define():
    for path in find_notebooks(NOTEBOOKS):
        made = nbformat.reads(student_version(path).decode(), as_version=4)
        sources = " ".join(cell.source for cell in made.cells)
        assert not re.findall(r"\w+_solution\b|.*solution[^.]*folded.*", sources), path.name


def test_what_is_said_of_the_folded_solutions_goes_and_no_more(tmp_path):
    prose = (
        "## Exercises\n\nPut it where `...` is. Below each\nstands a solution, folded away. Go!\n\nA solution of salt."
    )
    write(tmp_path / "00_a.ipynb", text(prose))
    made = nbformat.reads(student_version(tmp_path / "00_a.ipynb").decode(), as_version=4)
    assert made.cells[0].source == "## Exercises\n\nPut it where `...` is. Go!\n\nA solution of salt."


def test_the_edition_can_be_executed_where_it_lies(folder):
    made = edition_of(folder).directory / "01_sécond.ipynb"
    notebook = nbformat.read(made, as_version=4)
    notebook.cells[1].source = "import pathlib\nassert pathlib.Path('pictures/one.png').is_file()"
    nbformat.write(notebook, made)
    executed, result = execute(made, environment=os.environ, timeout=60)
    assert result.ok, result
    assert executed.cells[3].outputs[0].text == "a,b\n1,2\n\n" and executed.cells[5].outputs[0].text == "open\n"


def test_what_a_student_changed_is_kept_and_said(folder):
    made = edition_of(folder).directory / "01_sécond.ipynb"
    made.write_bytes(made.read_bytes() + b" ")
    mine = made.read_bytes()
    again = edition_of(folder)
    assert made.read_bytes() == mine and again.kept == ["01_sécond.ipynb"]
    assert "Kept, because" in str(again) and "--force" in str(again) and "  01_sécond.ipynb" in str(again)
    assert "1 notebooks" in str(again)
    forced = edition_of(folder, force=True)
    assert forced.kept == [] and forced.written == ["01_sécond.ipynb"] and made.read_bytes() != mine


def test_a_file_that_was_there_before_is_nobodys_to_replace(folder):
    own = folder.parent / "student" / "00_first.ipynb"
    own.parent.mkdir()
    own.write_text("my own")
    assert edition_of(folder).kept == ["00_first.ipynb"] and own.read_text() == "my own"


def test_what_nobody_changed_follows_the_source(folder):
    edition_of(folder)
    write(folder / "00_first.ipynb", text("# 00 New"))
    again = edition_of(folder)
    assert again.written == ["00_first.ipynb"] and "01_sécond.ipynb" in again.unchanged
    assert "# 00 New" in (again.directory / "00_first.ipynb").read_text()


def test_a_write_that_fails_leaves_the_old_file_whole(folder, monkeypatch):
    edition_of(folder)
    first = folder.parent / "student" / "00_first.ipynb"
    old = first.read_bytes()
    write(folder / "00_first.ipynb", text("# 00 New"))
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        edition_of(folder)
    assert first.read_bytes() == old and not list(first.parent.rglob("*.tmp"))


def test_a_file_written_just_before_everything_stopped_is_not_taken_for_a_students(folder, monkeypatch):
    def stop(path, content):
        atomic_write(path, content)
        if path.name == "00_first.ipynb":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(editions, "atomic_write", stop)
        with pytest.raises(KeyboardInterrupt):
            edition_of(folder)
    write(folder / "00_first.ipynb", text("# 00 New"))
    assert "00_first.ipynb" in edition_of(folder).written


@pytest.mark.parametrize("record", ["", "[]", "{", '{"01_sécond.ipynb": 3}', "[" * 100_000])
def test_with_a_damaged_record_everything_that_differs_is_kept(folder, record):
    student = edition_of(folder).directory
    (student / ".edition.json").write_text(record)
    write(folder / "00_first.ipynb", text("# 00 New"))
    assert edition_of(folder).kept == ["00_first.ipynb"]


def test_the_source_itself_is_never_written_over(folder):
    with pytest.raises(RunError, match="over the notebooks"):
        write_student_edition(notebooks=folder, output=folder / ".." / "notebooks", force=True)


def test_a_notebook_that_cannot_be_read_stops_everything_before_it_began(folder):
    (folder / "02_bad.ipynb").write_text("{no notebook")
    with pytest.raises(RunError, match="02_bad.ipynb: not a readable notebook"):
        edition_of(folder)
    assert not (folder.parent / "student").exists()


def test_only_chosen_notebooks_are_written(folder):
    student = edition_of(folder, selection=["1"]).directory
    assert [path.name for path in student.glob("*.ipynb")] == ["01_sécond.ipynb"]
    assert set(json.loads((student / ".edition.json").read_text())) == {
        "01_sécond.ipynb",
        "pictures/one.png",
        "results/table.csv",
    }


def test_code_cells_without_tags_stay(tmp_path):
    write(tmp_path / "a" / "00_a.ipynb", code("solution = 1", printed="1\n"))
    write_student_edition(notebooks=tmp_path / "a", output=tmp_path / "b")
    assert nbformat.read(tmp_path / "b" / "00_a.ipynb", as_version=4).cells[0].source == "solution = 1"
