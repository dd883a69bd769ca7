"""Loading a trained network: ``train`` with a checkpoint in the store, against Keras's own ``load_model``."""

import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .figures import Figure, Part
from .workers import ask, say

# the runs of notebook 04 that its cells load
RUNS = {"simple_cnn": {"epochs": 40, "batch_size": 86}, "large_kernel_cnn": {"epochs": 20, "batch_size": 32}}


def measure(*, quick: bool = False) -> Part:
    """Measure both networks; one without a checkpoint is left out, with the reason."""
    part = Part()
    for network, settings in RUNS.items():
        say(f"loading {network}")
        task = {"network": network, "settings": settings | {"seed": 0}, "repetitions": 2 if quick else 9}
        answer = ask("bench_loading", task, {"MNIST_PROFILE": "full"})
        part.figures.append(_figure(network, answer))
    return part


def _figure(network: str, answer: dict[str, Any]) -> Figure:
    if "skipped" in answer:
        return Figure("loading", network, "", "ms", (), note=f"skipped: {answer['skipped']}")
    note = "peer: load_model; first load {first:.0f} ms, files {ours_kb:,.0f} / {peer_kb:,.0f} kB".format(**answer)
    return Figure("loading", network, "", "ms", tuple(answer["ours"]), tuple(answer["peer"]), note=note)


def load_repeatedly(network: str, settings: dict[str, Any], repetitions: int) -> dict[str, Any]:
    """Load a network in both ways in turn, in milliseconds each; the first of ours hashes the digits too."""
    from mnist_helpers import load_mnist, models, train
    from mnist_helpers.common.backend import keras

    factory = getattr(models, network)
    digits = load_mnist()
    found = stored(factory(), digits, settings)
    if found is None:
        return {"skipped": f"no checkpoint for these settings on these digits ({digits.source})"}

    digits = load_mnist()  # looking for the checkpoint has hashed the digits, which is part of a first load

    def ours() -> Any:
        return train(factory(), digits, **settings)

    first = milliseconds(ours)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{network}.keras"
        ours().model.save(file)
        sizes = {"ours_kb": found.stat().st_size / 1000, "peer_kb": file.stat().st_size / 1000}
        keras.saving.load_model(file)
        times = [(milliseconds(ours), milliseconds(lambda: keras.saving.load_model(file))) for _ in range(repetitions)]
    return {"ours": [a for a, _ in times], "peer": [b for _, b in times], "first": first} | sizes


def stored(model: Any, digits: Any, settings: dict[str, Any]) -> Path | None:
    """Return the file that ``train`` would load, looked up under its own key, so that nothing is trained here."""
    from mnist_helpers.training.plan import make_plan

    from mnist_helpers.training import store as checkpoints

    if not checkpoints.checkpoints_apply(digits.source):
        return None
    plan = make_plan(
        model,
        digits,
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        callbacks=(),
        warm_start=False,
        keep="weights",
        **settings,
    )
    found = checkpoints.find(model.name, plan.key)
    return found.path if found else None


def milliseconds(work: Any) -> float:
    """Return how long a function takes by the wall clock."""
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # train() tells what it loaded
        result = load_repeatedly(**json.loads(sys.argv[1]))
    print(json.dumps(result))
