"""notebooks/conftest.py: what it adds to nbval, seen by running pytest on small notebooks with it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sample_notebooks import code, write

ROOT = Path(__file__).resolve().parents[1]
CHECKED, ANY_DATA = "nbval-check-output", "any-data"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What became of each cell, on the stand-in, as {("00_a", 0): "PASSED"}, and the seconds that all of it took."""
    folder = tmp_path_factory.mktemp("pröject x")
    notebooks = folder / "notebooks"
    show = "import os\nprint(os.path.basename(os.getcwd()), *(os.environ['MNIST_' + v] for v in %r))"
    variables = ("PROFILE", "STRICT", "STANDIN")
    write(
        notebooks / "00_environment.ipynb",
        code(show % (variables,), printed="notebooks smoke 1 always\n", tags=[CHECKED, ANY_DATA], count=1),
        code("[1];", tags=[CHECKED, ANY_DATA], count=2),
    )
    write(
        notebooks / "01_outputs.ipynb",
        code("print('stand-in')", printed="real\n", tags=[CHECKED], count=1),
        code("print('same')", printed="same\n", tags=[CHECKED, ANY_DATA], count=2),
        code("print('now')", printed="before\n", tags=[CHECKED, ANY_DATA], count=3),
        code("print('now')", printed="before\n", count=4),
    )
    write(notebooks / "02_killed.ipynb", "1", "import os; os.kill(os.getpid(), 9)", "2", "3")
    write(notebooks / "03_exits.ipynb", "import os; os._exit(1)", "2")
    write(notebooks / "04_raises.ipynb", "1 / 0", "2")
    (notebooks / "conftest.py").write_bytes((ROOT / "notebooks" / "conftest.py").read_bytes())
    (folder / "setup.cfg").write_bytes((ROOT / "setup.cfg").read_bytes())
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MNIST_", "PYTEST", "COV"))}
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "notebooks"]
    started = time.monotonic()
    environment["MNIST_STANDIN"] = "always"
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    lines = re.findall(r"(\w+)(?:::|\.)ipynb::Cell (\d+) (PASSED|FAILED|SKIPPED|ERROR|XFAIL|XPASS)", done.stdout)
    assert lines, done.stdout + done.stderr
    return {(name, int(cell)): outcome for name, cell, outcome in lines}, time.monotonic() - started


def of(outcomes, name):
    return [outcome for (notebook, _), outcome in sorted(outcomes[0].items()) if notebook == name]


def test_kernels_get_the_environment_of_the_series_and_treat_cells_as_people_do(outcomes):
    assert of(outcomes, "00_environment") == ["PASSED", "PASSED"]


def test_on_the_standin_only_outputs_that_do_not_depend_on_the_data_are_compared(outcomes):
    assert of(outcomes, "01_outputs") == ["PASSED", "PASSED", "FAILED", "PASSED"]


def test_a_dead_kernel_fails_at_once_and_one_cell_only(outcomes):
    assert of(outcomes, "02_killed") == ["PASSED", "FAILED", "SKIPPED", "SKIPPED"]
    assert of(outcomes, "03_exits") == ["FAILED", "SKIPPED"]
    assert outcomes[1] < 60  # nbval alone waits for the whole time of a cell, five minutes each


def test_cells_behind_one_that_raises_are_not_failures_of_their_own(outcomes):
    assert of(outcomes, "04_raises") == ["FAILED", "SKIPPED"]
