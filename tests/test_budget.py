"""Profiles: full amounts on the real MNIST in the full profile, less otherwise."""

from types import SimpleNamespace

import pytest

from mnist_helpers import Budget

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


def test_take_shortens_a_split_only_when_it_must(monkeypatch):
    class Part(list):
        def take(self, n):
            return Part(self[:n])

    monkeypatch.setenv("MNIST_PROFILE", "smoke")
    long, short = Part(range(5000)), Part(range(10))
    assert len(Budget.of(MNIST).take(long)) == 1000
    assert Budget.of(MNIST).take(short) is short
    monkeypatch.setenv("MNIST_PROFILE", "full")
    assert Budget.of(MNIST).take(long) is long


def test_unknown_profile_and_amounts_are_refused(monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "quick")
    with pytest.raises(ValueError, match="MNIST_PROFILE must be one of.*'quick'"):
        Budget.of(MNIST)
    with pytest.raises(ValueError, match="epochs.*at least 1.*0"):
        Budget("full", "mnist").epochs(0)
    with pytest.raises(ValueError, match="seeds.*at least 1.*0"):
        Budget("full", "mnist").seeds(0)
