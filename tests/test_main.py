"""The command line: exit statuses, messages, and Ctrl-C. Notebooks are really executed, but tiny ones."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from sample_notebooks import write

from mnist_helpers.__main__ import main
from mnist_helpers.data import mnist as data


@pytest.fixture(autouse=True)
def standin(monkeypatch):
    """No test here needs the real digits, nor the network."""
    monkeypatch.setenv("MNIST_STANDIN", "always")
    for name in ("MNIST_DATA", "MNIST_PROFILE", "MNIST_STRICT"):
        monkeypatch.delenv(name, raising=False)


def test_exit_status_and_summary_of_the_command(tmp_path, capsys):
    write(tmp_path / "00_good.ipynb", "1")
    write(tmp_path / "01_bad.ipynb", "raise KeyError('k')")
    options = ["--notebooks", str(tmp_path), "--output", str(tmp_path / "out"), "--profile", "smoke"]
    assert main(["run", "1", *options]) == 1
    captured = capsys.readouterr()
    assert "FAILED 01_bad, cell 1 of 1: KeyError: 'k'" in captured.out
    assert "notebook 1 of 1, 01_bad ... failed at cell 1 of 1" in captured.err
    assert main(["run", "0", *options]) == 0
    index = (tmp_path / "out" / "html" / "index.html").read_text(encoding="utf-8")
    assert index.index("00_good.html") < index.index("01_bad.html")  # the page made earlier keeps its row


def test_an_unknown_selection_lists_the_notebooks(tmp_path, capsys):
    write(tmp_path / "03_dense.ipynb", "1")
    assert main(["run", "7", "--notebooks", str(tmp_path)]) == 2
    assert "No notebook fits '7'. There are:\n  03_dense" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "value"), [("MNIST_PROFILE", "half"), ("MNIST_STANDIN", "perhaps")])
def test_a_bad_environment_is_refused_before_anything_runs(tmp_path, monkeypatch, capsys, name, value):
    monkeypatch.setenv(name, value)
    write(tmp_path / "00_a.ipynb", "1")
    assert main(["run", "--notebooks", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    assert f"The environment variable {name} must be" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# as python -m mnist_helpers, but for Ctrl-C, which a test run in the background has been told to ignore
INTERRUPTIBLE = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("mnist_helpers", run_name="__main__", alter_sys=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_interrupted_it_stops_the_kernel_and_leaves_only_whole_files(tmp_path):
    write(tmp_path / "00_quick.ipynb", "1")
    pid_file = tmp_path / "pid"
    stuck = f"import os, pathlib, time\npathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"
    slow = write(tmp_path / "01_slow.ipynb", stuck)
    before = slow.read_bytes()
    options = ["run", "--notebooks", str(tmp_path), "--output", str(tmp_path)]
    command = [sys.executable, "-c", INTERRUPTIBLE, *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (pid_file.exists() and pid_file.read_text()):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Interrupted" in errors and "Traceback" not in errors
    assert not psutil.pid_exists(int(pid_file.read_text()))
    assert {path.name for path in (tmp_path / "html").iterdir()} == {"00_quick.html", "index.html", "results.json"}
    assert slow.read_bytes() == before


def test_data_says_where_mnist_lies_or_why_it_cannot_be_had(monkeypatch, capsys):
    monkeypatch.setattr(data, "fetch_and_report", lambda: "MNIST is complete")
    assert main(["data"]) == 0
    assert capsys.readouterr().out == "MNIST is complete\n"

    def unreachable():
        raise ConnectionError("no mirror answers")

    monkeypatch.setattr(data, "fetch_and_report", unreachable)
    assert main(["data"]) == 1
    assert capsys.readouterr().err == "error: no mirror answers\n"


def test_student_says_what_was_written_and_what_was_kept(tmp_path, capsys):
    write(tmp_path / "00_a.ipynb", "1")
    options = ["student", "--notebooks", str(tmp_path), "--output", str(tmp_path / "out")]
    assert main(options) == 0 and "1 notebooks without" in capsys.readouterr().out
    (tmp_path / "out" / "00_a.ipynb").write_text("mine")
    assert main(options) == 0 and "  00_a.ipynb" in capsys.readouterr().out
    assert main([*options, "--force"]) == 0 and "Kept" not in capsys.readouterr().out
    assert main([*options, "7"]) == 2 and "No notebook fits '7'" in capsys.readouterr().err


def test_slides_names_the_files_it_wrote(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "00_a.ipynb", "1")
    options = ["slides", "--notebooks", str(tmp_path), "--output", str(tmp_path / "out")]
    assert main([*options, "0"]) == 0
    assert capsys.readouterr().out == "out/00_a.slides.html\n" and (tmp_path / "out" / "00_a.slides.html").is_file()
    assert main([*options, "7"]) == 2 and "error: No notebook fits '7'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["run", "--profile", "half"], ["run", "--timeout", "0"], ["runn"]])
def test_a_command_that_does_not_exist_is_refused_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2 and "usage: python -m mnist_helpers" in capsys.readouterr().err
