"""Live figures on convolution, training, networks, and a digit of one's own."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture
from matplotlib.patches import Rectangle

from mnist_helpers.common.checks import problem
from mnist_helpers.live.figure import LiveFigure, row_of_tiles

VERTICAL_EDGES = ((-1, 0, 1), (-1, 0, 1), (-1, 0, 1))


class Convolve(LiveFigure):
    """A 3x3 window to move over a digit: pixels, weights and products as numbers, and the feature map they make.

    Parameters
    ----------
    image : array of shape (height, width) or (height, width, 1)
        Pixels from 0 to 1.
    kernel : array of shape (3, 3), optional
        The weights at the start; vertical edges unless given.
    at : pair of int, optional
        Row and column of the window at the start; in the middle of the image unless given.
    """

    script = "convolve"

    def __init__(self, image: Any, kernel: Any = None, *, at: tuple[int, int] | None = None) -> None:
        self.image = one_image(image, "Convolve")
        self.kernel = np.array(VERTICAL_EDGES if kernel is None else kernel, np.float32)
        if self.kernel.shape != (3, 3):
            raise ValueError(problem("kernel", "Convolve", "of shape (3, 3)", f"shape {self.kernel.shape}"))
        self.at = at or tuple(size // 2 - 1 for size in self.image.shape)

    def data(self) -> dict[str, Any]:
        row, column = self.at
        return {"image": self.image, "kernel": self.kernel, "row": row, "column": column}

    @property
    def alt(self) -> str:
        return (
            "A 3 by 3 window on a digit. Its nine pixels times nine weights, added up, make one entry of the feature"
            " map. Drag the window, or move it with the arrow keys; the weights can be changed."
        )

    def picture(self) -> Picture:
        windows = np.lib.stride_tricks.sliding_window_view(self.image, (3, 3))
        feature_map = (windows * self.kernel).sum(axis=(2, 3))
        row, column = self.at
        picture, axes = row_of_tiles({"digit": self.image, "weights": self.kernel, "feature map": feature_map})
        axes[0].add_patch(Rectangle((column - 0.5, row - 0.5), 3, 3, fill=False, edgecolor="#0b6fb8", linewidth=2))
        axes[2].add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#0b6fb8", linewidth=2))
        for (i, j), weight in np.ndenumerate(self.kernel):
            axes[1].text(j, i, f"{weight:g}", ha="center", va="center", fontsize=12)
        return picture


def one_image(image: Any, function: str) -> np.ndarray:
    """Return an image as float32 (height, width), or raise ``ValueError`` naming the function."""
    array = np.asarray(image, np.float32)
    array = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if array.ndim != 2 or not 0 <= array.min() <= array.max() <= 1:
        got = f"shape {array.shape}, {array.min():g} to {array.max():g}" if array.size else f"shape {array.shape}"
        raise ValueError(problem("image", function, "of shape (height, width), with pixels from 0 to 1", got))
    return array
