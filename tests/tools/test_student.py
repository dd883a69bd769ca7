"""The edition for students: no solution, no result, everything else; and a student's own work is safe."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from sample_notebooks import lesson, text, write

from tools import student
from tools.series import find
from tools.student import student_version, write_edition


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A series of one lesson; the library itself, large and not in question, is left out of its editions."""
    monkeypatch.setattr(student, "LIBRARY", ())
    lesson(tmp_path / "notebooks" / "01_pixels.ipynb")
    return tmp_path / "notebooks"


def edition(folder, **options):
    return write_edition(notebooks=folder, output=folder.parent / "student", **options)


def test_solutions_and_results_are_gone_and_everything_else_is_there(folder):
    assert edition(folder) == []
    made = nbformat.read(folder.parent / "student" / "notebooks" / "01_pixels.ipynb", as_version=4)
    source = nbformat.read(folder / "01_pixels.ipynb", as_version=4)
    nbformat.validate(made)
    assert [cell.source for cell in made.cells] == [cell.source for cell in source.cells if "secret" not in cell.source]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in made.cells if cell.cell_type == "code")
    assert made.cells[2].metadata["alt"] == "A grey pixel" and made.cells[5].metadata["tags"] == ["exercise"]
    assert "make lab" in (folder.parent / "student" / "README.md").read_text()


def test_no_notebook_of_the_series_needs_or_shows_what_its_solutions_define():
    for path in find():
        made = nbformat.reads(student_version(path).decode(), as_version=4)
        text = " ".join(cell.source for cell in made.cells)
        assert "_solution" not in text, path.name
        assert "tells you whether" in text or "`check`" not in text, path.name  # the rest of the sentence stays
        assert not re.findall(r"[^.]*\b[Ss]olutions?\b[^.]*\bfolded\b[^.]*\.", text), path.name


def test_what_a_student_changed_is_kept_and_what_nobody_changed_follows_the_source(folder):
    edition(folder)
    made = folder.parent / "student" / "notebooks" / "01_pixels.ipynb"
    write(folder / "01_pixels.ipynb", text("# New"))
    assert edition(folder) == [] and "# New" in made.read_text()
    made.write_bytes(made.read_bytes() + b" ")
    mine = made.read_bytes()
    assert edition(folder) == ["notebooks/01_pixels.ipynb"] and made.read_bytes() == mine
    assert edition(folder, force=True) == [] and made.read_bytes() != mine


def test_a_file_that_was_there_before_is_nobodys_to_replace(folder):
    own = folder.parent / "student" / "notebooks" / "01_pixels.ipynb"
    own.parent.mkdir(parents=True)
    own.write_text("my own")
    (folder.parent / "student" / ".edition.json").write_text("[damaged")
    assert edition(folder) == ["notebooks/01_pixels.ipynb"] and own.read_text() == "my own"


def test_the_folder_stands_for_itself(tmp_path):
    """Its own library is imported, finds its own checkpoints, and the clone's are not asked."""
    write_edition(["00"], output=tmp_path / "student")
    say = "import mnist_helpers, mnist_helpers.training.store as s; print(mnist_helpers.__file__, s.series_directory())"
    done = subprocess.run(
        [sys.executable, "-c", say],
        cwd=tmp_path / "student",
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    library, checkpoints = done.stdout.split()
    assert library.startswith(str(tmp_path)) and checkpoints == str(tmp_path / "student" / "notebooks" / "checkpoints")
    assert list((tmp_path / "student" / "notebooks" / "checkpoints").iterdir())
    assert not list((tmp_path / "student").rglob("test_*")) and not (tmp_path / "student" / "docs").exists()
