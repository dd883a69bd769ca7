"""What variants of the exercises ask: the words and numbers of a lesson's task that differ from variant to variant.

The settings themselves belong to the graders. An exercise that is not here has no variants.
"""

from collections.abc import Callable, Mapping
from statistics import NormalDist
from typing import Any

from nbformat import NotebookNode

from mnist_helpers.course import exercises
from mnist_helpers.course.exercises.grading import in_words

Setting = Mapping[str, Any]
Words = Mapping[str, str]  # what the lesson says, and what the variant says instead


def _wanted(setting: Setting) -> Words:
    digit = setting["wanted"]
    return {"an 8": f"a {digit}", "There is no 8": f"There is no {digit}", "index(8)": f"index({digit})"}


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


def _canvas(setting: Setting) -> Words:
    size = setting["size"]
    return {
        "a canvas of 36 × 36": f"a canvas of {size} × {size}",
        "`integers(0, 8)`": f"`integers(0, {size - 28})`",
        "36 - 28": f"{size} - 28",
    }


def _limits(setting: Setting) -> Words:
    degrees, across, down = setting["degrees"], setting["across"], setting["down"]
    return {
        "up to 3 pixels too far": f"up to {across} pixels too far",
        "up to 2 pixels too high": f"up to {down} pixels too high",
        "up to 12 degrees": f"up to {degrees} degrees",
        '"rotation": 12, "zoom": 0, "width_shift": 3 / 28, "height_shift": 2 / 28': (
            f'"rotation": {degrees}, "zoom": 0, "width_shift": {across} / 28, "height_shift": {down} / 28'
        ),
    }


def _valley(setting: Setting) -> Words:
    factor, slope = setting["factor"], 2 * setting["factor"]
    return {
        "$3x^2$, whose slope at $x$ is $6x$": f"${factor}x^2$, whose slope at $x$ is ${slope}x$",
        r"\text{rate} \cdot 6x$": rf"\text{{rate}} \cdot {slope}x$",
        "1 / 6, 1 / 3": f"1 / {slope}, 1 / {factor}",
        "(1 - 6 rate)": f"(1 - {slope} rate)",
    }


def _fares(setting: Setting) -> Words:
    first, second, whole = setting["fares"]
    return {
        "A would pay 12 euros, B 18 and C 42": f"A would pay {first} euros, B {second} and C {whole}",
        "image=(12, 18, 42)": f"image=({first}, {second}, {whole})",
    }


def _kernels(setting: Setting) -> Words:
    first, second = setting["first"], setting["second"]
    ten, three = in_words(2 * second), in_words(first // 2)
    return {
        "One number in a map of `conv_1` depends on 7 × 7 pixels": (
            f"In another network, one number in a map of `conv_1` depends on {first} × {first} pixels"
        ),
        "(5 × 5 numbers": f"({second} × {second} numbers",
        "five pooled numbers": f"{in_words(second)} pooled numbers",
        "these see 7 pixels each": f"these see {first} pixels each",
        "5 * 2 + (7 - 1)": f"{second} * 2 + ({first} - 1)",
        "ten numbers of the first map; the kernel reaches three": (
            f"{ten} numbers of the first map; the kernel reaches {three}"
        ),
    }


def _comparisons(setting: Setting) -> Words:
    number, chance = setting["comparisons"], setting["chance"]
    errors = round(NormalDist().inv_cdf(1 - chance), 2)
    return {
        "the luckiest of eleven": f"the luckiest of {in_words(number)}",
        "Eleven candidates": f"{in_words(number).capitalize()} candidates",
        "compared with a twelfth": "compared with one more candidate",
        "1.5 standard errors is 6.7 %": f"{errors:g} standard errors is {100 * chance:g} %",
        "*at least one* of the eleven": f"*at least one* of the {in_words(number)}",
        "1 - (1 - 0.067) ** 11": f"1 - (1 - {chance}) ** {number}",
    }


def _misses(setting: Setting) -> Words:
    images, percent = setting["images"], setting["percent"]
    return {
        "nineteen images": f"{images} images",
        "only 19 images": f"only {images} images",
        "in 10 % of the cases": f"in {percent} % of the cases",
        "the 19 strangeness values": f"the {images} strangeness values",
        "there are 20 in the row": f"there are {images + 1} in the row",
        "the last 10 %": f"the last {percent} %",
        "which = 18": f"which = {(images + 1) * (100 - percent) // 100}",
        "(19 + 1) * 0.9": f"({images} + 1) * {1 - percent / 100:g}",
    }


WORDS: Mapping[str, Callable[[Setting], Words]] = {
    "00-1": _wanted,
    "03-1": _hidden,
    "03-4": _largest,
    "04-1": _edges,
    "04-2": _layers,
    "04-4": _most,
    "07-1": _canvas,
    "08-1": _limits,
    "09-1": _valley,
    "11-1": _fares,
    "12-1": _kernels,
    "13-1": _comparisons,
    "14-1": _misses,
}


def varied(cell: NotebookNode, number: str, variant: int) -> NotebookNode:
    """Change the words of a cell to those of a variant of its exercise; return the cell."""
    if variant:
        exercise = exercises.find(number)
        for old, new in WORDS[number](exercise.variants[variant] if exercise else {}).items():
            cell.source = cell.source.replace(old, new)
    return cell
