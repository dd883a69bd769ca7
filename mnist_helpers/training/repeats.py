"""The same training from several seeds: what a single run cannot tell."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import overload

import numpy as np
import pandas as pd

from mnist_helpers.common.backend import keras
from mnist_helpers.common.checks import check_sequence, problem
from mnist_helpers.common.profile import is_full, shrunk
from mnist_helpers.common.types import Plain
from mnist_helpers.data import Digits, Split
from mnist_helpers.evaluation import Evaluation, evaluate
from mnist_helpers.training import store
from mnist_helpers.training.executors import completed
from mnist_helpers.training.recipe import Recipe
from mnist_helpers.training.run import Figures, figures_of, told
from mnist_helpers.training.train import file, trained


@dataclass(frozen=True, repr=False)
class Outcome(Figures):
    """The figures of one run of a study (see `Figures`), and what its network predicted.

    Attributes
    ----------
    predictions : dict of str to ndarray
        int64 digits of shape (n,) for "validation" and "test".
    """

    predictions: dict[str, np.ndarray]

    def evaluate(self, split: Split) -> Evaluation:
        """Return the evaluation on the validation or the test images; of others, nothing is kept."""
        if split.name not in self.predictions or len(split) != len(self.predictions[split.name]):
            wanted = "the digits' validation or test split, as the run saw it"
            raise ValueError(problem("split", "Outcome.evaluate", wanted, f"{split!r}"))
        return evaluate(self.predictions[split.name], split)


@dataclass(frozen=True, repr=False)
class Repeats(Sequence[Outcome]):
    """The outcomes of one training from several seeds: a sequence of `Outcome`."""

    outcomes: tuple[Outcome, ...]

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> "Repeats": ...
    def __getitem__(self, index: int | slice) -> "Outcome | Repeats":
        return Repeats(self.outcomes[index]) if isinstance(index, slice) else self.outcomes[index]

    def __len__(self) -> int:
        return len(self.outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)

    def evaluate(self, split: Split) -> list[Evaluation]:
        """Return one evaluation per seed on the validation or the test images."""
        return [outcome.evaluate(split) for outcome in self.outcomes]

    @property
    def history(self) -> pd.DataFrame:
        """One row per seed and epoch, with the columns seed and epoch: as seaborn draws curves with bands."""
        tables = [outcome.history.reset_index().assign(seed=outcome.seed) for outcome in self.outcomes]
        return pd.concat(tables, ignore_index=True)

    @property
    def validation_accuracies(self) -> np.ndarray:
        """Float64 of shape (seeds,), 0 to 1."""
        return np.array([outcome.validation_accuracy for outcome in self.outcomes])

    def __repr__(self) -> str:
        values = self.validation_accuracies
        spread = f", standard deviation {values.std(ddof=1):.2%}" if len(values) > 1 else ""
        return f"{len(self)} x {self[0].name}: validation accuracy {values.mean():.2%} on average{spread}"


def repeat(
    factory: Callable[[], keras.Model],
    digits: Digits,
    *,
    seeds: Iterable[int] = range(5),
    epochs: int,
    batch_size: int = 32,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    retrain: bool = False,
    verbose: int = 1,
    executor: Executor | None = None,
) -> Repeats:
    """Train the network that ``factory`` makes once per seed, or load what these runs predicted.

    Parameters
    ----------
    factory : callable
        Returns a new compiled model each time.
    digits : Digits
    seeds : iterable of int
        One run each.
    epochs, batch_size, callbacks, retrain
        As for `train`.
    verbose : {0, 1}
        1 shows a bar while training, and prints one line in the end.
    executor : concurrent.futures.Executor, optional
        Who trains the runs that are not stored yet, as for `train_committee`.

    Returns
    -------
    Repeats
        Figures and predictions of every run, whether it was stored or trained now. Networks are not kept: use `train`
        for the one that you want to look into.

    Raises
    ------
    DivergedError, TypeError, ValueError
        As `train` does; and for a factory that is none, or for no seeds.
    """
    seeds = check_sequence(seeds, kind="a sequence of integers", name="seeds", function="repeat")
    if not callable(factory) or isinstance(factory, keras.Model) or not seeds:
        got = repr(factory) if seeds else "no seeds"
        raise TypeError(problem("factory", "repeat", "a function that returns a new compiled Keras model", got))
    seeds = seeds[: shrunk(len(seeds), "seeds", digits.source)]
    settings: Plain = {
        "epochs": epochs,
        "batch_size": batch_size,
        "callbacks": callbacks,
        "keep": "predictions",
    }
    recipes = [Recipe.of(factory(), digits, seed=seed, **settings) for seed in seeds]
    found = (_stored(recipe) if is_full(digits.source) and not retrain else None for recipe in recipes)
    if executor is None:
        outcomes = [run or _trained(recipe, verbose) for recipe, run in zip(recipes, found, strict=True)]
    else:
        outcomes = completed(list(found), recipes, _outcome, executor, function="repeat", verbose=verbose)
    repeats = Repeats(tuple(outcomes))
    if verbose:
        print(told(repeats[0]) if len(repeats) == 1 else repeats)
    return repeats


def _stored(recipe: Recipe) -> Outcome | None:
    found = store.find(recipe.key)
    if found is None:
        return None
    try:
        return _outcome(recipe, found.arrays, found.record, found.path.name)
    except (KeyError, ValueError, TypeError) as error:
        store.refuse(found.path, error)
        return None


def _trained(recipe: Recipe, verbose: int) -> Outcome:
    arrays, record = trained(recipe, verbose=verbose)
    return _outcome(recipe, arrays, record, file(recipe, arrays, record), loaded=False)


def _outcome(
    recipe: Recipe, arrays: Mapping[str, np.ndarray], record: Plain, checkpoint: str | None, *, loaded: bool = True
) -> Outcome:
    predictions = {name: arrays[name].astype(np.int64) for name in ("validation", "test")}
    return Outcome(**figures_of(recipe, record, checkpoint, loaded=loaded), predictions=predictions)
