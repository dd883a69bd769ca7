"""Fixtures: the module tools/install.py, where nothing is set for pip or uv."""

import importlib.util
import os
from pathlib import Path

import pytest


@pytest.fixture
def installer(monkeypatch):
    """The module ``tools/install.py``, which is no part of the package; pip and uv know of no index."""
    pytest.importorskip("uv", reason="uv is not installed here; the Makefile puts it into .venv")
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)  # no user's and no machine's settings either
    path = Path(__file__).resolve().parents[2] / "tools" / "install.py"
    spec = importlib.util.spec_from_file_location("install", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
