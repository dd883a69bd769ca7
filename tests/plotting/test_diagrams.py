"""Tests of diagrams of networks: which boxes stand where, what they say, and which lines join them."""

import pytest
from artists import check_axes, texts
from matplotlib.patches import FancyBboxPatch, PathPatch

from mnist_helpers.common.backend import keras, layers
from mnist_helpers.plotting import plot_architecture


def chain(*between, shape=(28, 28, 1)):
    return keras.Sequential([keras.Input(shape), *between], name="chain")


def forked():
    """Two branches of different length, and a shortcut around both, in one sum."""
    image = keras.Input((8, 8, 4), name="image")
    short = layers.Conv2D(4, 1, name="short")(image)
    long = layers.Conv2D(4, 3, padding="same", name="long_2")(layers.Conv2D(2, 1, name="long_1")(image))
    return keras.Model(image, layers.Add(name="sum")([image, short, long]), name="forked")


def residual(blocks=2):
    image = x = keras.Input((8, 8, 4))
    for _ in range(blocks):
        y = layers.Conv2D(4, 3, padding="same")(layers.Conv2D(4, 3, padding="same")(x))
        x = layers.Add()([x, y])
    return keras.Model(image, x)


def boxes(ax):
    """The centres of the boxes, in the order of the rows."""
    found = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    centres = [(box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2) for box in found]
    return sorted(((round(x, 3), round(y, 3)) for x, y in centres), key=lambda place: place[::-1])


def curves(ax):
    """Where the lines between rows start and end, from left to right."""
    found = [patch.get_path().vertices for patch in ax.patches if isinstance(patch, PathPatch)]
    return [(*(round(float(v), 2) for v in (p[0][0], p[-1][0])), round(p[0][1]), round(p[-1][1])) for p in found]


def test_axes():
    check_axes(lambda ax=None: plot_architecture(chain(layers.Flatten()), ax=ax))


def test_a_chain_is_a_column_of_boxes_with_shapes_and_parameters():
    ax = plot_architecture(
        chain(
            layers.Conv2D(8, 5, strides=2, padding="same", activation="relu"),
            layers.AveragePooling2D(2),
            layers.MaxPooling2D(3, strides=2),
            layers.Dropout(0.45),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        )
    )
    assert boxes(ax) == [(0, row) for row in range(6)]
    assert ax.get_title() == f"chain: {208 + 730:,} parameters"
    assert texts(ax) == [
        *("5×5 convolution / 2, ReLU", "14 × 14 × 8 · 208 par.", "2×2 average pool", "7 × 7 × 8"),
        *("3×3 max pool / 2", "3 × 3 × 8", "dropout 45%", "3 × 3 × 8", "flatten", "72"),
        *("dense, softmax", "10 · 730 par."),
    ]


def test_layers_without_a_size():
    ax = plot_architecture(
        chain(
            layers.SeparableConv2D(3, 3),
            layers.DepthwiseConv2D(3),
            layers.ReLU(),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
        )
    )
    said = texts(ax)[::2]
    assert said[:3] == ["3×3 separable convolution", "3×3 depthwise convolution", "ReLU"]
    assert said[3:] == ["batch normalization", "global average pool"]


def test_branches_stand_side_by_side_and_a_shortcut_moves_nothing():
    ax = plot_architecture(forked())
    assert boxes(ax) == [(0, 0), (-0.5, 1), (0.5, 1), (0.5, 2), (0, 3)] or boxes(ax) == [
        *((0, 0), (-0.5, 1), (0.5, 1), (-0.5, 2), (0, 3))
    ]
    lanes = {start for start, *_ in curves(ax)} - {x for x, _ in boxes(ax)}
    assert len(lanes) == 1 and lanes.pop() > 0.5 + 0.5  # to the right of all boxes


def test_shortcuts_of_two_blocks_leave_the_chain_straight():
    ax = plot_architecture(residual())
    assert boxes(ax) == [(0, row) for row in range(7)]
    assert sum(start == end == 0 for start, end, *_ in curves(ax)) == 6
    around = [(y, below) for start, end, y, below in curves(ax) if start == 0 != end]
    assert around == [(0, 1), (3, 4)]


def test_boxes_do_not_overlap():
    image = keras.Input((8, 8, 1))
    branches = [layers.Conv2D(2, 1)(image) for _ in range(3)]
    twigs = [layers.Conv2D(2, 1)(branch) for branch in branches for _ in range(2)]
    ax = plot_architecture(keras.Model(image, layers.Concatenate()(twigs)))
    rows = {row: sorted(x for x, y in boxes(ax) if y == row) for row in range(4)}
    assert [len(xs) for xs in rows.values()] == [1, 3, 6, 1]
    assert all(right - left >= 1 - 1e-6 for xs in rows.values() for left, right in zip(xs, xs[1:], strict=False))


def test_sums_written_with_a_plus_and_models_within_models():
    image = keras.Input((8, 8, 4))
    inner = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(4, 1)], name="inner")
    ax = plot_architecture(keras.Model(image, inner(image) + image))
    assert boxes(ax) == [(0, 0), (0, 1), (0, 2)]
    assert texts(ax)[2:] == ["sequential", "8 × 8 × 4 · 20 par.", "add", "8 × 8 × 4"]


def twice():
    image, layer = keras.Input((8,)), layers.Dense(8)
    return keras.Model(image, layer(layer(image)))


def own():
    class Own(keras.Model):
        def call(self, x):
            return x

    model = Own()
    model(keras.ops.ones((1, 2)))
    return model


@pytest.mark.parametrize("make", [twice, own, keras.Sequential])
def test_networks_that_cannot_be_drawn(make):
    with pytest.raises(ValueError, match="'model' parameter of plot_architecture must be functional or sequential"):
        plot_architecture(make())


def test_what_is_no_network():
    with pytest.raises(TypeError, match="a Keras model. Got Dense"):
        plot_architecture(layers.Dense(3))
