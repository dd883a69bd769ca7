"""What the plotting tests read back from the artists."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.text import Text


def make_split(labels, name):
    return SimpleNamespace(labels=np.asarray(labels), name=name)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def bar_ends(container):
    """Return the ends (n, 2) of the error bars, low to high."""
    segments = np.array(container.lines[2][0].get_segments())  # (n, 2 ends, x and y)
    return segments[:, :, 0 if container.has_xerr else 1]


def boxes(labels):
    labels[0].figure.canvas.draw()
    return [Text.get_window_extent(label) for label in labels]


def check_axes(call):
    """Check that ``call`` draws on the Axes it is given, and else in a new figure, whatever is current."""
    current, other = plt.subplots(1, 2)[1]
    plt.sca(current)
    assert call(other) is other and other.has_data() and not current.has_data()
    new = call()
    assert new.figure is not other.figure and not current.has_data()
    assert 2 <= new.figure.get_figwidth() <= 10
