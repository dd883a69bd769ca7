"""Keras, as every module of the library imports it."""

import keras

layers = keras.layers
ops = keras.ops

__all__ = ["keras", "layers", "ops"]
