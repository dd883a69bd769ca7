"""Profiles: full amounts on the real MNIST in the full profile, less otherwise."""

from types import SimpleNamespace

import numpy as np
import pytest

from mnist_helpers import Budget, Split

MNIST = SimpleNamespace(source="mnist")
STANDIN = SimpleNamespace(source="sklearn-digits")


def test_full_profile_on_mnist_changes_nothing(monkeypatch):
    monkeypatch.delenv("MNIST_PROFILE", raising=False)
    budget = Budget.of(MNIST)
    assert budget.full
    assert (budget.epochs(40), budget.members(5), budget.images(50_000)) == (40, 5, 50_000)
    assert list(budget.seeds(3)) == [0, 1, 2]


@pytest.mark.parametrize(("profile", "digits"), [("smoke", MNIST), ("full", STANDIN), ("smoke", STANDIN)])
def test_other_budgets_are_small_and_not_full(monkeypatch, profile, digits):
    monkeypatch.setenv("MNIST_PROFILE", profile)
    budget = Budget.of(digits)
    assert not budget.full
    assert budget.epochs(40) <= 4 and budget.members(5) <= 2 and budget.images(50_000) <= 2000
    assert (budget.epochs(1), budget.members(1), budget.images(10)) == (1, 1, 10)
    assert list(budget.seeds(3)) == list(budget.seeds(1)) == [0]


def split_of(n):
    return Split(np.zeros((n, 2, 2, 1), np.float32), np.arange(n) % 10, "train", "mnist")


def test_take_shortens_a_split_only_when_it_must(monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    long, short = split_of(5000), split_of(10)
    taken = Budget.of(MNIST).take(long)
    assert len(taken) == 1000 and np.bincount(taken.labels).tolist() == [100] * 10
    assert Budget.of(MNIST).take(short) is short
    monkeypatch.setenv("MNIST_PROFILE", "full")
    assert Budget.of(MNIST).take(long) is long


@pytest.mark.parametrize("profile", ["smoke", "full"])
def test_take_refuses_arrays_although_they_have_a_method_of_that_name(profile):
    with pytest.raises(TypeError, match="'split' parameter of Budget.take must be a Split. Got ndarray instead"):
        Budget(profile, "mnist").take(np.zeros((2000, 784)))


def test_unknown_profile_and_amounts_are_refused(monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "quick")
    with pytest.raises(ValueError, match="MNIST_PROFILE must be one of.*'quick'"):
        Budget.of(MNIST)
    with pytest.raises(ValueError, match="'stated' parameter of Budget.epochs must be at least 1. Got 0 instead"):
        Budget("full", "mnist").epochs(0)
    with pytest.raises(TypeError, match="'stated' parameter of Budget.seeds must be an integer. Got 2.5"):
        Budget("smoke", "mnist").seeds(2.5)


def test_unknown_profiles_and_sources_are_refused():
    with pytest.raises(
        ValueError, match="'profile' parameter of Budget must be one of .*'full', 'smoke'.* Got 'quick'"
    ):
        Budget("quick", "mnist")
    with pytest.raises(ValueError, match="'source' parameter of Budget must be one of .*'mnist'.* Got 'MNIST'"):
        Budget.of(SimpleNamespace(source="MNIST"))
