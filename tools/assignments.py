"""Assignments for nbgrader, build/nbgrader: the lessons with cells that are graded, and variants of their exercises.

    python -m tools.assignments [03 04 ...] [--seed 2027] [--output FOLDER]

The folder is a course of nbgrader: `nbgrader generate_assignment 03_dense_networks` is typed in it. Each exercise is
an answer cell, and below it a locked cell that gives the points. With a seed, exercises that have variants ask for
other numbers than the lessons do, whose solutions are public.
"""

import argparse
import random
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from mnist_helpers.common.files import atomic_write
from mnist_helpers.course import exercises
from tools.series import NOTEBOOKS, ROOT, find, read, shown, tags
from tools.student import handed_out
from tools.variants import varied

_CHECK = re.compile(r'check\("(\d\d-\d+)", (.+?)\);?\s*$')
CONFIGURATION = """c = get_config()

c.CourseDirectory.course_id = "mnist"
c.ClearSolutions.code_stub = {"python": ""}  # the stub stands above the solution
c.ExecutePreprocessor.timeout = 600
c.ClearSolutions.enforce_metadata = True
"""
POINTS = """# {points:g} point{s}, given by nbgrader. Please leave this cell as it is.
from mnist_helpers.course.lesson import check

result = check({call})
assert result, result.message"""


def assignment(notebook: NotebookNode, seed: int | None = None) -> NotebookNode:
    """Return a lesson in nbgrader's form.

    Parameters
    ----------
    notebook : NotebookNode
        Each cell tagged "exercise" is followed by one tagged "solution"; both end with ``check(number, answer)``.
    seed : int, optional
        Which variants; None asks what the lesson asks.
    """
    notebook = handed_out(notebook)
    cells: list[NotebookNode] = []
    for cell in notebook.cells:
        if "exercise" in tags(cell):
            number, variant = _number(cell), variant_of(_number(cell), seed)
            varied(cells[-1], number, variant)
            cells.append(varied(cell, number, variant))
        elif "solution" in tags(cell):
            number = _number(cell)
            variant = variant_of(number, seed)
            cells[-1:] = _graded(cells[-1], varied(cell, number, variant), number, variant)
        else:
            cells.append(cell)
    notebook.cells = cells
    return notebook


def variant_of(number: str, seed: int | None) -> int:
    """Return which variant of an exercise a seed asks for: never the lesson's own, 0, where there are others."""
    exercise = exercises.find(number)
    last = len(exercise.variants) - 1 if exercise else 0
    return 0 if seed is None or not last else random.Random(f"{seed} {number}").randint(1, last)  # noqa: S311


def _number(cell: NotebookNode) -> str:
    return _CHECK.search(cell.source)[1]  # type: ignore[index]


def _graded(stub: NotebookNode, solution: NotebookNode, number: str, variant: int) -> list[NotebookNode]:
    """Return the answer cell, in which nbgrader finds the solution to take out, and the cell that gives points."""
    answer = _CHECK.search(stub.source)[2]  # type: ignore[index]
    call = f'"{number}", {answer}' + (f", variant={variant}" if variant else "")
    open_part = _CHECK.sub("", stub.source).rstrip()
    solved = _CHECK.sub("", solution.source).strip()
    stub.source = f"{open_part}\n### BEGIN SOLUTION\n{solved}\n### END SOLUTION\ncheck({call});"
    stub.metadata = {"nbgrader": _metadata(f"answer-{number}", solution=True)}
    exercise = exercises.find(number)
    points = exercise.points if exercise else 1
    source = POINTS.format(points=points, s="" if points == 1 else "s", call=call)
    test = new_code_cell(source, id=f"{stub.id}-points"[-64:])
    test.metadata = {"nbgrader": _metadata(f"points-{number}", grade=True, locked=True, points=points)}
    return [stub, test]


def _metadata(name: str, **true: bool | float) -> Mapping[str, object]:
    standard = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    return standard | {"grade_id": name, "cell_type": "code"} | true


def write_course(
    selection: Sequence[str] = (),
    notebooks: Path = NOTEBOOKS,
    output: Path = ROOT / "build" / "nbgrader",
    seed: int | None = None,
) -> list[str]:
    """Write a course of nbgrader, one assignment for each lesson that has exercises; return their names."""
    names = []
    for path in find(selection, notebooks):
        notebook = read(path)
        if any("exercise" in tags(cell) for cell in notebook.cells):
            names.append(path.stem)
            made = (nbformat.writes(assignment(notebook, seed)) + "\n").encode()
            atomic_write(output / "source" / path.stem / path.name, made)
            for beside in _pictures(notebook.cells, notebooks):
                atomic_write(output / "source" / path.stem / beside.relative_to(notebooks), beside.read_bytes())
    if not (output / "nbgrader_config.py").exists():  # which a teacher may have completed
        atomic_write(output / "nbgrader_config.py", CONFIGURATION.encode())
    return names


def _pictures(cells: Iterable[NotebookNode], notebooks: Path) -> list[Path]:
    named = {name for cell in cells for name in re.findall(r"pictures/[\w.-]+", cell.source)}
    return [notebooks / name for name in sorted(named) if (notebooks / name).is_file()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute a command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.assignments", description="Write a course for nbgrader.")
    parser.add_argument("selection", nargs="*", help="such as 03 or 03_dense; all lessons with exercises if none")
    parser.add_argument("--seed", type=int, help="any number: other variants of the exercises than the lessons ask for")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "nbgrader", help="its folder (build/nbgrader)")
    options = parser.parse_args(arguments)
    names = write_course(options.selection, output=options.output, seed=options.seed)
    print(f"{len(names)} assignments are in {shown(options.output)}/source. Go on there, for example with")
    print(f"  cd {shown(options.output)} && nbgrader generate_assignment {names[0] if names else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
