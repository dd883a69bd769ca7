"""How exercises are registered and found, and the questions that many graders ask."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mnist_helpers.data.mnist import Digits

Answer = Any  # a learner may give whatever there is
Grader = Callable[..., str | None]
_known: dict[str, "Exercise"] = {}
_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_NUMBERS += ["eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]


class Hint(Exception):
    """What a grader raises for a wrong answer: a sentence that helps."""


class Unanswered(Exception):
    """The answer is still the stub's."""


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Parameters
    ----------
    number : str
        Such as "04-2": of the notebook, and within it.
    grade : callable
        Takes the answer (and the ``Digits``, where it needs them), returns None for a right one, else a hint.
    then : str
        The next thought, shown after a right answer.
    needs_digits : bool
        Whether it looks at the digits of the notebook.
    points : float
        What a right answer earns.
    variants : sequence of mapping
        Settings of the grader, as keywords, one for each variant. The first is the lesson's; the others ask the same
        with other numbers, for homework of which no solution is public.
    """

    number: str
    grade: Grader
    then: str
    needs_digits: bool
    points: float
    variants: Sequence[Mapping[str, Any]]


def exercise(
    number: str,
    then: str,
    *,
    needs_digits: bool = False,
    points: float = 1,
    variants: Sequence[Mapping[str, Any]] = ({},),
) -> Callable[[Grader], Grader]:
    """Register a grader; see `Exercise` for the parameters."""

    def register(grade: Grader) -> Grader:
        _known[number] = Exercise(number, grade, then, needs_digits, points, variants)
        return grade

    return register


def find(number: str) -> Exercise | None:
    """Return the exercise with this number, None if there is none."""
    return _known.get(number) if number in numbers() else None


def numbers() -> list[str]:
    """Return the numbers of all exercises, in order."""
    for path in sorted(Path(__file__).parent.glob("nb_??.py")):
        importlib.import_module(f"{__package__}.{path.stem}")
    return sorted(_known)


def as_number(answer: Answer) -> float:
    """Return an answer that is one finite number, or raise a `Hint` that says what it is instead."""
    value = _array(answer)
    if value.size != 1 or value.dtype.kind not in "iuf":
        raise Hint(f"The answer should be one number. This is {_told(answer)}.")
    if not np.isfinite(value).all():
        raise Hint(f"The answer should be a finite number. This is {value.item()}.")
    return float(value.item())


def as_array(answer: Answer, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return an answer that is an array (or a list) of finite numbers of this shape, or raise a `Hint`."""
    value = _array(answer)
    if value.dtype.kind not in "iufb":
        raise Hint(f"The answer should be numbers, in an array or a list. This is {_told(answer)}.")
    if shape is not None and value.shape != shape:
        if len(shape) == 1 and value.ndim < 2:
            raise Hint(f"The answer should be {_count(shape[0])}. Yours has {_count(value.size)}.")
        raise Hint(f"The answer should have the shape {shape}. This one has {value.shape}.")
    if not np.isfinite(value).all():
        raise Hint("The answer has entries that are not finite (NaN or infinity).")
    return value


def called(answer: Answer, *arguments: Any) -> Any:
    """Return what a function that is the answer gives for these arguments, or raise a `Hint`."""
    if not callable(answer):
        raise Hint(f"The answer should be a function. This is {_told(answer)}.")
    value = answer(*arguments)
    if value is None:
        raise Hint("Your function returns None. Is there a return?")
    if value is ...:
        raise Unanswered
    return value


def diagnosis(
    given: Any, right: Any, mistakes: Mapping[str, Any], otherwise: str, *, rtol: float = 1e-4, atol: float = 1e-8
) -> str | None:
    """Return None for the right value, the hint of the mistake that gives this value, or another hint."""

    def is_close(value: Any) -> bool:
        return np.allclose(given, value, rtol=rtol, atol=atol)

    return None if is_close(right) else next((hint for hint, wrong in mistakes.items() if is_close(wrong)), otherwise)


def is_open(answer: Answer) -> bool:
    """Return whether there is still an Ellipsis where an answer should be, also inside a tuple, list or dictionary."""
    if isinstance(answer, dict):
        return any(map(is_open, answer.values()))
    return any(map(is_open, answer)) if isinstance(answer, list | tuple) else answer is ...


def with_article(noun: str) -> str:
    """Return "an IndexError", "a ZeroDivisionError", "an 8"."""
    return f"{'an' if noun[0].lower() in 'aeiou8' and not noun.startswith(('Uni', 'uf')) else 'a'} {noun}"


def in_words(n: int) -> str:
    """Return "five"; numbers from 20 on stay in digits."""
    return _NUMBERS[n] if n < len(_NUMBERS) else str(n)


def _array(answer: Answer) -> np.ndarray:
    try:
        return np.asarray(answer)
    except ValueError:
        lengths = ", ".join(str(len(row)) if hasattr(row, "__len__") else "one number" for row in answer)
        raise Hint(f"The rows of your answer have different lengths: {lengths}.") from None


def _count(n: int) -> str:
    return f"{in_words(n) if n <= 10 else n} number{'' if n == 1 else 's'}"


def _told(answer: Answer) -> str:
    said = with_article(type(answer).__name__)
    if hasattr(answer, "shape"):
        return f"{said} of shape {tuple(answer.shape)}"
    if isinstance(answer, list | tuple | set):
        kinds = sorted({type(part).__name__ for part in answer})
        return f"{said} of {_count(len(answer))}" if {*kinds} <= {"float", "int"} else f"{said} of {', '.join(kinds)}"
    return said


def check_network(answer: Answer) -> None:
    """Raise `Hint` for what is no Keras network that knows its input."""
    from mnist_helpers.common.backend import keras

    if isinstance(answer, keras.callbacks.History):
        raise Hint("This is the history that `fit` returns. Hand over the network itself.")
    if not isinstance(answer, keras.Model):
        raise Hint(
            f"The answer should be a Keras network, such as keras.Sequential([...]). This is a {type(answer).__name__}."
        )
    if not answer.built:
        raise Hint("The network does not know its input yet. Begin with keras.Input((28, 28, 1)).")


def validation_accuracy(network: Any, digits: Digits) -> float:
    """Return the accuracy of a compiled and fitted network on the validation images, else raise `Hint`."""
    if not network.compiled:
        raise Hint("Well built. It still has to be compiled: `network.compile(optimizer=..., loss=..., metrics=...)`.")
    images, labels = digits.validation.images, digits.validation.labels
    outputs = network.predict(images, batch_size=512, verbose=0)
    accuracy = float(np.mean(outputs.argmax(axis=1) == labels))
    if not network.optimizer.iterations.numpy():
        told = f"Compiled, but not trained: it reads {accuracy:.0%} of the validation images."
        raise Hint(f"{told} Now `network.fit(...)`.")
    if not np.isfinite(outputs).all():
        raise Hint("Its outputs are not finite: the training diverged. Build it anew, with a smaller learning rate.")
    if accuracy < 0.9:
        raw = float(np.mean(network.predict(255 * images, batch_size=512, verbose=0).argmax(axis=1) == labels))
        if raw > accuracy + 0.1:
            told = f"It reads {accuracy:.0%} of the validation images, but {raw:.0%} if their pixels go from 0 to 255."
            raise Hint(f"{told} Was it fitted on such pixels? Divide them by 255 first, as in `digits`.")
    return accuracy
