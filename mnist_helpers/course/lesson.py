"""What makes a notebook a lesson: claims and exercises that are checked, the banner, source code shown at first use."""

import ast
import inspect
import os
import textwrap
from collections.abc import Callable
from typing import Any

from mnist_helpers.common.checks import check_attributes, problem
from mnist_helpers.data.budget import Budget, profile_from_environment
from mnist_helpers.data.mnist import REAL


class ClaimFailed(AssertionError):
    """A conclusion of a notebook does not hold (raised only with MNIST_STRICT=1)."""


def claim(conclusion: str, condition: Any, evidence: Any = "", *, on: Any = None) -> None:
    """Print a conclusion with a tick if its condition holds, with a cross if not, and the evidence below it.

    Parameters
    ----------
    conclusion : one sentence. condition : what must be true for it. evidence : the figures behind it.
    on : the digits (or split, or evaluation) that it is about. On the stand-in, and in the smoke profile, nothing is
        concluded: the sentence is printed as "not judged".

    A learner who changed a setting sees the cross and goes on. With MNIST_STRICT=1 (``make run``, the tests) a cross
    raises ``ClaimFailed``.
    """
    holds = bool(condition)
    detail = f"\n  {evidence}" if str(evidence) else ""
    if profile_from_environment() != "full":
        print(f"– not judged in the smoke profile: {conclusion}{detail}")
    elif getattr(on, "source", REAL) != REAL:
        print(f"– not judged on the stand-in digits: {conclusion}{detail}")
    elif holds:
        print(f"✓ {conclusion}{detail}")
    else:
        print(f"✗ does not hold here: {conclusion}{detail}")
        if os.environ.get("MNIST_STRICT") == "1":
            raise ClaimFailed(f"{conclusion} {evidence}".strip())


def check(number: str, answer: Any, *, digits: Any = None) -> None:
    """Grade the answer to an exercise: print a tick, or a cross and a hint. Never raises.

    Parameters
    ----------
    number : of the exercise, such as "04-2".
    answer : what the exercise asks for: a number, an array, a function, a network... An Ellipsis, ``...``, is the place
        that waits for an answer.
    digits : the ``Digits`` of the notebook, for the exercises that say so.
    """
    try:
        verdict = _verdict(number, answer, digits)
    except Exception as error:  # whatever a learner's function raises is an answer that is not right yet
        print(f"✗ {number}: while your answer was tried, there was a {type(error).__name__}: {error}")
    else:
        print(f"✓ {number}: right." if verdict is None else f"✗ {number}: {verdict}")


def _verdict(number: str, answer: Any, digits: Any) -> str | None:
    """Return None for a right answer, otherwise what to say."""
    from mnist_helpers.course.exercises import Hint, find, numbers
    from mnist_helpers.course.exercises.grading import Unanswered, is_open

    exercise = find(number)
    if exercise is None:
        known = numbers()
        near = [other for other in known if other[:3] == str(number)[:3]] or known
        return f"there is no exercise with this number. There are {', '.join(near)}."
    if is_open(answer):
        return "not answered yet. Your answer goes where the ... is."
    if exercise.needs_digits and digits is None:
        return f'this exercise looks at the digits, too: check("{number}", ..., digits=digits).'
    try:
        return exercise.grade(answer, digits) if exercise.needs_digits else exercise.grade(answer)
    except Unanswered:
        return "not answered yet. Your answer goes where the ... is."
    except Hint as hint:
        return str(hint)


def banner(digits: Any, budget: Budget) -> None:
    """Print what this notebook works on; on the stand-in or in the smoke profile, say so where nobody overlooks it.

    Raises ``TypeError`` for what are no ``Digits``, or no ``Budget``.
    """
    parts = ("train", "validation", "test", "source")
    check_attributes(digits, parts, kind="Digits", name="digits", function="banner")
    if not isinstance(budget, Budget):
        raise TypeError(problem("budget", "banner", "a Budget", type(budget).__name__))
    sizes = ", ".join(f"{len(s):,} {n} images" for n, s in _splits(digits))
    if budget.full:
        print(f"MNIST: {sizes}.")
        return
    lines = []
    if digits.source != REAL:
        lines = [
            "THIS IS NOT MNIST. It could not be had, so a stand-in is used: the small",
            "8x8 digits of scikit-learn, enlarged to 28x28:",
            f"{sizes}.",
            "Figures and pictures differ from the text. To get MNIST, connect and run",
            "    python -m mnist_helpers data",
        ]
    if budget.profile == "smoke":
        lines.append("SMOKE PROFILE: networks are hardly trained; figures differ from the text.")
    width = max(map(len, lines))
    print("\n".join(["=" * width, *lines, "=" * width]))


def _splits(digits: Any) -> list[tuple[str, Any]]:
    return [("training", digits.train), ("validation", digits.validation), ("test", digits.test)]


def show_source(function: Callable[..., Any]) -> None:
    """Print the source code of a function or class, where a notebook uses it for the first time.

    Of its docstring only the first line is shown; ``help(function)`` shows it all.
    """
    source = textwrap.dedent(inspect.getsource(function)).rstrip()
    lines = source.splitlines()
    first = ast.parse(source).body[0].body[0]  # type: ignore[attr-defined]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        summary = first.value.value.strip().splitlines()[0]
        lines[first.lineno - 1 : first.end_lineno] = [f'{" " * first.col_offset}"""{summary}"""']
    print("\n".join(lines))
