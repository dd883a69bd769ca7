"""MNIST: find, verify and split it; the stand-in; shifted digits; disputed labels."""

from mnist_helpers.data.fetch import cache_directory
from mnist_helpers.data.folds import fold
from mnist_helpers.data.labels import disputed_labels
from mnist_helpers.data.mnist import Digits, Split, load_mnist
from mnist_helpers.data.shifts import centred, shifted

__all__ = ["Digits", "Split", "cache_directory", "centred", "disputed_labels", "fold", "load_mnist", "shifted"]
