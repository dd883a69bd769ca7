"""The look of the whole series, in one place: colours, fonts, resolution, and the few things that all plots do."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap

from mnist_helpers.common.checks import problem

Style: TypeAlias = dict[str, Any]  # keywords for Matplotlib or seaborn

# Okabe and Ito (2008), "Color Universal Design"; the pale yellow is left out. A second sign goes with each colour.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000")
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "---", "+++")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)), ":", (0, (3, 1)))
DARK, MIDDLE, FAINT = "#222222", "#777777", "#DDDDDD"
# Ten classes need more than Okabe and Ito give: Paul Tol's "muted" scheme, with those replaced that look alike without
# the red-green sense. Digits 0 to 9.
CLASS_COLORS = (
    *("#332288", "#CC6677", "#117733", "#56B4E9", "#7A0403"),
    *("#999933", "#66C2A5", "#C040C0", "#E69F00", "#222222"),
)
# Dark ink on a pale tile: the edge of every image shows on white paper, and printing wastes no toner.
INK = LinearSegmentedColormap.from_list("ink", ["#EDEDED", "#000000"]).with_extremes(bad="white")
_LEVELS = 31  # as many as an eye can tell; more would only swell stored pictures. Odd: the middle one is zero
# ColorBrewer's RdBu (Brewer 2003): safe for the colour-blind. The pale end is grey, to show on paper.
SIGNED = LinearSegmentedColormap.from_list("signed", ["#2166AC", "#82BBDB", "#EFEFEF", "#F49A76", "#B2182B"], _LEVELS)

_RC = {
    "font.sans-serif": ["DejaVu Sans"],  # comes with Matplotlib: pictures look alike on every machine
    **dict.fromkeys(("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize"), 11),
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color"), DARK),
    "axes.edgecolor": MIDDLE,
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False),
    "grid.color": FAINT,
    "axes.axisbelow": True,
    "hatch.linewidth": 0.7,
}


def set_theme() -> None:
    """Give every figure the look of the series; in a notebook, at twice the resolution.

    Called once, when `mnist_helpers.plotting` is imported. A picture shown 800 pixels wide is then stored with 1,600.
    """
    sns.set_theme(style="ticks", palette=COLORS, rc=_RC)
    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython

    if get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")


def new_axes(ax: Axes | None, width: float, height: float) -> Axes:
    """Return ``ax``, or the Axes of a new figure of ``width`` x ``height`` inches, whatever figure is current."""
    return plt.subplots(figsize=(width, height), layout="constrained")[1] if ax is None else ax


def grid_lines(ax: Axes, axis: str = "y") -> None:
    """Draw faint grid lines behind the data, along "x", "y" or "both"."""
    ax.grid(axis=axis, linewidth=0.8)  # type: ignore[arg-type]


def percent_ticks(axis: Axis) -> None:
    """Write fractions as percentages, with no more decimals than the ticks need."""
    axis.set_major_formatter(lambda fraction, _: f"{100 * fraction:.6g}%")


def bar_lengths(
    values: npt.ArrayLike, lows: npt.ArrayLike, highs: npt.ArrayLike, name: str, function: str
) -> np.ndarray:
    """Return the lengths (2, ...) below and above ``values`` that error bars want, from absolute bounds.

    Raises ``ValueError`` for bounds that do not enclose the values: often these are lengths, and no bounds.
    """
    middle = np.asarray(values, float)
    lengths = np.stack([middle - np.asarray(lows, float), np.asarray(highs, float) - middle])
    if (lengths < -1e-9).any():  # rounding at an accuracy of 0 or 1 is no mistake
        got = f"bounds up to {-np.nanmin(lengths):.3g} off"
        raise ValueError(problem(name, function, "bounds that enclose the values", got))
    return np.maximum(lengths, 0)
