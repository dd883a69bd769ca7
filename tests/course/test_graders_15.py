"""The graders of the leaderboard: the solutions pass, and usual mistakes get the hint meant for them."""

import numpy as np
from graders import OPEN, RIGHT, judged


def front(costs, errors):
    def beaten(i):
        no_worse = (costs <= costs[i]) & (errors <= errors[i])
        return (no_worse & ((costs < costs[i]) | (errors < errors[i]))).any()

    return np.array([not beaten(i) for i in range(len(costs))])


def without_equals(costs, errors):
    def beaten(i):
        return sum((costs <= costs[i]) & (errors <= errors[i])) > 1

    return np.array([not beaten(i) for i in range(len(costs))])


def in_order_of_cost(costs, errors):
    """Looks at the cost alone to find who comes before, and forgets those that cost the same."""
    return np.array([(errors[costs < costs[i]] > errors[i]).all() for i in range(len(costs))])


def corrected(p):
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def unbounded(p):
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return adjusted


def not_accumulated(p):
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = p[order] * np.arange(len(p), 0, -1)
    return adjusted


test_needed = judged(
    "15-1",
    [
        ((6, 12), RIGHT),
        ([6, 12], RIGHT),
        ((..., ...), OPEN),
        ((5, 10), "both tails"),
        ((6, 396), "not the number of errors"),
        ((6, 11), "Nearly"),
        ((6, 7), "first number is right"),
        ((60, 12), "Which k"),
        (6, "two numbers"),
    ],
)


test_front = judged(
    "15-2",
    [
        (front, RIGHT),
        (lambda costs, errors: front(costs, errors).tolist(), RIGHT),
        (lambda costs, errors: ..., OPEN),
        (without_equals, "push each other"),
        (lambda costs, errors: np.ones(len(costs), bool), "dearer and worse"),
        (lambda costs, errors: ~front(costs, errors), "front is the rest"),
        (lambda costs, errors: np.flatnonzero(front(costs, errors))[:1], "Five systems"),
        (lambda costs, errors: front(costs, errors).astype(int), "a mask"),
        (lambda costs, errors: costs == costs.min(), "Only the third"),
        (in_order_of_cost, "several cost the same"),
    ],
)


test_correction = judged(
    "15-3",
    [
        (corrected, RIGHT),
        (lambda p: corrected(p).tolist(), RIGHT),
        (lambda p: ..., OPEN),
        (lambda p: 5 * p, "Bonferroni"),
        (lambda p: np.sort(corrected(p)), "sorted"),
        (not_accumulated, "Nearly"),
        (unbounded, "never above 1"),
        (lambda p: p * np.arange(5, 0, -1), "First sort"),
        (lambda p: p, "next by four"),
    ],
)
