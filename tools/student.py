"""The edition for students, build/student: the notebooks without solutions and results, and what they need to run.

    python -m tools.student [02 ...] [--output FOLDER] [--force]

The folder can be handed out: it stands without this repository. Written again, it keeps what a student changed in it.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbconvert.preprocessors import ClearOutputPreprocessor, TagRemovePreprocessor
from nbformat import NotebookNode

from mnist_helpers.common.files import atomic_write
from tools.series import NOTEBOOKS, ROOT, find, read, shown

BESIDE = ("pictures/*", "results/*.csv", "checkpoints/**/*.npz", "checkpoints/**/*.skops")  # beside the notebooks
LIBRARY = (
    "LICENSE",
    "Makefile",
    "requirements.lock",
    "setup.cfg",
    "pyproject.toml",
    "mnist_helpers/**/*",
    "tools/install*",
)
_WHERE_SOLUTIONS_ARE = re.compile(r"(?<=[.!?]) [^.!?;]*\b[Ss]olutions?\b[^.!?;]*\bfolded\b[^.!?;]*\.")
RECORD = ".edition.json"  # digests of all that was ever written here: a file with another one was changed by someone
README = """# MNIST, honestly: notebooks for students

Open them with

    make lab

or, without `make` (Python 3.11, 3.12 or 3.13):

    python3 -m venv .venv
    .venv/bin/python -m pip install -r requirements.lock
    .venv/bin/python -m pip install --no-deps -e .
    .venv/bin/python -m jupyterlab notebooks

Begin with `00_start_here`. Run each notebook from top to bottom with Shift+Enter; in an exercise, your answer goes
where the `...` is, and the cell tells you whether it is right. What you change
is kept when your teacher writes this folder anew.
"""


def student_version(path: Path) -> bytes:
    """Return a notebook without the cells tagged "solution", without outputs and counts."""
    notebook, _ = TagRemovePreprocessor(remove_cell_tags=["solution"], enabled=True).preprocess(read(path), {})
    notebook = handed_out(notebook)
    return (nbformat.writes(notebook) + "\n").encode()


def handed_out(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook without outputs and counts, and without the sentences that say where its solutions are."""
    notebook, _ = ClearOutputPreprocessor(enabled=True).preprocess(notebook, {})
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _WHERE_SOLUTIONS_ARE.sub("", cell.source)
    return notebook


def _files(paths: Sequence[Path], notebooks: Path) -> Iterator[tuple[str, bytes]]:
    yield "README.md", README.encode()
    for path in paths:
        yield f"notebooks/{path.name}", student_version(path)
    for folder, patterns, prefix in ((notebooks, BESIDE, "notebooks/"), (ROOT, LIBRARY, "")):
        for path in sorted(path for pattern in patterns for path in folder.glob(pattern) if path.is_file()):
            if "__pycache__" not in path.parts and not path.name.startswith("."):
                yield prefix + path.relative_to(folder).as_posix(), path.read_bytes()


def write_edition(
    selection: Sequence[str] = (),
    notebooks: Path = NOTEBOOKS,
    output: Path = ROOT / "build" / "student",
    *,
    force: bool = False,
) -> list[str]:
    """Write the edition; return the files that were kept because someone changed them, none with ``force``."""
    record = output / RECORD
    try:
        known = {name: list(digests) for name, digests in json.loads(record.read_bytes()).items()}
    except (OSError, ValueError, AttributeError, TypeError):  # none, or damaged: nothing is known to be ours
        known = {}
    kept = []
    new: dict[str, bytes] = {}
    for name, content in _files(find(selection, notebooks), notebooks):
        present = (output / name).read_bytes() if (output / name).is_file() else None
        if present is not None and present != content and not force and _digest(present) not in known.get(name, []):
            kept.append(name)
            continue
        if _digest(content) not in known.setdefault(name, []):
            known[name].append(_digest(content))
        if present != content:
            new[name] = content
    if new:  # first the record: stopped in between, no file must be taken for a student's
        atomic_write(record, json.dumps(known, indent=1).encode())
    for name, content in new.items():
        atomic_write(output / name, content)
    return kept


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute a command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.student", description="Write the edition for students.")
    parser.add_argument("selection", nargs="*", help="such as 02 or 02_linear; all notebooks if none")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "student", help="its folder (build/student)")
    parser.add_argument("--force", action="store_true", help="replace also what was changed there")
    options = parser.parse_args(arguments)
    kept = write_edition(options.selection, output=options.output, force=options.force)
    print(f"The edition for students is {shown(options.output)}; open it with: make -C {shown(options.output)} lab")
    if kept:
        print("Kept, because they were changed there (--force replaces them):", *kept, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
