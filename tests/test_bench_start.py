"""The benchmark of the start: what its peer loads, and that imports are measured in a process of their own."""

import sys

import numpy as np
import pytest
from benchmarks import bench_start as bench
from benchmarks.workers import WorkerError

from mnist_helpers.data import mnist as data
from mnist_helpers.data.fetch import Found


def test_an_import_is_measured_where_nothing_was_imported_before():
    assert "mnist_helpers" in sys.modules
    waited = bench.import_once("import time; time.sleep(0.05); import mnist_helpers")
    assert 0.05 < waited["wall"] < 5 and 0 < waited["cpu"] < waited["wall"]
    with pytest.raises(WorkerError, match="(?s)import nothing_of_the_kind ended with status 1: .*ModuleNotFoundError"):
        bench.import_once("import nothing_of_the_kind")


def test_imports_are_in_milliseconds_beside_that_of_keras():
    answers = {bench.PEER: [{"cpu": 4.0, "wall": 6.0}]}
    answers |= {statement: [{"cpu": 0.1, "wall": 0.2}] for statement in bench.IMPORTS.values()}
    cpu, wall, *_ = bench.import_figures(answers)
    assert (cpu.ours, cpu.peer, cpu.unit, cpu.note) == ((100.0,), (4000.0,), "CPU ms", "peer: import keras")
    assert (wall.ours, wall.ratio, wall.unit) == ((200.0,), pytest.approx(30), "ms")


def test_the_data_are_measured_by_both_clocks_or_left_out_with_the_reason():
    ours, peer = {"cpu": [0.1], "wall": [0.2]}, {"cpu": [0.3], "wall": [0.1]}
    cpu, wall = bench.data_figures({"load_mnist": ours, "bare": peer})
    assert (cpu.ours, cpu.ratio, wall.ratio) == ((100.0,), pytest.approx(3), 0.5)
    (skipped,) = bench.data_figures({"skipped": "no MNIST"})
    assert (skipped.ours, skipped.note) == ((), "skipped: no MNIST")


def test_the_peer_makes_the_same_arrays_as_the_library(fake, tmp_path):
    path = tmp_path / "mnist.npz"
    path.write_bytes(fake.npz)
    digits = data._split(Found(fake.arrays, "here", path))
    ours = [part for s in (digits.train, digits.validation, digits.test) for part in (s.images, s.labels)]
    peer = bench.bare(path)
    assert [len(part) for part in peer[1::2]] == [200, 40, 40]
    for first, second in zip(ours, peer, strict=True):
        np.testing.assert_array_equal(first, second, strict=True)
