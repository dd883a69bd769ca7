"""Train the small networks of the live figures and write them, rounded, to mnist_helpers/live/networks.json.

They are trained once; the file is part of the repository. Ten minutes on one core for all; or name those to make anew.
The distilled one is not trained here: it is the student of notebook 13.
"""

import json
import sys

import keras
import numpy as np
from keras import layers

from mnist_helpers import RandomAffine, load_mnist, models
from mnist_helpers.live.figure import _pack
from mnist_helpers.live.networks import FILE, describe, rounded
from mnist_helpers.training import store

AUGMENTATION = {"rotation": 20, "zoom": 0.2, "width_shift": 0.08, "height_shift": 0.08}


def flat(*hidden: int) -> keras.Sequential:
    """Return a network of dense layers; without hidden ones it is softmax regression, a linear classifier."""
    inner = [layers.Dense(units, activation="relu") for units in hidden]
    return keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Flatten(), *inner, layers.Dense(10, activation="softmax")]
    )


def fitted(build, epochs, augmentation=None):
    """Train a network with Adam at a falling rate, round it, and return its packed layers and its record."""
    keras.utils.set_random_seed(0)
    network = build()
    front = [RandomAffine(**augmentation, seed=0)] if augmentation else []
    model = keras.Sequential([keras.Input((28, 28, 1)), *front, network])
    steps = epochs * (len(digits.train) // 128 + 1)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(digits.train.images, digits.train.labels, batch_size=128, epochs=epochs, verbose=2)
    return written(network, epochs=epochs, seed=0, augmentation=augmentation)


def taught():
    """Return the stored student of notebook 13, its normalisation folded into the convolutions."""
    path = next(store.series_directory().glob("small-network-*.npz"))
    arrays = store.read(path, path.stem.split("-")[-1]).arrays
    weights = [arrays[f"w{i}"] for i in range(len(arrays))]
    shapes = [(1, "valid"), (2, "same"), (2, "same"), (1, "same"), (2, "same"), (1, "valid")]
    network, folded = keras.Sequential([keras.Input((28, 28, 1))]), []
    for i, (strides, padding) in enumerate(shapes):
        kernel, gamma, beta, mean, variance = weights[5 * i : 5 * i + 5]
        scale = gamma / np.sqrt(variance + layers.BatchNormalization().epsilon)
        folded += [kernel * scale, beta - mean * scale]
        size, filters = kernel.shape[0], kernel.shape[3]
        network.add(layers.Conv2D(filters, size, strides=strides, padding=padding, activation="relu"))
    network.add(layers.Flatten())
    network.add(layers.Dense(10, activation="softmax"))
    network.set_weights([*folded, *weights[-2:]])
    return written(network, epochs=40, seed=0, augmentation=None, teacher="the committee of notebook 13")


def written(network, **record):
    """Round a network, and return its record with its accuracy, and its packed layers."""
    network.set_weights(rounded(network))
    answers = network.predict(digits.validation.images, batch_size=512, verbose=0).argmax(axis=1)
    record["validation_accuracy"] = float(np.mean(answers == digits.validation.labels))
    return {"record": record, "layers": _pack(describe(network), {})["layers"]}


MAKERS = {
    "linear": lambda: fitted(flat, 10),
    "dense": lambda: fitted(lambda: flat(64), 12),
    "LeNet-5": lambda: fitted(models.lenet5, 10),
    "LeNet-5, augmented": lambda: fitted(models.lenet5, 25, AUGMENTATION),
    "distilled": taught,
}


if __name__ == "__main__":
    digits = load_mnist(standin="never")
    found = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    found |= {name: MAKERS[name]() for name in sys.argv[1:] or MAKERS}
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print({name: one["record"] for name, one in found.items()})
