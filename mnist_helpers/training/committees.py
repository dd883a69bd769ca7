"""Several networks that decide together: train them, combine what they say, and measure the gain.

Networks that start from different random weights make different mistakes, and where one is wrong the others often
outvote it. Sources: Hansen and Salamon (1990), "Neural network ensembles", IEEE PAMI 12:993; on MNIST, Ciresan, Meier
and Schmidhuber (2012), "Multi-column deep neural networks for image classification".
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.common.checks import check_positive_int, check_sequence, check_split, problem
from mnist_helpers.common.profile import is_full, shrunk
from mnist_helpers.common.text import duration
from mnist_helpers.common.types import Plain
from mnist_helpers.data import Digits, Split
from mnist_helpers.evaluation import CommitteeEvaluation, Evaluation, evaluate
from mnist_helpers.training.executors import completed
from mnist_helpers.training.recipe import Recipe
from mnist_helpers.training.run import Run, told
from mnist_helpers.training.train import check_keep, load, run_of, train

_SHAPES = "input_shape", "output_shape"


@dataclass(frozen=True, repr=False, eq=False)
class Committee:
    """Trained networks that decide together.

    Attributes
    ----------
    runs : tuple of Run
        One per member, each with its network; ``Committee(committee.runs[:3])`` is a smaller committee. None at all, or
        networks of different input shapes or class counts, raise ``TypeError`` or ``ValueError``.
    """

    runs: tuple[Run, ...]

    def __post_init__(self) -> None:
        runs = tuple(check_sequence(self.runs, kind="Run objects", name="runs", function="Committee"))
        object.__setattr__(self, "runs", runs)
        if others := [type(run).__name__ for run in self.runs if not isinstance(run, Run)]:
            raise TypeError(problem("runs", "Committee", "a sequence of Run objects", others[0]))
        _check_models(self.models, name="runs", function="Committee")

    def __len__(self) -> int:
        return len(self.runs)

    @property
    def models(self) -> tuple[keras.Model, ...]:
        """The members' networks."""
        return tuple(run.model for run in self.runs)

    @property
    def parameters(self) -> int:
        """Number of weights of all members together."""
        return sum(run.parameters for run in self.runs)

    @property
    def seconds(self) -> float:
        """Wall time of training, of all members together."""
        return sum(run.seconds for run in self.runs)

    def evaluate(self, split: Split, *, shifts: int = 0) -> CommitteeEvaluation:
        """Measure every member, and what they decide together, on a split.

        Parameters
        ----------
        split : Split
            Images as the networks take them.
        shifts : int
            0, or the largest shift in pixels for test-time augmentation: each member's probabilities are the mean (in
            float64) over the images shifted by -shifts to +shifts whole pixels, down and across, with 0 coming in.
            ``shifts=1`` looks at each image 9 times.

        Returns
        -------
        CommitteeEvaluation

        Raises
        ------
        TypeError, ValueError
            Images of another shape than the networks take, or shifts outside 0 to size - 1.

        References
        ----------
        Krizhevsky, Sutskever and Hinton (2012), "ImageNet classification with deep convolutional neural networks",
        section 4.1.
        """
        name = "Committee.evaluate"
        size = check_split(split, function=name).images.shape[1:3]
        shifts = check_positive_int(shifts, name="shifts", function=name, minimum=0)
        if shifts >= min(size):
            raise ValueError(problem("shifts", name, f"smaller than images of {size}", repr(shifts)))
        views = list(_shifted(split, shifts))
        return CommitteeEvaluation(tuple(_mean_over(views, model) for model in self.models))

    def __repr__(self) -> str:
        names = ", ".join(dict.fromkeys(run.name for run in self.runs))
        return f"{len(self)} x {names}: {self.parameters:,} parameters, trained in {duration(self.seconds)}"


def train_committee(
    factory: Callable[[], keras.Model],
    digits: Digits,
    *,
    members: int = 5,
    seed: int = 0,
    epochs: int,
    batch_size: int = 32,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    keep: str = "weights",
    retrain: bool = False,
    verbose: int = 1,
    executor: Executor | None = None,
) -> Committee:
    """Train the members of a committee, or load those that were trained before.

    Each member has its own checkpoint, the one that ``train(factory(), digits, seed=seed + i, ...)`` has. So a
    committee that was interrupted goes on where it was, a larger one trains only the members that it lacks, and
    ``seed=5`` makes another committee of five without a member in common with ``seed=0``.

    Parameters
    ----------
    factory : callable
        Called without arguments, once per member; returns a new compiled network for the digits' images.
    digits : Digits
        Every member trains on all of ``digits.train``.
    members : int
        How many, at least 1.
    seed : int
        Of the first member, at least 0. Member ``i`` has ``seed + i``: its own initial weights, order of images,
        dropout and augmentation (where that layer has no seed of its own).
    epochs, batch_size, callbacks, keep, retrain, verbose
        As for `train`.
    executor : concurrent.futures.Executor, optional
        Who trains the members that are not stored yet, several at a time: a ``ProcessPoolExecutor`` whose processes are
        spawned, ``Client(...).get_executor()`` of dask on a cluster. Default: this process, one after the other. The
        files are the same. Networks and callbacks travel by pickle: their classes must be in a module that can be
        imported there, and not in a notebook.

    Returns
    -------
    Committee

    Raises
    ------
    TypeError, ValueError
        A factory that returns no network, the same object twice, or networks of different input shapes or class counts;
        and whatever `train` refuses.
    """
    members = check_positive_int(members, name="members", function="train_committee")
    seed = check_positive_int(seed, name="seed", function="train_committee", minimum=0)
    networks = _made(factory, shrunk(members, "members", digits.source))  # all: a bad factory is noticed at once
    settings: Plain = {"epochs": epochs, "batch_size": batch_size, "callbacks": callbacks, "keep": keep}
    seeds = range(seed, seed + len(networks))
    if executor is None:
        settings |= {"retrain": retrain, "verbose": verbose}
        return Committee(tuple(train(net, digits, seed=n, **settings) for n, net in zip(seeds, networks, strict=True)))
    check_keep(keep)
    recipes = [Recipe.of(net, digits, seed=n, **settings) for n, net in zip(seeds, networks, strict=True)]
    found = [load(recipe) if is_full(digits.source) and not retrain else None for recipe in recipes]
    runs = completed(found, recipes, run_of, executor, function="train_committee", verbose=verbose)
    if verbose:
        print(*map(told, runs), sep="\n")
    return Committee(tuple(runs))


def average_model(models: Sequence[keras.Model], name: str = "committee") -> keras.Model:
    """Return one network that holds all members and gives the mean of their outputs.

    Parameters
    ----------
    models : sequence of keras.Model
        Built sequential or functional models of the same input shape and class count, such as ``committee.models``.
        They are copied: the result has weights of its own.
    name : str
        Of the result; its members are named "<name>_0", "<name>_1" and so on.

    Returns
    -------
    keras.Model
        Uncompiled and functional: float32 images of shape (batch, height, width, 1) in, (batch, classes) out. ``save``
        writes it to one .keras file, which ``keras.saving.load_model`` reads in its safe mode; where members have
        layers of this library, such as `RandomAffine`, import their module first.

    Raises
    ------
    TypeError, ValueError
        No models, or models that are none, not built, or of different shapes.
    """
    models = check_sequence(models, kind="Keras models", name="models", function="average_model")
    _check_models(models, name="models", function="average_model")
    image = keras.Input(models[0].input_shape[1:], name="image")
    outputs = [_copied(model, f"{name}_{i}")(image) for i, model in enumerate(models)]
    mean = layers.Average(name="average")(outputs) if len(outputs) > 1 else outputs[0]  # Keras averages two or more
    return keras.Model(image, mean, name=name)


def _copied(model: keras.Model, name: str) -> keras.Model:
    """Return a copy under another name: no model may hold namesakes, which members of one factory are."""
    copy = type(model).from_config(model.get_config() | {"name": name})
    copy.set_weights(model.get_weights())
    return copy


def _made(factory: Callable[[], keras.Model], members: int) -> list[keras.Model]:
    wanted = "a function that returns a new Keras model each time"
    if not callable(factory) or isinstance(factory, keras.Model):
        raise TypeError(problem("factory", "train_committee", wanted, repr(factory)))
    networks = [factory() for _ in range(members)]
    _check_models(networks, name="factory", function="train_committee")
    if len({id(network) for network in networks}) < members:
        raise ValueError(problem("factory", "train_committee", wanted, "the same object twice"))
    return networks


def _check_models(models: Sequence[object], *, name: str, function: str) -> None:
    """Refuse anything but built models, at least one, that all take the same images and tell the same classes."""
    wanted = "one or more Keras models, built, with one input and one output"
    if not models:
        raise ValueError(problem(name, function, wanted, "none"))
    for i, model in enumerate(models):
        if not isinstance(model, keras.Model):
            raise TypeError(problem(name, function, wanted, f"{type(model).__name__} as member {i}"))
        if not model.built or not all(isinstance(getattr(model, shape, 0), tuple) for shape in _SHAPES):
            raise ValueError(problem(name, function, wanted, f"{model.name!r} as member {i}"))
        shapes, first = [[getattr(m, shape)[1:] for shape in _SHAPES] for m in (model, models[0])]
        if shapes != first:
            same = f"networks of one input shape and class count, here {first[0]} and {first[1]}"
            raise ValueError(problem(name, function, same, f"{shapes[0]} and {shapes[1]} in member {i}"))


def _shifted(split: Split, shifts: int) -> Iterator[Split]:
    """Yield the split shifted by -shifts to +shifts whole pixels in both directions; the images are views."""
    height, width = split.images.shape[1:3]
    padded = np.pad(split.images, ((0, 0), (shifts, shifts), (shifts, shifts), (0, 0)))
    for top in range(2 * shifts + 1):
        for left in range(2 * shifts + 1):
            yield replace(split, images=padded[:, top : top + height, left : left + width])


def _mean_over(views: Sequence[Split], model: keras.Model) -> Evaluation:
    """Return a network's evaluation by the mean of its probabilities over several views of the same images."""
    probabilities = np.array([evaluate(model, view).probabilities for view in views], np.float64)
    return evaluate(probabilities.mean(axis=0), views[0])
