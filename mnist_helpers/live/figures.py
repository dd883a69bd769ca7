"""Live figures on convolution, training, networks, and a digit of one's own."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure as Picture
from matplotlib.patches import Rectangle

from mnist_helpers.common.checks import problem
from mnist_helpers.common.types import Plain
from mnist_helpers.live import networks
from mnist_helpers.live.drawing import draw, one_image, preprocess
from mnist_helpers.live.figure import LiveFigure, row_of_tiles

if TYPE_CHECKING:
    import keras

    from mnist_helpers.data import Digits, Split

Place = tuple[int, int]
VERTICAL_EDGES = ((-1, 0, 1), (-1, 0, 1), (-1, 0, 1))

_SHOWN = {"Conv2D": "convolution", "MaxPooling2D": "pooling", "AveragePooling2D": "pooling"}  # in Network's picture

# strokes of (x, y) on the canvas of 112 x 112: a 3 in the upper left, a large 5, a small 2, a 7 low on the right
_POINTS = (
    (((18, 17), (25, 12), (34, 10), (43, 13), (47, 21), (44, 29), (37, 33), (31, 34), (38, 35), (46, 40), (49, 48),
      (46, 57), (37, 62), (26, 62), (18, 58)),),
    (((78, 18), (58, 17), (38, 18), (36, 34), (35, 50), (45, 46), (58, 46), (70, 52), (76, 64), (74, 80), (64, 90),
      (50, 94), (36, 91), (28, 86)),),
    (((62, 46), (65, 40), (71, 37), (78, 39), (81, 45), (79, 52), (74, 58), (68, 64), (62, 70), (70, 69), (78, 70),
      (84, 70)),),
    (((54, 52), (66, 51), (80, 51), (94, 51), (90, 62), (84, 75), (79, 88), (76, 102)),),
)  # fmt: skip


def _smooth(points: Sequence[tuple[float, float]], steps: int = 6) -> list[list[float]]:
    """Return more points, on a curve through the given ones (Catmull and Rom)."""
    p = np.array([points[0], *points, points[-1]], float)
    t = np.arange(steps)[:, np.newaxis] / steps
    found = [
        (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3) / 2
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return np.vstack([*found, p[-1:]]).round(1).tolist()


EXAMPLES = [[_smooth(stroke) for stroke in strokes] for strokes in _POINTS]


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

    def __init__(self, image: npt.ArrayLike, kernel: npt.ArrayLike | None = None, *, at: Place | None = None) -> None:
        self.image = one_image(image, "Convolve")
        self.kernel = np.array(VERTICAL_EDGES if kernel is None else kernel, np.float32)
        if self.kernel.shape != (3, 3):
            raise ValueError(problem("kernel", "Convolve", "of shape (3, 3)", f"shape {self.kernel.shape}"))
        self.at = at or tuple(size // 2 - 1 for size in self.image.shape)

    def data(self) -> Plain:
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
            white = abs(weight) > 0.6 * np.abs(self.kernel).max()
            axes[1].text(j, i, f"{weight:.3g}", ha="center", va="center", fontsize=13, color="w" if white else "k")
        return picture


class LiveTraining(LiveFigure):
    """A small dense network that learns from a thousand digits in the browser, while you watch.

    Parameters
    ----------
    digits : Digits
        A thousand of its training images, and 500 validation images as digits that the network never sees.
    learning_rate : float
        At the start, 0.001 to 10.
    units : {4, 8, 16, 32, 64}
        Hidden units at the start.
    """

    script = "live_training"

    def __init__(self, digits: Digits, *, learning_rate: float = 0.1, units: int = 16) -> None:
        self.train = digits.train.take(min(1000, len(digits.train)))
        self.unseen = digits.validation.take(min(500, len(digits.validation)))
        self.learning_rate, self.units = learning_rate, units

    def data(self) -> Plain:
        return {
            "images": _grey_levels(self.train.images, 15),
            "labels": self.train.labels.astype(np.uint8),
            "unseen": _grey_levels(self.unseen.images, 15),
            "unseenLabels": self.unseen.labels.astype(np.uint8),
            "rate": self.learning_rate,
            "units": self.units,
        }

    @property
    def alt(self) -> str:
        return (
            "A dense network learns a thousand digits in the browser: the loss falls, the weights of its hidden units"
            " turn from noise into strokes, and the accuracy on digits it has never seen rises."
        )

    def picture(self) -> Picture:
        chosen = [int(np.flatnonzero(self.train.labels == label)[0]) for label in np.unique(self.train.labels)]
        return row_of_tiles({str(self.train.labels[i]): self.train.images[i, :, :, 0] for i in chosen})[0]


class DrawDigit(LiveFigure):
    """Draw a digit: how it is brought into MNIST's form, what systems read, and which parts speak for the answer.

    Parameters
    ----------
    model : Keras model, scikit-learn classifier, name, or mapping of titles to those, optional
        What reads the digit. Names are those of `live.networks.names`; unless given, the figure shows all of them.
        In JupyterLab a model answers itself, from the kernel. On a page only networks can answer whose layers
        ``layers.js`` knows.

    Attributes
    ----------
    image : float32 array of shape (28, 28, 1)
        The digit as the models see it; an example until something is drawn in JupyterLab.
    """

    script = "draw_digit"
    asks_kernel = True

    def __init__(self, model: keras.Model | None = None) -> None:
        given = {name: name for name in networks.names()} if model is None else model
        if not isinstance(given, Mapping):
            name = given if isinstance(given, str) else getattr(given, "name", "sequential")
            given = {"your model" if re.match(r"(sequential|functional)(_\d+)?$", name) else name: given}
        self.models = dict(given)
        self.image = preprocess(draw(EXAMPLES[0]))[..., np.newaxis]

    def data(self) -> Plain:
        systems = [{"name": name, "network": self._network(model)} for name, model in self.models.items()]
        return {"systems": systems, "examples": EXAMPLES, "radius": 4}

    @staticmethod
    def _network(model: keras.Model | str) -> keras.Model | str:
        try:
            return networks.asset(model)
        except (AttributeError, ValueError):
            if isinstance(model, str):
                raise
            return None  # the kernel can answer all the same

    def answer(self, question: Plain) -> Plain:
        if question["image"] is None:
            return {}
        image = np.array(question["image"], np.float32).reshape(28, 28, 1)
        if covered := question.get("covered"):
            images = np.repeat(image[np.newaxis], len(covered["places"]), axis=0)
            for one, (y, x) in zip(images, covered["places"], strict=True):
                one[y : y + covered["patch"], x : x + covered["patch"]] = 0
            return {"shares": _probabilities(self.models[covered["name"]], images).tolist()}
        self.image = image
        own = {name: model for name, model in self.models.items() if not isinstance(model, str)}
        return {name: _probabilities(model, image[np.newaxis])[0].tolist() for name, model in own.items()}

    @property
    def alt(self) -> str:
        return (
            "Draw a digit with pen, finger or mouse. It is cut out, shrunk into 20 by 20 pixels and centred by mass, as"
            f" MNIST's digits were; then {', '.join(self.models)} say which digit they read."
        )

    def picture(self) -> Picture:
        drawing = draw(EXAMPLES[0])
        rows, columns = (np.flatnonzero(drawing.any(axis=axis)) for axis in (1, 0))
        cut = drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return row_of_tiles({"a drawing": drawing, "cut out": cut, "in MNIST's form": preprocess(drawing)})[0]


class Network(LiveFigure):
    """All layers of a convolutional network on one digit; click a map to see what made it.

    Parameters
    ----------
    model : keras.Sequential or str
        Convolutions, pooling, dense layers; or the name of a stored network, such as "LeNet-5".
    split : Split
        Digits to choose from: the first of each label.
    """

    script = "network"

    def __init__(self, model: keras.Model | str, split: Split) -> None:
        self.model = model
        self.chosen = [int(np.flatnonzero(split.labels == label)[0]) for label in np.unique(split.labels)]
        self.images = split.images[self.chosen]
        self.labels = [int(split.labels[i]) for i in self.chosen]

    def data(self) -> Plain:
        return {
            "network": networks.asset(self.model),
            "digits": _grey_levels(self.images[..., 0], 255),
            "labels": self.labels,
        }

    @property
    def alt(self) -> str:
        return (
            "All layers of a convolutional network on one digit, from the pixels to ten probabilities. Drag or turn"
            " the digit and every feature map follows; click a map to see the convolution that made it."
        )

    def picture(self) -> Picture:
        value = self.images[:1]
        model = networks.load(self.model) if isinstance(self.model, str) else self.model
        tiles = {"pixels": value[0, :, :, 0]}
        for layer in model.layers:
            value = np.asarray(layer(value))
            if kind := _SHOWN.get(type(layer).__name__):
                height, width, channels = value.shape[1:]
                tiles[f"{kind}:\n{channels} maps of {height} × {width}"] = value[0].max(axis=-1)
        return row_of_tiles(tiles)[0]


class Quiz(LiveFigure):
    """A prediction before an experiment. Words between backquotes are set as code.

    Parameters
    ----------
    question : str
    answers : mapping of two to four answers to the reply that each gets
    right : str, optional
        The right answer; without it, no answer is marked.
    """

    script = "quiz"

    def __init__(self, question: str, answers: Mapping[str, str], *, right: str | None = None) -> None:
        if not 2 <= len(answers) <= 4:
            raise ValueError(problem("answers", "Quiz", "two to four", len(answers)))
        if right is not None and right not in answers:
            raise ValueError(problem("right", "Quiz", f"one of {list(answers)}", repr(right)))
        self.question, self.answers, self.right = question, dict(answers), right

    def data(self) -> Plain:
        right = None if self.right is None else list(self.answers).index(self.right)
        return {"question": self.question, "answers": [list(pair) for pair in self.answers.items()], "right": right}

    @property
    def alt(self) -> str:
        return f"A question: {self.question}"

    def still(self) -> str:
        """Return question and answers as text, the replies folded away."""
        items = [f"<li>{html.escape(answer)}</li>" for answer in self.answers]
        replies = [f"<li>{html.escape(answer)}: {html.escape(reply)}</li>" for answer, reply in self.answers.items()]
        return (
            f"<p><strong>{html.escape(self.question)}</strong></p><ul>{''.join(items)}</ul>"
            f"<details><summary>Replies</summary><ul>{''.join(replies)}</ul></details>"
        )


def _grey_levels(images: np.ndarray, levels: int) -> np.ndarray:
    """Return pixels from 0 to 1 as whole numbers from 0 to ``levels``."""
    return np.rint(images * levels).astype(np.uint8)


def _probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return what a Keras model or a scikit-learn classifier says about images (n, 28, 28, 1), as (n, 10)."""
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(images.reshape(len(images), -1)))
    return np.asarray(model(images, training=False))
