"""What makes a notebook a lesson: claims and exercises that are checked, and source code shown at first use."""

import ast
import html
import inspect
import os
import re
import sys
import sysconfig
import textwrap
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mnist_helpers.common.profile import REAL, profile
from mnist_helpers.course import passes
from mnist_helpers.data import mnist

OPEN = "not answered yet. Your answer goes where the ... is."
_NOT_THE_LEARNERS = [str(Path(__file__).parents[1]), *(sysconfig.get_path(p) for p in ("stdlib", "purelib", "platlib"))]
_MARKS = {True: ("✓", "#2e9e5b"), None: ("○", "#8a8f98"), False: ("→", "#c98a00")}  # by passed: sign and colour
_STYLE = "border-left: 4px solid {colour}; padding: 0.3em 0.8em; margin: 0.4em 0;"


class ClaimFailed(AssertionError):
    """A conclusion of a notebook does not hold (raised only with MNIST_STRICT=1)."""


def claim(conclusion: str, condition: object, evidence: object = "") -> None:
    """Print a conclusion with a tick if its condition holds, with a cross if not, and the evidence below it.

    Nothing is concluded in the smoke profile, or on the stand-in digits: the sentence is then "not judged". A learner
    who changed a setting sees the cross and goes on.

    Parameters
    ----------
    conclusion : str
        One sentence.
    condition : bool
        What must be true for it.
    evidence : object
        The figures behind it, printed below.

    Raises
    ------
    ClaimFailed
        The condition does not hold, and the environment variable MNIST_STRICT is 1.

    Examples
    --------
    >>> claim("Most images are recognised.", result.accuracy > 0.9, result)
    """
    detail = f"\n  {evidence}" if str(evidence) else ""
    digits = mnist.current()
    if profile() != "full":
        print(f"– not judged in the smoke profile: {conclusion}{detail}")
    elif digits is not None and digits.source != REAL:
        print(f"– not judged on the stand-in digits: {conclusion}{detail}")
    elif condition:
        print(f"✓ {conclusion}{detail}")
    else:
        print(f"✗ does not hold here: {conclusion}{detail}")
        if os.environ.get("MNIST_STRICT") == "1":
            raise ClaimFailed(f"{conclusion} {evidence}".strip())


@dataclass(frozen=True)
class CheckResult:
    """What `check` thinks of an answer; true when it is right.

    Parameters
    ----------
    number : str
        Of the exercise, such as "04-2".
    passed : bool or None
        None while there is no answer to be graded.
    message : str
        The next thought after a right answer, the hint for a wrong one.
    points : float
        What the answer earns: those of the exercise, or 0.
    """

    number: str
    passed: bool | None
    message: str
    points: float
    _shown: list[int | None] = field(default_factory=list, repr=False, compare=False)  # in which run of a cell

    def __bool__(self) -> bool:
        return bool(self.passed)

    def __str__(self) -> str:
        return f"{_MARKS[self.passed][0]} {self.number}: {self.message}"

    def _repr_html_(self) -> str:
        sign, colour = _MARKS[self.passed]
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.message, quote=False))
        text = re.sub(r"\*(\w[^*]*)\*", r"<em>\1</em>", text)
        mark = f'<strong style="color: {colour}">{sign} {self.number}</strong>'
        return f'<div class="check" style="{_STYLE.format(colour=colour)}">{mark}&ensp;{text}</div>'

    def _ipython_display_(self) -> None:
        """Show it, once in a run of a cell: as HTML where there is a front end, else as text."""
        ipython = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        cell = getattr(ipython, "execution_count", None)
        if cell in self._shown:
            return
        self._shown.append(cell)
        if ipython is None:
            print(self)
        else:
            from IPython.display import display

            display({"text/plain": str(self), "text/html": self._repr_html_()}, raw=True)


def check(number: str, answer: object, *, variant: int = 0) -> CheckResult:
    """Grade the answer to an exercise, and show what to think of it: a tick, or a hint. Never raises.

    Parameters
    ----------
    number : str
        Of the exercise, such as "04-2".
    answer : object
        What the exercise asks for: a number, an array, a function, a network... An Ellipsis, ``...``, is the place
        that waits for an answer.
    variant : int
        0 is the exercise of the lesson; homework may ask for another one, with other numbers.

    Returns
    -------
    CheckResult
        True when the answer is right; shown already. Where the environment variable MNIST_PASSES names a file, right
        answers are noted there, for `python -m mnist_helpers passes`.

    Examples
    --------
    >>> check("12-1", 7)
    → 12-1: That is what the first layer sees. The second one looks at the first.
    """
    try:
        result = _graded(number, answer, variant)
    except Exception as error:  # whatever a learner's function raises is an answer that is not right yet
        result = CheckResult(number, False, _told(error), 0)
    result._ipython_display_()
    if result:
        passes.note(number)
    return result


def _graded(number: str, answer: object, variant: int) -> CheckResult:
    from mnist_helpers.course.exercises import Hint, find, numbers
    from mnist_helpers.course.exercises.grading import Unanswered, is_open

    exercise = find(number)
    if exercise is None:
        near = [other for other in numbers() if other[:3] == str(number)[:3]] or numbers()
        return CheckResult(str(number), None, f"there is no exercise with this number. There are {', '.join(near)}.", 0)
    if variant not in range(len(exercise.variants)):
        return CheckResult(
            number, None, f"it has the variants 0 to {len(exercise.variants) - 1}, and not {variant}.", 0
        )
    if is_open(answer):
        return CheckResult(number, None, OPEN, 0)
    digits = mnist.current()
    if exercise.needs_digits and digits is None:
        return CheckResult(number, None, "it is graded on the digits. Run `digits = load_mnist()` first.", 0)
    given = (answer, digits) if exercise.needs_digits else (answer,)
    try:
        hint = exercise.grade(*given, **exercise.variants[variant])
    except Unanswered:
        return CheckResult(number, None, OPEN, 0)
    except Hint as raised:
        hint = str(raised)
    if hint is None:
        return CheckResult(number, True, "right." if variant else f"right. {exercise.then}".strip(), exercise.points)
    return CheckResult(number, False, hint, 0)


def _told(error: Exception) -> str:
    """Return an exception for people, with the learner's own line in which it happened, if it was one."""
    from mnist_helpers.course.exercises.grading import with_article

    said = f"while your answer was tried, there was {with_article(type(error).__name__)}: {error}".rstrip(": ")
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_of_others(f.filename)]
    if not frames:
        return said
    return f"{said}, in line {frames[-1].lineno}" + (f": `{frames[-1].line}`" if frames[-1].line else "")


def _is_of_others(file: str) -> bool:
    return file.startswith(("<frozen", "<__array", *_NOT_THE_LEARNERS))


def show_source(function: Callable) -> None:
    """Print the source code of a function or class, where a notebook uses it for the first time.

    Of its docstring only the first line is shown; ``help(function)`` shows it all.

    Parameters
    ----------
    function : callable
        Written in Python.
    """
    source = textwrap.dedent(inspect.getsource(function)).rstrip()
    lines = source.splitlines()
    first = ast.parse(source).body[0].body[0]  # type: ignore[attr-defined]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        summary = first.value.value.strip().splitlines()[0]
        lines[first.lineno - 1 : first.end_lineno] = [f'{" " * first.col_offset}"""{summary}"""']
    print("\n".join(lines))
