"""Measurements in processes of their own: TensorFlow reads its environment once, when it is imported."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
SWITCHES = ("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA")  # what decides how TensorFlow computes on a CPU
_FEATURES = ("avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16")


class WorkerError(RuntimeError):
    """A measuring process failed; the message holds the end of what it wrote."""


def worker_environment(changes: Mapping[str, str], base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a worker: ``os.environ`` (or ``base``) without the CPU switches, then ``changes``."""
    environment = dict(os.environ if base is None else base)
    for name in SWITCHES:
        environment.pop(name, None)
    return environment | dict(changes)


def ask(module: str, task: Mapping[str, Any], changes: Mapping[str, str] | None = None) -> Any:
    """Execute ``tests.benchmarks.<module>`` in a new process with a task in JSON, and return its answer.

    The answer is the last line that it prints. Raises ``WorkerError`` when it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{module}", json.dumps(task)],
        cwd=ROOT,
        env=worker_environment(changes or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise WorkerError(f"{module} ended with status {done.returncode}: {done.stderr.strip()[-600:]}")
    return json.loads(done.stdout.splitlines()[-1])


Clocked = dict[str, dict[str, list[float]]]  # name: {"cpu": seconds a round, "wall": seconds a round}


def by_turns(works: Mapping[str, Callable[[], object]], rounds: int) -> Clocked:
    """Execute functions in turn, a warm-up round first, and return the seconds of every later round.

    "cpu" : of this process, all threads together. "wall" : by the clock. Every other round goes backwards, so that no
    function is always the one after another.
    """
    found: Clocked = {name: {"cpu": [], "wall": []} for name in works}
    for number in range(rounds + 1):
        for name in sorted(works, key=list(works).index, reverse=bool(number % 2)):
            cpu, wall = time.process_time(), time.perf_counter()
            works[name]()
            if number:
                found[name]["cpu"].append(time.process_time() - cpu)
                found[name]["wall"].append(time.perf_counter() - wall)
    return found


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Hold this thread, and what it starts, to some cores for a while, where the system can (Linux)."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else set()
    if before:
        os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        if before:
            os.sched_setaffinity(0, before)


def children_cpu() -> float:
    """Return the CPU seconds of all processes that this one started, and that have ended (0 on Windows)."""
    times = psutil.Process().cpu_times()
    return times.children_user + times.children_system


def features(cpuinfo: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Return which features this CPU has of those for which TensorFlow turns oneDNN on by itself (Linux on x86)."""
    text = cpuinfo.read_text(errors="replace") if cpuinfo.is_file() else ""
    flags = {flag for line in text.splitlines() if line.startswith("flags") for flag in line.split(":", 1)[1].split()}
    return [name for name in _FEATURES if name in flags]


def say(line: str) -> None:
    """Report progress."""
    print(line, file=sys.stderr, flush=True)
