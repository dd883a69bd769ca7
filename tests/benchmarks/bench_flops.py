"""How much of the processor training uses: its FLOP/s, against those of a large matrix product on the same cores.

A large matrix product is the most that a library gets out of these cores. Network and product take turns in one
process, in the same format: float32, and bfloat16 where the processor has units for it.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from .figures import Figure, Part
from .workers import Clocked, ask, by_turns, features, say

TARGET = 0.5  # of the product's FLOP/s, for the network with nearly all the work of the series
AIMED = "deep_cnn"
NETWORKS = {"deep_cnn": (86, 30), "large_kernel_cnn": (32, 60), "simple_cnn": (86, 60)}  # batch size, batches a pass
SIZE = 4096  # rows and columns of the product's factors
PRODUCTS = {"float32": 2, "bfloat16": 12}  # in one turn
_UNITS = {"cpu": "GFLOP/CPU s", "wall": "GFLOP/s"}


def measure(*, quick: bool = False) -> Part:
    """Measure all networks in both formats; bfloat16 is left out, with the reason, where nothing computes in it."""
    part = Part()
    for chosen in PRODUCTS:
        if chosen == "bfloat16" and not {"avx512_bf16", "amx_bf16"} & set(features()):
            part.figures.append(
                Figure("flops", AIMED, chosen, "GFLOP/s", (), note="skipped: no units for bfloat16 here")
            )
            continue
        say(f"flops: {chosen}")
        task = {"chosen": chosen, "rounds": 2 if quick else 5, "share": 20 if quick else 1}
        answer = ask("bench_flops", task, {"MNIST_PRECISION": chosen})
        part.figures.extend(figures(chosen, answer["operations"], answer["seconds"]))
    return part


def figures(chosen: str, operations: dict[str, float], seconds: Clocked) -> list[Figure]:
    """Return the speeds of every network beside the product, from operations a turn and seconds of every turn."""

    def speeds(name: str, clock: str) -> tuple[float, ...]:
        return tuple(operations[name] / 1e9 / each for each in seconds[name][clock])

    return [
        Figure(
            "flops",
            network,
            chosen,
            unit,
            speeds(network, clock),
            speeds("product", clock),
            True,
            TARGET if network == AIMED else None,
            f"batch {batch_size}; peer: a matrix product",
        )
        for network, (batch_size, _) in NETWORKS.items()
        for clock, unit in _UNITS.items()
    ]


def work(chosen: str, rounds: int, share: int) -> dict[str, Any]:
    """Return operations a turn, and seconds of every turn, of each network's training and of the product."""
    from mnist_helpers import models
    from mnist_helpers.training.cost import training_flops

    works: dict[str, Callable[[], Any]] = {}
    operations: dict[str, float] = {}
    for name, (batch_size, batches) in NETWORKS.items():
        model = getattr(models, name)()
        images = batch_size * max(2, batches // share)
        works[name] = training_pass(model, images, batch_size)
        operations[name] = training_flops(model, images=images, epochs=1)
    size = SIZE // share
    works["product"] = products(size, PRODUCTS[chosen], chosen)
    operations["product"] = 2 * size**3 * PRODUCTS[chosen]
    return {"operations": operations, "seconds": by_turns(works, rounds)}


def training_pass(model: Any, images: int, batch_size: int) -> Callable[[], Any]:
    """Return a function that trains once on random digits, in the format of MNIST_PRECISION, as ``train`` does."""
    import numpy as np
    from mnist_helpers.training.precision import trainable_copy

    rng = np.random.default_rng(0)
    pixels, labels = rng.random((images, 28, 28, 1), np.float32), rng.integers(0, 10, images)
    network = trainable_copy(model)
    network.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return partial(network.fit, pixels, labels, batch_size=batch_size, epochs=1, verbose=0)


def products(size: int, count: int, chosen: str) -> Callable[[], Any]:
    """Return a function that multiplies two random matrices of (size, size) in a format, ``count`` times."""
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)
    factors = [tf.cast(rng.random((size, size), np.float32), chosen) for _ in range(2)]

    def multiply() -> Any:
        for _ in range(count):
            found = tf.matmul(*factors)
        return found[0, 0].numpy()  # so that it is there before the clock is read

    return multiply


if __name__ == "__main__":
    print(json.dumps(work(**json.loads(sys.argv[1]))))
