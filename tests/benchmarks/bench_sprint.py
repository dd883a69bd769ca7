"""The sprint: CPU seconds to 99.0 % of the validation images, against the Keras documentation's simple MNIST convnet.

Both start from nothing in a process of their own: building, compiling, training and validating count; importing Keras
and loading MNIST do not. Both have the same 50,000 training images and are looked at after every epoch.
"""

import contextlib
import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from statistics import median
from typing import Any

from .figures import Figure, Part
from .workers import ask, say

GOAL = 0.99  # of the validation images
WHAT = f"{GOAL:.1%} of validation"
TARGET = 15.0  # times less CPU time
CORES = 2
EPOCHS, BATCH_SIZE = 1, 256  # ours
PEER_EPOCHS, PEER_BATCH_SIZE = 15, 128  # https://keras.io/examples/vision/mnist_convnet/
ATTEMPTS = 3  # a run of ours that ends below the goal is begun anew with another seed, on the same clock


def measure(*, quick: bool = False) -> Part:
    """Measure both for five seeds, in turn; the quick way on a few images, on which neither gets there."""
    rounds, images = (2, 1000) if quick else (5, None)
    answers: dict[str, list[dict[str, Any]]] = {"sprint": [], "convnet": []}
    with tempfile.TemporaryDirectory() as folder:
        environment = {"MNIST_PROFILE": "full", "MNIST_PRECISION": "float32", "MNIST_CHECKPOINTS": folder}
        for seed in range(rounds):
            for side, answered in answers.items():
                say(f"sprint, seed {seed} of {rounds}: {side}")
                answer = ask("bench_sprint", {"side": side, "seed": seed, "images": images}, environment)
                if "skipped" in answer:
                    return Part([Figure("sprint", WHAT, "", "CPU s", (), note=f"skipped: {answer['skipped']}")])
                answered.append(answer)
    return Part(figures(answers["sprint"], answers["convnet"]))


def figures(ours: list[dict[str, Any]], peer: list[dict[str, Any]]) -> list[Figure]:
    """Return CPU and wall time by seed; there is a verdict only when every seed of ours reached the goal.

    A peer that has not reached it after its last epoch counts with the time that it took until then.
    """
    everywhere = all(answer["reached"] for answer in ours)
    note = f"{told('ours', ours)}; {told('peer', peer)}; train() adds {median(a['rest'] for a in ours):.1f} CPU s"
    if not everywhere:
        note = f"NOT REACHED by every seed; {note}"
    target = TARGET if everywhere else None
    return [
        Figure("sprint", WHAT, "", "CPU s", _times(ours, "cpu"), _times(peer, "cpu"), target=target, note=note),
        Figure("sprint", WHAT, "", "s", _times(ours, "wall"), _times(peer, "wall")),
    ]


def _times(answers: list[dict[str, Any]], clock: str) -> tuple[float, ...]:
    return tuple(answer[clock] for answer in answers)


def told(name: str, answers: list[dict[str, Any]]) -> str:
    """Return for people how many seeds reached the goal, after how many epochs, and what accuracies they ended with."""
    reached = sum(answer["reached"] for answer in answers)
    epochs = ", ".join(str(len(answer["accuracies"])) for answer in answers)
    last = [answer["accuracies"][-1] for answer in answers]
    return f"{name}: {reached} of {len(answers)} seeds in {epochs} epochs, {min(last):.2%} to {max(last):.2%}"


def stopwatch() -> Any:
    """Return a Keras callback that starts now and stops a training, and itself, at the end of an epoch at the goal."""
    from mnist_helpers.common.backend import keras

    class Stopwatch(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.accuracies: list[float] = []
            self.start = self.readings = _clocks()

        def __deepcopy__(self, memo: Any) -> "Stopwatch":
            return self  # train() copies callbacks; this one is to be read after it

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.accuracies.append(round(float(logs["val_accuracy"]), 6))  # a float32
            self.readings = _clocks()
            self.model.stop_training = self.reached

        @property
        def reached(self) -> bool:
            return bool(self.accuracies) and self.accuracies[-1] >= GOAL

        def answer(self) -> dict[str, Any]:
            cpu, wall = (after - before for after, before in zip(self.readings, self.start, strict=True))
            rest = _clocks()[0] - self.readings[0]
            return {"cpu": cpu, "wall": wall, "rest": rest, "reached": self.reached, "accuracies": self.accuracies}

    return Stopwatch()


def _clocks() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def sprint(digits: Any, seed: int, attempts: int) -> dict[str, Any]:
    """Train ours as notebook 09 does, as often as it takes, and return its times."""
    from mnist_helpers import models, train
    from mnist_helpers.common.backend import keras
    from mnist_helpers.training.schedules import one_cycle, total_steps

    watch = stopwatch()
    for attempt in range(attempts):
        steps = total_steps(digits, epochs=EPOCHS, batch_size=BATCH_SIZE)
        train(
            models.sprint_cnn(),
            digits,
            epochs=EPOCHS,
            batch_size=BATCH_SIZE,
            optimizer=keras.optimizers.Adam(one_cycle(0.02, steps), beta_1=0.7, beta_2=0.9),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
            seed=seed + 1000 * attempt,
            callbacks=[watch],
            retrain=True,
        )
        if watch.reached:
            break
    return watch.answer()


def convnet(digits: Any, seed: int) -> dict[str, Any]:
    """Train the documentation's network with its settings to the goal, or to its last epoch, and return its times."""
    import numpy as np

    from mnist_helpers.common.backend import keras, layers

    keras.utils.set_random_seed(seed)
    watch = stopwatch()
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    one_hot = np.eye(10, dtype=np.float32)
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(
        digits.train.images,
        one_hot[digits.train.labels],
        batch_size=PEER_BATCH_SIZE,
        epochs=PEER_EPOCHS,
        validation_data=(digits.validation.images, one_hot[digits.validation.labels]),
        callbacks=[watch],
        verbose=0,
    )
    return watch.answer()


def race(side: str, seed: int, images: int | None) -> dict[str, Any]:
    """Return the times of one side with one seed, on two cores; ``images``, if given, are all it may train on."""
    if hasattr(os, "sched_setaffinity"):  # before TensorFlow counts the cores
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    from mnist_helpers import load_mnist

    digits = load_mnist()
    if digits.source != "mnist":
        return {"skipped": f"99.0 % is a goal on the real MNIST, not on {digits.source}"}
    if images is not None:
        digits = replace(digits, train=digits.train.take(images), validation=digits.validation.take(images))
    return sprint(digits, seed, ATTEMPTS if images is None else 1) if side == "sprint" else convnet(digits, seed)


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # train() tells what it trained
        result = race(**json.loads(sys.argv[1]))
    print(json.dumps(result))
