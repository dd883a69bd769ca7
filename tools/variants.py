"""What variants of the exercises ask: the words and numbers of a lesson's task that differ from variant to variant.

The settings themselves belong to the graders. An exercise that is not here has no variants.
"""

from collections.abc import Callable, Mapping
from typing import Any

from nbformat import NotebookNode

from mnist_helpers.course import exercises

Setting = Mapping[str, Any]
Words = Mapping[str, str]  # what the lesson says, and what the variant says instead


def _hidden(setting: Setting) -> Words:
    first, second = setting["hidden"]
    return {
        "512 and 256 units": f"{first} and {second} units",
        "784 inputs to 512 units, from 512 to 256, from 256 to 10": (
            f"784 inputs to {first} units, from {first} to {second}, from {second} to 10"
        ),
        "A wider network": "Another network",
        "(784 * 512 + 512) + (512 * 256 + 256) + (256 * 10 + 10)": (
            f"(784 * {first} + {first}) + ({first} * {second} + {second}) + ({second} * 10 + 10)"
        ),
    }


def _largest(setting: Setting) -> Words:
    return {
        "60,000 parameters": f"{setting['largest']:,} parameters",
        "layers.Dense(64,": "layers.Dense(32,",
        "epochs=3, batch_size=128": "epochs=6, batch_size=128",
    }


def _edges(setting: Setting) -> Words:
    size, start, end = setting["size"], setting["start"], setting["end"]
    rows = ", ".join(str([weight] * size) for weight in ([-1] + [0] * (size - 2) + [1]))
    return {
        "Write a 3 × 3 kernel": f"Write a {size} × {size} kernel",
        "*top to bottom*": f"*{start} to {end}*",
        "np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])": (f"np.array([{rows}])" + ("[::-1]" if end == "top" else "")),
    }


def _layers(setting: Setting) -> Words:
    kernel, filters, units = setting["kernel"], setting["filters"], setting["units"]
    changed = f"with kernels of {kernel} × {kernel}, {filters} filters in each convolution and {units} hidden units"
    return {
        "copies `simple_cnn` and leaves out": f"copies `simple_cnn`, {changed}, and leaves out",
        "a kernel of 5, another one": f"a kernel of {kernel}, another one",
        "(28 - 4 - 4) // 2                # 28, then 24, then 20 pixels; pooling halves them": (
            f"(28 - {kernel - 1} - {kernel - 1}) // 2"
        ),
        "(5 * 5 * 1 + 1) * 10": f"({kernel} * {kernel} * 1 + 1) * {filters}",
        "(5 * 5 * 10 + 1) * 10": f"({kernel} * {kernel} * {filters} + 1) * {filters}",
        "(side * side * 10 + 1) * 64": f"(side * side * {filters} + 1) * {units}",
        "(64 + 1) * 10": f"({units} + 1) * 10",
    }


def _most(setting: Setting) -> Words:
    return {
        "fewer than 10,000": f"fewer than {setting['most']:,}",
        'layers.Conv2D(12, 5, strides=2, activation="relu"),      # 12 x 12 x 12': (
            'layers.Conv2D(8, 5, strides=2, activation="relu"),'
        ),
        'layers.Conv2D(24, 3, strides=2, activation="relu"),      #  5 x  5 x 24': (
            'layers.Conv2D(16, 3, strides=2, activation="relu"),'
        ),
        "# 8,938 parameters": "# 5,386 parameters",
        "epochs=1, batch_size=64": "epochs=2, batch_size=64",
        ": one epoch will do": "",
    }


WORDS: Mapping[str, Callable[[Setting], Words]] = {
    "03-1": _hidden,
    "03-4": _largest,
    "04-1": _edges,
    "04-2": _layers,
    "04-4": _most,
}


def varied(cell: NotebookNode, number: str, variant: int) -> NotebookNode:
    """Change the words of a cell to those of a variant of its exercise; return the cell."""
    if variant:
        exercise = exercises.find(number)
        for old, new in WORDS[number](exercise.variants[variant] if exercise else {}).items():
            cell.source = cell.source.replace(old, new)
    return cell
