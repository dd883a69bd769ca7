"""Train the small networks of the live figures and write them, rounded, to mnist_helpers/live/networks.json.

They are trained once; the file is part of the repository. Ten minutes on one core.
"""

import json

import keras
import numpy as np
from keras import layers

from mnist_helpers import RandomAffine, load_mnist, models
from mnist_helpers.live.figure import _pack
from mnist_helpers.live.networks import FILE, describe, rounded

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
    network.set_weights(rounded(network))
    answers = network.predict(digits.validation.images, batch_size=512, verbose=0).argmax(axis=1)
    accuracy = float(np.mean(answers == digits.validation.labels))
    record = {"epochs": epochs, "seed": 0, "augmentation": augmentation, "validation_accuracy": accuracy}
    return {"record": record, "layers": _pack(describe(network), {})["layers"]}


if __name__ == "__main__":
    digits = load_mnist(standin="never")
    found = {
        "linear": fitted(flat, 10),
        "dense": fitted(lambda: flat(64), 12),
        "LeNet-5": fitted(models.lenet5, 10),
        "LeNet-5, augmented": fitted(models.lenet5, 25, AUGMENTATION),
    }
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print({name: one["record"] for name, one in found.items()})
