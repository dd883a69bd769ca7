"""Training speed: the library's defaults against TensorFlow's own, process by process in turn.

The two differ in the environment only: the library turns oneDNN on where TensorFlow leaves it off. On a CPU for which
TensorFlow turns it on by itself they are the same, so there another CPU is emulated as well: oneDNN is held to AVX2 on
both sides (without it, TensorFlow's own matrix product uses oneDNN's code too), and off for the peer, as it would be.
"""

import json
import os
import sys
import time
from statistics import median
from typing import Any

from .figures import Figure, Part
from .workers import SWITCHES, ask, say

TARGET = 1.4  # times the images per second, where TensorFlow leaves oneDNN off
NETWORKS = {"simple_cnn": (86, 8600), "large_kernel_cnn": (32, 3200), "deep_cnn": (86, 1720)}  # batch, images a pass
NATIVE, EMULATED = "native", "emulated"
_AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
_UNITS = {"cpu": "images/CPU s", "wall": "images/s"}


def measure(*, quick: bool = False) -> Part:
    """Measure all three networks, natively, and emulated where the native figures compare like with like."""
    part = Part()
    for network in NETWORKS:
        native = _compare(network, NATIVE, {}, {}, quick)
        part.figures.extend(_figures(network, NATIVE, *native))
        if native[1][0]["onednn"]:
            emulated = _compare(network, EMULATED, _AVX2, _AVX2 | {"TF_ENABLE_ONEDNN_OPTS": "0"}, quick)
            part.figures.extend(_figures(network, EMULATED, *emulated))
    return part


def _compare(
    network: str, where: str, ours: dict[str, str], peer: dict[str, str], quick: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the answers of ours and of the peer, one a round: ours, peer, ours, peer, ..."""
    rounds, passes, share = (2, 1, 20) if quick else (5, 2, 1)
    batch_size, images = NETWORKS[network]
    task = {"network": network, "batch_size": batch_size, "images": images // share, "passes": passes}
    answers: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for number in range(rounds):
        say(f"training {network}, {where}: round {number + 1} of {rounds}")
        for side, environment, library in ((0, ours, True), (1, peer, False)):
            answers[side].append(ask("bench_training", task | {"library": library}, environment))
    return answers


def _figures(network: str, where: str, ours: list[dict[str, Any]], peer: list[dict[str, Any]]) -> list[Figure]:
    states = tuple("on" if side[0]["onednn"] else "off" for side in (ours, peer))
    target = TARGET if states == ("on", "off") else None
    note = f"batch {NETWORKS[network][0]}, oneDNN {states[0]} / {states[1]}"
    return [
        Figure("training", network, where, unit, speeds(ours, clock), speeds(peer, clock), True, target, note)
        for clock, unit in _UNITS.items()
    ]


def speeds(answers: list[dict[str, Any]], clock: str) -> tuple[float, ...]:
    """Return images per second of every round: of its median pass, by the "cpu" or the "wall" clock."""
    return tuple(answer["images"] / median(answer[clock]) for answer in answers)


def train_passes(network: str, batch_size: int, images: int, passes: int, library: bool) -> dict[str, Any]:
    """Train on random digits: one pass to warm up, then timed ones. Returns seconds of CPU and of the wall clock."""
    import numpy as np

    model = getattr(_models(library), network)()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])  # as train() does
    rng = np.random.default_rng(0)
    pixels, labels = rng.random((images, 28, 28, 1), np.float32), rng.integers(0, 10, images)
    seconds: dict[str, list[float]] = {"cpu": [], "wall": []}
    for _ in range(1 + passes):
        cpu, wall = time.process_time(), time.perf_counter()
        model.fit(pixels, labels, batch_size=batch_size, epochs=1, verbose=0)
        seconds["cpu"].append(time.process_time() - cpu)
        seconds["wall"].append(time.perf_counter() - wall)
    timed = {clock: values[1:] for clock, values in seconds.items()}
    return {"images": images, "onednn": onednn_is_on()} | timed


def _models(library: bool) -> Any:
    """Return the factories; TensorFlow is imported with the library's defaults or with its own."""
    before = {name: os.environ.get(name) for name in SWITCHES}
    import mnist_helpers  # sets its defaults, and imports no TensorFlow yet

    if not library:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
    return mnist_helpers.models


def onednn_is_on() -> bool:
    """Return whether the TensorFlow of this process computes with oneDNN."""
    from tensorflow.python.util import _pywrap_util_port

    return bool(_pywrap_util_port.IsMklEnabled())


if __name__ == "__main__":
    print(json.dumps(train_passes(**json.loads(sys.argv[1]))))
