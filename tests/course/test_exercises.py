"""Every exercise of the series has a task, a hint, a stub, a solution and a grader."""

import re
from pathlib import Path

import nbformat
import pytest

from mnist_helpers.course import exercises

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if any(number.startswith(path.name[:2]) for number in exercises.numbers())]


def tagged(cells, tag):
    return [cell for cell in cells if tag in cell.metadata.get("tags", [])]


def shown(cell):
    """The last thing that a stored cell shows, as text."""
    return cell.outputs[-1].data["text/plain"]


def test_all_graders_belong_to_a_lesson():
    assert {number[:2] for number in exercises.numbers()} == {path.name[:2] for path in LESSONS}
    assert all(exercises.find(number).then.endswith((".", "?")) for number in exercises.numbers())


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_has_exercises_with_hint_stub_solution_and_grader(path):
    cells, here = nbformat.read(path, as_version=4).cells, path.name[:2]
    graded = [number for number in exercises.numbers() if number.startswith(here)]
    assert len(graded) >= (1 if here == "00" else 3), f"{len(graded)} exercises"
    titles = [c for c in cells if c.cell_type == "markdown" and re.search(rf"^### Exercise {here}-\d", c.source, re.M)]
    assert [re.search(r"\d\d-\d+", cell.source)[0] for cell in titles] == graded
    assert all("<details><summary>Hint</summary>" in cell.source and "</details>" in cell.source for cell in titles)
    for tag in ("exercise", "solution"):
        calls = [re.search(r'check\("(\d\d-\d+)"', cell.source)[1] for cell in tagged(cells, tag)]
        assert calls == graded, tag
    for number, stub, solution in zip(graded, tagged(cells, "exercise"), tagged(cells, "solution"), strict=True):
        assert "..." in stub.source and "..." not in solution.source, number
        assert solution.metadata.get("jupyter", {}).get("source_hidden") is True


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_stored_stubs_are_neutral_and_stored_solutions_right(path):
    cells = nbformat.read(path, as_version=4).cells
    for stub, solution in zip(tagged(cells, "exercise"), tagged(cells, "solution"), strict=True):
        number = re.search(r'check\("(\d\d-\d+)"', stub.source)[1]
        assert shown(stub).startswith(f"○ {number}: not answered yet")
        assert shown(solution).startswith(f"✓ {number}: right.")
