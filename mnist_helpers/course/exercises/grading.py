"""How exercises are registered and found, and the questions that many graders ask."""

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_NUMBER = re.compile(r"(\d\d)-\d+")
_known: dict[str, "Exercise"] = {}


class Hint(Exception):
    """What a grader raises for a wrong answer: a sentence that helps."""


@dataclass(frozen=True)
class Exercise:
    """One exercise: its number, such as "04-2", and the function that grades an answer."""

    number: str
    grade: Callable[..., str | None]
    needs_digits: bool


def exercise(number: str, *, needs_digits: bool = False) -> Callable[[Callable[..., str | None]], Callable]:
    """Register a grader: called with the answer, and also with the ``Digits`` of the notebook if it needs them."""
    if not _NUMBER.fullmatch(number) or number in _known:
        raise ValueError(f"An exercise must have a number of its own such as '04-2'. Got {number!r}.")

    def register(grade: Callable[..., str | None]) -> Callable[..., str | None]:
        _known[number] = Exercise(number, grade, needs_digits)
        return grade

    return register


def find(number: Any) -> Exercise | None:
    """Return the exercise with this number, None if there is none."""
    match = _NUMBER.fullmatch(number) if isinstance(number, str) else None
    if match and (Path(__file__).parent / f"nb_{match[1]}.py").is_file():
        importlib.import_module(f"{__package__}.nb_{match[1]}")
    return _known.get(number) if match else None


def numbers() -> list[str]:
    """Return the numbers of all exercises, in order."""
    for path in sorted(Path(__file__).parent.glob("nb_??.py")):
        importlib.import_module(f"{__package__}.{path.stem}")
    return sorted(_known, key=lambda number: [int(part) for part in number.split("-")])


def as_number(answer: Any) -> float:
    """Return an answer that is one finite number, or raise a `Hint` that says what it is instead."""
    value = np.asarray(answer)
    if value.size != 1 or value.dtype.kind not in "iuf":
        raise Hint(f"The answer should be one number. This is {_told(answer)}.")
    if not np.isfinite(value).all():
        raise Hint(f"The answer should be a finite number. This is {value.item()}.")
    return float(value.item())


def as_array(answer: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return an answer that is an array of finite numbers of this shape, or raise a `Hint`."""
    value = np.asarray(answer)
    if value.dtype.kind not in "iufb":
        raise Hint(f"The answer should be an array of numbers. This is {_told(answer)}.")
    if shape is not None and value.shape != shape:
        raise Hint(f"The answer should have the shape {shape}. This one has {value.shape}.")
    if not np.isfinite(value).all():
        raise Hint("The answer has entries that are not finite (NaN or infinity).")
    return value


def called(answer: Any, *arguments: Any) -> Any:
    """Return what a function that is the answer gives for these arguments, or raise a `Hint`."""
    if not callable(answer):
        raise Hint(f"The answer should be a function. This is {_told(answer)}.")
    value = answer(*arguments)
    if value is None:
        raise Hint("Your function returns None. Is there a return?")
    if value is ...:
        raise Unanswered
    return value


class Unanswered(Exception):
    """The answer is still the stub's."""


def is_open(answer: Any) -> bool:
    """Return whether there is still an Ellipsis where an answer should be, also inside a tuple, list or dictionary."""
    if isinstance(answer, dict):
        return any(map(is_open, answer.values()))
    return any(map(is_open, answer)) if isinstance(answer, list | tuple) else answer is ...


def _told(answer: Any) -> str:
    shape = getattr(answer, "shape", None)
    return f"a {type(answer).__name__}" + (f" of shape {tuple(shape)}" if shape is not None else "")
