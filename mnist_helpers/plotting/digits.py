"""Pictures of digits. A grid of many digits is one image on one Axes: fast, and small in a stored notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from mnist_helpers.common.checks import check_choice, check_positive_int, check_sequence, problem
from mnist_helpers.plotting.charts import COLORS, DARK, new_axes
from mnist_helpers.plotting.inputs import check_drawn_split, check_evaluated, check_pictures

if TYPE_CHECKING:
    from mnist_helpers.data.mnist import Split
    from mnist_helpers.evaluation.accuracy import Evaluation

# Dark ink on a pale tile: the edge of every image shows on white paper, and printing wastes no toner.
INK = LinearSegmentedColormap.from_list("ink", ["#EDEDED", "#000000"]).with_extremes(bad="white")
GAP = 2  # pixels between images


def _grid(
    images: np.ndarray, places: np.ndarray, ax: Axes | None, *, head: float = 0, edges: float = 0.35
) -> tuple[Axes, np.ndarray, np.ndarray]:
    """Draw images (n, height, width) as one picture and return its Axes and where columns and rows have their centres.

    ``places`` (rows, columns) holds indices of images, -1 for none; ``head`` is free space above each, in heights of
    an image; ``edges`` is the space for titles, in inches.
    """
    (rows, columns), (_, height, width) = places.shape, images.shape
    top = GAP + round(head * height)
    canvas = np.full((rows * (height + top), columns * (width + GAP) - GAP), np.nan, np.float32)
    for (row, column), index in np.ndenumerate(places):
        if index >= 0:
            y, x = row * (height + top) + top, column * (width + GAP)
            canvas[y : y + height, x : x + width] = images[index]
    inches = min(0.85, 8.5 / columns) / (width + GAP)
    ax = new_axes(ax, max(2.2, canvas.shape[1] * inches + edges), canvas.shape[0] * inches + edges)
    low, high = min(0, images.min()), max(1, images.max())
    ax.imshow(canvas, cmap=INK, vmin=low, vmax=high, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    across = np.arange(columns) * (width + GAP) + (width - 1) / 2
    down = np.arange(rows) * (height + top) + top + (height - 1) / 2
    return ax, across, down


def _name_columns(ax: Axes, across: np.ndarray, title: str = "") -> None:
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set_xticks(across, [str(digit) for digit in range(10)], fontsize=12, fontweight="bold")
    ax.set_xlabel(title, labelpad=6)


def _columns_of(groups: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Return places (rows, 10): column c holds up to ``per_class`` random indices i with ``groups[i] == c``."""
    random = np.random.default_rng(seed)
    chosen = [random.permutation(np.flatnonzero(groups == digit))[:per_class] for digit in range(10)]
    places = np.full((max(1, *map(len, chosen)), 10), -1)
    for digit, indices in enumerate(chosen):
        places[: len(indices), digit] = indices
    return places


def plot_digits(
    images: np.ndarray, *, titles: Sequence[Any] | None = None, columns: int = 10, ax: Axes | None = None
) -> Axes:
    """Draw images (n, height, width, 1) in rows of ``columns``, each under its own short title.

    All images share one grey scale, which is [0, 1] or wider if their values are. Titles may have several lines.
    Raises TypeError or ValueError for another rank or when titles and images differ in number.
    """
    pictures = check_pictures(images, "plot_digits")
    columns = min(len(pictures), check_positive_int(columns, name="columns", function="plot_digits"))
    wanted = f"{len(pictures)} titles, one an image"
    listed = check_sequence(titles, kind=wanted, name="titles", function="plot_digits") if titles is not None else None
    if listed is not None and len(listed) != len(pictures):
        raise ValueError(problem("titles", "plot_digits", wanted, str(len(listed))))
    texts = [str(title) for title in listed or ()]
    rows = -(-len(pictures) // columns)
    places = np.full(rows * columns, -1)
    places[: len(pictures)] = np.arange(len(pictures))
    lines = max((text.count("\n") + 1 for text in texts), default=0)
    ax, across, down = _grid(pictures, places.reshape(rows, columns), ax, head=0.22 * lines, edges=0.1)
    for i, text in enumerate(texts):
        y = down[i // columns] - (pictures.shape[1] + 1) / 2
        ax.text(across[i % columns], y, text, ha="center", va="bottom", fontsize=9, linespacing=1)
    return ax


def plot_samples(split: Split, *, per_class: int = 7, seed: int = 0, ax: Axes | None = None) -> Axes:
    """Draw ``per_class`` random images of each class, one column a class; a class with fewer images leaves gaps.

    Raises TypeError or ValueError for an empty split or when its images and labels differ in number.
    """
    check_positive_int(per_class, name="per_class", function="plot_samples")
    images, labels = check_drawn_split(split, "plot_samples")
    ax, across, _ = _grid(images, _columns_of(labels, per_class, seed), ax, edges=0.7)
    _name_columns(ax, across)
    ax.set_title(f"{per_class} random {split.name} images of each class")
    return ax


def plot_mean_image(images: np.ndarray, *, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw the mean of images (n, height, width, 1), from pale grey (the smallest mean) to black (the largest).

    Raises TypeError or ValueError for another rank or no image.
    """
    pictures = check_pictures(images, "plot_mean_image")
    ax = new_axes(ax, 3, 3.2)
    ax.imshow(pictures.mean(axis=0, dtype=np.float64), cmap=INK, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title(f"Mean of {len(pictures):,} images" if title is None else title)
    return ax


def plot_errors(
    evaluation: Evaluation,
    split: Split,
    *,
    columns: str = "true",
    per_class: int = 10,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Draw up to ``per_class`` random misclassified digits of each class, one column a class.

    With ``columns="true"`` a column is a true class and the small digit in each image is the predicted class; with
    ``columns="predicted"`` it is the other way round. Without any error the grid stays empty.
    Raises TypeError or ValueError for another option, or when ``evaluation`` is not about the images of ``split``.
    """
    check_choice(columns, ("true", "predicted"), name="columns", function="plot_errors")
    check_positive_int(per_class, name="per_class", function="plot_errors")
    images = check_evaluated(evaluation, split, "plot_errors")
    by, small = np.asarray(evaluation.labels), np.asarray(evaluation.predictions)
    wrong = by != small
    by, small = (by, small) if columns == "true" else (small, by)
    places = _columns_of(np.where(wrong, by, -1), per_class, seed)
    ax, across, down = _grid(images, places, ax, edges=0.7)
    for (row, column), index in np.ndenumerate(places):
        if index >= 0:
            x, y = across[column] + images.shape[2] / 2 - 1, down[row] - images.shape[1] / 2 + 0.5
            ax.text(x, y, str(small[index]), ha="right", va="top", color=COLORS[3], fontsize=10, fontweight="bold")
    other = "predicted" if columns == "true" else "true"
    _name_columns(ax, across, f"{columns} class (small: {other} class)")
    ax.set_title(f"{wrong.sum():,} of {len(wrong):,} {split.name} images misclassified")
    return ax


def plot_confusion_examples(evaluation: Evaluation, split: Split, *, seed: int = 0, ax: Axes | None = None) -> Axes:
    """Draw one random image for each pair of true class (row) and predicted class (column) that occurs.

    Raises TypeError or ValueError when ``evaluation`` is not about the images of ``split``.
    """
    images = check_evaluated(evaluation, split, "plot_confusion_examples")
    random, places = np.random.default_rng(seed), np.full((10, 10), -1)
    for index in random.permutation(len(images)):
        places[evaluation.labels[index], evaluation.predictions[index]] = index
    ax, across, down = _grid(images, places, ax, edges=0.9)
    _name_columns(ax, across, "predicted class")
    ax.set_yticks(down, [str(digit) for digit in range(10)], fontsize=12, fontweight="bold", color=DARK)
    ax.set_ylabel("true class")
    ax.set_title(f"One {split.name} image of each true and predicted class")
    return ax
