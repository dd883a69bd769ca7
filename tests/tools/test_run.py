"""Notebooks are really executed here, in real kernels, but tiny ones and on the stand-in data."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import nbformat
import psutil
import pytest
from sample_notebooks import code, text, write

from tools import run as runner
from tools.run import Result, execute, kernel_environment, run, store_outputs, summary
from tools.series import ROOT, find


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """A series in which much goes wrong, in a folder with spaces and accents, and the results of running it."""
    folder = tmp_path_factory.mktemp("série à lire")
    write(folder / "00_fine.ipynb", "import os, sys", "print(os.getcwd(), sys.executable, os.environ['MNIST_PROFILE'])")
    write(folder / "01_wrong.ipynb", "x = 0", "1 / 0", code("2", printed="never\n", count=9))
    write(folder / "02_killed.ipynb", "x = 1", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "x")
    (folder / "03_unreadable.ipynb").write_text("{no notebook")
    write(folder / "04_slow.ipynb", "import time; time.sleep(60)")
    write(folder / "05_last.ipynb", "big = bytearray(200 * 2**20)\nimport time; time.sleep(1)")
    results = run(find(notebooks=folder), folder / "out", profile="smoke", source="sklearn-digits", timeout=4)
    return folder, results


def test_a_failing_notebook_does_not_keep_the_others_from_running(series):
    _, results = series
    assert [result.ok for result in results] == [True, False, False, False, False, True]
    table = summary(results)
    assert "2 of 6 executed without an error" in table
    assert "\nFAILED 01_wrong, cell 2 of 3: ZeroDivisionError: division by zero\n" in table
    assert "\nFAILED 02_killed, cell 2 of 3: the kernel died" in table
    assert "\nFAILED 03_unreadable, before its first cell: not a readable notebook" in table
    assert "\nFAILED 04_slow, cell 1 of 1: the cell took longer than 4 s" in table


def test_the_memory_of_each_kernel_is_its_own(series):
    peaks = {result.name: result.peak_mb for result in series[1]}
    assert peaks["05_last"] > peaks["00_fine"] + 150 > 150


def test_executed_notebooks_show_the_error_and_nothing_stale(series):
    folder, _ = series
    done = {path.stem: path.read_text(encoding="utf-8") for path in (folder / "out").glob("*.ipynb")}
    assert "ZeroDivisionError" in done["01_wrong"] and "never" not in done["01_wrong"]
    assert "the kernel died" in done["02_killed"] and "took longer" in done["04_slow"]
    assert f"{folder} {sys.executable} smoke" in done["00_fine"]
    assert nbformat.read(folder / "01_wrong.ipynb", as_version=4).cells[2].outputs[0].text == "never\n"


def test_kernels_hold_claims_strictly_and_publish_only_for_authors(monkeypatch):
    monkeypatch.setenv("MNIST_DATA", "x.npz")
    readers, authors = (kernel_environment("full", "mnist", authors=each) for each in (False, True))
    assert (readers["MNIST_STRICT"], readers["MNIST_AUTHORS"], authors["MNIST_AUTHORS"]) == ("1", "0", "1")
    assert readers["MNIST_DATA"] == f"{os.getcwd()}/x.npz"  # noqa: PTH109
    assert kernel_environment("full", "sklearn-digits")["MNIST_STANDIN"] == "always"


def test_storing_changes_outputs_and_counts_and_nothing_else(tmp_path):
    path = write(tmp_path / "00_a.ipynb", text("# A"), "x = 2", code("print(x)", printed="old\n", tags=["any-data"]))
    bad = write(tmp_path / "01_b.ipynb", code("1 / 0", printed="old\n"))
    before, bad_before = nbformat.read(path, as_version=4), bad.read_bytes()
    results = run([path, bad], tmp_path / "out", store=True)
    assert [result.ok for result in results] == [True, False]
    stored = nbformat.read(path, as_version=4)
    assert stored.cells[2].outputs[0].text == "2\n" and stored.cells[2].execution_count == 2
    for notebook in (stored, before):
        for cell in notebook.cells[1:]:
            cell.outputs, cell.execution_count = [], None
    assert stored == before and path.read_bytes().endswith(b"}\n")
    assert bad.read_bytes() == bad_before


def test_a_notebook_edited_meanwhile_is_not_overwritten(tmp_path):
    path = write(tmp_path / "00_a.ipynb", "1")
    notebook, _ = execute(path, os.environ)
    write(path, "1 + 1")
    with pytest.raises(ValueError, match="was changed while"):
        store_outputs(path, notebook)


def test_outputs_are_not_stored_in_the_smoke_profile_or_on_the_standin(tmp_path, monkeypatch, capsys):
    write(tmp_path / "00_a.ipynb", "open('executed', 'w').close()")
    monkeypatch.setenv("MNIST_STANDIN", "always")
    for profile in ("smoke", "full"):
        with pytest.raises(SystemExit):
            runner.main(["--in-place", "--profile", profile, "--notebooks", str(tmp_path), "--output", str(tmp_path)])
        assert "only in the full profile, on the real MNIST" in capsys.readouterr().err
    assert not (tmp_path / "executed").exists()


def test_ctrl_c_ends_everything_and_leaves_no_kernel(tmp_path):
    write(tmp_path / "00_a.ipynb", "open('begun', 'w').close()\nimport time; time.sleep(300)")
    write(tmp_path / "01_b.ipynb", "open('second', 'w').close()")
    command = [sys.executable, "-m", "tools.run", "--profile=smoke", f"--notebooks={tmp_path}", f"--output={tmp_path}"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"MNIST_STANDIN": "always"})
    end = time.monotonic() + 120
    while not (tmp_path / "begun").exists():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.1)
    kernels = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert not (tmp_path / "second").exists()
    assert not psutil.wait_procs(kernels, timeout=10)[1]


def test_a_kernel_that_does_not_run_yet_is_not_taken_for_this_process():
    client, result = SimpleNamespace(km=SimpleNamespace(provisioner=SimpleNamespace(pid=None))), Result("a")
    with runner._watched(client, result):
        time.sleep(0.6)
    assert result.peak_mb == 0  # and we are still here


def test_summary_lines_up():
    lines = summary([Result("a", 3, 3, 1.0, 100.0), Result("long_name", 12, 12, 61)]).splitlines()
    assert len({len(line) for line in lines[:3]}) == 1
    assert lines[3] == "2 of 2 executed without an error, in 1 min 2 s"


@pytest.mark.parametrize(("wanted", "found"), [("2", ["02_b"]), ("02_b.ipynb", ["02_b"]), ("1", ["01_a"])])
def test_notebooks_are_found_by_number_or_name(tmp_path, wanted, found):
    for name in ("02_b", "01_a", "12_c"):
        write(tmp_path / f"{name}.ipynb", "1")
    assert [path.stem for path in find([wanted], tmp_path)] == found
    assert [path.stem for path in find([], tmp_path)] == ["01_a", "02_b", "12_c"]
    with pytest.raises(SystemExit, match="no notebook fits '7'.*\n  01_a\n"):
        find(["7"], tmp_path)
