"""``model.fit``, remembered: train a network reproducibly, resumably, and only once."""

import contextlib
import random
import threading
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy

import numpy as np

from mnist_helpers.common.backend import keras
from mnist_helpers.common.profile import is_full
from mnist_helpers.common.text import device_name
from mnist_helpers.common.types import Plain
from mnist_helpers.data import Digits, Split
from mnist_helpers.training import resume, store
from mnist_helpers.training.progress import TrainingProgress
from mnist_helpers.training.recipe import Recipe
from mnist_helpers.training.run import Run, figures_of, told

Arrays = dict[str, np.ndarray]


class TrainingInterrupted(KeyboardInterrupt):
    """Training was interrupted by hand. A notebook shows one line instead of a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def train(
    model: keras.Model,
    digits: Digits,
    *,
    epochs: int,
    batch_size: int = 32,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    warm_start: bool = False,
    keep: str = "weights",
    retrain: bool = False,
    verbose: int = 1,
) -> Run:
    """Train a compiled model from fresh weights drawn from ``seed``, or load them when exactly this was trained before.

    The recipe is that of ``model.fit`` on ``digits.train`` with ``digits.validation`` as validation data; afterwards
    ``model`` itself is trained. A run that was interrupted or killed goes on from its last finished epoch.

    Parameters
    ----------
    model : keras.Model
        Compiled, for images of the digits' shape; optimizer and loss are those it was compiled with. A schedule of the
        learning rate that has an end must be as long as the run, ``total_steps(digits, ...)``.
    digits : Digits
        Labels are given as the loss needs them: digits for a sparse loss, -1 and 1 for a hinge loss, one-hot rows
        otherwise.
    epochs, batch_size : int
        At least 1.
    seed : int
        Decides initial weights, order of the images and dropout. Same seed, same machine: same weights.
    callbacks : sequence of keras.callbacks.Callback
        Such as ``EarlyStopping(restore_best_weights=True)``; copied, so that one object may serve many runs.
    warm_start : bool
        Start from the weights that ``model`` has.
    keep : {"weights", "int8"}
        What a checkpoint holds of each weight: 16 bits, or 8 bits for those of kernels, for large networks. The weights
        are rounded so when training ends, so that a run and its checkpoint are the same network.
    retrain : bool
        Train although a checkpoint exists.
    verbose : {0, 1}
        1 shows a bar while training, and prints one line; 0 prints nothing.

    Returns
    -------
    Run

    Raises
    ------
    DivergedError
        The loss on the training or the validation images is no longer finite.
    TypeError, ValueError
        A bad argument, naming it; among others a model that is not compiled.

    Notes
    -----
    The order of the images follows from the seed and the epoch alone, so that an interrupted run can go on. So the
    numbers differ a little from those of ``model.fit``, whose order follows from one generator.
    """
    options: Plain = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "callbacks": callbacks}
    check_keep(keep)
    recipe = Recipe.of(model, digits, warm_start=warm_start, keep=keep, **options)
    run = load(recipe) if is_full(digits.source) and not retrain else None
    if run is None:
        arrays, record = trained(recipe, verbose=verbose)
        run = run_of(recipe, arrays, record, file(recipe, arrays, record), loaded=False)
    if verbose:
        print(told(run))
    return run


def check_keep(keep: object) -> None:
    """Refuse what only ``repeat`` keeps; a recipe refuses whatever else is wrong."""
    if keep == "predictions":
        raise ValueError("The 'keep' parameter of train must be one of {'weights', 'int8'}; repeat keeps predictions.")


def load(recipe: Recipe) -> Run | None:
    """Return the stored run of a recipe, with its weights in the recipe's model, or None."""
    found = store.find(recipe.key)
    if found is None:
        return None
    try:
        return run_of(recipe, found.arrays, found.record, found.path.name)
    except (KeyError, ValueError, TypeError) as error:  # whole, but of another maker
        store.refuse(found.path, error)
        return None


def run_of(recipe: Recipe, arrays: Arrays, record: Plain, checkpoint: str | None, *, loaded: bool = True) -> Run:
    """Return the run that arrays and record tell of, with its weights in the recipe's model."""
    figures = figures_of(recipe, record, checkpoint, loaded=loaded)
    recipe.model.set_weights(store.unpacked(arrays, len(recipe.model.weights)))
    return Run(**figures, model=recipe.model)


def trained(recipe: Recipe, *, verbose: int = 1) -> tuple[Arrays, Plain]:
    """Train the recipe's model; return the arrays and the record of its checkpoint."""
    model, digits, name = recipe.model, recipe.digits, recipe.model.name
    start(recipe)
    bar = TrainingProgress(name, recipe.epochs, -(-len(digits.train) // recipe.batch_size)) if verbose else None
    try:
        progress = _fit(recipe, bar, recipe.key if is_full(digits.source) else None)
        arrays = store.packed(model.get_weights(), int8=recipe.keep == "int8")
        model.set_weights(store.unpacked(arrays, len(model.weights)))
        splits = [digits.train, digits.validation, *([digits.test] if recipe.keep == "predictions" else [])]
        predicted = {split.name: _predict(model, split) for split in splits}
    finally:
        recipe.compile(for_training=False)
        if bar:
            bar.close()
    accuracies = {split.name: float(np.mean(predicted[split.name] == split.labels)) for split in splits}
    record = {
        "name": name,
        "description": recipe.description,
        "history": progress.rows,
        "seconds": progress.seconds,
        "train_accuracy": accuracies["train"],
        "validation_accuracy": accuracies["validation"],
        "device": device_name(),
        "precision": keras.config.dtype_policy().name,
    }
    if recipe.keep == "predictions":
        arrays = {split: predicted[split].astype(np.uint8) for split in ("validation", "test")}
    return arrays, record


def file(recipe: Recipe, arrays: Arrays, record: Plain) -> str | None:
    """File a result under its recipe's key; return its file's name, or None where none is kept."""
    if not is_full(recipe.digits.source):
        return None
    path = store.write(recipe.model.name, recipe.key, arrays, record)
    if path is None:
        return None  # and the state stays: the next time, only what came after it is trained again
    resume.forget(recipe.model.name, recipe.key)
    return path.name


def start(recipe: Recipe) -> None:
    """Compile a recipe's model afresh, with weights and random generators as its seed draws them."""
    with seeded(recipe.seed):
        fresh = keras.models.clone_model(recipe.model)
    weights = {id(variable) for variable in recipe.model.weights}
    for ours, new in zip(recipe.model.variables, fresh.variables, strict=True):
        if not (recipe.warm_start and id(ours) in weights):  # else only the generators start anew
            ours.assign(new)
    recipe.compile(for_training=True)


def _fit(recipe: Recipe, bar: TrainingProgress | None, key: str | None) -> resume.Progress:
    """Call ``model.fit`` for the epochs that are still to be trained."""
    model, name = recipe.model, recipe.model.name
    callbacks = [deepcopy(callback) for callback in recipe.callbacks]
    state = resume.KeepState(name, key, callbacks, time.perf_counter)
    first = state.load(model).epoch
    if first and bar:
        print(f"{name}: an interrupted run goes on after epoch {first}")
    validation = recipe.digits.validation
    try:
        model.fit(
            batches(recipe, min(first, recipe.epochs - 1)),  # Keras looks at the first even if none is to be trained
            steps_per_epoch=-(-len(recipe.digits.train) // recipe.batch_size),
            initial_epoch=recipe.epochs if state.progress.stopped else first,
            epochs=recipe.epochs,
            validation_data=(validation.images, recipe.targets(validation.labels)),
            validation_batch_size=512,
            callbacks=[*callbacks, *([bar] if bar else []), state],
            shuffle=False,  # they come in an order that follows from the seed
            verbose=0,
        )
    except KeyboardInterrupt:
        done = state.progress.epoch
        then = "run the cell again to go on" if key and done else "run the cell again to begin anew"
        raise TrainingInterrupted(f"{name} stopped in epoch {done + 1}; {then}") from None
    return state.progress


def batches(recipe: Recipe, first: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield batches of images and targets, from epoch ``first`` on; their order follows from seed and epoch alone."""
    images, targets = recipe.digits.train.images, recipe.targets(recipe.digits.train.labels)
    for epoch in range(first, recipe.epochs):
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(images))
        for begin in range(0, len(order), recipe.batch_size):
            batch = order[begin : begin + recipe.batch_size]
            yield images[batch], targets[batch]


def _predict(model: keras.Model, split: Split) -> np.ndarray:
    return np.asarray(model.predict(split.images, batch_size=512, verbose=0).argmax(axis=1), np.int64)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw initial weights and dropout from ``seed``, and leave Python's and NumPy's own generators as they were.

    Keras draws its seeds by ``random.randint``. Other threads draw from the same generator, as those of dask do all the
    time, so that this one gets a generator of its own, which gives the same numbers.
    """
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    keras.utils.set_random_seed(seed)
    own, here, shared = random.Random(seed), threading.get_ident(), random.randint  # noqa: S311

    def drawn(a: int, b: int) -> int:
        """Return an integer from ``a`` to ``b``, as ``random.randint`` does."""
        return (own.randint if threading.get_ident() == here else shared)(a, b)

    random.randint = drawn
    try:
        yield
    finally:
        random.randint = shared
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
