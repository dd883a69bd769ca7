"""Time and memory of the whole series: every notebook executed from the checkpoints, as a reader would."""

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .figures import Figure, Part
from .workers import children_cpu, on_cores, say

LIMIT_MB = 2048
CORES = 2
LIMIT_SECONDS, LIMIT_LONG, LONG = 90, 180, ("10", "11")  # of a notebook, and of the two that may take longer
TOTAL_SECONDS = {"full": 12 * 60, "smoke": 8 * 60}
_TIMEOUT = 3600  # seconds; a cell without its checkpoint trains
_LIVE = re.compile(r"^.+: (?:trained \(|fitted in )", re.MULTILINE)


@dataclass(frozen=True)
class Executed:
    """One notebook: its ``Result``, CPU seconds of its kernel, how much it trained live, and on which data."""

    result: Any
    cpu: float
    live: int
    source: str

    @property
    def note(self) -> str:
        """What a reader of the figures must know; empty when it went as it should."""
        notes = [] if self.result.ok else [f"FAILED, {self.result.place}"]
        notes += [f"{self.live} trained or fitted live"] if self.live else []
        notes += [] if self.source == "mnist" else [f"on {self.source}"]
        return "; ".join(notes)


def measure(*, quick: bool = False) -> Part:
    """Execute the notebooks in the full profile, one after the other; the quick way, the first two only."""
    return profile_part("full", quick=quick)


def profile_part(profile: str, *, quick: bool) -> Part:
    """Execute the notebooks in a profile on two cores; a failed claim does not stop one."""
    from mnist_helpers import load_mnist
    from tools.run import execute, kernel_environment
    from tools.series import find

    source = load_mnist().source
    environment = kernel_environment(profile, source) | {"MNIST_STRICT": "0"}
    done: list[Executed] = []
    with tempfile.TemporaryDirectory() as folder, on_cores(CORES):
        environment["MNIST_RESULTS"] = str(results_in(Path(folder)))
        for path in find()[: 2 if quick else None]:
            say(f"series, {profile}: {path.stem}")
            before = children_cpu()
            notebook, result = execute(path, environment, timeout=_TIMEOUT)
            live = live_runs(notebook) if profile == "full" else 0  # the small budgets train everything live
            done.append(Executed(result, children_cpu() - before, live, source))
    return part_of(done, profile, whole=not quick)


def results_in(folder: Path) -> Path:
    """Copy the leaderboard, so that notebooks that read it find it and those that write it change a copy."""
    from mnist_helpers.course.leaderboard import results_directory

    copy = folder / "results"
    if results_directory().is_dir():
        return Path(shutil.copytree(results_directory(), copy))
    copy.mkdir(parents=True)
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


def part_of(done: Sequence[Executed], profile: str, *, whole: bool) -> Part:
    """Return the figures of all notebooks, the totals last, and the errors of those that failed."""
    part = Part()
    for each in done:
        part.figures.extend(figures(each, profile))
        if not (result := each.result).ok:
            part.errors.append(f"{result.name}, {result.place}: {result.error}")
    part.figures.extend(totals(done, profile, whole=whole))
    return part


def figures(each: Executed, profile: str) -> list[Figure]:
    """Return peak memory and seconds of one executed notebook; a failed one says so and meets no target."""
    result = each.result
    peak = (result.peak_mb,) if result.peak_mb else ()
    seconds = LIMIT_LONG if result.name.startswith(LONG) else LIMIT_SECONDS
    limits = (LIMIT_MB, seconds if profile == "full" else None) if result.ok else (None, None)
    return [
        Figure("series", result.name, profile, "MB, peak", peak, target=limits[0], note=each.note),
        Figure("series", result.name, profile, "s", (result.seconds,), target=limits[1], note=each.note),
        Figure("series", result.name, profile, "CPU s", (each.cpu,), note=each.note),
    ]


def totals(done: Sequence[Executed], profile: str, *, whole: bool) -> list[Figure]:
    """Return the sums over all notebooks; the target stands only where each was executed, without an error."""
    what = f"all {len(done)} notebooks" if whole else f"{len(done)} notebooks"
    target = TOTAL_SECONDS[profile] if whole and all(each.result.ok for each in done) else None
    note = f"{live} trained or fitted live" if (live := sum(each.live for each in done)) else ""
    seconds, cpu = sum(each.result.seconds for each in done), sum(each.cpu for each in done)
    return [
        Figure("series", what, profile, "s", (seconds,), target=target, note=note),
        Figure("series", what, profile, "CPU s", (cpu,), note=note),
    ]
