"""Claims: a tick, a cross, or not judged."""

from types import SimpleNamespace

import numpy as np
import pytest

from mnist_helpers import Budget, banner, claim, show_source
from mnist_helpers.course.lesson import ClaimFailed

MNIST = SimpleNamespace(source="mnist")
STANDIN = SimpleNamespace(source="sklearn-digits")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "full")
    monkeypatch.delenv("MNIST_STRICT", raising=False)


@pytest.mark.parametrize("condition", [True, np.bool_(True), 1])
def test_a_claim_that_holds_gets_a_tick_and_its_evidence(capsys, condition):
    claim("Five is odd.", condition, "5 = 2 * 2 + 1", on=MNIST)
    assert capsys.readouterr().out == "✓ Five is odd.\n  5 = 2 * 2 + 1\n"


def test_a_claim_that_fails_gets_a_cross_and_the_learner_goes_on(capsys):
    claim("Five is even.", False, on=MNIST)
    assert capsys.readouterr().out == "✗ does not hold here: Five is even.\n"


def test_a_claim_that_fails_is_an_error_when_strict(monkeypatch, capsys):
    monkeypatch.setenv("MNIST_STRICT", "1")
    with pytest.raises(ClaimFailed, match="Five is even. 5 % 2 = 1"):
        claim("Five is even.", False, "5 % 2 = 1", on=MNIST)
    assert "✗" in capsys.readouterr().out
    claim("Five is odd.", True, on=MNIST)


@pytest.mark.parametrize(("profile", "digits"), [("smoke", MNIST), ("full", STANDIN), ("smoke", STANDIN)])
@pytest.mark.parametrize("condition", [True, False])
def test_nothing_is_concluded_from_less(monkeypatch, capsys, profile, digits, condition):
    monkeypatch.setenv("MNIST_PROFILE", profile)
    monkeypatch.setenv("MNIST_STRICT", "1")
    claim("The network is good.", condition, on=digits)
    printed = capsys.readouterr().out
    assert "not judged" in printed and "✓" not in printed and "✗" not in printed


def test_a_claim_without_digits_is_judged_by_the_profile(capsys):
    claim("Five is odd.", True)
    assert capsys.readouterr().out.startswith("✓")


def digits_of(source):
    return SimpleNamespace(train=range(50_000), validation=range(10_000), test=range(10_000), source=source)


def test_banner(capsys):
    banner(digits_of("mnist"), Budget("full", "mnist"))
    assert capsys.readouterr().out == "MNIST: 50,000 training images, 10,000 validation images, 10,000 test images.\n"
    banner(digits_of("sklearn-digits"), Budget("full", "sklearn-digits"))
    printed = capsys.readouterr().out
    assert "THIS IS NOT MNIST" in printed and "python -m mnist_helpers data" in printed and "SMOKE" not in printed
    banner(digits_of("mnist"), Budget("smoke", "mnist"))
    assert "SMOKE PROFILE" in capsys.readouterr().out


def test_show_source_prints_the_code_and_the_first_line_of_the_docstring(capsys):
    show_source(claim)
    printed = capsys.readouterr().out
    assert printed.startswith("def claim(conclusion: str") and "ClaimFailed" in printed
    assert '    """Print a conclusion with a tick' in printed and "Parameters" not in printed
    compile(printed, "printed", "exec")
    show_source(environment_free)
    assert capsys.readouterr().out == "def environment_free(x):\n    return x\n"


def environment_free(x):
    return x
