"""Exercises: what check() says, and that every exercise has a task, a hint, a stub, a solution and a grader."""

import re
from pathlib import Path

import nbformat
import pytest

from mnist_helpers import check
from mnist_helpers.course import exercises
from mnist_helpers.course.exercises import Hint, grading

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if "01" <= path.name[:2] <= "12"]


@pytest.fixture
def example(monkeypatch):
    """An exercise 00-1 whose right answer is a function that doubles."""
    exercises.numbers()  # the real ones register when they are first looked for: before the copy is made
    monkeypatch.setattr(grading, "_known", dict(grading._known))

    @exercises.exercise("00-1")
    def doubles(answer):
        value = grading.as_number(grading.called(answer, 4))
        return None if value == 8 else "Not quite: twice 4 is 8." if value == 4 else "No."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda n: 2 * n, "✓ 00-1: right.\n"),
        (lambda n: n, "✗ 00-1: Not quite: twice 4 is 8.\n"),
        (lambda n: 5, "✗ 00-1: No.\n"),
        (..., "✗ 00-1: not answered yet. Your answer goes where the ... is.\n"),
        (lambda n: ..., "✗ 00-1: not answered yet. Your answer goes where the ... is.\n"),
        ((3, ...), "✗ 00-1: not answered yet. Your answer goes where the ... is.\n"),
        (lambda n: None, "✗ 00-1: Your function returns None. Is there a return?\n"),
        (8, "✗ 00-1: The answer should be a function. This is a int.\n"),
        (lambda n: "8", "✗ 00-1: The answer should be one number. This is a str.\n"),
        (lambda n: [8, 8], "✗ 00-1: The answer should be one number. This is a list.\n"),
        (lambda n: float("nan"), "✗ 00-1: The answer should be a finite number. This is nan.\n"),
        (lambda n: n / 0, "✗ 00-1: while your answer was tried, there was a ZeroDivisionError: division by zero\n"),
        (lambda: 8, "✗ 00-1: while your answer was tried, there was a TypeError: "),
    ],
)
def test_an_answer_gets_a_tick_or_a_cross_with_a_hint(example, answer, said, capsys):
    check("00-1", answer)
    assert capsys.readouterr().out.startswith(said)


@pytest.mark.parametrize("number", ["00-9", "1", "../00-1", 4, None, ["00-1"]])
def test_an_unknown_number_is_said(example, number, capsys):
    check(number, 1)
    assert "no exercise with this number. There are 0" in capsys.readouterr().out


def test_an_exercise_that_needs_the_digits_says_so(example, capsys):
    exercises.exercise("00-2", needs_digits=True)(lambda answer, digits: None if answer == digits else "no")
    check("00-2", 3)
    check("00-2", 3, digits=3)
    first, second = capsys.readouterr().out.splitlines()
    assert "digits=digits" in first and second == "✓ 00-2: right."


def test_numbers_are_unique_and_well_formed(example):
    for number in ("00-1", "1-1", "001"):
        with pytest.raises(ValueError, match="a number of its own"):
            exercises.exercise(number)


def test_arrays_are_checked_before_they_are_graded():
    assert grading.as_array([[1, 2]], (1, 2)).shape == (1, 2)
    for wrong, said in [("a", "array of numbers"), ([1, 2], "shape"), ([[1, float("inf")]], "finite")]:
        with pytest.raises(Hint, match=said):
            grading.as_array(wrong, (1, 2))


def cells_of(path):
    return nbformat.read(path, as_version=4).cells


def tagged(cells, tag):
    return [cell for cell in cells if tag in cell.metadata.get("tags", [])]


def printed(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_has_exercises_with_hint_stub_solution_and_grader(path):
    cells, here = cells_of(path), path.name[:2]
    graded = [number for number in exercises.numbers() if number.startswith(here)]
    assert len(graded) >= 3, f"{len(graded)} exercises"
    titles = [c for c in cells if c.cell_type == "markdown" and re.search(rf"^### Exercise {here}-\d", c.source, re.M)]
    assert [re.search(r"\d\d-\d+", cell.source)[0] for cell in titles] == graded
    assert all("<details><summary>Hint</summary>" in cell.source and "</details>" in cell.source for cell in titles)
    for tag in ("exercise", "solution"):
        calls = [re.search(r'check\("(\d\d-\d+)"', cell.source)[1] for cell in tagged(cells, tag)]
        assert calls == graded, tag
    for number, stub, solution in zip(graded, tagged(cells, "exercise"), tagged(cells, "solution"), strict=True):
        assert "..." in stub.source and printed(stub).startswith(f"✗ {number}: not answered yet")
        assert printed(solution).endswith(f"✓ {number}: right.\n")
        assert solution.metadata.get("jupyter", {}).get("source_hidden") is True
        assert "nbval-check-output" in stub.metadata.tags
