"""The benchmark of augmentation: that its peer does the same work, and what its figures say. No timings."""

import numpy as np
import pytest
from benchmarks import bench_augmentation as bench


def test_the_peer_turns_every_image_by_a_matrix_of_its_own():
    images = np.random.default_rng(0).random((20, 28, 28, 1), dtype="float32")
    batches = list(bench.one_by_one(images, 8))
    assert [batch.shape for batch in batches] == [(8, 28, 28, 1), (8, 28, 28, 1), (4, 28, 28, 1)]
    assert all(batch.dtype == np.float32 for batch in batches)
    assert not any(np.allclose(image, other, atol=0.01) for image in np.concatenate(batches) for other in images)


def test_the_peer_draws_from_the_same_ranges_as_the_layer():
    rng = np.random.default_rng(0)
    matrices = np.array([bench._drawn_matrix(rng, 28, 28) for _ in range(2000)])
    zooms = np.linalg.norm(matrices[:, :2, :2], axis=1)  # rotation, then a scale for each axis
    turns = np.rad2deg(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    for values, centre, reach in ((zooms, 1, 0.1), (turns, 0, 10)):
        assert np.min(values) == pytest.approx(centre - reach, abs=0.01 * reach)
        assert np.max(values) == pytest.approx(centre + reach, abs=0.01 * reach)
    moved = np.linalg.norm((matrices @ [13.5, 13.5, 1])[:, :2] - 13.5, axis=1)  # where the centre comes from
    assert 0.9 * np.hypot(2.8, 2.8) < moved.max() <= np.hypot(2.8, 2.8) + 1e-9


def test_a_peer_without_a_change_returns_the_image(monkeypatch):
    monkeypatch.setattr(bench, "SETTINGS", dict.fromkeys(bench.SETTINGS, 0.0))
    image = np.random.default_rng(0).random((28, 28, 1), dtype="float32")
    matrix = bench._drawn_matrix(np.random.default_rng(0), 28, 28)
    np.testing.assert_allclose(bench._transformed(image, matrix), image, atol=1e-6)


def test_speeds_are_compared_with_every_peer_that_was_there():
    speeds = {"layer": [800.0, 900.0, 700.0], "scipy": [100.0] * 3, "keras": [70.0] * 3}
    figures = bench.speed_figures(speeds)
    assert [figure.verdict for figure in figures] == ["met", "MISSED"]
    assert [figure.note[:12] for figure in figures] == ["peer: Keras'", "peer: SciPy,"]
    assert len(bench.speed_figures(speeds | {"keras": []})) == 1


def test_what_the_layer_adds_is_the_median_over_pairs():
    figure = bench.training_figure({"with": [1.1, 2.6, 1.3], "without": [1.0, 2.0, 1.0]})
    assert figure.ours == pytest.approx((10, 30, 30)) and figure.verdict == "MISSED"
    assert "1.30 / 1.00 CPU s" in figure.note
    assert bench.training_figure({"with": [1.1], "without": [1.0]}).verdict == "met"
