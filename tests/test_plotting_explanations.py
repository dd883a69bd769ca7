"""Tests of the pictures of explanations: which map stands where, in which colour, and what is marked and named."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from artists import texts, ticks  # noqa: E402
from matplotlib.patches import Polygon, Rectangle  # noqa: E402

from mnist_helpers import plotting  # noqa: E402
from mnist_helpers.plotting import tiles  # noqa: E402

SIZE, GAP = 14, 1
RANDOM = np.random.default_rng(0)
IMAGES = (RANDOM.random((3, SIZE, SIZE, 1)) > 0.7).astype(np.float32)
VALUES = RANDOM.normal(size=(3, SIZE, SIZE, 10))
LABELS, PREDICTIONS = np.array([4, 9, 0]), np.array([9, 9, 0])
MAPS = {"saliency": RANDOM.random((3, SIZE, SIZE)), "occlusion": 5 * RANDOM.normal(size=(3, SIZE, SIZE))}
ACTIVATIONS = RANDOM.random((SIZE, SIZE, 5)) * np.arange(5)
KERNELS = RANDOM.normal(size=(5, 3, 3))
CURVES = {"SHAP": RANDOM.random((30, 11)) * 0.5, "random order": RANDOM.random((30, 11))}


@pytest.fixture(autouse=True)
def nothing_is_shown(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show was called"))
    yield
    plt.close("all")


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
    "maps": lambda ax=None: plotting.plot_maps(IMAGES, MAPS, ax=ax),
    "activations": lambda ax=None: plotting.plot_activations(ACTIVATIONS, ax=ax),
    "kernels": lambda ax=None: plotting.plot_kernels(KERNELS, ax=ax),
    "deletion": lambda ax=None: plotting.plot_deletion_curves(CURVES, ax=ax),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_axes(call):
    current, other = plt.subplots(1, 2)[1]
    plt.sca(current)
    assert call(other) is other and other.has_data() and not current.has_data()
    new = call()
    assert new.figure is not other.figure and not current.has_data()


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
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["predicted class", "true class", "strokes of the digit"]


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


@pytest.mark.parametrize("colors", [tiles.STRENGTH(np.linspace(0, 1, 9)), tiles.SIGNED(np.linspace(0.5, 1, 9))])
def test_stronger_is_darker_in_grey_print(colors):
    assert (np.diff(colors[:, :3] @ (0.299, 0.587, 0.114)) < 0).all()


def test_values_of_zero_have_a_scale():
    assert attributions(values=np.zeros_like(VALUES)).images[2].get_clim() == (-1, 1)


def test_maps_stand_under_their_digits():
    ax = plotting.plot_maps(IMAGES, MAPS, titles=["a", "b", "c"])
    digits, strokes, strength, signed = ax.images
    for column in range(3):
        np.testing.assert_array_equal(tile(digits, 0, column), IMAGES[column, ..., 0])
        assert np.isnan(tile(strokes, 0, column)).all()
        for row, (name, image, other) in enumerate(
            [("saliency", strength, signed), ("occlusion", signed, strength)], 1
        ):
            limit = np.percentile(np.abs(MAPS[name]), 99.5)
            np.testing.assert_allclose(tile(image, row, column), MAPS[name][column] / limit)
            assert np.isnan(tile(other, row, column)).all()
            np.testing.assert_array_equal(~np.isnan(tile(strokes, row, column)), IMAGES[column, ..., 0] > 0.5)
    assert (strength.get_clim(), signed.get_clim()) == ((0, 1), (-1, 1))
    assert (strength.cmap.name, signed.cmap.name) == ("strength", "signed")
    assert ticks(ax.yaxis) == ["digit", "saliency", "occlusion"] and ticks(ax.xaxis) == ["a", "b", "c"]
    assert ["against" in bar.get_xlabel() for bar in bars(ax)] == [False, True]


def test_maps_of_one_unit_share_a_scale():
    ax = plotting.plot_maps(IMAGES, {name: each[..., None] for name, each in MAPS.items()}, unit="probability")
    assert len(ax.images) == 3 and len(bars(ax)) == 1 and "probability" in bars(ax)[0].get_xlabel()
    np.testing.assert_allclose(tile(ax.images[2], 1, 2), MAPS["saliency"][2])
    limit = np.percentile(np.abs(np.stack(list(MAPS.values()))), 99.5)
    np.testing.assert_allclose(ax.images[2].get_clim(), (-limit, limit))


def test_activations_with_their_numbers():
    ax = plotting.plot_activations(ACTIVATIONS, filters=[3, 1, 4, 5, 9], columns=3)
    head = 4  # 22 % of 14, rounded up
    (image,) = ax.images
    for i in range(5):
        np.testing.assert_allclose(tile(image, i // 3, i % 3, head=head), ACTIVATIONS[..., i])
    assert np.isnan(tile(image, 1, 2, head=head)).all()
    assert texts(ax) == ["3", "1", "4", "5", "9"]
    for i, text in enumerate(ax.texts):
        x, y = text.get_position()
        top = i // 3 * (SIZE + GAP + head) + GAP + head
        assert x == i % 3 * (SIZE + GAP) + (SIZE - 1) / 2 and top - head <= y < top
    assert image.get_clim() == (0, ACTIVATIONS.max()) and image.cmap.name == "strength"
    assert bars(ax)[0].get_xlabel() == "activation" and image.colorbar.extend == "neither"


def test_activations_each_on_its_own_scale():
    (image,) = plotting.plot_activations(-ACTIVATIONS[None], shared=False).images
    assert not tile(image, 0, 0, head=4).any()  # a filter without activation
    for i in range(1, 5):
        expected = -ACTIVATIONS[..., i] / ACTIVATIONS[..., i].max()
        np.testing.assert_allclose(tile(image, 0, i, head=4), expected)
    assert image.get_clim() == (-1, 1) and "relative" in image.colorbar.ax.get_xlabel()


def test_activations_of_several_images():
    ax = plotting.plot_activations(np.stack([ACTIVATIONS, 2 * ACTIVATIONS]), rows=["as it is", "shifted"])
    for row, column in np.ndindex(2, 5):
        np.testing.assert_allclose(tile(ax.images[0], row, column), (1 + row) * ACTIVATIONS[..., column])
    assert ticks(ax.yaxis) == ["as it is", "shifted"] and ticks(ax.xaxis) == list("01234")


def test_kernels():
    ax = plotting.plot_kernels(KERNELS)
    for i in range(5):
        np.testing.assert_allclose(tile(ax.images[0], 0, i, size=3, head=1), KERNELS[i])
    limit = np.abs(KERNELS).max()
    assert ax.images[0].get_clim() == (-limit, limit) and bars(ax)[0].get_xlabel() == "weight"
    assert plotting.plot_kernels(np.abs(KERNELS)).images[0].get_clim() == (-limit, limit)


def test_deletion_curves():
    fractions = np.linspace(0, 0.5, 11)
    ax = plotting.plot_deletion_curves(CURVES, fractions=fractions)
    for line, band, values in zip(ax.lines, ax.collections, CURVES.values(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), fractions)
        np.testing.assert_allclose(line.get_ydata(), values.mean(axis=0))
        half = 2.04523 * values.std(axis=0, ddof=1) / np.sqrt(30)  # t of 29 degrees of freedom, from a table
        np.testing.assert_allclose(band.get_paths()[0].vertices[1:12, 1], values.mean(axis=0) - half, rtol=1e-5)
    for feature in ("get_color", "get_linestyle", "get_marker"):
        assert getattr(ax.lines[0], feature)() != getattr(ax.lines[1], feature)()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(CURVES) and not ax.texts
    assert ax.get_xlim() == (0, 0.5) and "30 images" in ax.get_title() and "95 %" in ax.get_title()
    ax.figure.draw_without_rendering()
    assert "50%" in ticks(ax.xaxis) and "20%" in ticks(ax.yaxis)


def test_deletion_curves_of_all_pixels_stay_within_0_and_1():
    ax = plotting.plot_deletion_curves({"a": np.array([[1, 0.2, 0], [1, 0.9, 0.1]])})
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [0, 0.5, 1])
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert heights.min() == 0 and heights.max() == 1


BAD = {
    "images": (
        lambda: attributions(images=IMAGES[0, ..., 0]),
        r"'images' parameter of plot_attributions .* \(14, 14\)",
    ),
    "values": (lambda: attributions(values=VALUES[:2]), r"'values' .* \(3, 14, 14, k\). Got shape \(2, 14, 14, 10\)"),
    "NaN": (lambda: attributions(values=VALUES * np.nan), "'values' .* must be finite"),
    "labels": (lambda: attributions(labels=LABELS[:2]), r"'labels' .* shape \(3,\). Got shape \(2,\)"),
    "predictions": (lambda: attributions(predictions=[1, 2, 10]), "'predictions' .* digits from 0 to 9"),
    "classes": (lambda: attributions(values=VALUES[..., :2]), r"'classes' .* shape \(2,\). Got shape \(10,\)"),
    "no map": (lambda: plotting.plot_maps(IMAGES, {}), "'maps' parameter of plot_maps .* Got none"),
    "maps": (
        lambda: plotting.plot_maps(IMAGES, {"a": VALUES}),
        r"maps\['a'\].* \(3, 14, 14\). Got shape \(3, 14, 14, 1",
    ),
    "titles": (lambda: plotting.plot_maps(IMAGES, MAPS, titles="ab"), "'titles' .* a list of 3. Got one of 2"),
    "flat": (lambda: plotting.plot_activations(np.zeros((3, 5))), r"'maps' parameter of plot_activations .* Got shape"),
    "filters": (lambda: plotting.plot_activations(ACTIVATIONS, filters=[1]), "'filters' .* a list of 5. Got one of 1"),
    "rows": (lambda: plotting.plot_activations(ACTIVATIONS, rows=["a", "b"]), "'rows' .* a list of 1. Got one of 2"),
    "columns": (lambda: plotting.plot_activations(ACTIVATIONS, columns=0), "'columns' parameter of plot_activations"),
    "kernels": (
        lambda: plotting.plot_kernels(KERNELS[..., None]),
        r"'kernels' parameter of plot_kernels .* \(5, 3, 3, 1",
    ),
    "empty": (lambda: plotting.plot_kernels(KERNELS[:0]), r"'kernels' .* Got shape \(0, 3, 3\)"),
    "no curve": (lambda: plotting.plot_deletion_curves({}), "'curves' parameter of plot_deletion_curves .* Got none"),
    "one image": (lambda: plotting.plot_deletion_curves({"a": [[1, 0]]}), r"curves\['a'\].* 2 images or more. Got 1"),
    "percent": (lambda: plotting.plot_deletion_curves({"a": [[90, 9], [80, 8]]}), r"curves\['a'\].* Got 2 with .* 90"),
    "number": (lambda: plotting.plot_deletion_curves({"a": 0.5}), r"curves\['a'\].* shape \(n, 2\). Got shape \(\)"),
    "steps": (lambda: plotting.plot_deletion_curves(CURVES | {"b": [[1], [0]]}), r"curves\['b'\].* \(n, 11\)"),
    "falling": (lambda: plotting.plot_deletion_curves(CURVES, fractions=[1, 0]), "'fractions' .* must be rising"),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert not plt.get_fignums()  # nothing half-drawn is left behind
