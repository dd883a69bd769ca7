"""The look of the series: set at import, at twice the resolution in notebooks, readable without colour."""

import io
import struct
import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from mnist_helpers.plotting import theme

_IN_A_NOTEBOOK = """
import base64
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
import numpy as np
from mnist_helpers.plotting import plot_digits
ax = plot_digits(np.zeros((10, 28, 28)))
content, metadata = shell.display_formatter.format(ax.figure)
print(base64.b64decode(content["image/png"])[16:24].hex(), *metadata["image/png"].values())
"""


def test_every_figure_has_the_look_of_the_series():
    theme.set_theme()
    ax = plt.subplots()[1]
    assert ax.figure.get_facecolor() == ax.get_facecolor() == (1, 1, 1, 1)
    assert not ax.spines["top"].get_visible() and not ax.spines["right"].get_visible()
    assert to_rgb(ax.plot([0, 1])[0].get_color()) == to_rgb(theme.COLORS[0]) and 11 <= mpl.rcParams["font.size"] <= 12


@pytest.mark.system
def test_a_notebook_stores_twice_the_pixels_that_it_shows():
    done = subprocess.run([sys.executable, "-c", _IN_A_NOTEBOOK], capture_output=True, text=True, check=True)
    pixels, width, height = done.stdout.split()[-3:]
    stored = struct.unpack(">II", bytes.fromhex(pixels))
    assert np.abs(np.subtract(stored, (2 * int(width), 2 * int(height)))).max() <= 1 and int(width) > 800
    assert stored[0] / 10 > 160  # per digit


def test_outside_of_a_notebook_resolution_is_left_alone():
    figure, buffer = plt.figure(figsize=(2, 1), dpi=100), io.BytesIO()
    figure.savefig(buffer, format="png")
    assert struct.unpack(">II", buffer.getvalue()[16:24]) == (200, 100)


@pytest.mark.parametrize("colors", [theme.COLORS, theme.CLASS_COLORS])
def test_colours_stay_apart_for_readers_without_red_or_green(colors):
    """With deuteranopia as Viénot, Brettel and Mollon (1999) model it, and with the full set of cones."""
    linear = np.array([to_rgb(color) for color in colors]) ** 2.2
    seen = linear @ np.array([[0.29275, 0.29275, -0.02234], [0.70725, 0.70725, 0.02234], [0, 0, 1]])
    for values in (linear, seen):
        apart = np.linalg.norm((values.clip(0) ** (1 / 2.2))[:, None] - values.clip(0) ** (1 / 2.2), axis=-1)
        assert apart[~np.eye(len(colors), dtype=bool)].min() > 0.2


def test_lengths_of_error_bars():
    lengths = theme.bar_lengths([0.5, 1.0], [0.4, 0.9], [0.7, 0.9999999999999], "x", "f")
    np.testing.assert_allclose(lengths, [[0.1, 0.1], [0.2, 0]], atol=1e-9)  # rounding at 1 is no mistake
    with pytest.raises(ValueError, match="'x' parameter of f must be bounds that enclose the values. Got bounds up to"):
        theme.bar_lengths([0.5], [0.1], [0.1], "x", "f")
