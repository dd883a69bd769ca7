"""A class on one host: eight kernels at once on the notebook of convolutional networks, and one read-only MNIST.

Each learner has a cache and a leaderboard of their own; the data are one file in a folder that nobody can write, named
by MNIST_DATA. The memory of a kernel is its PSS where the system tells it (Linux): a page that several processes
share, such as the code of TensorFlow, is divided among them, so that the sum over kernels counts it once.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from .bench_series import live_runs, results_in
from .figures import Figure, Part
from .workers import children_cpu, say

KERNELS = 8
NOTEBOOK = "04"
ROUNDS = 5
_TICK = 0.25  # seconds between two looks at the memory
_TIMEOUT = 3600


@dataclass
class Watch:
    """Peaks of some processes in MB: RSS of the largest, PSS of each, and the sum of all PSS at one moment."""

    rss: float = 0.0
    each: dict[int, float] = field(default_factory=dict)
    together: float = 0.0

    def look(self, memory: Mapping[int, tuple[float, float]]) -> None:
        """Take note of RSS and PSS that each process, by its number, has now."""
        for pid, (rss, pss) in memory.items():
            self.rss = max(self.rss, rss)
            self.each[pid] = max(self.each.get(pid, 0.0), pss)
        self.together = max(self.together, sum(pss for _, pss in memory.values()))


@dataclass(frozen=True)
class Session:
    """What some kernels took side by side: seconds until the last was done, CPU seconds, peaks, live runs."""

    seconds: float
    cpu: float
    watch: Watch
    live: int


def measure(*, quick: bool = False) -> Part:
    """Measure one kernel alone and eight at once, in turn; the quick way, two at once and one round."""
    from mnist_helpers.data.fetch import find

    kernels, rounds = (2, 1) if quick else (KERNELS, ROUNDS)
    found = find()
    if found.path is None or not found.path.is_file():
        return Part([Figure("classroom", NOTEBOOK, "", "MB", (), note="skipped: MNIST does not lie in an npz file")])
    alone, together = [], []
    with shared_read_only(found.path) as data:
        for number in range(rounds):
            for count, sessions in ((1, alone), (kernels, together)):
                say(f"classroom, round {number + 1} of {rounds}: {count} at once")
                sessions.append(session(count, data))
    return Part(figures(kernels, alone, together))


def figures(kernels: int, alone: list[Session], together: list[Session]) -> list[Figure]:
    """Return memory and time of many kernels, beside as many times those of one alone."""
    what, many = f"{kernels} kernels on {NOTEBOOK}", f"peer: {kernels} times one alone"
    live = sum(each.live for each in [*alone, *together])
    told = f"; {live} trained or fitted live" if live else ""

    def row(unit: str, of: Callable[[Session], float], of_one: Callable[[Session], float], note: str) -> Figure:
        sides = tuple(map(of, together)), tuple(map(of_one, alone))
        return Figure("classroom", what, "", unit, *sides, note=note)

    return [
        row("MB, all", lambda s: s.watch.together, lambda s: kernels * s.watch.rss, f"PSS; {many}, RSS{told}"),
        row("MB, each", lambda s: median(s.watch.each.values()), lambda s: s.watch.rss, "PSS; peer: one alone, RSS"),
        row("s, all", lambda s: s.seconds, lambda s: kernels * s.seconds, many),
        row("CPU s, all", lambda s: s.cpu, lambda s: kernels * s.cpu, many),
    ]


@contextmanager
def shared_read_only(file: Path) -> Iterator[Path]:
    """Copy a file into a folder where nobody may write, and take both away afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(file, Path(folder) / "mnist.npz"))
        copy.chmod(0o444)
        Path(folder).chmod(0o555)
        try:
            yield copy
        finally:
            Path(folder).chmod(0o755)
            copy.chmod(0o644)


def session(count: int, data: Path) -> Session:
    """Execute the notebook in some kernels at once, and watch them until the last has ended.

    Raises ``ValueError`` when one fails: its memory would not be that of a learner.
    """
    from tools.run import execute
    from tools.series import find

    (path,) = find([NOTEBOOK])
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(count) as pool:
        environments = [_environment(Path(folder) / str(number), data) for number in range(count)]
        cpu, wall = children_cpu(), time.perf_counter()
        learners = [pool.submit(execute, path, each, timeout=_TIMEOUT) for each in environments]
        while wait(learners, timeout=_TICK).not_done:
            watch.look(memory_of(kernels_of(psutil.Process())))
        seconds = time.perf_counter() - wall
        done = [learner.result() for learner in learners]
    for _, result in done:
        if not result.ok:
            raise ValueError(f"{result.name}, {result.place}: {result.error}")
    live = sum(live_runs(notebook) for notebook, _ in done)
    return Session(seconds, children_cpu() - cpu, watch, live)


def _environment(folder: Path, data: Path) -> dict[str, str]:
    """Return what a learner's kernel gets: the shared data, and a cache and results of their own."""
    from tools.run import kernel_environment

    own = {"MNIST_CACHE": str(folder / "cache"), "MNIST_RESULTS": str(results_in(folder))}
    own |= {"MNIST_STRICT": "0", "MNIST_DATA": str(data)}
    return kernel_environment("full", "mnist") | own


def kernels_of(process: psutil.Process) -> list[psutil.Process]:
    """Return the kernels among the processes that a process has started."""
    found = []
    for child in process.children():
        with suppress(psutil.Error):  # it may be gone before we are
            if "ipykernel_launcher" in child.cmdline():
                found.append(child)
    return found


def memory_of(processes: Iterable[psutil.Process]) -> dict[int, tuple[float, float]]:
    """Return RSS and PSS of each process, by its number, in units of 2^20 bytes; RSS for both where there is no PSS."""
    found = {}
    for process in processes:
        with suppress(psutil.Error):
            memory: Any = process.memory_full_info()
            found[process.pid] = (memory.rss / 2**20, getattr(memory, "pss", memory.rss) / 2**20)
    return found
