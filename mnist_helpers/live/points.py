"""Live figures in two dimensions: principal components, the border of a support vector machine, a ball in a valley."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure as Picture

from mnist_helpers.common.checks import check_positive, problem
from mnist_helpers.common.types import Plain
from mnist_helpers.live.figure import SIGNED, LiveFigure, Rounded

if TYPE_CHECKING:
    from mnist_helpers.data import Digits, Split

_BLUE, _ORANGE, _GREY = "#0b6fb8", "#d1470b", "#5b616b"


class Components(LiveFigure):
    """Principal components as sliders, the digit that they make, and a map of digits to point at.

    Parameters
    ----------
    digits : Split or Digits
        The images and labels; of `Digits`, the training images. The components are computed from all of them.
    n_components : int
        How many sliders, from 2.
    n_shown : int
        How many of the digits, in the proportions of the classes, lie on the map.

    Attributes
    ----------
    mean : float32 array of shape (height, width)
    components : float32 array of shape (height * width, n_components), columns of length 1
    scores : float32 array of shape (n_shown, n_components), of the digits on the map
    share : float array of shape (n_components,)
        Of the variance that each component explains, 0 to 1.
    """

    script = "components"

    def __init__(self, digits: Digits | Split, n_components: int = 10, n_shown: int = 300) -> None:
        from sklearn.decomposition import PCA

        split: Split = getattr(digits, "train", digits)  # type: ignore[arg-type]
        pixels = np.asarray(split.images, np.float32).reshape(len(split.images), -1)
        pca = PCA(n_components, svd_solver="covariance_eigh").fit(pixels)
        self.some = split.take(n_shown, seed=0)
        self.shape = self.some.images.shape[1:3]
        self.mean = pca.mean_.reshape(self.shape).astype(np.float32)
        self.components = Rounded(pca.components_.T).array
        self.scores = pca.transform(self.some.flat).astype(np.float32)
        self.spread = np.sqrt(pca.explained_variance_)
        self.share = pca.explained_variance_ratio_

    def data(self) -> Plain:
        return {
            "mean": self.mean,
            "components": Rounded(self.components),
            "spread": self.spread.tolist(),
            "share": self.share.round(4).tolist(),
            "scores": Rounded(self.scores, 16),
            "labels": self.some.labels.tolist(),
            "start": self._start(),
            "images": np.rint(255 * self.some.images[..., 0]).astype(np.uint8),
        }

    @property
    def alt(self) -> str:
        return (
            f"A map of {len(self.scores)} digits by their first two principal components, and {len(self.spread)}"
            " sliders, one for each component. Point at a digit to see it, and what its components keep of it;"
            " move the sliders to make digits of your own."
        )

    def rebuilt(self, scores: np.ndarray) -> np.ndarray:
        """Return the image, float32 (height, width), that belongs to the scores (n_components,)."""
        return (self.mean.ravel() + self.components @ scores).reshape(self.shape).astype(np.float32)

    def _start(self) -> int:
        """Return which digit of the map is shown first: the one of which the components keep most."""
        lost = self.some.flat - self.mean.ravel() - self.scores @ self.components.T
        return int((np.linalg.norm(lost, axis=1) / np.linalg.norm(self.some.flat - self.mean.ravel(), axis=1)).argmin())

    def picture(self) -> Picture:
        picture = Picture(figsize=(8, 4), dpi=100, layout="constrained")
        axes = picture.subplot_mosaic([["map", "map", 1, 2], ["map", "map", 3, 4]])
        axes["map"].set(xlim=_limits(self.scores[:, 0]), ylim=_limits(self.scores[:, 1]))
        axes["map"].set(xlabel="component 1", ylabel="component 2")
        for (x, y), label in zip(self.scores[:, :2], self.some.labels, strict=True):
            axes["map"].text(x, y, str(label), color=f"C{label}", fontsize=8, ha="center", va="center", clip_on=True)
        for number in range(1, 5):
            ax = axes[number]
            if number <= len(self.spread):
                one = self.components[:, number - 1].reshape(self.shape)
                ax.imshow(one, cmap=SIGNED, vmin=-np.abs(one).max(), vmax=np.abs(one).max())
                ax.set_title(f"component {number}", fontsize=10)
            ax.set(xticks=[], yticks=[])
        return picture


class Border(LiveFigure):
    """The border of a support vector machine among points, while C and gamma change.

    On a page, a machine was fitted for every pair of the given settings; in JupyterLab, the kernel fits one at once
    for any values in between.

    Parameters
    ----------
    points : float array of shape (n, 2)
    labels : array of shape (n,), of two different values
    c : sequence of float, rising
    gamma : sequence of float, rising
        The settings of the sliders; multiples of one factor look best.
    at : pair of int
        Index into ``c`` and ``gamma`` at the start.
    resolution : int
        Grid points across the picture.

    Attributes
    ----------
    box : tuple of float
        What is shown: left, right, bottom, top.
    """

    script = "border"
    asks_kernel = True

    def __init__(
        self,
        points: npt.ArrayLike,
        labels: npt.ArrayLike,
        *,
        c: Sequence[float] = (0.1, 1, 10, 100, 1000),
        gamma: Sequence[float] = (0.1, 0.5, 2, 8, 32),
        at: tuple[int, int] = (1, 1),
        resolution: int = 56,
    ) -> None:
        self.points = np.asarray(points, np.float32)
        labels = np.asarray(labels)
        if self.points.ndim != 2 or self.points.shape[1] != 2:
            raise ValueError(problem("points", "Border", "of shape (n, 2)", f"shape {self.points.shape}"))
        if labels.shape != self.points.shape[:1] or len(np.unique(labels)) != 2:
            got = f"shape {labels.shape}, {len(np.unique(labels))} different"
            raise ValueError(problem("labels", "Border", f"{len(self.points)} labels of two classes", got))
        self.classes = np.unique(labels)
        self.signs = np.where(labels == self.classes[1], 1, -1)
        self.c, self.gamma, self.at, self.resolution = [*map(float, c)], [*map(float, gamma)], at, resolution
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        half = 0.56 * (high - low).max()  # a square, with a little room around the points
        self.box = tuple(float(v) for middle in (low + high) / 2 for v in (middle - half, middle + half))

    def fit(self, c: float, gamma: float | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fit one machine, with a straight border if ``gamma`` is None.

        Returns
        -------
        grid : float32 array of shape (resolution, resolution)
            Decision values; the first row is the lowest.
        support : int array
            Which points are support vectors.
        values : float array of shape (n,)
            Decision values of the points, positive on the right side of the border, 1 on the margin.
        """
        from sklearn.svm import SVC

        kernel = {"kernel": "linear"} if gamma is None else {"kernel": "rbf", "gamma": gamma}
        machine = SVC(C=c, **kernel).fit(self.points, self.signs)
        left, right, bottom, top = self.box
        across, along = (np.linspace(*ends, self.resolution) for ends in ((left, right), (bottom, top)))
        places = np.stack(np.meshgrid(across, along), axis=-1).reshape(-1, 2).astype(np.float32)
        grid = machine.decision_function(places).reshape(self.resolution, -1).astype(np.float32)
        return grid, np.sort(machine.support_), self.signs * machine.decision_function(self.points)

    def data(self) -> Plain:
        rows = [[self._answer(c, gamma) for gamma in [*self.gamma, None]] for c in self.c]
        grids = np.stack([[one.pop("grid") for one in row] for row in rows])
        return {
            "points": self.points,
            "signs": self.signs.tolist(),
            "names": [name if isinstance(name, str) else f"class {name}" for name in self.classes],
            "box": list(self.box),
            "c": self.c,
            "gamma": self.gamma,
            "at": list(self.at),
            "fits": rows,
            "grids": grids,
        }

    def answer(self, question: Plain) -> Plain:
        found = self._answer(question["c"], question["gamma"])
        return found | {"grid": found["grid"].ravel().tolist()}

    def _answer(self, c: float, gamma: float | None) -> Plain:
        """Return a fit as the script takes it: decision values from -1.27 to 1.27 in hundredths, as int8."""
        grid, support, values = self.fit(c, gamma)
        grid = np.rint(100 * grid.clip(-1.27, 1.27)).astype(np.int8)
        inside = int((values < 0.99).sum())  # libsvm stops within 0.001 of the margin
        return {
            "grid": grid,
            "support": support.tolist(),
            "right": round(float((values > 0).mean()), 4),
            "inside": inside,
        }

    @property
    def alt(self) -> str:
        return (
            f"{len(self.points)} points of two classes, the border that a support vector machine draws between them,"
            " its margin, and its support vectors. Sliders change C and gamma, and the border follows."
        )

    def picture(self) -> Picture:
        grid, support, _ = self.fit(c := self.c[self.at[0]], gamma := self.gamma[self.at[1]])
        picture = Picture(figsize=(5, 5), dpi=100, layout="constrained")
        ax = picture.subplots()
        ax.contourf(grid, [-99, -1, 0, 1, 99], colors=["#cfe2f1", "#ebf3f9", "#fbefe9", "#f6d9cc"], extent=self.box)
        ax.contour(
            grid, [-1, 0, 1], colors="black", linewidths=[1, 2, 1], linestyles=["--", "-", "--"], extent=self.box
        )
        for sign, color, marker in ((-1, _BLUE, "s"), (1, _ORANGE, "o")):
            x, y = self.points[self.signs == sign].T
            ax.scatter(x, y, s=28, c=color, marker=marker, edgecolors="white")
        x, y = self.points[support].T
        ax.scatter(x, y, s=90, facecolors="none", edgecolors="black")
        ax.set(title=f"C = {c:g}, gamma = {gamma:g}: {len(support)} support vectors (circled)", xticks=[], yticks=[])
        return picture


class Valley(LiveFigure):
    """The path of a ball down a valley, by gradient descent with a learning rate and momentum to choose.

    The loss is ``(a x^2 + b y^2) / 2``; the steps are those of ``keras.optimizers.SGD``.

    Parameters
    ----------
    rate : float
        The learning rate at the start, greater than 0.
    momentum : float
        At the start, in [0, 1).
    curvatures : pair of float
        The curvature along the valley, a, and across it, b; b is the larger one.
    start : pair of float
        Where the ball begins: x from -10 to 10, y from -4 to 4.
    steps : int
        How many steps are taken.
    """

    script = "valley"

    def __init__(
        self,
        rate: float = 0.02,
        momentum: float = 0.0,
        *,
        curvatures: tuple[float, float] = (1.0, 12.0),
        start: tuple[float, float] = (-8.5, 2.2),
        steps: int = 60,
    ) -> None:
        check_positive(rate, name="rate", function="Valley")
        if not 0 <= momentum < 1:
            raise ValueError(problem("momentum", "Valley", "in [0, 1)", repr(momentum)))
        self.rate, self.momentum, self.curvatures, self.start, self.steps = rate, momentum, curvatures, start, steps

    def data(self) -> Plain:
        return dict(vars(self))

    @property
    def alt(self) -> str:
        return (
            "A valley seen from above, steep across and flat along, and the path of a ball that takes one step of"
            " gradient descent after another. With a small learning rate it crawls, with a large one it is thrown out."
        )

    def path(self, rate: float, momentum: float) -> np.ndarray:
        """Return the places of the ball: float64 array of shape (steps + 1, 2)."""
        places, velocity = [np.array(self.start, float)], np.zeros(2)
        for _ in range(self.steps):
            velocity = momentum * velocity - rate * np.array(self.curvatures) * places[-1]
            places.append(places[-1] + velocity)
        return np.array(places)

    def picture(self) -> Picture:
        limit = 2 / max(self.curvatures)
        picture = Picture(figsize=(8, 5.2), dpi=100, layout="constrained")
        x, y = np.meshgrid(np.linspace(-10, 10, 100), np.linspace(-4, 4, 60))
        height = (self.curvatures[0] * x**2 + self.curvatures[1] * y**2) / 2
        settings = [(0.1 * limit, 0.0, "crawls"), (0.8 * limit, 0.0, "arrives")]
        settings += [(1.01 * limit, 0.0, "diverges"), (0.3 * limit, 0.8, "arrives, with momentum 0.8")]
        for ax, (rate, momentum, word) in zip(picture.subplots(2, 2).flat, settings, strict=True):
            ax.contour(x, y, height, levels=height.max() * np.linspace(0.01, 1, 9) ** 2, colors="#c9d4de", linewidths=1)
            ax.plot(*self.path(rate, momentum).T, ".-", color=_ORANGE, linewidth=1.2, markersize=5)
            ax.plot(0, 0, "+", color=_GREY, markersize=12)
            ax.set(xlim=(-10, 10), ylim=(-4, 4), xticks=[], yticks=[])
            ax.set_title(f"learning rate {rate:.2g}: {word}", fontsize=11)
        return picture


def _limits(values: np.ndarray) -> tuple[float, float]:
    room = 0.06 * np.ptp(values)
    return float(values.min() - room), float(values.max() + room)
