"""Exercises of notebook 05: right answers pass, and the usual mistakes get the hint meant for them."""

from itertools import combinations, permutations

import numpy as np
import pytest
from graders import OPEN, RIGHT, judged
from scipy import stats

from mnist_helpers.common.backend import keras


def targets(label):
    return 2 * np.eye(10)[label] - 1


def hinge(outputs, label):
    return np.maximum(0, 1 - targets(label) * outputs).mean()


test_hints_for_hinge = judged(
    "05-1",
    [
        (hinge, RIGHT),
        (lambda o, n: keras.losses.hinge(targets(n)[None], o[None])[0], RIGHT),
        (lambda o, n: np.maximum(0, 1 - targets(n) * o).sum(), "mean"),
        (lambda o, n: (1 - targets(n) * o).mean(), "never less"),
        (lambda o, n: np.maximum(0, 1 - np.eye(10)[n] * o).mean(), "not 1 and 0"),
        (lambda o, n: np.maximum(0, 1 + targets(n) * o).mean(), "sign"),
        (lambda o, n: max(0, 1 - o[n]), "right digit only"),
        (lambda o, n: (np.maximum(0, 1 - targets(n) * o) ** 2).mean(), "squared"),
        (lambda o, n: np.maximum(0, -targets(n) * o).mean(), "margin is missing"),
        (lambda o, n: 0.9, "one output"),
        (lambda o, n: np.maximum(0, 1 - targets(n) * o), "one number"),
        (lambda o, n: ..., OPEN),
    ],
)


def adagrad_steps(gradients, learning_rate, start):
    steps, total = [], start
    for gradient in gradients:
        total += gradient**2
        steps.append(learning_rate * gradient / total**0.5)
    return steps


def test_adagrad_is_what_keras_does():
    weight = keras.Variable(np.float32(1))
    optimizer = keras.optimizers.Adagrad(0.01, initial_accumulator_value=0.1)
    values = [1.0]
    for gradient in (0.5, -0.2, 0.1):
        optimizer.apply([np.float32(gradient)], [weight])
        values.append(float(weight.numpy()))
    assert np.allclose(-np.diff(values), adagrad_steps([0.5, -0.2, 0.1], 0.01, 0.1), atol=1e-6)


def array(f):
    """A wrong answer that works on arrays: f(g, sum of squares so far, rate, start)."""

    def steps(gradients, rate, start):
        g = np.array(gradients)
        return f(g, start + np.cumsum(g**2), rate, start)

    return steps


test_hints_for_adagrad = judged(
    "05-2",
    [
        (adagrad_steps, RIGHT),
        (array(lambda g, s, rate, start: -rate * g / np.sqrt(s)), "sign"),
        (array(lambda g, s, rate, start: rate * g / np.sqrt(np.cumsum(g**2))), "begin at 0"),
        (array(lambda g, s, rate, start: rate * g / np.sqrt(start + np.cumsum(abs(g)))), "squared"),
        (array(lambda g, s, rate, start: rate * g / s), "square root"),
        (array(lambda g, s, rate, start: rate * g / np.sqrt(s - g**2)), "present gradient"),
        (array(lambda g, s, rate, start: rate * g / np.sqrt(start + g**2)), "forgotten"),
        (array(lambda g, s, rate, start: rate * g / np.sqrt(s[-1])), "not known yet"),
        (array(lambda g, s, rate, start: g / np.sqrt(s)), "learning rate"),
        (array(lambda g, s, rate, start: rate * g), "by hand"),
        (array(lambda g, s, rate, start: (rate * g / np.sqrt(s))[-1]), "three numbers. Yours has one number"),
        (array(lambda g, s, rate, start: ...), OPEN),
    ],
)


def compare(build, fit, optimizers, seeds):
    return {name: np.mean([fit(build(), one, seed) for seed in seeds]) for name, one in optimizers.items()}


def as_published(build, fit, optimizers, seeds):
    network = build()
    return {name: max(fit(network, one, seed) for seed in seeds) for name, one in optimizers.items()}


def half_mended(build, fit, optimizers, seeds):
    results = {}
    for name, one in optimizers.items():
        network = build()
        results[name] = max(fit(network, one, seed) for seed in seeds)
    return results


def summarised(summary):
    def wrong(build, fit, optimizers, seeds):
        return {name: summary([fit(build(), one, seed) for seed in seeds]) for name, one in optimizers.items()}

    return wrong


test_hints_for_comparisons = judged(
    "05-3",
    [
        (compare, RIGHT),
        (as_published, "hand to hand"),
        (half_mended, "Look at the seeds"),
        (summarised(max), "best says how lucky"),
        (summarised(min), "worst"),
        (summarised(lambda a: a[-1]), "last"),
        (summarised(lambda a: a[0]), "first"),
        (summarised(sum), "How many were there"),
        (summarised(np.median), "median"),
        (summarised(lambda a: 0.5), "mean of each is wrong"),
        (summarised(lambda a: a), "one number"),
        (lambda b, fit, some, seeds: {name: fit(b(), one, 0) for name, one in some.items()}, "asks for 3"),
        (lambda b, fit, some, seeds: [1, 2, 3], "dictionary"),
        (lambda b, fit, some, seeds: ..., OPEN),
        (lambda b, fit: {}, "TypeError"),
    ],
)


def differences(first, second):
    pooled, places = [*first, *second], range(len(first) + len(second))
    for chosen in combinations(places, len(first)):
        left = np.mean([pooled[i] for i in chosen])
        yield left - np.mean([pooled[i] for i in places if i not in chosen])


def share(counts):
    def p_value(first, second):
        seen = np.mean(first) - np.mean(second)
        return float(np.mean([counts(d, seen) for d in differences(first, second)]))

    return p_value


p_value = share(lambda d, seen: abs(d) >= abs(seen) - 1e-9)


def by_permutations(first, second):
    """All orders of the runs instead of all splits: the same share, more work."""
    orders = [order[: len(first)] for order in permutations([*first, *second])]
    total, seen = sum(first) + sum(second), abs(np.mean(first) - np.mean(second))
    gaps = [abs(np.mean(left) - (total - sum(left)) / len(second)) for left in orders]
    return np.mean(np.array(gaps) >= seen - 1e-9)


def by_scipy(first, second):
    def gap(a, b):
        return abs(np.mean(a) - np.mean(b))

    return stats.permutation_test((first, second), gap, alternative="greater", n_resamples=np.inf).pvalue


test_hints_for_permutation_tests = judged(
    "05-4",
    [
        (p_value, RIGHT),
        (by_permutations, RIGHT),
        (by_scipy, RIGHT),
        (share(lambda d, seen: abs(d) > abs(seen) + 1e-9), "really seen, too"),
        (share(lambda d, seen: d >= seen - 1e-9), "one direction"),
        (share(lambda d, seen: d <= seen + 1e-9), "one direction"),
        (share(lambda d, seen: abs(d) < abs(seen) - 1e-9), "less* far apart"),
        (lambda a, b: p_value(a, b) * len(list(differences(a, b))), "divide by the number"),
        (lambda a, b: p_value(a, b) + 0.02, "Near, but not exact"),
        (lambda a, b: stats.ttest_ind(a, b, equal_var=False).pvalue, "Near, but not exact"),
        (lambda a, b: p_value(a, b) + 0.3, "all ways to choose"),
        (lambda a, b: -1, "between 0 and 1"),
        (lambda a, b: list(differences(a, b)), "one number"),
        (lambda a, b: ..., OPEN),
    ],
)


def test_three_runs_against_three_never_reach_a_p_value_below_a_tenth():
    assert p_value([1, 2, 3], [11, 12, 13]) == pytest.approx(0.1)
