"""What the plotting tests read back from the artists, and the data they draw."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from matplotlib.text import Text


def make_split(labels, name):
    return SimpleNamespace(labels=np.asarray(labels), name=name)


def make_evaluation(accuracy, low, high, split="test", n=1000):
    return SimpleNamespace(accuracy=accuracy, interval=(low, high), labels=np.zeros(n, int), split=split)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def bar_ends(container):
    """Return the ends (n, 2) of the error bars, low to high."""
    segments = np.array(container.lines[2][0].get_segments())  # (n, 2 ends, x and y)
    return segments[:, :, 0 if container.has_xerr else 1]


def boxes(labels):
    labels[0].figure.canvas.draw()
    return [Text.get_window_extent(label) for label in labels]


TABLE = pd.DataFrame({"MSE": [0.97, 0.98], "hinge": [0.95, 0.99]}, index=pd.Index(["SGD", "Adam"], name="optimizer"))
LOWS, HIGHS = TABLE - 0.02, TABLE + 0.01
SYSTEMS = {"LeNet": make_evaluation(0.99, 0.983, 0.994), "SVM": make_evaluation(0.94, 0.923, 0.953)}
CURVES = {"dense": ([0, 1, 2], [0.9, 0.7, 0.4], [0.8, 0.6, 0.3], [0.95, 0.8, 0.5])}
CURVES["CNN"] = ([0, 1, 2], [0.91, 0.8, 0.41], [0.8, 0.6, 0.3], [0.95, 0.9, 0.5])
HISTORY = pd.DataFrame({"accuracy": [0.8, 0.9, 0.95], "val_accuracy": [0.85, 0.9, 0.91], "loss": [3.0, 2, 1]})
POINTS = pd.DataFrame({"parameters": [1e3, 1e5], "accuracy": [0.9, 0.99], "low": [0.88, 0.98], "high": [0.91, 0.995]})
POINTS["label"] = ["small", "large"]
CLOUD = np.random.default_rng(0).normal(size=(200, 3)), np.arange(200) % 10
COUNTS = np.full((10, 10), 2) + np.diag(np.full(10, 900))
COUNTS[4, 9], COUNTS[0, 1] = 30, 0
