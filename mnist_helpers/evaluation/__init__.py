"""How good is it, and is the difference real?"""

from mnist_helpers.evaluation.accuracy import Evaluation, PairedTest, better, evaluate, mcnemar, wilson_interval
from mnist_helpers.evaluation.committee import CommitteeEvaluation
from mnist_helpers.evaluation.comparisons import (
    compare_pairs,
    difference_interval,
    holm,
    indistinguishable,
    pareto_front,
)

__all__ = [
    "CommitteeEvaluation",
    "Evaluation",
    "PairedTest",
    "better",
    "compare_pairs",
    "difference_interval",
    "evaluate",
    "holm",
    "indistinguishable",
    "mcnemar",
    "pareto_front",
    "wilson_interval",
]
