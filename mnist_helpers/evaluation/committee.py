"""What the members of a committee predicted, and what they decide together.

Networks that start from different random weights make different mistakes, and where one is wrong the others often
outvote it. Source: Hansen and Salamon (1990), "Neural network ensembles", IEEE PAMI 12:993.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from mnist_helpers.common.checks import CLASSES, check_sequence, problem
from mnist_helpers.evaluation.accuracy import Evaluation

_MOST_FOR_SUBSETS = 14  # 16,383 subsets take some seconds, and every further member doubles them


@dataclass(frozen=True, repr=False, eq=False)
class CommitteeEvaluation:
    """What each member of a committee predicted on one split, and what follows from it.

    Attributes
    ----------
    members : tuple of Evaluation
        One per member, all of the same images and with probabilities; ``members[:5]`` of a larger committee make a
        `CommitteeEvaluation` of their own. Anything else raises ``TypeError`` or ``ValueError``.
    """

    members: tuple[Evaluation, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", _check_evaluations(self.members))

    def __len__(self) -> int:
        return len(self.members)

    @cached_property
    def average(self) -> Evaluation:
        """The committee that averages its members' probabilities, in float64; the largest mean wins."""
        total = self._probabilities.sum(axis=0)  # (n, 10)
        mean = (total / len(self)).astype(np.float32)
        # from the sums and not from the rounded means, which can tie where the sums do not
        return replace(self.members[0], predictions=total.argmax(axis=1), probabilities=mean)

    @cached_property
    def vote(self) -> Evaluation:
        """The committee that lets every member vote for one digit; its ``probabilities`` are None.

        Of digits with equally many votes, the one with the largest sum of all members' probabilities wins.
        """
        votes = np.eye(CLASSES)[self._predictions].sum(axis=0)  # (n, 10)
        most = votes == votes.max(axis=1, keepdims=True)
        predictions = np.where(most, self._probabilities.sum(axis=0), -np.inf).argmax(axis=1)
        return replace(self.members[0], predictions=predictions, probabilities=None)

    def by_size(self) -> pd.DataFrame:
        """Return the accuracy of the average over every non-empty subset of the members.

        Returns
        -------
        DataFrame
            One row per subset, 2^m - 1 in all, ordered by size and then by members; they share members, and so are not
            independent of each other. Columns: ``size`` (int), ``members`` (tuple of positions, from 0), ``accuracy``
            (0 to 1), ``errors`` (int).

        Raises
        ------
        ValueError
            More than 14 members.
        """
        if len(self) > _MOST_FOR_SUBSETS:
            most = f"at most {_MOST_FOR_SUBSETS} (of m members there are 2^m - 1 subsets)"
            raise ValueError(problem("members", "CommitteeEvaluation.by_size", most, str(len(self))))
        labels, rows = self.members[0].labels, []
        for chosen, total in _subset_sums(self._probabilities):
            right = int(np.count_nonzero(total.argmax(axis=1) == labels))
            rows.append((len(chosen), chosen, right / len(labels), len(labels) - right))
        rows.sort(key=lambda row: row[0])  # stable: subsets of one size stay in their order
        return pd.DataFrame(rows, columns=["size", "members", "accuracy", "errors"])

    @cached_property
    def _probabilities(self) -> np.ndarray:
        """All members' probabilities, float64 (m, n, 10)."""
        return np.array([member.probabilities for member in self.members], np.float64)

    @cached_property
    def _predictions(self) -> np.ndarray:
        """All members' predictions, int64 (m, n)."""
        return np.array([member.predictions for member in self.members])

    def __repr__(self) -> str:
        single = ", ".join(f"{member.accuracy:.2%}" for member in self.members)
        return f"members {single}; vote {self.vote.accuracy:.2%}; average: {self.average}"


def _check_evaluations(evaluations: object) -> tuple[Evaluation, ...]:
    wanted = "one or more evaluations with probabilities, on the same images"
    members = check_sequence(evaluations, kind=wanted, name="members", function="CommitteeEvaluation")
    if not members:
        raise ValueError(problem("members", "CommitteeEvaluation", wanted, "none"))
    for i, member in enumerate(members):
        if not isinstance(member, Evaluation):
            raise TypeError(problem("members", "CommitteeEvaluation", wanted, f"{type(member).__name__} as member {i}"))
        if member.probabilities is None:
            raise ValueError(problem("members", "CommitteeEvaluation", wanted, f"predictions alone as member {i}"))
        images, first = [f"{e.n} of {e.source} ({e.split})" for e in (member, members[0])]
        if images != first or not np.array_equal(member.labels, members[0].labels):
            raise ValueError(problem("members", "CommitteeEvaluation", wanted, f"{first}, then others: {images}"))
    return tuple(members)


def _subset_sums(
    rows: np.ndarray, chosen: tuple = (), total: float | np.ndarray = 0.0
) -> Iterator[tuple[tuple, np.ndarray]]:
    """Yield every non-empty subset of the rows and its sum, one addition each; no more than m sums are held at once."""
    for i in range(chosen[-1] + 1 if chosen else 0, len(rows)):
        subset, subtotal = (*chosen, i), total + rows[i]
        yield subset, subtotal
        yield from _subset_sums(rows, subset, subtotal)
