"""Tests of graders: tables of answers, each with what `check` should say of it."""

import pytest

from mnist_helpers import check
from mnist_helpers.data import mnist

RIGHT, OPEN = "right.", "not answered yet"


def judged(number, cases, *, build=False, digits=None, variant=0):
    """Return a test that each answer (made by a function, with ``build``) is right, open, or wrong with this hint."""

    @pytest.mark.parametrize(("answer", "hint"), cases)
    @pytest.mark.filterwarnings("ignore::RuntimeWarning")
    def test(monkeypatch, answer, hint):
        monkeypatch.setattr(mnist, "current", lambda: digits)
        result = check(number, answer() if build else answer, variant=variant)
        assert result.passed is {RIGHT: True, OPEN: None}.get(hint, False), str(result)
        assert hint in result.message

    return test
