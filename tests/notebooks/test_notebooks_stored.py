"""The notebooks as they are stored: executed in order from a clean kernel, and nothing in them that should not be.

Nothing is executed here. Each check is a function that yields what is wrong.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output
from sample_notebooks import code, text

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
LARGEST = 3_000_000  # bytes
TAGS = {"nbval-check-output", "any-data", "exercise", "solution", "pitfall"}
TAGS |= {"core", "checks", "hide-input", "hide-cell"}  # the learner's own code; checked numbers; folded on the page
VOLATILE = {"execution", "ExecuteTime", "collapsed", "scrolled"}

_PROGRESS = re.compile(r"\r|\d%\||\bit/s\b|\bs/it\b|\bETA\b|\d ━|█")  # the table of summary() has ━ as well
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}")
_STANDIN = re.compile(r"THIS IS NOT MNIST|SMOKE PROFILE|sklearn-digits|stand-in")
_ABSOLUTE = re.compile(
    r"(?<![\w.:/~-])/(?:home|root|tmp|Users|work|mnt|opt|usr|var|private|srv|data|content|workspaces?)/"
    r"|\b[A-Za-z]:\\+\w|\bfile:///"
)


def code_cells(notebook: NotebookNode) -> list[tuple[str, NotebookNode]]:
    return [(f"cell {n}", cell) for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"]


def output_texts(cell: NotebookNode) -> Iterator[str]:
    """All that the outputs of a cell say in words; pictures are left out."""
    for output in cell.outputs:
        yield output.get("text", "")
        yield from output.get("traceback", [])
        for mime, data in output.get("data", {}).items():
            if not mime.startswith("image/"):
                yield data if isinstance(data, str) else json.dumps(data)


def format_problems(notebook: NotebookNode) -> Iterator[str]:
    if (notebook.nbformat, notebook.nbformat_minor) != (4, 5):
        yield f"nbformat is {notebook.nbformat}.{notebook.nbformat_minor}, not 4.5"
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        yield f"not valid: {error.message}"
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"
    if "widgets" in notebook.metadata:
        yield "widget state is stored"


def id_problems(notebook: NotebookNode) -> Iterator[str]:
    ids = [cell.get("id") for cell in notebook.cells]
    yield from (f"cell id {name!r} is not unique" for name in sorted(set(map(str, ids))) if ids.count(name) != 1)


def order_problems(notebook: NotebookNode) -> Iterator[str]:
    counts = [cell.execution_count for _, cell in code_cells(notebook) if cell.source.strip()]
    if counts != list(range(1, len(counts) + 1)):
        yield f"not executed in order from a clean kernel: {counts}"


def output_problems(notebook: NotebookNode) -> Iterator[str]:
    for place, cell in code_cells(notebook):
        if any(output.output_type == "error" for output in cell.outputs):
            yield f"{place}: an error is stored"
        if any(output.get("name") == "stderr" for output in cell.outputs):
            yield f"{place}: a warning or another text on stderr is stored"
        if any("widget-view" in mime for output in cell.outputs for mime in output.get("data", {})):
            yield f"{place}: a widget is stored"
        said = "\n".join(output_texts(cell))
        patterns = {"a progress bar": _PROGRESS, "an object's address": _ADDRESS}
        patterns["an output on the stand-in or in the smoke profile"] = _STANDIN
        yield from (f"{place}: {what} is stored" for what, pattern in patterns.items() if pattern.search(said))
        yield from (f"{place}: volatile metadata {name!r}" for name in sorted(VOLATILE & set(cell.metadata)))


def path_problems(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(notebook.cells):
        said = [cell.source, *(output_texts(cell) if cell.cell_type == "code" else [])]
        yield from (f"cell {number}: absolute path {match[0]}" for match in map(_ABSOLUTE.search, said) if match)


def source_problems(notebook: NotebookNode) -> Iterator[str]:
    for place, cell in code_cells(notebook):
        try:
            tree = ast.parse(cell.source)
        except SyntaxError as error:
            yield f"{place}: a magic, a shell command, or not Python: {error.text}"
            continue
        for node in ast.walk(tree):
            name = getattr(node, "id", None) or getattr(node, "attr", None)
            if name == "get_ipython":
                yield f"{place}: get_ipython"


def tag_problems(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(notebook.cells):
        tags = set(cell.metadata.get("tags", []))
        yield from (f"cell {number}: unknown tag {tag!r}" for tag in sorted(tags - TAGS))
        if "any-data" in tags and "nbval-check-output" not in tags:
            yield f"cell {number}: any-data without nbval-check-output does nothing"
        if "nbval-check-output" in tags and not cell.get("outputs"):
            yield f"cell {number}: an output is checked, but none is stored"


def balance_problems(notebook: NotebookNode) -> Iterator[str]:
    """Stubs and solutions of exercises, and what is folded away, need no words of their own."""
    apart = {"exercise", "solution", "hide-cell"}
    prose = sum(cell.cell_type == "markdown" for cell in notebook.cells)
    code = sum(not apart & set(cell.metadata.get("tags", [])) for _, cell in code_cells(notebook))
    if prose < code:
        yield f"more code cells ({code}) than cells of prose ({prose})"


CHECKS = [
    format_problems,
    id_problems,
    order_problems,
    output_problems,
    path_problems,
    source_problems,
    tag_problems,
    balance_problems,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_notebook(path, check):
    assert list(check(nbformat.read(path, as_version=nbformat.NO_CONVERT))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_written_as_jupyter_writes_it(path):
    """Else the next who saves it changes every line."""
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    assert path.read_text(encoding="utf-8").strip() == nbformat.writes(notebook).strip()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_size_of_stored_notebook(path):
    assert path.stat().st_size < LARGEST


def good() -> NotebookNode:
    notebook = nbformat.v4.new_notebook(
        cells=[
            text("# Title\n\nSee https://example.org/home/page and ../notebooks/x, at 50% | more."),
            code("x = 7 % 4\nprint(x)", printed="3\n", tags=["nbval-check-output", "any-data"], count=1),
            text("Read."),
            code(""),
            text("Claim."),
            code("claim('three', x == 3, 'x is 3')", count=2),
        ]
    )
    notebook.nbformat_minor = 5
    notebook.metadata.kernelspec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return notebook


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_good_notebook_has_no_problem(check):
    assert list(check(good())) == []


def stream(name: str, said: str) -> NotebookNode:
    return new_output("stream", name=name, text=said)


def shown(**data: object) -> NotebookNode:
    return new_output("display_data", data={mime.replace("_", "/"): value for mime, value in data.items()})


BAD_OUTPUTS = [
    (output_problems, new_output("error", ename="E", evalue="", traceback=["E"]), "an error is stored"),
    (output_problems, stream("stderr", "UserWarning: x"), "on stderr"),
    (output_problems, stream("stdout", "[<matplotlib.axis.XTick at 0x7f9e09a9ea50>]"), "an object's address is stored"),
    (output_problems, stream("stdout", "Epoch 1\rEpoch 2"), "progress bar"),
    (output_problems, stream("stdout", " 40%|####  |"), "progress bar"),
    (output_problems, stream("stdout", "3.1 it/s"), "progress bar"),
    (output_problems, stream("stdout", "12/12 ━━━━ 1s"), "progress bar"),
    (output_problems, shown(text_plain="ETA 3 s"), "progress bar"),
    (output_problems, shown(**{"application/vnd.jupyter.widget-view+json": {"model_id": "a"}}), "a widget"),
    (output_problems, stream("stdout", "THIS IS NOT MNIST."), "stand-in"),
    (output_problems, stream("stdout", "SMOKE PROFILE: x"), "smoke profile"),
    (output_problems, shown(text_html="<td>sklearn-digits</td>"), "stand-in"),
    (path_problems, stream("stdout", "saved in /home/me/x.npz"), "absolute path /home/"),
    (path_problems, shown(text_html="<a href='/work/x'>"), "absolute path /work/"),
    (path_problems, shown(text_plain=r"WindowsPath('C:\\Users')"), "absolute path C:"),
]


@pytest.mark.parametrize(("check", "output", "message"), BAD_OUTPUTS)
def test_a_bad_output_is_found(check, output, message):
    notebook = good()
    notebook.cells[1].outputs.append(output)
    (problem,) = check(notebook)
    assert problem.startswith("cell 1: ") and message in problem
