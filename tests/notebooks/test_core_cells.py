"""The core of a lesson is the learner's own code: it runs without our package, with ``digits`` as plain arrays."""

import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest

from mnist_helpers import load_mnist

SIZES = {"train": 1500, "validation": 300, "test": 300}


def core_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if "core" in cell.metadata.get("tags", [])]


NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
WITH_CORE = [path for path in NOTEBOOKS if core_cells(path)]


@pytest.fixture
def digits() -> SimpleNamespace:
    """Some of the digits that there are, as arrays and nothing more."""
    loaded = load_mnist()
    parts = {name: getattr(loaded, name).take(size) for name, size in SIZES.items()}
    return SimpleNamespace(**{n: SimpleNamespace(images=p.images.copy(), labels=p.labels) for n, p in parts.items()})


@pytest.mark.parametrize("path", WITH_CORE, ids=lambda path: path.stem)
def test_core_cells_run_without_the_package(path, digits, monkeypatch):
    monkeypatch.setitem(sys.modules, "mnist_helpers", None)  # now an import of it fails
    namespace = {"__name__": "__main__", "digits": digits}
    with mpl.rc_context({"backend": "agg"}):
        for number, cell in enumerate(core_cells(path)):
            exec(compile(cell.source, f"{path.stem}, core cell {number}", "exec"), namespace)  # noqa: S102 - the notebook of this very repository
            plt.close("all")


def test_the_lessons_on_models_have_a_core():
    assert {"02", "03", "04", "05", "07", "08", "10", "11", "12", "14"} <= {path.name[:2] for path in WITH_CORE}
