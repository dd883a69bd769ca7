"""How much work is done: all of it, or just enough to show that every cell runs.

Lessons state the full amounts. In the smoke profile (the variable MNIST_PROFILE) and on the stand-in digits they are
reduced here, so that no lesson has to speak of it.
"""

import os
from typing import Literal

REAL = "mnist"
STANDIN = "sklearn-digits"
PROFILES = ("full", "smoke")
SMOKE_IMAGES = {"train": 2000, "validation": 500, "test": 500}

# Smoke proves that a cell runs; the stand-in, 28 times smaller than MNIST, is learnt in a few epochs or not at all.
_SMOKE = {"epochs": 1, "members": 2, "seeds": 1, "steps": 10}
_STANDIN = {"epochs": 4, "members": 2, "seeds": 1, "steps": 40}


def profile() -> str:
    """Return the profile that the variable MNIST_PROFILE names, "full" when it is unset.

    Raises
    ------
    ValueError
        The variable has another value than "full" or "smoke".
    """
    named = os.environ.get("MNIST_PROFILE") or "full"
    if named not in PROFILES:
        raise ValueError(f"The environment variable MNIST_PROFILE must be one of {PROFILES}. Got {named!r} instead.")
    return named


def is_full(source: str) -> bool:
    """Return whether results are real ones: the full profile, on the real MNIST."""
    return profile() == "full" and source == REAL


def shrunk(amount: int, kind: Literal["epochs", "members", "seeds", "steps"], source: str = REAL) -> int:
    """Return how much of a stated amount is done in this profile, on digits of this source."""
    if is_full(source):
        return amount
    return min(amount, (_SMOKE if profile() == "smoke" else _STANDIN)[kind])
