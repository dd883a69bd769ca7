"""Assignments for nbgrader: answer cells, cells that give points, variants, and the real nbgrader."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from small import digits_of

from mnist_helpers import check
from mnist_helpers.course import exercises
from mnist_helpers.data import mnist
from tools import assignments
from tools.assignments import assignment, variant_of, write_course
from tools.series import ROOT, find, read, tags
from tools.variants import WORDS

SEED = 7
TRAINED = {"03-4", "04-4"}  # their solutions train a network


def made_of(path, seed=None):
    return assignment(read(path), seed)


def graded(notebook, kind):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get(kind)]


def cells_of(number):
    """The cells of an exercise in its lesson: task, stub, solution."""
    (path,) = find([number[:2]])
    cells = read(path).cells
    place = next(i for i, cell in enumerate(cells) if f"### Exercise {number}" in cell.source)
    return cells[place : place + 3]


def seeds(number):
    """A seed for each of the variants 1, 2, 3 of an exercise."""
    chosen = {variant_of(number, seed): seed for seed in range(12)}
    assert sorted(chosen) == [1, 2, 3]
    return chosen.items()


def answered(cell, lesson):
    """What a cell hands over to check; it may need what the lesson has defined by then."""
    names = {"np": np, "digits": mnist.current()}
    for earlier in lesson.cells:
        if "def gains(" in earlier.source:
            exec(earlier.source, names)  # noqa: S102
    call = re.compile(r'^check\("\d\d-\d", (.+?)(, variant=\d)?\);?$', re.M)
    exec(call.sub(r"answer = \1", cell.source), names)  # noqa: S102
    return names["answer"]


@pytest.mark.parametrize("path", find(), ids=lambda path: path.stem)
def test_every_exercise_is_an_answer_and_below_it_its_points(path):
    source, notebook = read(path), made_of(path)
    nbformat.validate(notebook)
    stubs = [cell for cell in source.cells if "exercise" in tags(cell)]
    solutions = [cell for cell in source.cells if "solution" in tags(cell)]
    answers, points = graded(notebook, "solution"), graded(notebook, "grade")
    assert len(stubs) == len(answers) == len(points) and len(notebook.cells) == len(source.cells)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    for stub, solution, answer, cell in zip(stubs, solutions, answers, points, strict=True):
        start, rest = answer.source.split("### BEGIN SOLUTION\n")
        inside, end = rest.split("\n### END SOLUTION\n")
        assert stub.source.startswith(start.rstrip()) and solution.source.startswith(inside)
        assert end.rstrip(";") == stub.source.splitlines()[-1].rstrip(";") and end.rstrip(";") in cell.source
        number = re.search(r"\d\d-\d+", end)[0]
        assert cell.metadata.nbgrader["points"] == exercises.find(number).points and cell.metadata.nbgrader["locked"]


@pytest.mark.parametrize("number", sorted(WORDS))
def test_a_variant_asks_for_its_own_numbers_and_not_the_published_ones(number):
    (path,) = find([number[:2]])
    kept = exercises.find(number)
    assert len(kept.variants) == 4 and len({json.dumps(setting) for setting in kept.variants}) == 4
    told = {cells_of(number)[0].source}
    for variant, seed in seeds(number):
        texts = [cell.source for cell in made_of(path, seed).cells]
        (place,) = (i for i, text in enumerate(texts) if f"### Exercise {number}" in text)
        told.add(texts[place])
        assert f", variant={variant})" in texts[place + 1] and f", variant={variant})" in texts[place + 2]
    assert len(told) == 4


@pytest.mark.parametrize("number", sorted(WORDS.keys() - TRAINED))
def test_the_solution_of_each_variant_is_right_and_the_published_one_is_not(number, monkeypatch, capsys):
    digits = digits_of()
    monkeypatch.setattr(mnist, "current", lambda: digits)
    (path,) = find([number[:2]])
    lesson, (*_, solution) = read(path), cells_of(number)
    published = answered(solution, lesson)
    assert check(number, published)
    for variant, seed in seeds(number):
        answer = graded(made_of(path, seed), "solution")[int(number[-1]) - 1]
        assert check(number, answered(answer, lesson), variant=variant)
        assert check(number, published, variant=variant).passed is False


def test_a_variant_that_does_not_exist_is_said(capsys):
    assert check("03-1", 3, variant=9).passed is None and "variants 0 to 3, and not 9" in capsys.readouterr().out


@pytest.mark.parametrize("number", sorted(WORDS))
def test_only_words_of_the_exercise_are_changed_and_each_is_found(number):
    text = "\n".join(cell.source for cell in cells_of(number))
    for setting in exercises.find(number).variants[1:]:
        assert [old for old in WORDS[number](setting) if old not in text] == []


def test_a_teachers_configuration_is_kept_and_the_next_step_is_told(tmp_path, capsys):
    assert assignments.main(["03", "--output", str(tmp_path), "--seed", "3"]) == 0
    assert "nbgrader generate_assignment 03_dense_networks" in capsys.readouterr().out
    (tmp_path / "nbgrader_config.py").write_text("mine")
    assert write_course(["04"], output=tmp_path) == ["04_convolutional_networks"]
    assert (tmp_path / "nbgrader_config.py").read_text() == "mine"
    assert (tmp_path / "source/04_convolutional_networks/04_convolutional_networks.ipynb").exists()


# -- the real nbgrader: two notebooks, three submissions of each

MISTAKES = {
    "parameters = ...": "parameters = 784 * 300 + 300 * 100 + 1000",
    "    return ...": "    return 7.0",
    "horizontal_edges = ...": "horizontal_edges = np.ones((3, 3))",
}


@pytest.fixture
def course(tmp_path):
    """Lessons 03 and 04 without all that is no exercise, and without those that train a network."""
    for path in find(["03", "04"]):
        notebook = read(path)
        start = next(i for i, cell in enumerate(notebook.cells) if cell.source.startswith("## Exercises"))
        end = next(
            i for i, cell in enumerate(notebook.cells) if cell.source.startswith(f"### Exercise {path.name[:2]}-4")
        )
        notebook.cells = [nbformat.v4.new_code_cell("import numpy as np"), *notebook.cells[start:end]]
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        nbformat.write(notebook, tmp_path / "notebooks" / path.name)
    write_course(notebooks=tmp_path / "notebooks", output=tmp_path / "course", seed=SEED)
    return tmp_path / "course"


@pytest.fixture
def nbgrader(course, monkeypatch):
    """Type a command of nbgrader in the course; kernels are this Python."""
    if not shutil.which("nbgrader"):
        pytest.skip("nbgrader is not installed")
    kernel = course.parent / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    environment = os.environ | {"JUPYTER_PATH": str(kernel.parents[1]), "PYTHONPATH": str(ROOT)}

    def typed(*words):
        done = subprocess.run(
            ["nbgrader", *words], cwd=course, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    return typed


def submit(course, name, student, change):
    released = nbformat.read(course / "release" / name / f"{name}.ipynb", as_version=4)
    solved = nbformat.read(course / "source" / name / f"{name}.ipynb", as_version=4)
    for cell, answer in zip(released.cells, solved.cells, strict=True):
        cell.source = change(cell.source, answer.source)
    folder = course / "submitted" / student / name
    folder.mkdir(parents=True)
    nbformat.write(released, folder / f"{name}.ipynb")


def mistaken(source, _):
    for stub, wrong in MISTAKES.items():
        source = source.replace(stub, wrong)
    return source


def test_the_real_nbgrader_gives_the_points(course, nbgrader):
    names = sorted(path.name for path in (course / "source").iterdir())
    for name in names:
        nbgrader("generate_assignment", name, "--create")
        released = (course / "release" / name / f"{name}.ipynb").read_text()
        assert "SOLUTION" not in released and "parameters = ..." in released or "horizontal_edges = ..." in released
        submit(course, name, "empty", lambda source, _: source)
        submit(course, name, "solved", lambda _, answer: answer)
        submit(course, name, "mistaken", mistaken)
        nbgrader("autograde", name, "--create")
        nbgrader("generate_feedback", name)
    nbgrader("export")
    with (course / "grades.csv").open(newline="") as file:
        scores = {(row["assignment"], row["student_id"]): float(row["score"]) for row in csv.DictReader(file)}
    third = names[0], names[1]
    assert scores == {
        (name, student): points
        for name in third
        for student, points in {"empty": 0, "solved": 3, "mistaken": 0}.items()
    }
    feedback = {
        student: (course / "feedback" / student / names[1] / f"{names[1]}.html").read_text()
        for student in ("empty", "solved", "mistaken")
    }
    assert "not answered yet" in feedback["empty"] and "(Score: 3.0 / 3.0)" in feedback["solved"]
    assert re.search("one even grey|should have the shape", feedback["mistaken"])
