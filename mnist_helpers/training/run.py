"""What a training run leaves behind: its figures, and its network."""

from dataclasses import dataclass

import pandas as pd

from mnist_helpers.common.backend import keras
from mnist_helpers.common.profile import is_full
from mnist_helpers.common.text import counted, duration
from mnist_helpers.common.types import Plain
from mnist_helpers.data import Split
from mnist_helpers.evaluation import Evaluation, evaluate
from mnist_helpers.training import resume
from mnist_helpers.training.cost import known_training_flops
from mnist_helpers.training.recipe import Recipe


@dataclass(frozen=True, repr=False)
class Figures:
    """What a run leaves behind apart from its network.

    Attributes
    ----------
    name : str
        Of the network.
    parameters : int
        Number of its weights.
    history : DataFrame
        One row per epoch that was really trained (index "epoch" from 1); columns loss, accuracy, val_loss, val_accuracy
        and learning_rate (the one that the epoch began with).
    seconds : float
        Wall time of training, over all its sittings.
    train_accuracy, validation_accuracy : float
        0 to 1, of the final weights.
    seed : int
    device : str
        The processor that trained it.
    precision : str
        "float32", or "bfloat16" for some of the older stored runs.
    full : bool
        Whether it is a complete run of the full profile on the real MNIST.
    from_checkpoint : bool
        Whether it was loaded.
    checkpoint : str or None
        The name of its file.
    training_flops : int or None
        Floating-point operations of the epochs that were trained; None where they cannot be counted.
    settings : dict
        The description from which its key was made.
    """

    name: str
    parameters: int
    history: pd.DataFrame
    seconds: float
    train_accuracy: float
    validation_accuracy: float
    seed: int
    device: str
    precision: str
    full: bool
    from_checkpoint: bool
    checkpoint: str | None
    training_flops: int | None
    settings: Plain

    @property
    def epochs(self) -> int:
        """Number of epochs that were trained."""
        return len(self.history)

    def __repr__(self) -> str:
        return (
            f"{self.name}: {self.parameters:,} parameters, {counted(self.epochs, 'epoch')} "
            f"in {duration(self.seconds)}, validation accuracy {self.validation_accuracy:.2%}"
        )


@dataclass(frozen=True, repr=False)
class Run(Figures):
    """A trained network, ``model``, and how it came to be (see `Figures`)."""

    model: keras.Model

    def evaluate(self, split: Split, *, batch_size: int = 512) -> Evaluation:
        """Return the evaluation of the network on a split, ``batch_size`` images at a time."""
        return evaluate(self.model, split, batch_size=batch_size)


def told(run: Figures) -> str:
    """Return the line about a run that ``train`` prints."""
    accuracy = f"validation accuracy {run.validation_accuracy:.2%}"
    work = f"{counted(run.epochs, 'epoch')} in {duration(run.seconds)}"
    if run.from_checkpoint:
        return f"{run.name} loaded: trained before, {work}, {accuracy} (retrain=True trains it again)"
    return f"{run.name} trained: {work}, {accuracy}"


def figures_of(recipe: Recipe, record: Plain, checkpoint: str | None, *, loaded: bool = True) -> Plain:
    """Return the fields of `Figures` from the record of a run."""
    history = resume.history_frame(record["history"])
    images = len(recipe.digits.train)
    return {
        "name": recipe.model.name,
        "parameters": recipe.model.count_params(),
        "history": history,
        "seconds": float(record["seconds"]),
        "train_accuracy": float(record["train_accuracy"]),
        "validation_accuracy": float(record["validation_accuracy"]),
        "seed": recipe.seed,
        "device": record["device"],
        "precision": record["precision"],
        "full": is_full(recipe.digits.source),
        "from_checkpoint": loaded,
        "checkpoint": checkpoint,
        "training_flops": known_training_flops(recipe.model, images=images, epochs=len(history)),
        "settings": recipe.description,
    }
