"""The corruptions of notebook 14, as they stand in its cells, against NumPy, Pillow, and counts by hand."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "14_beyond_the_test_set.ipynb"
RANDOM = {"Gaussian noise", "shot noise", "impulse noise", "fog", "spatter", "dotted line", "zigzag"}


def lesson():
    cells = [cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    namespace = {"np": np}
    for source in cells:
        if "\ndef gaussian_noise(" in source or source.startswith("def inverted("):
            exec(compile(source, NOTEBOOK.name, "exec"), namespace)  # noqa: S102 - the notebook of this repository
    return namespace


LESSON = lesson()
CORRUPTIONS = LESSON["corruptions"]


@pytest.fixture
def images():
    """Smooth blobs of grey, away from the edge."""
    rng = np.random.default_rng(0)
    rough = np.zeros((20, 28, 28))
    rough[:, 9:19, 9:19] = rng.random((20, 10, 10))
    smooth = (rough + np.roll(rough, 1, 1) + np.roll(rough, 1, 2) + np.roll(rough, (1, 1), (1, 2))) / 4
    return smooth[..., None].astype("float32")


def changed(name, images, severity=None, seed=0):
    change, usual = CORRUPTIONS[name]
    return LESSON["corrupted"](images, change, usual if severity is None else severity, seed)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_it_is_seeded_keeps_form_and_range_and_leaves_what_it_was_given(name, images):
    given = images.copy()
    one, same, other = (changed(name, images, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(images, given)
    assert (one.shape, one.dtype) == (images.shape, np.float32)
    assert one.min() >= 0
    assert one.max() <= 1
    assert np.array_equal(one, same)
    assert np.array_equal(one, other) is (name not in RANDOM)
    assert np.abs(one - images).max() > 0.1


def test_there_are_seventeen():
    assert len(CORRUPTIONS) == 17


def test_a_quarter_turn_is_numpys(images):
    assert np.allclose(changed("rotation", images, 90), np.rot90(images, axes=(1, 2)), atol=1e-5)


def test_translation_moves_down_and_right(images):
    expected = np.zeros_like(images)
    expected[:, 5:, 5:] = images[:, :-5, :-5]
    assert np.allclose(changed("translation", images), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "severity", "matrix"), [("shear", 0.6, (1, 0.6, 0, 1)), ("scale", 0.6, (1 / 0.6, 0, 0, 1 / 0.6))]
)
def test_shear_and_scale_are_pillows(name, severity, matrix, images):
    """Pillow asks of each new pixel (x, y), measured at its centre, from where it comes: (ax + by + c, dx + ey + f)."""
    a, b, d, e = matrix
    if name == "shear":
        a, b, d, e = 1, 0.6, 0, 1
    c, f = 14 - a * 14 - b * 14, 14 - d * 14 - e * 14
    moved = changed(name, images, severity)
    for image, one in zip(images[..., 0], moved[..., 0], strict=True):
        theirs = np.asarray(
            Image.fromarray(image).transform(
                (28, 28), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR
            )
        )
        assert np.allclose(one, theirs, atol=2e-3)


def test_gaussian_blur_is_two_convolutions(images):
    at = np.arange(-8, 9)
    kernel = np.exp(-(at**2) / (2 * 2**2))
    kernel /= kernel.sum()
    rows = np.apply_along_axis(np.convolve, 1, images[..., 0], kernel, "same")
    both = np.apply_along_axis(np.convolve, 2, rows, kernel, "same")
    inside = (slice(None), slice(8, 20), slice(8, 20))
    assert np.allclose(changed("Gaussian blur", images)[..., 0][inside], both[inside], atol=1e-4)


def test_motion_blur_is_a_mean_along_the_row(images):
    expected = np.apply_along_axis(np.convolve, 2, images[..., 0], np.full(7, 1 / 7), "same")
    assert np.allclose(changed("motion blur", images)[..., 0], expected, atol=1e-5)


def test_noise_has_the_mean_and_spread_that_its_severity_says():
    grey = np.full((200, 28, 28, 1), 0.5, "float32")
    gaussian = LESSON["gaussian_noise"](grey, 0.1, np.random.default_rng(0))
    shot = LESSON["shot_noise"](grey, 20, np.random.default_rng(0))
    impulses = changed("impulse noise", grey)
    assert gaussian.mean() == pytest.approx(0.5, abs=0.002)
    assert gaussian.std() == pytest.approx(0.1, rel=0.02)
    assert shot.mean() == pytest.approx(0.5, abs=0.002)
    assert shot.std() == pytest.approx(np.sqrt(0.5 / 20), rel=0.02)
    assert (impulses != 0.5).mean() == pytest.approx(0.2, abs=0.005)
    assert impulses[impulses != 0.5].mean() == pytest.approx(0.5, abs=0.02)


def test_lines_and_drops_cover_what_they_should():
    empty = np.zeros((50, 28, 28, 1), "float32")
    lines, zigzag, drops = (changed(name, empty)[..., 0] for name in ("dotted line", "zigzag", "spatter"))
    assert (lines.sum(axis=(1, 2)) == 12).all()
    assert lines[:, :, [0, -1]].any(axis=1).all()
    assert (zigzag.sum(axis=1) == 1).all()
    heights = np.ptp(zigzag.argmax(axis=1), axis=1)
    assert set(heights) <= {7, 8, 9}
    assert drops.mean() == pytest.approx(0.1, abs=0.001)


def test_simple_ones_by_hand(images):
    assert np.allclose(changed("inverted", images), 1 - images)
    assert np.allclose(changed("brightness", images), np.minimum(images + 0.5, 1))
    striped = changed("stripes", images)[..., 0]
    assert np.array_equal(striped[:, 2::4], images[:, 2::4, :, 0])
    assert striped[:, [0, 1]].min() == 0.5
    assert np.allclose(changed("fog", images, 0), images)


def test_an_edge_is_one_pixel_thin():
    step = np.zeros((1, 28, 28, 1), "float32")
    step[:, :, 14:] = 1
    edges = changed("Canny edges", step)[0, 4:-4, 4:-4, 0]
    assert (edges.sum(axis=1) == 1).all()
    assert set(edges.argmax(axis=1)) <= {9, 10}
