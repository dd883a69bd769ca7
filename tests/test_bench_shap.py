"""The benchmark of SHAP: how agreement is counted, and what its figures say. No timings."""

import numpy as np
import pytest
from benchmarks import bench_shap as bench


def test_agreement_is_pearsons_r_of_each_map():
    rng = np.random.default_rng(0)
    first = rng.standard_normal((2, 4, 5, 3))
    second = first + rng.standard_normal(first.shape)
    second[1, :, :, 2] = -7 * first[1, :, :, 2] + 1  # the one that disagrees
    found = bench.agreement(first, second)
    by_hand = [
        np.corrcoef(first[i, :, :, k].ravel(), second[i, :, :, k].ravel())[0, 1] for i in (0, 1) for k in range(3)
    ]
    assert found["lowest"] == pytest.approx(-1) and found["mean"] == pytest.approx(np.mean(by_hand))


def test_figures_tell_time_and_agreement():
    seconds = {"200": {"cpu": [2.0], "wall": [1.0]}, "1000": {"cpu": [9.0], "wall": [6.0]}}
    answer = {"seconds": seconds, "mean": 0.99421, "lowest": 0.98, "of": "network"}
    cpu, wall = bench.figures(answer, [200, 1000])
    assert (cpu.ratio, cpu.unit, wall.ratio) == (4.5, "CPU s", 6.0)
    assert cpu.what == "200 of 1,000 background images"
    assert cpu.note == "r = 0.9942 (lowest 0.9800) between both, network"


@pytest.mark.parametrize(("quick", "sizes", "rounds"), [(False, [200, 1000], 5), (True, [2, 10], 2)])
def test_both_backgrounds_are_asked_for(quick, sizes, rounds, monkeypatch):
    def fake(module, task, changes):
        assert (module, task, changes) == ("bench_shap", {"sizes": sizes, "rounds": rounds}, {"MNIST_PROFILE": "full"})
        side = {"cpu": [1.0] * rounds, "wall": [1.0] * rounds}
        return {"seconds": {str(size): side for size in sizes}, "mean": 1.0, "lowest": 1.0, "of": ""}

    monkeypatch.setattr(bench, "ask", fake)
    assert len(bench.measure(quick=quick).figures) == 2
