"""The environment check of the first notebook."""

from importlib import metadata

import numpy as np

from mnist_helpers.course.environment import environment


def test_every_library_is_there_in_a_version_that_will_do():
    table = environment()
    assert table["ok"].all(), table
    assert {"python", "tensorflow", "keras", "jupyterlab"} <= set(table.index) and "ruff" not in table.index
    assert table.loc["numpy", "installed"] == np.__version__


def test_a_missing_library_and_a_wrong_version_are_seen(monkeypatch):
    real = metadata.version

    def version(name):
        if name == "shap":
            raise metadata.PackageNotFoundError(name)
        return "0.1" if name == "pandas" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    table = environment()
    assert list(table.index[~table["ok"]]) == ["pandas", "shap"]
    assert table.loc["shap", "installed"] == "-" and table.loc["pandas", "installed"] == "0.1"
