"""Measurements in processes of their own: TensorFlow reads its environment once, when it is imported."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def features(cpuinfo: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Return which features this CPU has of those for which TensorFlow turns oneDNN on by itself (Linux on x86)."""
    text = cpuinfo.read_text(errors="replace") if cpuinfo.is_file() else ""
    flags = {flag for line in text.splitlines() if line.startswith("flags") for flag in line.split(":", 1)[1].split()}
    return [name for name in _FEATURES if name in flags]


def say(line: str) -> None:
    """Report progress."""
    print(line, file=sys.stderr, flush=True)
