"""The graders of notebook 10: the solutions pass, and usual mistakes get the hint meant for them."""

from math import comb

import numpy as np
import pytest
from scipy.stats import binom

from mnist_helpers import CommitteeEvaluation, check


def tail(first):
    return lambda n, p: sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(first(n), n + 1))


def counted(told):
    return np.array([np.bincount(column).argmax() for column in told.T])


def last_of_ties(told):
    return np.array([9 - np.bincount(column, minlength=10)[::-1].argmax() for column in told.T])


def with_logarithms(probabilities):
    with np.errstate(divide="ignore"):
        return np.log(probabilities).mean(axis=0).argmax(axis=1)


def spoilt_by_nan(probabilities):
    with np.errstate(divide="ignore", invalid="ignore"):
        return (np.log(probabilities) * (probabilities >= 0) - np.log(probabilities) * 0).mean(axis=0).argmax(axis=1)


def greedy(members, k):
    chosen = []
    for _ in range(k):
        left = [i for i in range(len(members)) if i not in chosen]
        chosen.append(min(left, key=lambda i: CommitteeEvaluation([members[j] for j in [*chosen, i]]).average.errors))
    return chosen


def best_alone(members, k):
    return np.argsort([member.errors for member in members])[:k]


SOLUTIONS = {"10-1": tail(lambda n: n // 2 + 1), "10-2": counted, "10-3": with_logarithms, "10-4": greedy}
MISTAKES = [
    ("10-1", lambda n, p: binom.pmf(n // 2 + 1, n, p), "smallest majority alone"),
    ("10-1", tail(lambda n: n // 2), "one too early"),
    ("10-1", lambda n, p: 1 - tail(lambda n: n // 2 + 1)(n, p), "is right"),
    ("10-1", lambda n, p: p, "Try p = 0, 0.5 and 1"),
    ("10-2", lambda told: told.mean(axis=0).round().astype(int), "no member said"),
    ("10-2", lambda told: np.median(told, axis=0), "median"),
    ("10-2", lambda told: counted(told.T)[:4], "along which axis"),
    ("10-2", lambda told: np.array([np.bincount(c).max() for c in told.T]), "counts of votes"),
    ("10-2", last_of_ties, "smallest of the tied"),
    ("10-2", lambda told: told[0], "3 9 3 9 3"),
    ("10-3", lambda p: p.mean(axis=0).argmax(axis=1), "arithmetic mean"),
    ("10-3", lambda p: np.exp(np.log(p + 1e-12).mean(axis=0)), "Which digit"),
    ("10-3", lambda p: p[2].argmax(axis=1)[::-1], "root of their product"),
    ("10-3", spoilt_by_nan, "logarithm"),
    ("10-3", lambda p: p[0].argmax(axis=1)[:2], "Three images"),
    ("10-4", best_alone, "err on the same images"),
    ("10-4", lambda members, k: greedy(members, k)[::-1], "first choice"),
    ("10-4", lambda members, k: [1, 2][:k], "Begin with the best"),
    ("10-4", lambda members, k: [0, 0], "Two different positions"),
    ("10-4", lambda members, k: greedy(members, 2), "One member"),
]


@pytest.mark.parametrize("number", SOLUTIONS)
def test_the_solution_passes_and_the_stub_does_not(number, capsys):
    check(number, SOLUTIONS[number])
    check(number, lambda *arguments: ...)
    assert capsys.readouterr().out.splitlines() == [
        f"✓ {number}: right.",
        f"✗ {number}: not answered yet. Your answer goes where the ... is.",
    ]


@pytest.mark.parametrize(("number", "answer", "said"), MISTAKES)
def test_a_usual_mistake_gets_its_hint(number, answer, said, capsys):
    check(number, answer)
    printed = capsys.readouterr().out
    assert printed.startswith(f"✗ {number}: ") and said in printed
