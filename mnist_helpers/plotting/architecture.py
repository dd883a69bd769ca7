"""Networks as diagrams: a box per layer, with what it does and the shape that comes out, and a line per tensor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from mnist_helpers.common.checks import problem
from mnist_helpers.plotting.theme import COLORS, MIDDLE, Style, new_axes

if TYPE_CHECKING:
    import keras

_WIDTH, _HEIGHT, _LANE = 0.92, 0.68, 0.62  # of a box, and the width of a shortcut's lane; columns and rows are 1 apart
_INCHES = (2.15, 0.55)  # of a column and of a row
_KINDS = {"norm": 5, "pool": 2, "conv": 0, "dense": 1, "add": 3, "concatenate": 3}  # colours, by a part of the name
Graph = dict[str, list[str]]  # the name of each layer, and those of the layers that it reads


def plot_architecture(model: keras.Model, *, ax: Axes | None = None) -> Axes:
    """Draw a network from top to bottom: a box per layer, side by side where the path forks.

    A box says what the layer does ("/ 2" is a stride), the shape that comes out for one image, and the number of its
    parameters. A tensor that goes around other layers has a lane of its own beside them.

    Parameters
    ----------
    model : keras.Model
        Built, functional or sequential. A layer that holds others is one box.
    ax : Axes, optional
        Else a new figure is made, as large as the network needs.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        What is no Keras model, or is not built, neither functional nor sequential, or uses a layer twice.
    """
    graph = _graph(model)
    by_name = {layer.name: layer for layer in [*getattr(model, "operations", []), *model.layers]}
    steps, rows = _with_lanes(graph)
    place = _places(steps, rows)
    left, right, bottom = min(place.values()) - 0.5, max(place.values()) + 0.5, max(rows.values())
    ax = new_axes(ax, max(3.4, _INCHES[0] * (right - left)), _INCHES[1] * (bottom + 1.2) + 0.3)
    for name, parents in steps.items():
        for parent in parents:
            _draw_line(ax, (place[parent], rows[parent]), (place[name], rows[name]))
    for name in graph:
        _draw_box(ax, by_name[name], place[name], rows[name])
    ax.set(xlim=(left, right), ylim=(bottom + 0.6, -0.6), title=f"{model.name}: {model.count_params():,} parameters")
    ax.axis("off")
    return ax


def _graph(model: keras.Model) -> Graph:
    from mnist_helpers.common.backend import keras  # the other pictures need no Keras

    if not isinstance(model, keras.Model):
        raise TypeError(problem("model", "plot_architecture", "a Keras model", type(model).__name__))
    if isinstance(model, keras.Sequential) and model.built:
        names = [layer.name for layer in model.layers]
        return {name: names[max(i - 1, 0) : i] for i, name in enumerate(names)}
    layers = [layer for layer in model.get_config().get("layers", []) if "inbound_nodes" in layer]
    if not layers or any(len(layer["inbound_nodes"]) > 1 for layer in layers):
        wanted = "functional or sequential, built, and with each layer used once"
        raise ValueError(problem("model", "plot_architecture", wanted, repr(model.name)))
    return {layer["name"]: list(_sources(layer["inbound_nodes"])) for layer in layers}


def _sources(value: Any) -> Iterator[str]:
    """Yield the names of the layers whose outputs stand in the description of a call."""
    if isinstance(value, dict) and "keras_history" in value:
        yield value["keras_history"][0]
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _sources(part)


def _with_lanes(graph: Graph) -> tuple[Graph, dict[str, int]]:
    """Return the graph with a step "parent>child>row" in each row that a line passes, and the row of each step."""
    steps: Graph = {}
    rows: dict[str, int] = {}
    for name, parents in graph.items():  # a layer stands after those that it reads
        rows[name] = max((rows[parent] + 1 for parent in parents), default=0)
        steps[name] = []
        for parent in parents:
            last = parent
            for row in range(rows[parent] + 1, rows[name]):
                step = f"{parent}>{name}>{row}"
                steps[step], rows[step], last = [last], row, step
            steps[name].append(last)
    return steps, rows


def _places(steps: Graph, rows: dict[str, int]) -> dict[str, float]:
    """Return the column of each step: below what it reads, with branches side by side and shortcuts to their right."""
    children = {name: [other for other, parents in steps.items() if name in parents] for name in steps}
    shortcuts: set[str] = set()
    for name, parents in sorted(steps.items(), key=lambda item: rows[item[0]]):
        if ">" in name and (len(children[parents[0]]) > 1 or parents[0] in shortcuts):
            shortcuts.add(name)
    place: dict[str, float] = {}
    for name in sorted(steps, key=lambda name: (rows[name], name in shortcuts)):
        parents = [parent for parent in steps[name] if parent not in shortcuts] or steps[name]
        wanted = sum(place[parent] for parent in parents) / max(len(parents), 1)
        branches = [other for other in children[parents[0]] if other not in shortcuts] if parents else []
        if len(parents) == 1 and name in branches:
            wanted += branches.index(name) - (len(branches) - 1) / 2
        gap = _LANE if name in shortcuts else 1.0
        for other in sorted(place[other] for other in place if rows[other] == rows[name]):
            wanted = other + gap if abs(wanted - other) < gap - 1e-9 else wanted
        place[name] = wanted
    return place


def _draw_line(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a tensor's way from one row to the next, straight down or in an S; boxes lie over its ends."""
    middle = (start[1] + end[1]) / 2
    path = Path([start, (start[0], middle), (end[0], middle), end], [Path.MOVETO] + [Path.CURVE4] * 3)
    ax.add_patch(PathPatch(path, fill=False, edgecolor=MIDDLE, linewidth=1.5, zorder=1))


def _draw_box(ax: Axes, layer: Any, x: float, y: float) -> None:
    kind = type(layer).__name__.lower()
    color = next((COLORS[number] for part, number in _KINDS.items() if part in kind), MIDDLE)
    pale = [1 - 0.15 * (1 - part) for part in to_rgb(color)]
    look: Style = {"facecolor": pale, "edgecolor": color, "linewidth": 1.5, "zorder": 2}
    corner, style = (x - _WIDTH / 2, y - _HEIGHT / 2), "round,pad=0,rounding_size=0.06"
    ax.add_patch(FancyBboxPatch(corner, _WIDTH, _HEIGHT, style, mutation_aspect=3, **look))
    shape = " × ".join(str(size) for size in layer.output.shape[1:])
    count = layer.count_params() if hasattr(layer, "count_params") else 0  # a sum written with + is no layer
    ax.text(x, y - 0.14, _told(layer), ha="center", va="center", fontsize=9.5, fontweight="bold", zorder=3)
    ax.text(x, y + 0.17, shape + f" · {count:,} par." * bool(count), ha="center", va="center", fontsize=9, zorder=3)


def _told(layer: Any) -> str:
    """Return what a layer does in a few words, such as "5×5 convolution / 2, ReLU"."""
    name = type(layer).__name__.removesuffix("2D").removesuffix("Layer").replace("Pooling", "Pool")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    words = re.sub(r"\bconv\b", "convolution", words).replace("re lu", "ReLU")
    size, strides = getattr(layer, "kernel_size", getattr(layer, "pool_size", ())), getattr(layer, "strides", (1,))
    words = " ".join(["×".join(map(str, size)), words]) if size else words
    words += f" / {strides[0]}" if strides[0] > 1 and tuple(strides) != getattr(layer, "pool_size", None) else ""
    words += f" {layer.rate:.0%}" if "rate" in vars(layer) else ""
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear").replace("relu", "ReLU")
    return words if activation == "linear" or size and "pool" in words else f"{words}, {activation}"
