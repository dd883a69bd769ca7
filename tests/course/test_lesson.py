"""Claims and answers: what is said of them, and how it is shown."""

import re
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from mnist_helpers import check, claim, show_source
from mnist_helpers.course import exercises
from mnist_helpers.course.exercises import grading
from mnist_helpers.course.lesson import ClaimFailed
from mnist_helpers.data import mnist

MNIST, STANDIN = SimpleNamespace(source="mnist"), SimpleNamespace(source="sklearn-digits")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("MNIST_PROFILE", "full")
    monkeypatch.delenv("MNIST_STRICT", raising=False)
    monkeypatch.setattr(mnist, "current", lambda: MNIST)


@pytest.mark.parametrize("condition", [True, np.bool_(True), 1])
def test_a_claim_that_holds_gets_a_tick_and_its_evidence(capsys, condition):
    claim("Five is odd.", condition, "5 = 2 * 2 + 1")
    assert capsys.readouterr().out == "✓ Five is odd.\n  5 = 2 * 2 + 1\n"


def test_a_claim_that_fails_gets_a_cross_and_is_an_error_when_strict(monkeypatch, capsys):
    claim("Five is even.", False)
    assert capsys.readouterr().out == "✗ does not hold here: Five is even.\n"
    monkeypatch.setenv("MNIST_STRICT", "1")
    with pytest.raises(ClaimFailed, match="Five is even. 5 % 2 = 1"):
        claim("Five is even.", False, "5 % 2 = 1")


@pytest.mark.parametrize(("profile", "digits"), [("smoke", MNIST), ("full", STANDIN), ("smoke", None)])
@pytest.mark.parametrize("condition", [True, False])
def test_nothing_is_concluded_from_less(monkeypatch, capsys, profile, digits, condition):
    monkeypatch.setenv("MNIST_PROFILE", profile)
    monkeypatch.setenv("MNIST_STRICT", "1")
    monkeypatch.setattr(mnist, "current", lambda: digits)
    claim("The network is good.", condition)
    printed = capsys.readouterr().out
    assert "not judged" in printed and "✓" not in printed and "✗" not in printed


@pytest.fixture
def example(monkeypatch):
    """An exercise 00-1 whose right answer is a function that doubles."""
    exercises.numbers()  # the real ones register when they are first looked for: before the copy is made
    monkeypatch.setattr(grading, "_known", dict(grading._known))

    @exercises.exercise("00-1", "And half?", points=2)
    def doubles(answer):
        value = grading.as_number(grading.called(answer, 4))
        return None if value == 8 else "Not quite: twice 4 is 8." if value == 4 else "No."


def divided(n):
    share = n / 0
    return max(share, n)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda n: 2 * n, r"✓ 00-1: right\. And half\?"),
        (lambda n: n, "→ 00-1: Not quite: twice 4 is 8."),
        (..., "○ 00-1: not answered yet. Your answer goes where the ... is."),
        (lambda n: ..., "○ 00-1: not answered yet. Your answer goes where the ... is."),
        ({"a": (3, ...)}, "○ 00-1: not answered yet. Your answer goes where the ... is."),
        (lambda n: None, r"→ 00-1: Your function returns None\. Is there a return\?"),
        (8, "→ 00-1: The answer should be a function. This is an int."),
        (lambda n: "8", "→ 00-1: The answer should be one number. This is a str."),
        (lambda n: [8, 8], "→ 00-1: The answer should be one number. This is a list of two numbers."),
        (lambda n: [[8], [8, 8]], "→ 00-1: The rows of your answer have different lengths: 1, 2."),
        (lambda n: float("nan"), "→ 00-1: The answer should be a finite number. This is nan."),
        (divided, r"→ 00-1: .* there was a ZeroDivisionError: division by zero, in line \d+: `share = n / 0`"),
        (lambda n: [1][n], "→ 00-1: .* there was an IndexError: list index out of range, in line .*"),
        (lambda n: np.ones(2)[:, n], "→ 00-1: .* there was an IndexError: too many indices.*np.ones.*"),
    ],
)
def test_an_answer_gets_a_tick_a_hint_or_a_neutral_line(example, capsys, answer, said):
    result = check("00-1", answer)
    assert re.fullmatch(said.replace("...", r"\.\.\.") if said[0] == "○" else said, str(result))
    assert capsys.readouterr().out == f"{result}\n"
    assert (result.passed, bool(result)) == ({"✓": True, "→": False, "○": None}[said[0]], said[0] == "✓")
    assert result.points == (2 if result else 0)


def test_an_error_that_is_in_none_of_the_learners_lines_is_told_without_one():
    assert check("12-2", lambda: 8).message.endswith("<lambda>() takes 0 positional arguments but 1 was given")


@pytest.mark.parametrize("number", ["00-9", "1", "../00-1", 4, None, ["00-1"]])
def test_an_unknown_number_is_said(example, number):
    result = check(number, 1)
    assert result.passed is None and "no exercise with this number. There are 0" in result.message


def test_an_exercise_on_the_digits_waits_for_them(example, monkeypatch):
    exercises.exercise("00-2", "", needs_digits=True)(lambda answer, digits: None if answer == digits else "no")
    assert check("00-2", MNIST).message == "right."
    monkeypatch.setattr(mnist, "current", lambda: None)
    result = check("00-2", MNIST)
    assert result.passed is None and "Run `digits = load_mnist()` first" in result.message


CELLS = {
    "a stub at the end of its cell": "answer = ...\ncheck('12-1', answer)",
    "in the middle of a cell": "check('12-1', 7)\nNone",
    "kept, and shown again in the next cell": "result = check('12-1', 16)",
    "the next cell": "result",
    "an error in an earlier cell": "def moves(layer, images, step, shrink):\n    return images['a < b']",
    "is told with its line": "check('07-2', moves)",
}


@pytest.mark.system
def test_a_notebook_shows_each_result_once_as_html_and_as_text():
    setup = "import warnings\nwarnings.simplefilter('ignore')\nfrom mnist_helpers import check"
    cells = [nbformat.v4.new_code_cell(source) for source in [setup, *CELLS.values()]]
    NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=120, kernel_name="python3").execute()
    stub, middle, kept, again, defined, failed = (cell.outputs for cell in cells[1:])
    assert [len(outputs) for outputs in (stub, middle, kept, again, defined, failed)] == [1, 1, 1, 1, 0, 1]
    assert stub[0].data["text/plain"].startswith("○ 12-1: not answered yet")
    assert middle[0].data["text/plain"].startswith("→ 12-1: That is what the first layer sees.")
    assert kept[0].data == again[0].data and "✓ 12-1" in kept[0].data["text/html"]
    assert "in line 2: <code>return images['a &lt; b']</code></div>" in failed[0].data["text/html"]


def test_show_source_prints_the_code_and_the_first_line_of_the_docstring(capsys):
    show_source(claim)
    printed = capsys.readouterr().out
    assert printed.startswith("def claim(conclusion: str") and "ClaimFailed" in printed
    assert '    """Print a conclusion with a tick' in printed and "Parameters" not in printed
    compile(printed, "printed", "exec")
    show_source(divided)
    assert capsys.readouterr().out == "def divided(n):\n    share = n / 0\n    return max(share, n)\n"
