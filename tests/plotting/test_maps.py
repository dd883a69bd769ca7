"""Tests of the pictures of explanations: which map stands where, in which colour, and what is marked and named."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from artists import check_axes, legend, ticks
from matplotlib.patches import Polygon, Rectangle

from mnist_helpers import plotting

SIZE, GAP = 14, 1
RANDOM = np.random.default_rng(0)
IMAGES = (RANDOM.random((3, SIZE, SIZE, 1)) > 0.7).astype(np.float32)
VALUES = RANDOM.normal(size=(3, SIZE, SIZE, 10))
LABELS, PREDICTIONS = np.array([4, 9, 0]), np.array([9, 9, 0])


def attributions(**changes):
    given = {"images": IMAGES, "values": VALUES, "labels": LABELS, "predictions": PREDICTIONS} | changes
    return plotting.plot_attributions(given.pop("images"), given.pop("values"), **given)


def tile(image, row, column, size=SIZE, gap=GAP, head=0):
    """Return one tile of a picture, NaN where it shows nothing."""
    picture = np.ma.filled(image.get_array().astype(float), np.nan)
    top, left = row * (size + gap + head) + gap + head, column * (size + gap)
    return picture[top : top + size, left : left + size]


def at(x, y):
    """Return the row and column of the tile at a place."""
    return int(y // (SIZE + GAP)), int(x // (SIZE + GAP))


def bars(ax):
    return [other for other in ax.figure.axes if other is not ax]


CALLS = {
    "attributions": lambda ax=None: attributions(ax=ax),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_axes(call):
    check_axes(call)


def test_attributions_stand_in_the_column_of_their_class():
    ax = attributions()
    digits, strokes, maps = ax.images
    for row in range(3):
        np.testing.assert_array_equal(tile(digits, row, 0), IMAGES[row, ..., 0])
        assert np.isnan(tile(maps, row, 0)).all() and np.isnan(tile(strokes, row, 0)).all()
        for column in range(10):
            np.testing.assert_allclose(tile(maps, row, 1 + column), VALUES[row, ..., column])
            assert np.isnan(tile(digits, row, 1 + column)).all()
            np.testing.assert_array_equal(~np.isnan(tile(strokes, row, 1 + column)), IMAGES[row, ..., 0] > 0.5)
    assert ticks(ax.xaxis) == ["digit", *"0123456789"]
    assert ticks(ax.yaxis) == ["true 4\npredicted 9", "true 9\npredicted 9", "true 0\npredicted 0"]
    assert strokes.get_zorder() > maps.get_zorder() and strokes.get_alpha() < 0.2


def test_attributions_mark_the_predicted_and_the_true_class():
    ax = attributions(values=VALUES[..., [4, 9]], classes=[4, 9])
    frames = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    corners = [patch for patch in ax.patches if isinstance(patch, Polygon)]
    framed = [at(frame.get_x() + frame.get_width() / 2, frame.get_y() + frame.get_height() / 2) for frame in frames]
    assert framed == [(0, 2), (1, 2)]  # the third image is a 0, which has no column
    assert [at(*patch.get_xy()[:3].mean(axis=0)) for patch in corners] == [(0, 1), (1, 2)]
    assert not any(frame.get_fill() for frame in frames) and all(corner.get_fill() for corner in corners)
    assert legend(ax) == ["predicted class", "true class", "strokes of the digit"]


def test_attributions_share_one_symmetric_scale_with_a_named_unit():
    ax = attributions(unit="log-odds")
    low, high = ax.images[2].get_clim()
    assert -low == high == pytest.approx(np.percentile(np.abs(VALUES), 99.5))
    (bar,) = bars(ax)
    assert "log-odds" in bar.get_xlabel() and bar.get_xlabel().index("against") < bar.get_xlabel().index("for")
    assert ax.images[2].colorbar.extend == "both"


def test_red_is_for_and_blue_against():
    image = attributions().images[2]
    red, blue, zero = image.to_rgba([100.0, -100.0, 0.0])[:, :3]
    assert red[0] > 0.6 > 0.3 > red[2] and blue[2] > 0.6 > 0.3 > blue[0]
    assert np.ptp(zero) == 0 and 0.9 < zero[0] < 0.97  # grey, and not the white of the paper


def test_values_of_zero_have_a_scale():
    assert attributions(values=np.zeros_like(VALUES)).images[2].get_clim() == (-1, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: attributions(images=IMAGES[0, ..., 0]), r"'images' parameter of plot_attributions .* \(14, 14\)"),
        (lambda: attributions(values=VALUES[:2]), r"'values' .* \(3, 14, 14, 10\). Got shape \(2, 14, 14, 10\)"),
        (lambda: attributions(values=VALUES[..., :2]), r"'values' .* \(3, 14, 14, 10\). Got"),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert not plt.get_fignums()  # nothing half-drawn is left behind
