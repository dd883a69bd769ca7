"""Notebooks are really executed here, in real kernels, but tiny ones and on the stand-in data."""

import io
import re
import sys
import time
from pathlib import Path

import nbformat
import pytest
from pages import problems
from sample_notebooks import code, text, write

from mnist_helpers import render, site
from mnist_helpers import run as runner
from mnist_helpers.kernels import NotebookResult, read_notebook
from mnist_helpers.run import RunError, run, store_outputs, summary


@pytest.fixture(autouse=True)
def standin(monkeypatch):
    """No test here needs the real digits, nor the network."""
    monkeypatch.setenv("MNIST_STANDIN", "always")
    for name in ("MNIST_DATA", "MNIST_PROFILE", "MNIST_STRICT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """A series in which much goes wrong, in a folder with spaces and accents, and the results of running it."""
    folder = tmp_path_factory.mktemp("série à lire")
    write(folder / "00_fine.ipynb", "import os, sys", "print(os.getcwd(), sys.executable, os.environ['MNIST_PROFILE'])")
    write(folder / "01_wrong.ipynb", "x = 0", "1 / 0", code("2", printed="never\n", count=9))
    write(folder / "02_killed.ipynb", "x = 1", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "x")
    (folder / "03_unreadable.ipynb").write_text("{no notebook")
    write(folder / "04_slow.ipynb", "import time; time.sleep(60)")
    write(folder / "05_last.ipynb", "big = bytearray(200 * 2**20)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_STANDIN", "always")
        started = time.monotonic()
        results = run(profile="smoke", notebooks=folder, output=folder / "out", timeout=4)
    assert time.monotonic() - started < 60
    return folder, results


def test_a_failing_notebook_does_not_keep_the_others_from_running(series):
    _, results = series
    assert [result.ok for result in results] == [True, False, False, False, False, True]
    assert [result.place for result in results] == ["", "cell 2 of 3", "cell 2 of 3", "", "cell 1 of 1", ""]


def test_the_summary_names_notebook_cell_and_error(series):
    table = summary(series[1])
    assert "2 of 6 executed without an error" in table
    assert "\nFAILED 01_wrong, cell 2 of 3: ZeroDivisionError: division by zero\n" in table
    assert (
        "\nFAILED 02_killed, cell 2 of 3: the kernel died (SIGKILL: killed from outside, or out of memory)\n" in table
    )
    assert "\nFAILED 03_unreadable: not a readable notebook" in table
    assert "\nFAILED 04_slow, cell 1 of 1: timeout: the cell took longer than 4 s" in table


def test_the_memory_of_each_kernel_is_its_own(series):
    peaks = {result.name: result.peak_mb for result in series[1]}
    assert peaks["03_unreadable"] is None
    assert peaks["05_last"] > peaks["00_fine"] + 150


def test_every_notebook_has_a_page_with_its_error_and_nothing_stale(series):
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (series[0] / "out" / "html").glob("0*.html")}
    assert len(pages) == 6
    assert "ZeroDivisionError" in pages["01_wrong"] and "never" not in pages["01_wrong"]
    assert "the kernel died" in pages["02_killed"]
    assert "was not executed" in pages["03_unreadable"] and "took longer" in pages["04_slow"]
    index = (series[0] / "out" / "html" / "index.html").read_text(encoding="utf-8")
    assert index.count("✓ ok") == 2 and index.count("✗ failed") == 4


def test_notebooks_that_were_not_chosen_get_pages_with_their_stored_results(tmp_path):
    write(tmp_path / "00_a.ipynb", "print('now')")
    write(tmp_path / "01_b.ipynb", code("1", printed="stored long ago\n", count=1))
    (result,) = run(["0"], profile="smoke", notebooks=tmp_path, output=tmp_path / "out")
    assert result.name == "00_a"
    assert "stored long ago" in (tmp_path / "out" / "html" / "01_b.html").read_text(encoding="utf-8")
    assert problems(tmp_path / "out" / "html") == []


def test_a_kernel_is_of_this_interpreter_and_works_in_the_notebooks_folder(series):
    folder, _ = series
    page = (folder / "out" / "html" / "00_fine.html").read_text(encoding="utf-8")
    assert f"{folder} {sys.executable} smoke" in page


def test_running_leaves_the_notebooks_as_they_were_and_no_temporary_file(series):
    folder, _ = series
    assert nbformat.read(folder / "01_wrong.ipynb", as_version=4).cells[2].outputs[0].text == "never\n"
    assert not [path for path in folder.rglob("*") if path.name.endswith(".tmp")]


def test_a_folder_without_notebooks_is_an_error_not_a_success(tmp_path):
    with pytest.raises(RunError, match="There is no notebook in"):
        run(notebooks=tmp_path)


def test_an_output_that_cannot_be_written_is_said_before_anything_is_executed(tmp_path):
    write(tmp_path / "00_fine.ipynb", "open('executed', 'w').close()")
    (tmp_path / "out").write_text("a file, no folder")
    with pytest.raises(RunError, match="pages cannot be written.*--output"):
        run(profile="smoke", notebooks=tmp_path, output=tmp_path / "out")
    assert not (tmp_path / "executed").exists() and (tmp_path / "out").read_text() == "a file, no folder"


def test_mnist_that_cannot_be_had_is_said_once_and_the_kernels_do_not_try_again(tmp_path, monkeypatch, capsys):
    def unreachable():
        import warnings

        warnings.warn("This is not MNIST", stacklevel=2)
        return type("Digits", (), {"source": "sklearn-digits"})

    monkeypatch.setattr(runner, "load_mnist", unreachable)
    monkeypatch.delenv("MNIST_STANDIN")
    write(tmp_path / "00_a.ipynb", "import os\nassert os.environ['MNIST_STANDIN'] == 'always'")
    assert all(result.ok for result in run(notebooks=tmp_path, output=tmp_path / "out"))
    assert capsys.readouterr().err.count("warning: This is not MNIST") == 1


@pytest.fixture
def real(monkeypatch):
    """As on the real MNIST."""
    monkeypatch.setattr(runner, "_data_source", lambda: "mnist")


def test_outputs_stored_in_place_are_those_of_the_run_without_what_varies(tmp_path, real):
    path = write(tmp_path / "00_a.ipynb", text("# A"), "x = 2", code("print(x)", printed="old\n", tags=["any-data"]))
    bad = write(tmp_path / "01_b.ipynb", code("1 / 0", printed="old\n"))
    before = bad.read_bytes()
    results = run(notebooks=tmp_path, output=tmp_path / "out", in_place=True)
    assert [result.ok for result in results] == [True, False]
    stored = nbformat.read(path, as_version=4)
    assert [cell.get("execution_count") for cell in stored.cells] == [None, 1, 2]
    assert stored.cells[2].outputs[0].text == "2\n"
    assert stored.cells[2].metadata == {"tags": ["any-data"]} and stored.cells[1].metadata == {}
    assert stored.metadata.language_info == {"name": "python"} and stored.metadata.kernelspec.name == "python3"
    assert path.read_bytes().endswith(b"}\n")
    assert bad.read_bytes() == before


@pytest.mark.parametrize(
    ("profile", "message"), [("smoke", "only in the full profile"), ("full", "not on the stand-in")]
)
def test_in_place_is_refused_where_outputs_would_not_be_the_real_ones(tmp_path, profile, message):
    path = write(tmp_path / "00_a.ipynb", "1")
    before = path.read_bytes()
    with pytest.raises(RunError, match=message):
        run(notebooks=tmp_path, output=tmp_path / "out", profile=profile, in_place=True)
    assert path.read_bytes() == before and not (tmp_path / "out").exists()


def test_a_notebook_edited_meanwhile_is_not_overwritten(tmp_path, real):
    edit = "import pathlib\np = pathlib.Path('00_a.ipynb')\np.write_text(p.read_text() + ' ')"
    path = write(tmp_path / "00_a.ipynb", edit)
    before = path.read_text()
    (result,) = run(notebooks=tmp_path, output=tmp_path / "out", in_place=True)
    assert not result.ok and "was changed while" in result.error
    assert path.read_text() == before + " "


def test_in_place_is_refused_at_once_where_no_notebook_can_be_written(tmp_path, real, monkeypatch):
    def read_only(dir):  # noqa: A002
        if dir == tmp_path / "notebooks":
            raise PermissionError(13, "Permission denied", str(dir))
        return temporary(dir=dir)

    temporary = runner.tempfile.TemporaryFile
    monkeypatch.setattr(runner.tempfile, "TemporaryFile", read_only)
    write(tmp_path / "notebooks" / "00_a.ipynb", "open('executed', 'w').close()")
    with pytest.raises(RunError, match="stored in the notebooks .*notebooks: Permission denied.*Leave out --in-place"):
        run(notebooks=tmp_path / "notebooks", output=tmp_path / "out", in_place=True)
    assert [path.name for path in (tmp_path / "notebooks").iterdir()] == ["00_a.ipynb"]


def unwell(path, monkeypatch, error=None):
    """Let the rendering of one notebook fail."""

    def fails(notebook, *, lesson, **around):
        if lesson.name == path.stem and "cannot be rendered" not in str(notebook.cells):
            raise error or RuntimeError("of a filter")
        return render.page(notebook, lesson=lesson, **around)

    monkeypatch.setattr(site, "page", fails)


def test_outputs_are_stored_whatever_becomes_of_the_page(tmp_path, real, monkeypatch):
    path = write(tmp_path / "00_a.ipynb", "print(1 + 1)")
    unwell(path, monkeypatch)
    (result,) = run(notebooks=tmp_path, output=tmp_path / "out", in_place=True)
    assert not result.ok and result.error == "the page cannot be rendered: RuntimeError: of a filter"
    assert nbformat.read(path, as_version=4).cells[0].outputs[0].text == "2\n"
    unwell(path, monkeypatch, KeyboardInterrupt())
    path.write_bytes(path.read_bytes().replace(b"1 + 1", b"1 + 2"))
    with pytest.raises(KeyboardInterrupt):
        run(notebooks=tmp_path, output=tmp_path / "out", in_place=True)
    assert nbformat.read(path, as_version=4).cells[0].outputs[0].text == "3\n"


def no_kernel(path, **_):
    """As ``execute``, but nothing is executed."""
    return nbformat.read(path, as_version=4), NotebookResult(path.stem, "ok", 1.0, 1)


def test_a_page_that_cannot_be_rendered_fails_alone(tmp_path, monkeypatch):
    names = ["00_a", "01_b", "02_c"]
    paths = [write(tmp_path / f"{name}.ipynb", code("1", printed="seen\n")) for name in names]
    monkeypatch.setattr(runner, "execute", no_kernel)
    unwell(paths[1], monkeypatch)
    results = run(profile="smoke", notebooks=tmp_path, output=tmp_path / "out")
    assert [result.status for result in results] == ["ok", "failed", "ok"]
    assert "FAILED 01_b: the page cannot be rendered: RuntimeError: of a filter" in summary(results)
    pages = [(tmp_path / "out" / "html" / f"{name}.html").read_text(encoding="utf-8") for name in (*names, "index")]
    assert ["seen" in page for page in pages] == [True, False, True, False]
    assert "This notebook cannot be rendered" in pages[1] and "of a filter" in pages[3]
    assert problems(tmp_path / "out" / "html") == []


def test_outputs_that_cannot_be_stored_fail_their_notebook_and_the_others_go_on(tmp_path, real, monkeypatch):
    def full(path, *_):
        if path.stem == "00_a":
            raise OSError("no space left")

    for name in ("00_a", "01_b"):
        write(tmp_path / f"{name}.ipynb", code("1", printed="seen\n"))
    monkeypatch.setattr(runner, "execute", no_kernel)
    monkeypatch.setattr(runner, "store_outputs", full)
    results = run(notebooks=tmp_path, output=tmp_path / "out", in_place=True)
    assert [result.error for result in results] == ["its outputs cannot be stored: no space left", None]
    assert "seen" in (tmp_path / "out" / "html" / "00_a.html").read_text(encoding="utf-8")  # it is not all lost


def test_a_write_that_fails_leaves_the_old_notebook_whole(tmp_path, monkeypatch):
    path = write(tmp_path / "00_a.ipynb", "1")
    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        store_outputs(path, read_notebook(path), before)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["00_a.ipynb"]


def test_a_terminal_shows_notebook_cell_and_elapsed_time_in_one_line(tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("00_a", "01_b"):
        write(tmp_path / f"{name}.ipynb", "1", "2")
    run(notebooks=tmp_path, output=tmp_path / "out", profile="smoke")
    shown = sys.stderr.getvalue().split("\r")
    bars = [re.match(r"notebook 2 of 2, 01_b, cell 2 of 2 \|([█#][^|]+)\| 00:\d\d *$", line) for line in shown]
    assert any(bars), shown
    assert all(len(bar[1].rstrip()) > 0.6 * len(bar[1]) for bar in bars if bar)  # three of four cells are behind it
    assert any("notebook 1 of 2, 00_a: ok" in line for line in shown)


def test_summary_of_results_lines_up():
    lines = summary([NotebookResult("a", "ok", 1.0, 3, 100.0), NotebookResult("long_name", "ok", 61, 12)]).splitlines()
    assert len({len(line) for line in lines[:3]}) == 1
    assert lines[3] == "2 of 2 executed without an error, in 1 min 2 s"
