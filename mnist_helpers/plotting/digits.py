"""Pictures of digits, and how many there are of each class.

A grid of many digits is one image on one Axes: fast, and small in a stored notebook.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from mnist_helpers.common.checks import problem
from mnist_helpers.plotting.theme import COLORS, DARK, INK, Style, new_axes

if TYPE_CHECKING:
    from mnist_helpers.data.mnist import Split
    from mnist_helpers.evaluation.accuracy import Evaluation

WIDTH = 8.6  # inches of a picture that fills the page
_LARGEST = 1.4  # inches of a tile
_LINE = 13.5  # points of a line of text above a tile


def check_pictures(images: np.ndarray, function: str) -> np.ndarray:
    """Return images (n, height, width, 1) or (n, height, width) as (n, height, width), else raise ``ValueError``."""
    pictures = np.asarray(images)
    one_channel = pictures.ndim == 4 and pictures.shape[-1] == 1
    # a last axis of 1 in three dimensions is a single image that lost its first axis
    if not pictures.size or not (one_channel or (pictures.ndim == 3 and pictures.shape[-1] > 1)):
        wanted = "of shape (n, height, width, 1) or (n, height, width), n >= 1"
        raise ValueError(problem("images", function, wanted, f"shape {pictures.shape}"))
    return pictures.reshape(pictures.shape[:3])


class Grid:
    """Tiles (rows, columns, height, width) on one Axes: where they stand, and one picture of them all.

    Attributes
    ----------
    ax : Axes
        Without frame and ticks, those of the columns on top.
    x, y : ndarray
        Centres of the columns and of the rows, in data coordinates: one unit is one pixel of a tile.
    """

    def __init__(
        self,
        shape: tuple[int, int, int, int],
        ax: Axes | None,
        *,
        lines: int = 0,
        left: float = 0.1,
        edges: float = 0.1,
    ) -> None:
        """Make room for ``lines`` of text above each tile; ``left`` and ``edges`` are inches beside and above all."""
        rows, columns, height, width = shape
        self._gap = max(1, round(width / 14))
        across = columns * (width + self._gap)
        inches = min(_LARGEST * columns, WIDTH) if ax is None else ax.get_window_extent().width / ax.figure.dpi
        self._top = self._gap + int(np.ceil(lines * _LINE / 72 * across / inches))
        self.ax = new_axes(ax, inches + left, inches * rows * (height + self._top) / across + edges)
        self.ax.spines[:].set_visible(False)
        self.ax.set(xticks=[], yticks=[])
        self.ax.tick_params(length=0)
        self.ax.xaxis.tick_top()
        self.ax.xaxis.set_label_position("top")
        self.x = np.arange(columns) * (width + self._gap) + (width - 1) / 2
        self.y = np.arange(rows) * (height + self._top) + self._top + (height - 1) / 2

    def picture(self, tiles: np.ndarray) -> np.ndarray:
        """Return the tiles side by side, NaN between them."""
        rows, columns, height, width = tiles.shape
        padded = np.pad(tiles, ((0, 0), (0, 0), (self._top, 0), (0, self._gap)), constant_values=np.nan)
        across = columns * (width + self._gap)
        return padded.transpose(0, 2, 1, 3).reshape(rows * (height + self._top), across)[:, : -self._gap]

    def draw_ink(self, tiles: np.ndarray) -> None:
        """Draw digits on one grey scale: [0, 1], or wider if their values are."""
        low, high = min(0, np.nanmin(tiles, initial=0)), max(1, np.nanmax(tiles, initial=1))
        self.ax.imshow(self.picture(tiles), cmap=INK, vmin=low, vmax=high, interpolation="nearest")

    def name_tiles(self, names: Sequence[object], height: int) -> None:
        """Write a name above each tile, row by row; ``height`` is that of a tile."""
        for i, name in enumerate(names):
            x, y = self.x[i % len(self.x)], self.y[i // len(self.x)] - (height + 1) / 2
            self.ax.text(x, y, str(name), ha="center", va="bottom", fontsize=10, linespacing=1.05)

    def name_columns(self, names: Sequence[object], title: str = "") -> None:
        """Write names above the columns, and what they are."""
        self.ax.set_xticks(self.x, [str(name) for name in names], fontsize=12)
        self.ax.set_xlabel(title, labelpad=6)


def in_rows(tiles: np.ndarray, columns: int) -> np.ndarray:
    """Return tiles (n, height, width) as (rows, columns, height, width), NaN where none is left."""
    columns = min(len(tiles), columns)
    filled = np.full((-(-len(tiles) // columns) * columns, *tiles.shape[1:]), np.nan)
    filled[: len(tiles)] = tiles
    return filled.reshape(-1, columns, *tiles.shape[1:])


def plot_digits(
    images: np.ndarray, *, titles: Sequence[object] | None = None, columns: int = 10, ax: Axes | None = None
) -> Axes:
    """Draw images in rows, each under its own short title.

    Parameters
    ----------
    images : ndarray, shape (n, height, width, 1) or (n, height, width)
        They share one grey scale, which is [0, 1] or wider if their values are.
    titles : sequence, optional
        One per image; a title may have several lines.
    columns : int
        Images in a row.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    pictures = check_pictures(images, "plot_digits")
    texts = [] if titles is None else [str(title) for title in titles]
    if titles is not None and len(texts) != len(pictures):
        raise ValueError(problem("titles", "plot_digits", f"{len(pictures)} titles, one per image", str(len(texts))))
    tiles = in_rows(pictures, columns)
    grid = Grid(tiles.shape, ax, lines=max((text.count("\n") + 1 for text in texts), default=0))
    grid.draw_ink(tiles)
    grid.name_tiles(texts, pictures.shape[1])
    return grid.ax


def plot_samples(split: Split, *, per_class: int = 7, seed: int = 0, ax: Axes | None = None) -> Axes:
    """Draw random images of each class, one column per class.

    Parameters
    ----------
    split : Split
    per_class : int
        Images of each class; a class that has fewer leaves gaps.
    seed : int
        Of the choice.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    grid = _draw_places(split, _columns_of(split.labels, per_class, seed), ax)
    grid.name_columns(range(10))
    grid.ax.set_title(f"{per_class} random {split.name} images of each class", pad=10)
    return grid.ax


def _columns_of(groups: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Return places (rows, 10): column c holds up to ``per_class`` random indices i with ``groups[i] == c``."""
    random = np.random.default_rng(seed)
    chosen = [random.permutation(np.flatnonzero(groups == digit))[:per_class] for digit in range(10)]
    places = np.full((max(1, *map(len, chosen)), 10), -1)
    for digit, indices in enumerate(chosen):
        places[: len(indices), digit] = indices
    return places


def _draw_places(split: Split, places: np.ndarray, ax: Axes | None, edges: float = 0.8) -> Grid:
    """Draw the images whose indices stand in ``places`` (rows, columns), nothing where these are -1."""
    images = split.images[..., 0]
    tiles = np.where((places >= 0)[..., None, None], images[places], np.nan)
    grid = Grid(tiles.shape, ax, left=0.5, edges=edges)
    grid.draw_ink(tiles)
    return grid


def plot_errors(
    evaluation: Evaluation, split: Split, *, per_class: int = 10, seed: int = 0, ax: Axes | None = None
) -> Axes:
    """Draw random misclassified digits, one column per true class; the small digit in each is the answer.

    Parameters
    ----------
    evaluation : Evaluation
    split : Split
        The one that was evaluated.
    per_class : int
        Images of each class, at most.
    seed : int
        Of the choice.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
        Its grid is empty where nothing is misclassified.
    """
    _check_evaluated(evaluation, split, "plot_errors")
    wrong = evaluation.predictions != evaluation.labels
    places = _columns_of(np.where(wrong, evaluation.labels, -1), per_class, seed)
    grid = _draw_places(split, places, ax, edges=1.1)
    height, width = split.images.shape[1:3]
    style: Style = {"color": COLORS[3], "fontsize": 11, "fontweight": "bold"}
    for (row, column), index in np.ndenumerate(places):
        if index >= 0:
            x, y = grid.x[column] + width / 2 - 1, grid.y[row] - height / 2 + 0.5
            grid.ax.text(x, y, str(evaluation.predictions[index]), ha="right", va="top", **style)
    grid.name_columns(range(10), "true class (small: predicted class)")
    grid.ax.set_title(f"{wrong.sum():,} of {len(wrong):,} {split.name} images misclassified", pad=10)
    return grid.ax


def plot_confusion_examples(evaluation: Evaluation, split: Split, *, seed: int = 0, ax: Axes | None = None) -> Axes:
    """Draw one random image for each pair of true class (row) and predicted class (column) that occurs.

    Parameters
    ----------
    evaluation : Evaluation
    split : Split
        The one that was evaluated.
    seed : int
        Of the choice.
    ax : Axes, optional
        By default that of a new figure.

    Returns
    -------
    Axes
    """
    _check_evaluated(evaluation, split, "plot_confusion_examples")
    places = np.full((10, 10), -1)
    for index in np.random.default_rng(seed).permutation(len(split.images)):
        places[evaluation.labels[index], evaluation.predictions[index]] = index
    grid = _draw_places(split, places, ax, edges=1.1)
    grid.name_columns(range(10), "predicted class")
    grid.ax.set_yticks(grid.y, [str(digit) for digit in range(10)], fontsize=12, color=DARK)
    grid.ax.set_ylabel("true class")
    grid.ax.set_title(f"One {split.name} image of each true and predicted class", pad=10)
    return grid.ax


def _check_evaluated(evaluation: Evaluation, split: Split, function: str) -> None:
    if not np.array_equal(evaluation.labels, split.labels):
        wanted = f"the split that was evaluated ({len(evaluation.labels)} images, {evaluation.split})"
        raise ValueError(problem("split", function, wanted, f"{len(split.labels)} other images ({split.name})"))
