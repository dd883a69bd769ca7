"""What a notebook waits for before its first result: importing the library, and loading the data.

Imports are measured in fresh processes, against the import of Keras, which a notebook that trains needs anyway. The
data are loaded by turns in one process, against the fewest lines that make the same arrays: nothing is verified there.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from .figures import Figure, Part
from .workers import ROOT, Clocked, WorkerError, ask, by_turns, say, worker_environment

PEER = "import keras"
IMPORTS = {
    "import mnist_helpers": "import mnist_helpers",
    "import of a set-up cell": "from mnist_helpers import load_mnist",
}
_UNITS = {"cpu": "CPU ms", "wall": "ms"}


def measure(*, quick: bool = False) -> Part:
    """Measure both imports and the data; without a file of the real MNIST the data are left out, with the reason."""
    rounds = 2 if quick else 7
    answers: dict[str, list[dict[str, float]]] = {statement: [] for statement in (PEER, *IMPORTS.values())}
    for number in range(rounds):
        say(f"start: imports, round {number + 1} of {rounds}")
        for statement, answered in answers.items():
            answered.append(import_once(statement))
    say("start: data")
    return Part([*import_figures(answers), *data_figures(ask("bench_start", {"rounds": rounds}))])


def import_figures(answers: dict[str, list[dict[str, float]]]) -> list[Figure]:
    """Return CPU and wall time of each import, from the seconds of every round."""
    peer = answers[PEER]
    return [
        Figure("start", what, "", unit, _milliseconds(answers[statement], clock), _milliseconds(peer, clock), note=note)
        for what, statement in IMPORTS.items()
        for (clock, unit), note in zip(_UNITS.items(), (f"peer: {PEER}", ""), strict=True)
    ]


def data_figures(answer: dict[str, Any]) -> list[Figure]:
    """Return CPU and wall time of loading the data, from the seconds of every round, or the reason for none."""
    if "skipped" in answer:
        return [Figure("start", "load_mnist", "", "ms", (), note=f"skipped: {answer['skipped']}")]
    sides = [tuple(tuple(1000 * s for s in answer[side][clock]) for side in ("load_mnist", "bare")) for clock in _UNITS]
    notes = ("peer: np.load, train_test_split, / 255; nothing verified", "")
    return [
        Figure("start", "load_mnist", "", unit, ours, peer, note=note)
        for unit, (ours, peer), note in zip(_UNITS.values(), sides, notes, strict=True)
    ]


def _milliseconds(answers: list[dict[str, float]], clock: str) -> tuple[float, ...]:
    return tuple(1000 * answer[clock] for answer in answers)


def import_once(statement: str) -> dict[str, float]:
    """Execute an import in a new process that has imported next to nothing; return its seconds by both clocks."""
    clocks = "(time.process_time(), time.perf_counter())"
    code = f"import time\nbefore = {clocks}\n{statement}\nafter = {clocks}\nprint(*before, *after)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=worker_environment({}), capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorkerError(f"{statement} ended with status {done.returncode}: {done.stderr.strip()[-600:]}")
    readings = [float(each) for each in done.stdout.split()[-4:]]
    return {"cpu": readings[2] - readings[0], "wall": readings[3] - readings[1]}


def load_by_turns(rounds: int) -> Clocked | dict[str, str]:
    """Return seconds of ``load_mnist`` and of its peer; both are there, imported and warm, before the clock runs."""
    from mnist_helpers import load_mnist
    from mnist_helpers.data.fetch import find

    source = load_mnist().source
    if source != "mnist":
        return {"skipped": f"no MNIST, only {source}"}
    path = find().path
    if path is None or not path.is_file():
        return {"skipped": "MNIST does not lie in an npz file"}
    return by_turns({"load_mnist": load_mnist, "bare": lambda: bare(path)}, rounds)


def bare(path: Path) -> list[Any]:
    """Return images and labels of train, validation and test, as published notebooks make them."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    images, labels = arrays["x_train"], arrays["y_train"]
    parts = train_test_split(images, labels, test_size=len(labels) // 6, stratify=labels, random_state=42)
    found = [parts[0], parts[2], parts[1], parts[3], arrays["x_test"], arrays["y_test"]]
    return [(part.astype("float32") / 255)[..., None] if part.ndim == 3 else part.astype("int64") for part in found]


if __name__ == "__main__":
    print(json.dumps(load_by_turns(**json.loads(sys.argv[1]))))
