"""``make run`` under faults: killed, nowhere to write, a folder and a locale that make names difficult, no HOME."""

import os
import resource
import signal
import subprocess
import sys
import time

import psutil
import pytest
from sample_notebooks import text, write

from mnist_helpers.__main__ import main


@pytest.fixture(autouse=True)
def standin(monkeypatch):
    """No test here needs the real digits, nor the network."""
    monkeypatch.setenv("MNIST_STANDIN", "always")
    for name in ("MNIST_DATA", "MNIST_PROFILE", "MNIST_STRICT"):
        monkeypatch.delenv(name, raising=False)


def options(folder):
    return ["run", "--notebooks", str(folder), "--output", str(folder / "out"), "--profile", "smoke"]


def is_over(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


WAIT_ONCE = """
import os, pathlib, time
note = pathlib.Path("pid of the cell, größer.txt")
if not note.exists():
    note.write_text(str(os.getpid()))
    time.sleep(120)
print("Größe:", 3)
"""


def test_killed_it_leaves_whole_pages_no_kernel_and_the_notebooks_and_then_it_succeeds(tmp_path):
    folder = tmp_path / "Übung 3 – числа"
    first = write(folder / "00_quick.ipynb", text("# Zahlen und Größen"), "print('früh')")
    second = write(folder / "01_größer.ipynb", text("# Später"), WAIT_ONCE.strip())
    before = first.read_bytes(), second.read_bytes()
    environment = {
        name: value for name, value in os.environ.items() if name != "HOME" and name[:3] not in ("LC_", "LAN")
    }
    command = [sys.executable, "-m", "mnist_helpers", *options(folder)]
    process = subprocess.Popen(command, env=environment | {"LC_ALL": "C"}, stderr=subprocess.PIPE)
    note = folder / "pid of the cell, größer.txt"
    while not (note.exists() and note.read_text()):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=60)
    kernel, pages = int(note.read_text()), folder / "out" / "html"
    assert {path.name for path in pages.iterdir()} == {"00_quick.html", "index.html", "results.json"}
    assert "früh" in (pages / "00_quick.html").read_text(encoding="utf-8")
    assert "Zahlen und Größen" in (pages / "index.html").read_text(encoding="utf-8")
    assert (first.read_bytes(), second.read_bytes()) == before
    assert main([*options(folder), "1"]) == 0
    assert "Größe: 3" in (pages / "01_größer.html").read_text(encoding="utf-8")
    index = (pages / "index.html").read_text(encoding="utf-8")
    assert index.count("✓ ok") == 2 and not list(folder.rglob("*.tmp"))
    for _ in range(600):  # a kernel looks for its parent once in a second
        if is_over(kernel):
            break
        time.sleep(0.05)
    assert is_over(kernel)


@pytest.fixture
def one(tmp_path):
    """A notebook that cannot be read, so that a page is written and no kernel is needed."""
    (tmp_path / "00_a.ipynb").write_text("{no notebook")
    return tmp_path


def test_a_folder_that_cannot_be_written_is_named(one, capsys):
    (one / "out").write_text("a file where the folder should be; a mode would not stop the superuser")
    assert main(options(one)) == 2
    error = capsys.readouterr().err
    assert f"error: The pages cannot be written ({one / 'out' / 'html'}: Not a directory). Name another" in error
    assert "Traceback" not in error
    (one / "out").unlink()
    assert main(options(one)) == 1 and (one / "out" / "html" / "00_a.html").is_file()


# Root is not bound by modes, unless it gives that power up for good (capability 1, by prctl 24).
READ_ONLY = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(24, 1)
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1], *sys.argv[2:]])
"""
RUN_TWICE = """
import os, sys
from mnist_helpers.__main__ import main
folder, elsewhere = sys.argv[1:]
if os.access(folder, os.W_OK):
    sys.exit("modes do not bind here")
for output in (folder + "/build", elsewhere):
    print(main(["run", "--notebooks", folder, "--output", output, "--profile", "smoke"]))
"""


def test_in_a_read_only_checkout_it_says_so_at_once_and_works_with_another_output(tmp_path):
    folder = tmp_path / "checkout"
    write(folder / "00_a.ipynb", text("# A"), "print(6 * 7)")
    files = sorted(folder.iterdir())
    folder.chmod(0o555)
    command = [sys.executable, "-c", READ_ONLY, RUN_TWICE, str(folder), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    folder.chmod(0o755)
    if "modes do not bind here" in done.stderr:
        pytest.skip("modes do not bind this user, and it cannot give that up")
    assert done.returncode == 0, done.stderr
    first, *_, last = done.stdout.splitlines()
    error, begun = done.stderr.splitlines()[:2]
    build = folder / "build" / "html"
    message = f"error: The pages cannot be written ({build}: Permission denied). Name another directory with --output."
    assert (first, error, last) == ("2", message, "0") and "00_a" in begun  # and nothing was executed before
    assert "42" in (tmp_path / "out" / "html" / "00_a.html").read_text(encoding="utf-8")
    assert sorted(folder.iterdir()) == files


def test_a_full_disk_costs_a_message_and_no_half_written_page(one, capsys):
    main(options(one))
    pages = {path: path.read_bytes() for path in (one / "out" / "html").iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        assert main(options(one)) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert "error: [Errno 27] File too large" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (one / "out" / "html").iterdir()} == pages
    assert main(options(one)) == 1 and "00_a" in (one / "out" / "html" / "index.html").read_text(encoding="utf-8")
