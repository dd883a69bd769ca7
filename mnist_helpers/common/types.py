"""Names of types that several modules share."""

from typing import Any, TypeAlias

Plain: TypeAlias = dict[str, Any]  # what JSON can hold: numbers, text, lists and such dictionaries
Tensor: TypeAlias = Any  # of the backend, or one of Keras's symbolic ones
