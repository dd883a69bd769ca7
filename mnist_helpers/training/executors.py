"""Runs that are trained elsewhere: in other processes of this machine, or on a cluster.

A job is a `Recipe`, which says all that decides a run, in plain Python objects. Whoever trains it files the result
under its key, so whatever becomes of the one that asked, work that was finished is found the next time.
"""

import functools
import pickle  # noqa: TID251, S403 -- as executors do it: between the processes of one run, never stored
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from mnist_helpers.common.backend import keras
from mnist_helpers.common.checks import problem
from mnist_helpers.common.text import duration
from mnist_helpers.common.types import Plain
from mnist_helpers.data import Digits
from mnist_helpers.data.mnist import STANDIN, current, load_mnist
from mnist_helpers.training.progress import TerminalLine, notebook_line
from mnist_helpers.training.recipe import Recipe
from mnist_helpers.training.train import file, trained

_POLL = 0.1  # seconds
_alone = threading.Lock()  # Keras draws from generators of the whole process: in its threads, one run after the other
T = TypeVar("T")
Result = tuple[dict[str, np.ndarray], Plain, str | None]  # arrays and record of a checkpoint, and its file's name


@dataclass(frozen=True)
class Known:
    """Digits that whoever trains can load, instead of 220 MB in each job."""

    source: str
    digests: tuple[str, ...]


def completed(
    runs: Sequence[T | None],
    recipes: Sequence[Recipe],
    made: Callable[..., T],
    executor: Executor,
    *,
    function: str,
    verbose: int,
) -> list[T]:
    """Return the runs that were found, and in the place of those that were not what an executor has trained.

    Parameters
    ----------
    runs : sequence
        None for each that has to be trained.
    recipes : sequence of Recipe
        All of them, from fresh weights.
    made : callable
        Makes a run from its recipe, arrays, record, the name of its file and ``loaded=False``.
    executor : concurrent.futures.Executor
    function : str
        The learner's call, for messages.
    verbose : {0, 1}
        1 shows a bar over the runs.

    Raises
    ------
    TypeError
        A network or a callback that cannot travel to another process.
    BrokenExecutor
        A process died. What the others had finished is filed.
    """
    if not callable(getattr(executor, "submit", None)):
        wanted = "a concurrent.futures.Executor, such as ProcessPoolExecutor, or None"
        raise TypeError(problem("executor", function, wanted, repr(executor)))
    absent = [recipe for recipe, run in zip(recipes, runs, strict=True) if run is None]
    results = iter(_trained_by(executor, absent, function, verbose))
    return [
        made(recipe, *next(results), loaded=False) if run is None else run
        for recipe, run in zip(recipes, runs, strict=True)
    ]


def _trained_by(executor: Executor, recipes: Sequence[Recipe], function: str, verbose: int) -> list[Result]:
    """Have each recipe trained, file what comes back at once, and return it in order."""
    jobs = [_packed(recipe, function) for recipe in recipes]
    futures = [executor.submit(_do, job) for job in jobs]
    results: list[Result | None] = [None] * len(futures)
    line, start = (notebook_line() or TerminalLine()) if verbose and futures else None, time.perf_counter()
    try:
        while missing := [i for i, result in enumerate(results) if result is None]:
            ready = [i for i in missing if futures[i].done()]
            for i in sorted(ready, key=lambda i: futures[i].exception() is not None):  # files first what is finished
                arrays, record = futures[i].result()
                results[i] = arrays, record, file(recipes[i], arrays, record)
            if line:
                done, took = sum(map(bool, results)), duration(time.perf_counter() - start)
                line.show(done / len(results), f"{recipes[0].model.name}: {done} of {len(results)} trained, {took}")
            time.sleep(_POLL)
    finally:
        for future in futures:
            future.cancel()  # nothing, if it is done
        if line:
            line.close()
    return [result for result in results if result]


def _packed(recipe: Recipe, function: str) -> bytes:
    """Return a recipe as bytes, so that what cannot be read elsewhere fails there in a job, and not before it."""
    parts = recipe.digits.train, recipe.digits.validation, recipe.digits.test
    known = recipe.digits is current()
    digits: Any = Known(recipe.digits.source, tuple(part.digest for part in parts)) if known else recipe.digits
    bare = keras.models.clone_model(recipe.model)  # not compiled, which only the start of training does
    try:
        return pickle.dumps(replace(recipe, model=bare, digits=digits))
    except Exception as error:  # pickle has an exception of its own, and lets others through
        name = "factory" if _travels(recipe.callbacks) else "callbacks"
        raise TypeError(problem(name, function, "something that pickle can send to a process", str(error))) from error


def _travels(thing: object) -> bool:
    try:
        return bool(pickle.dumps(thing))
    except Exception:
        return False


def _do(job: bytes) -> tuple[dict[str, np.ndarray], Plain]:
    """Train a recipe, wherever this is; file the result in the store that this process has, and return it."""
    with _alone:
        try:
            recipe = pickle.loads(job)  # noqa: S301
        except (AttributeError, ImportError, TypeError) as error:
            told = (
                "A worker cannot read the network or a callback. Their classes must be in a module that it can import"
            )
            reason = str(error).rpartition("Exception encountered: ")[2].partition(". ")[0]  # Keras's last sentence
            raise TypeError(f"{told}, not in a notebook: {reason}") from None
        if isinstance(recipe.digits, Known):
            recipe = replace(recipe, digits=_digits(recipe.digits))
        arrays, record = trained(recipe, verbose=0)
        file(recipe, arrays, record)
        return arrays, record


@functools.lru_cache(maxsize=1)
def _digits(known: Known) -> Digits:
    digits = current() or load_mnist(standin="always" if known.source == STANDIN else "never")
    if tuple(split.digest for split in (digits.train, digits.validation, digits.test)) != known.digests:
        raise ValueError("A worker has other digits than you: give both the same MNIST_DATA and MNIST_PROFILE.")
    return digits
