"""The benchmark of FLOP/s: what counts as work, in which formats, and the target. No timings."""

import numpy as np
import pytest
from benchmarks import bench_flops as bench
from benchmarks.workers import by_turns

from mnist_helpers.common.backend import keras


def answer(seconds):
    names = (*bench.NETWORKS, "product")
    clocks = {name: {"cpu": [seconds, 2 * seconds], "wall": [seconds] * 2} for name in bench.NETWORKS}
    product = {"cpu": [0.5, 0.5], "wall": [0.5, 0.5]}
    return {"operations": dict.fromkeys(names, 50e9), "seconds": clocks | {"product": product}}


def test_speeds_are_operations_by_seconds_and_half_of_the_product_is_the_target():
    found = bench.figures("float32", **answer(0.8))
    assert [figure.what for figure in found[::2]] == list(bench.NETWORKS)
    cpu, wall = found[:2]
    assert (cpu.ours, cpu.peer) == (pytest.approx((62.5, 31.25)), (100.0, 100.0))
    assert (cpu.verdict, wall.verdict, wall.ratio) == ("MISSED", "met", 0.625)  # the median of .625 and .3125
    assert {figure.target for figure in found[2:]} == {None} and cpu.where == "float32"


@pytest.fixture
def asked(monkeypatch):
    log = []

    def fake(module, task, changes):
        log.append((task["chosen"], changes))
        return answer(1.0)

    monkeypatch.setattr(bench, "ask", fake)
    return log


def test_bfloat16_is_measured_where_the_processor_has_units_for_it(asked, monkeypatch):
    monkeypatch.setattr(bench, "features", lambda: ["avx512_vnni", "amx_bf16"])
    assert {figure.where for figure in bench.measure().figures} == {"float32", "bfloat16"}
    assert asked == [(name, {"MNIST_PRECISION": name}) for name in ("float32", "bfloat16")]
    monkeypatch.setattr(bench, "features", lambda: ["avx512_vnni"])
    skipped = bench.measure().figures[-1]
    assert (skipped.where, skipped.ours, skipped.note) == ("bfloat16", (), "skipped: no units for bfloat16 here")


def test_the_product_is_computed_in_its_format():
    rng = np.random.default_rng(0)
    first, second = (rng.random((64, 64), np.float32) for _ in range(2))
    exact = float((first.astype(float) @ second)[0, 0])
    assert bench.products(64, 2, "float32")() == pytest.approx(exact, rel=1e-6)
    rounded = float(bench.products(64, 1, "bfloat16")())
    assert rounded == pytest.approx(exact, rel=0.02) and rounded != pytest.approx(exact, rel=1e-6)


def test_a_pass_trains_on_every_image_in_the_chosen_format(monkeypatch):
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(3, name="inner")]
    model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
    monkeypatch.setenv("MNIST_PRECISION", "bfloat16")
    train = bench.training_pass(model, 20, 8)
    network = train.func.__self__
    seconds = by_turns({"train": train}, 1)
    assert network.optimizer.iterations.numpy() == 2 * 3 and seconds["train"]["wall"][0] > 0
    assert network.get_layer("inner").dtype_policy.name == "mixed_bfloat16"
