"""The rule of confident learning in notebook 14, as it stands in its cell, against cleanlab and by hand."""

from pathlib import Path

import nbformat
import numpy as np
import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "14_beyond_the_test_set.ipynb"


@pytest.fixture(scope="module")
def suspicious():
    sources = (cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells)
    namespace = {"np": np}
    exec(next(source for source in sources if source.startswith("def suspicious(")), namespace)  # noqa: S102 - the notebook of this repository
    return namespace["suspicious"]


def some_wrong(n=3000, wrong=0.05):
    """Probabilities that favour the true class, and labels of which some were replaced."""
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 10, n)
    logits = rng.normal(size=(n, 10)) + 4 * np.eye(10)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities, np.where(rng.random(n) < wrong, rng.integers(0, 10, n), truth)


def test_it_is_cleanlabs_list(suspicious):
    found = pytest.importorskip("cleanlab.filter", reason="needs cleanlab, which the lesson does not").find_label_issues
    probabilities, labels = some_wrong()
    settings = {"filter_by": "confident_learning", "return_indices_ranked_by": "self_confidence", "n_jobs": 1}
    assert suspicious(probabilities, labels).tolist() == found(labels, probabilities, **settings).tolist()


def test_it_finds_the_label_that_was_replaced(suspicious):
    labels = np.repeat(np.arange(10), 3)
    probabilities = np.full((30, 10), 0.01) + 0.9 * np.eye(10)[labels]
    labels[[4, 20]] = [7, 2]  # a 1 that is called 7, and a 6 that is called 2
    assert sorted(suspicious(probabilities, labels)) == [4, 20]
