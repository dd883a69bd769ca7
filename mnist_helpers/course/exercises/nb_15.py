"""Graders for the leaderboard: how many errors make a difference, the Pareto front, and Holm's correction."""

import numpy as np

from mnist_helpers.course.exercises.grading import Answer, Hint, as_array, as_number, called, exercise
from mnist_helpers.evaluation.comparisons import holm, pareto_front


@exercise("15-1", "Each further error that is corrected halves the p-value, so even 66 tests ask only for six more.")
def needed(answer: Answer) -> str | None:
    """How many corrected errors, with none new, are significant: in one test, and in the first of 66."""
    if not isinstance(answer, list | tuple) or len(answer) != 2:
        raise Hint("Hand over two numbers: for a single test, and for 66 of them.")
    one, many = (as_number(part) for part in answer)
    if one == 5:
        return "That would be a one-sided test. McNemar's counts both tails: 2 · 0.5⁵ is still above 0.05."
    if one != 6:
        return "If k images are corrected and none spoilt, the p-value is 2 · 0.5ᵏ. Which k brings it below 0.05?"
    if many == 12:
        return None
    if many == 6 * 66:
        return "It is the p-value that is multiplied by 66, not the number of errors."
    if many in (10, 11):
        return "Nearly. Multiply 2 · 0.5ᵏ by 66: for your k it is not below 0.05 yet."
    return "The first number is right. For the second, 66 · 2 · 0.5ᵏ must be below 0.05."


@exercise("15-2", "Now try it on `counted`, with the operations as costs. Do you find the line of the picture?")
def front(answer: Answer) -> str | None:
    """A mask of the systems than which no other is better without costing more, nor cheaper without being worse."""
    rng = np.random.default_rng(0)
    costs, errors = rng.integers(1, 30, 40).astype(float), rng.integers(1, 30, 40).astype(float)
    small = np.array([1.0, 2, 3, 4, 2]), np.array([9.0, 5, 6, 2, 5])
    given = as_array(called(answer, *small))
    if given.shape != (5,):
        return f"Five systems should get five values, True or False. Yours has the shape {given.shape}."
    if given.dtype.kind != "b":
        return "Return True or False for each system: a mask, not numbers."
    if given.tolist() == [True, False, False, True, False]:
        return "Two systems with equal cost and equal errors do not push each other off the front."
    if given.tolist() == [True, True, True, True, True]:
        return "For costs 1, 2, 3, 4, 2 and errors 9, 5, 6, 2, 5, the third is dearer and worse than the second."
    if given.tolist() == [False, False, True, False, False]:
        return "Those are the systems that are beaten. The front is the rest."
    if not np.array_equal(given, pareto_front(*small)):
        return "Try costs 1, 2, 3, 4, 2 and errors 9, 5, 6, 2, 5. Only the third should be off the front."
    if not np.array_equal(as_array(called(answer, costs, errors)), pareto_front(costs, errors)):
        return "Right for five systems in order of their cost. Does it also hold when several cost the same?"
    return None


@exercise("15-3", "The last step, that no p-value is smaller than the one before it, keeps the order of the tests.")
def correction(answer: Answer) -> str | None:
    """Holm's adjusted p-values of five tests."""
    p = np.array([0.04, 0.001, 0.03, 0.2, 0.012])
    given, right = as_array(called(answer, p), (5,)), holm(p)
    other = np.array([0.5, 0.9, 0.01, 0.6, 0.7])
    if np.allclose(given, right):
        second = as_array(called(answer, other), (5,))
        return None if np.allclose(second, holm(other)) else "Right for small ones. A probability is never above 1."
    order, counts = np.argsort(p), np.arange(5, 0, -1)
    plain = np.empty(5)
    plain[order] = p[order] * counts
    if np.allclose(given, p * 5):
        return "That is Bonferroni's correction: each times five. Holm multiplies only the smallest by five."
    if np.allclose(given, np.sort(right)):
        return "The right numbers, but sorted. Give them back in the order in which the p-values came."
    if np.allclose(given, plain):
        return (
            "Nearly: 0.03 gave 0.09, but the larger 0.04 only 0.08. Each must be at least as large as the one before."
        )
    if np.allclose(given, p * counts):
        return "You multiplied in the order in which they stand. First sort them: the smallest times five."
    return "The smallest of 0.04, 0.001, 0.03, 0.2, 0.012 is multiplied by five, the next by four. What comes out?"
