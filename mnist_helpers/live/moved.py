"""Live figures of digits that are turned, zoomed and shifted, and of what networks say to that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure as Picture

from mnist_helpers.common.checks import problem
from mnist_helpers.common.types import Plain
from mnist_helpers.data.shifts import CANVAS
from mnist_helpers.live.figure import LiveFigure, Rounded, row_of_tiles
from mnist_helpers.live.networks import asset, record

if TYPE_CHECKING:
    import keras

    from mnist_helpers.data import Split


class Augment(LiveFigure):
    """Sliders that turn, zoom and shift a digit; the matrix; the probabilities of networks, computed in the browser.

    Parameters
    ----------
    digits : Split
        Up to about a dozen digits to choose from.
    networks : mapping of names to networks
        Each a Keras model for these images, small enough for a page (up to some 200,000 parameters), or the name of a
        network that is stored with the live figures.
    at : dict, optional
        Where sliders stand at the start: "rotation" (degrees), "tall" and "wide" (zooms), "down" and "right" (pixels).
    limits : dict, optional
        How far the augmentation in training went: "rotation" (degrees), "zoom", "down" and "right" (pixels), each to
        either side. Unless given, those of the first network that was trained so, from its `RandomAffine` layer or the
        record of a stored network; without one, none are shown.
    bits : 8 or 16
        Of each weight.
    """

    script = "augment"

    def __init__(
        self,
        digits: Split,
        networks: Mapping[str, keras.Model | str],
        *,
        at: Mapping[str, float] | None = None,
        limits: Mapping[str, float] | None = None,
        bits: int = 8,
    ) -> None:
        self.digits = _few(digits, "Augment")
        self.networks = {name: asset(network, bits=bits) for name, network in networks.items()}
        self.at = dict(at or {})
        self.limits = dict(limits) if limits else _limits(networks.values(), self.digits.images.shape[1:3])

    def data(self) -> Plain:
        limits = None
        if self.limits:
            turn, zoom, down, right = (self.limits[key] for key in ("rotation", "zoom", "down", "right"))
            limits = {"rotation": [-turn, turn], "down": [-down, down], "right": [-right, right]}
            limits |= {"tall": [1 - zoom, 1 + zoom], "wide": [1 - zoom, 1 + zoom]}
        return {
            **_packed(self.digits),
            "networks": [{"name": name, "network": network} for name, network in self.networks.items()],
            "limits": limits,
            "at": self.at,
        }

    @property
    def alt(self) -> str:
        names = " and ".join(self.networks)
        return (
            "A digit that sliders turn, zoom and shift, the matrix of the change, and the probabilities that networks"
            f" give to the ten classes: {names}."
        )

    def picture(self) -> Picture:
        image = self.digits.images[0, ..., 0]
        turn, zoom, right = {"rotation": 30.0}, {"zoom": 0.6}, {"right": 6.0}
        changes = {"as it is": {}, "turned by 30\N{DEGREE SIGN}": turn, "zoom 0.6": zoom, "6 pixels right": right}
        changes["all three"] = turn | zoom | right
        return row_of_tiles({name: _transformed(image, **change) for name, change in changes.items()})[0]


class Shift(LiveFigure):
    """A digit to push over a larger canvas, and maps of the places where networks still read it.

    Parameters
    ----------
    digits : Split
        Up to about a dozen digits, smaller than the canvas.
    networks : mapping of names to networks or maps
        Each a Keras model for images of the canvas's size, or what `answers_everywhere` returned for one.
    size : int
        Height and width of the canvas in pixels.

    Notes
    -----
    The answers are computed here, once: 441 for each digit and network on the canvas of 48 x 48 pixels.
    """

    script = "shift"

    def __init__(self, digits: Split, networks: Mapping[str, keras.Model | str], *, size: int = CANVAS) -> None:
        self.digits, self.size = _few(digits, "Shift"), size
        self.maps = {
            name: network if isinstance(network, np.ndarray) else answers_everywhere(network, self.digits, size=size)
            for name, network in networks.items()
        }
        places = (len(self.digits), *(size - side + 1 for side in self.digits.images.shape[1:3]), 10)
        for name, answers in self.maps.items():
            if answers.shape != places:
                got = f"shape {answers.shape} for {name!r}"
                raise ValueError(problem("networks", "Shift", f"maps of shape {places}", got))

    def data(self) -> Plain:
        networks = [{"name": name, "probabilities": Rounded(answers, 16)} for name, answers in self.maps.items()]
        return {**_packed(self.digits), "size": self.size, "networks": networks}

    @property
    def alt(self) -> str:
        parts = []
        for name, answers in self.maps.items():
            right = (answers[0].argmax(axis=-1) == self.digits.labels[0]).sum()
            parts.append(f"{name}, at {right} of {answers[0, ..., 0].size} places")
        return (
            f"A {self.digits.labels[0]} to push over a canvas of {self.size} by {self.size} pixels, and maps of the"
            f" places where networks read it correctly: {'; '.join(parts)}."
        )

    def picture(self) -> Picture:
        label, image = self.digits.labels[0], self.digits.images[0, ..., 0]
        canvas = np.zeros((self.size, self.size), np.float32)
        top, left = ((self.size - side) // 2 for side in image.shape)
        canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
        tiles = {"digit": canvas}
        for name, answers in self.maps.items():
            right = answers[0].argmax(axis=-1) == label
            tiles[name] = np.where(right, -1, 1) * answers[0].max(axis=-1)
        picture, _ = row_of_tiles(tiles)
        picture.supxlabel("at every place, blue: read correctly; orange: as something else", fontsize=10)
        picture.set_figheight(picture.get_figheight() + 0.3)
        return picture


def answers_everywhere(model: keras.Model, digits: Split, *, size: int = CANVAS) -> np.ndarray:
    """Return what a network says of every digit at every place of a canvas.

    Parameters
    ----------
    model : keras.Model
        From images (n, size, size, 1) to probabilities (n, 10).
    digits : Split
        With images (n, height, width, 1), smaller than the canvas.
    size : int
        Height and width of the canvas in pixels.

    Returns
    -------
    float32 array of shape (n, size - height + 1, size - width + 1, 10)
        Probabilities, by the row and column of the digit's upper left corner.
    """
    height, width = digits.images.shape[1:3]
    rows, columns = size - height + 1, size - width + 1
    answers = np.empty((len(digits), rows, columns, 10), np.float32)
    for image, places in zip(digits.images, answers, strict=True):
        canvases = np.zeros((rows, columns, size, size, 1), np.float32)
        for row, column in np.ndindex(rows, columns):
            canvases[row, column, row : row + height, column : column + width] = image
        flat = canvases.reshape(-1, size, size, 1)
        places[:] = model.predict(flat, batch_size=len(flat), verbose=0).reshape(rows, columns, 10)
    return answers


def _few(digits: Split, function: str) -> Split:
    if not 1 <= len(digits.images) <= 20:
        raise ValueError(problem("digits", function, "1 to 20 digits", f"{len(digits.images)}"))
    return digits


def _packed(digits: Split) -> Plain:
    """Return images and labels for a script; pixels are sent exactly."""
    return {"images": np.asarray(digits.images[..., 0], np.float32), "labels": np.asarray(digits.labels).tolist()}


def _limits(networks: Iterable[keras.Model | str], size: tuple[int, int]) -> dict[str, float] | None:
    """Return how far the augmentation of the first network that had one went, or None."""
    for network in networks:
        if isinstance(network, str):
            found = record(network)["augmentation"]
        else:
            layers = (layer for layer in network.layers if type(layer).__name__ == "RandomAffine")
            found = next((vars(layer) for layer in layers), None)
        if found:
            down, right = found["height_shift"] * size[0], found["width_shift"] * size[1]
            return {"rotation": found["rotation"], "zoom": found["zoom"], "down": down, "right": right}
    return None


def _transformed(image: np.ndarray, rotation: float = 0, zoom: float = 1, right: float = 0) -> np.ndarray:
    """Turn, zoom and shift an image for the still picture, as `mnist_helpers.affine_transform` does."""
    from scipy import ndimage

    cos, sin = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    back = np.array([[cos, sin], [-sin, cos]]) / zoom  # rows and columns
    middle = (np.array(image.shape) - 1) / 2
    return ndimage.affine_transform(
        image, back, middle - back @ (middle + [0, right]), order=1, mode="grid-constant", output=np.float32
    )
