"""How much work a notebook does: all of it, or just enough to show that every cell runs.

Notebooks state the full amounts, ``epochs=budget.epochs(20)``; this file is the one place that decides what they
become in the smoke profile and on the stand-in data.
"""

import os
from dataclasses import dataclass
from typing import Any

from mnist_helpers.common.checks import check_choice, check_positive_int, problem
from mnist_helpers.data.mnist import REAL, STANDIN, Split

PROFILES = ("full", "smoke")

# Smoke proves that a cell runs; the stand-in, 28 times smaller than MNIST, is learnt in a few epochs or not at all.
_SMOKE = {"epochs": 1, "members": 2, "seeds": 1, "images": 1000}
_STANDIN = {"epochs": 4, "members": 2, "seeds": 1, "images": 2000}


def profile_from_environment() -> str:
    """Return "full" or "smoke" from the variable MNIST_PROFILE ("full" when unset).

    Raises ``ValueError`` for any other value.
    """
    profile = os.environ.get("MNIST_PROFILE") or "full"
    if profile not in PROFILES:
        raise ValueError(f"The environment variable MNIST_PROFILE must be one of {PROFILES}. Got {profile!r} instead.")
    return profile


@dataclass(frozen=True)
class Budget:
    """The amounts of one notebook: ``profile`` is "full" or "smoke", ``source`` where the digits came from.

    In the full profile on the real MNIST every amount is returned as it was stated. Raises ``ValueError`` for another
    profile, or a source that is neither "mnist" nor "sklearn-digits".
    """

    profile: str
    source: str

    def __post_init__(self) -> None:
        check_choice(self.profile, PROFILES, name="profile", function="Budget")
        check_choice(self.source, (REAL, STANDIN), name="source", function="Budget")

    @classmethod
    def of(cls, digits: Any) -> "Budget":
        """Return the budget for these ``Digits`` under the profile of the environment.

        Raises ``TypeError`` for what has no ``source``, ``ValueError`` for an unknown one or a bad MNIST_PROFILE.
        """
        if not hasattr(digits, "source"):
            raise TypeError(problem("digits", "Budget.of", "Digits or a Split", type(digits).__name__))
        return cls(profile_from_environment(), digits.source)

    @property
    def full(self) -> bool:
        """Whether results are real ones: the full profile, on the real MNIST."""
        return self.profile == "full" and self.source == REAL

    def epochs(self, stated: int) -> int:
        """Return how many epochs to train instead of the stated number.

        Raises ``TypeError`` or ``ValueError`` unless that is an integer of at least 1.
        """
        return self._limit(stated, "epochs")

    def members(self, stated: int) -> int:
        """Return how many members or repetitions to use instead of the stated number.

        Raises ``TypeError`` or ``ValueError`` unless that is an integer of at least 1.
        """
        return self._limit(stated, "members")

    def seeds(self, stated: int) -> range:
        """Return the seeds 0, 1, ... of a study that repeats many runs: as many as stated, or seed 0 alone.

        Raises ``TypeError`` or ``ValueError`` unless ``stated`` is an integer of at least 1.
        """
        return range(self._limit(stated, "seeds"))

    def images(self, stated: int) -> int:
        """Return how many images to use instead of the stated number.

        Raises ``TypeError`` or ``ValueError`` unless that is an integer of at least 1.
        """
        return self._limit(stated, "images")

    def take(self, split: Any) -> Any:
        """Return the ``Split`` itself, or a stratified part of it when the budget is smaller.

        Raises ``TypeError`` for what is no ``Split``, arrays of images or labels among them.
        """
        if not isinstance(split, Split):
            raise TypeError(problem("split", "Budget.take", "a Split", type(split).__name__))
        wanted = self.images(len(split))
        return split if wanted == len(split) else split.take(wanted)

    def _limit(self, stated: int, amount: str) -> int:
        stated = check_positive_int(stated, name="stated", function=f"Budget.{amount}")
        if self.full:
            return stated
        return min(stated, (_SMOKE if self.profile == "smoke" else _STANDIN)[amount])
