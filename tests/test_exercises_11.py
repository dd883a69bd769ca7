"""The graders of notebook 11: the solutions pass, and usual mistakes get the hint meant for them."""

import numpy as np
import pytest
from scipy import stats

from mnist_helpers import check


def linear_shap(weights, image, background):
    return weights * (image - background.mean(axis=0))


def paired(first, second, factor=1.96):
    difference = first - second
    mean, margin = difference.mean(), factor * difference.std(ddof=1) / np.sqrt(len(difference))
    return mean, mean - margin, mean + margin


def by_student(first, second):
    difference = first - second
    return difference.mean(), *stats.t.interval(0.95, 59, difference.mean(), stats.sem(difference))


def unpaired(first, second):
    margin = 1.96 * np.sqrt(first.var() / 60 + second.var() / 60)
    return (first - second).mean(), (first - second).mean() - margin, (first - second).mean() + margin


def single(first, second):
    difference = first - second
    return difference.mean(), difference.mean() - 1.96 * difference.std(), difference.mean() + 1.96 * difference.std()


def insertion(answer, images, importance, counts):
    ranks = np.argsort(np.argsort(-importance.reshape(len(images), -1), axis=1), axis=1).reshape(images.shape)
    return np.stack([answer(np.where(ranks < count, images, 0)) for count in counts], axis=1)


def deletion(answer, images, importance, counts):
    ranks = np.argsort(np.argsort(-importance.reshape(len(images), -1), axis=1), axis=1).reshape(images.shape)
    return np.stack([answer(np.where(ranks >= count, images, 0)) for count in counts], axis=1)


SOLUTIONS = [("11-1", [4, 7, 31]), ("11-1", np.array([4.0, 7.0, 31.0])), ("11-2", linear_shap), ("11-3", paired)]
SOLUTIONS += [("11-3", by_student), ("11-4", insertion)]
STUBS = {"11-1": ..., "11-2": lambda *_: ..., "11-3": lambda *_: ..., "11-4": lambda *_: ...}
MISTAKES = [
    ("11-1", [12, 18, 42], "pay alone"),
    ("11-1", [12, 6, 24], "one order"),
    ("11-1", [14, 14, 14], "Equal shares"),
    ("11-1", [7, 10.5, 24.5], "in proportion"),
    ("11-1", [4, 9, 42], "add up to 55"),
    ("11-1", [6, 9, 27], "the rest for one"),
    ("11-1", 42, "three numbers"),
    ("11-2", lambda w, x, b: w * (x - b), "one map for each"),
    ("11-2", lambda w, x, b: w * (b.mean(axis=0) - x), "turned round"),
    ("11-2", lambda w, x, b: w * x, "black image"),
    ("11-2", lambda w, x, b: w * (x - b.mean()), "along which axis"),
    ("11-2", lambda w, x, b: np.abs(linear_shap(w, x, b)), "have a sign"),
    ("11-2", lambda w, x, b: linear_shap(w, x, b).sum(), "4x4 map"),
    ("11-2", lambda w, x, b: x - b.mean(axis=0), "add up to"),
    ("11-3", lambda a, b: paired(b, a), "turned round"),
    ("11-3", lambda a, b: (a.mean(), *paired(a, b)[1:]), "mean of the differences"),
    ("11-3", lambda a, b: (paired(a, b)[0], *paired(a, b)[:0:-1]), "mean, low, high"),
    ("11-3", lambda a, b: (paired(a, b)[0], 0, paired(a, b)[2]), "evenly"),
    ("11-3", unpaired, "unrelated groups"),
    ("11-3", single, "root of n"),
    ("11-3", lambda a, b: paired(a, b, 1), "one standard error"),
    ("11-3", lambda a, b: paired(a, b, 3), "in standard errors"),
    ("11-3", lambda a, b: paired(a, b)[0], "shape"),
    ("11-4", deletion, "That deletes"),
    ("11-4", lambda f, x, i, c: insertion(f, x, i, c).T, "one column a count"),
    ("11-4", lambda f, x, i, c: insertion(f, x, -i, c), "largest importance"),
    ("11-4", lambda f, x, i, c: insertion(f, x, i, c) + 1, "no pixel in it"),
    ("11-4", lambda f, x, i, c: insertion(f, x, i, c)[:, :2], "four counts"),
    ("11-4", lambda f, x, i, c: f(x.reshape(2, 9)), "(n, 3, 3, 1)"),
]


@pytest.mark.parametrize(("number", "answer"), SOLUTIONS)
def test_the_solution_passes(number, answer, capsys):
    check(number, answer)
    assert capsys.readouterr().out == f"✓ {number}: right.\n"


@pytest.mark.parametrize("number", STUBS)
def test_the_stub_is_not_answered(number, capsys):
    check(number, STUBS[number])
    assert capsys.readouterr().out == f"✗ {number}: not answered yet. Your answer goes where the ... is.\n"


@pytest.mark.parametrize(("number", "answer", "said"), MISTAKES)
def test_a_usual_mistake_gets_its_hint(number, answer, said, capsys):
    check(number, answer)
    printed = capsys.readouterr().out
    assert printed.startswith(f"✗ {number}: ") and said in printed
