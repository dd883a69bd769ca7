"""Memory and time of every notebook's kernel, executed from the checkpoints as a reader would."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from .figures import Figure, Part
from .workers import say

LIMIT_MB = 2048
_TIMEOUT = 3600  # seconds; a cell without its checkpoint trains
_LIVE = re.compile(r"^.+: (?:trained \(|fitted in )", re.MULTILINE)


def measure(*, quick: bool = False) -> Part:
    """Execute the notebooks in the full profile, one after the other; the quick way, the first two only."""
    from mnist_helpers.data import load_mnist
    from mnist_helpers.kernels import execute, kernel_environment
    from mnist_helpers.run import find_notebooks

    source = load_mnist().source
    environment = kernel_environment(profile="full", standin=source != "mnist", strict=False)
    part = Part()
    with tempfile.TemporaryDirectory() as folder:
        environment["MNIST_RESULTS"] = str(_results_in(Path(folder)))
        for path in find_notebooks()[: 2 if quick else None]:
            say(f"memory of {path.stem}")
            notebook, result = execute(path, environment=environment, timeout=_TIMEOUT)
            part.figures.extend(figures(result, live_runs(notebook), source))
            if not result.ok:
                part.errors.append(f"{result.name}, {result.place or 'not started'}: {result.error}")
    return part


def _results_in(folder: Path) -> Path:
    """Copy the leaderboard, so that notebooks that read it find it and those that write it change a copy."""
    from mnist_helpers.leaderboard import results_directory

    copy = folder / "results"
    if results_directory().is_dir():
        return Path(shutil.copytree(results_directory(), copy))
    copy.mkdir()
    return copy


def live_runs(notebook: Any) -> int:
    """Return how many systems a notebook trained or fitted because no checkpoint was there."""
    texts = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream" and output.name == "stdout"
    ]
    return sum(len(_LIVE.findall(text)) for text in texts)


def figures(result: Any, live: int, source: str) -> list[Figure]:
    """Return the peak memory and the seconds of one executed notebook; a failed one says so and meets no target."""
    notes = [] if result.ok else [f"FAILED, {result.place or 'not started'}"]
    notes += [f"{live} trained or fitted live"] if live else []
    notes += [] if source == "mnist" else [f"on {source}"]
    note = "; ".join(notes)
    peak = () if result.peak_mb is None else (result.peak_mb,)
    limit = LIMIT_MB if result.ok else None
    return [
        Figure("memory", result.name, "", "MB, peak", peak, target=limit, note=note),
        Figure("memory", result.name, "", "s", (result.seconds,), note=note),
    ]
