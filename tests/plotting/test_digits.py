"""Tests of the pictures of digits: which image stands where, which texts, and on which Axes."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from artists import check_axes, texts, ticks

from mnist_helpers import plotting

SIZE, GAP = 28, 2


def make_split(labels, name="test"):
    """Return a split whose image number i is filled with (i + 1) / 1000: the picture tells which image it shows."""
    values = (np.arange(len(labels), dtype=np.float32) + 1) / 1000
    images = np.broadcast_to(values[:, None, None, None], (len(labels), SIZE, SIZE, 1)).copy()
    return SimpleNamespace(images=images, labels=np.asarray(labels), name=name, source="mnist")


def make_evaluation(predictions, split):
    return SimpleNamespace(predictions=np.asarray(predictions), labels=split.labels, split=split.name)


def head_of(ax, rows):
    """Return the height of the text above each image."""
    return ax.images[0].get_array().shape[0] // rows - SIZE - GAP


def shown(ax, rows, columns, head=0):
    """Return the indices (rows, columns) of the images in a grid, -1 for an empty place."""
    canvas = np.ma.filled(ax.images[0].get_array().astype(float), np.nan)
    tops, lefts = np.arange(rows) * (SIZE + GAP + head) + GAP + head, np.arange(columns) * (SIZE + GAP)
    found = np.full((rows, columns), -1)
    for (row, column), _ in np.ndenumerate(found):
        tile = canvas[tops[row] : tops[row] + SIZE, lefts[column] : lefts[column] + SIZE]
        assert tile.shape == (SIZE, SIZE)
        assert np.isnan(tile).all() or np.ptp(tile) == 0  # one image, whole
        found[row, column] = -1 if np.isnan(tile[0, 0]) else round(float(tile[0, 0]) * 1000) - 1
    return found


SPLIT = make_split(np.arange(60) % 10)
EVALUATION = make_evaluation(np.where(np.arange(60) < 30, SPLIT.labels, (SPLIT.labels + 1) % 10), SPLIT)
CALLS = {
    "samples": lambda ax=None: plotting.plot_samples(SPLIT, per_class=2, ax=ax),
    "digits": lambda ax=None: plotting.plot_digits(SPLIT.images[:4], ax=ax),
    "errors": lambda ax=None: plotting.plot_errors(EVALUATION, SPLIT, ax=ax),
    "examples": lambda ax=None: plotting.plot_confusion_examples(EVALUATION, SPLIT, ax=ax),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_axes(call):
    check_axes(call)
    assert len(call().images) == 1  # one image, however many digits


def test_samples_stand_in_the_column_of_their_class():
    labels = np.random.default_rng(0).integers(0, 10, 300)
    split = make_split(labels, name="train")
    ax = plotting.plot_samples(split, per_class=7)
    found = shown(ax, 7, 10)
    assert (labels[found] == np.arange(10)).all()
    assert len(np.unique(found)) == 70  # no image twice
    assert ticks(ax.xaxis) == list("0123456789")
    np.testing.assert_allclose(ax.get_xticks(), np.arange(10) * (SIZE + GAP) + (SIZE - 1) / 2)
    assert ax.xaxis.get_ticks_position() == "top"
    assert "7 random train images" in ax.get_title()


def test_samples_follow_the_seed():
    split = make_split(np.arange(300) % 10)
    grids = [shown(plotting.plot_samples(split, seed=seed), 7, 10) for seed in (0, 0, 1)]
    assert (grids[0] == grids[1]).all() and (grids[0] != grids[2]).any()


def test_samples_of_a_rare_class_leave_gaps():
    found = shown(plotting.plot_samples(make_split([0, 0, 0, 9]), per_class=7), 3, 10)
    assert (found[:, 0] >= 0).all() and (found[:, 9] == [3, -1, -1]).all() and (found[:, 1:9] == -1).all()


def test_digits_in_rows_with_titles():
    titles = [f"no {i}" for i in range(7)]
    ax = plotting.plot_digits(make_split(range(7)).images, titles=titles, columns=3)
    head = head_of(ax, rows=3)
    assert shown(ax, 3, 3, head).ravel().tolist() == [*range(7), -1, -1]
    assert texts(ax) == titles
    for i, text in enumerate(ax.texts):
        x, y = text.get_position()
        assert x == i % 3 * (SIZE + GAP) + (SIZE - 1) / 2
        top = i // 3 * (SIZE + GAP + head) + GAP + head
        assert top - head <= y < top  # above its own image, below the one before
    assert ax.images[0].get_clim() == (0, 1)


def test_digits_outside_of_0_to_1_widen_the_scale():
    images = np.zeros((2, 5, 4))
    images[0, 0, 0], images[1, 0, 0] = -2, 3
    assert plotting.plot_digits(images).images[0].get_clim() == (-2, 3)


def test_titles_have_the_room_that_they_need():
    titles = [f"{i}\nread as 7" for i in range(20)]
    for columns in (20, 10, 3):
        ax = plotting.plot_digits(make_split(range(20)).images, titles=titles, columns=columns)
        ax.figure.canvas.draw()
        head = head_of(ax, rows=-(-20 // columns))
        (_, bottom), (_, top) = ax.transData.transform([(0, 0), (0, -head - GAP)])
        assert ax.texts[0].get_window_extent().height <= top - bottom
        assert ax.get_window_extent().width / columns > 40  # pixels; in a notebook, twice as many are stored


def test_digits_of_another_size_and_few_columns():
    ax, gap = plotting.plot_digits(np.ones((2, 48, 40, 1))), 3  # a fourteenth of the width
    assert ax.images[0].get_array().shape == (gap + 48, 2 * 40 + gap)


def test_tiles_can_be_told_from_paper_and_ink():
    colors = plotting.plot_digits(np.zeros((1, 4, 4))).images[0].cmap
    paper, tile, ink = colors(np.ma.masked_all(1))[0, :3], colors(0.0)[:3], colors(1.0)[:3]
    assert np.allclose(paper, 1) and 0.85 < tile[0] < 0.97 and np.allclose(ink, 0)


def test_errors_by_class():
    random = np.random.default_rng(1)
    split = make_split(random.integers(0, 10, 400))
    predictions = np.where(random.random(400) < 0.7, split.labels, random.integers(0, 10, 400))
    ax = plotting.plot_errors(make_evaluation(predictions, split), split, per_class=4)
    found = shown(ax, 4, 10)
    placed = found[found >= 0]
    wrong = predictions != split.labels
    assert wrong[placed].all() and len(np.unique(placed)) == len(placed)
    for digit in range(10):
        in_column = found[found[:, digit] >= 0, digit]
        assert (split.labels[in_column] == digit).all()
        assert len(in_column) == min(4, (wrong & (split.labels == digit)).sum())
    assert len(ax.texts) == len(placed)
    for text in ax.texts:  # each small digit lies inside the image that it is about
        x, y = text.get_position()
        index = found[int(y // (SIZE + GAP)), int(x // (SIZE + GAP))]
        assert text.get_text() == str(predictions[index])
    assert f"{wrong.sum()} of 400 test images" in ax.get_title() and ax.get_xlabel().startswith("true class")


def test_errors_when_there_are_none():
    ax = plotting.plot_errors(make_evaluation(SPLIT.labels, SPLIT), SPLIT)
    assert (shown(ax, 1, 10) == -1).all() and not ax.texts and ax.get_title().startswith("0 of 60")


def test_confusion_examples():
    split = make_split([0, 0, 0, 3, 3, 8])
    predictions = np.array([0, 0, 6, 5, 5, 8])
    ax = plotting.plot_confusion_examples(make_evaluation(predictions, split), split)
    found = shown(ax, 10, 10)
    assert set(zip(*np.nonzero(found >= 0), strict=True)) == {(0, 0), (0, 6), (3, 5), (8, 8)}
    for (true, predicted), index in np.ndenumerate(found):
        assert index < 0 or (split.labels[index], predictions[index]) == (true, predicted)
    assert ticks(ax.xaxis) == ticks(ax.yaxis) == list("0123456789")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    assert ax.get_yticks()[0] < ax.get_yticks()[9] and ax.get_ylim()[0] > ax.get_ylim()[1]  # class 0 is on top


OTHER = make_split((np.arange(60) + 1) % 10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plotting.plot_digits(np.zeros((28, 28))), r"'images' parameter of plot_digits.*\(28, 28\)"),
        (lambda: plotting.plot_digits(np.zeros((28, 28, 1))), r"'images' .* Got shape \(28, 28, 1\) instead"),
        (lambda: plotting.plot_digits(np.zeros((2, 28, 28, 3))), r"Got shape \(2, 28, 28, 3\) instead"),
        (lambda: plotting.plot_digits(SPLIT.images, titles=["a"]), "must be 60 titles, one per image. Got 1 "),
        (lambda: plotting.plot_errors(EVALUATION, OTHER), "'split' .* the split that was evaluated"),
        (lambda: plotting.plot_confusion_examples(EVALUATION, make_split([1])), "Got 1 other images"),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert not plt.get_fignums()  # nothing half-drawn is left behind
