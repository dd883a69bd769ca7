"""What every trained system leaves behind, whether a network or a scikit-learn estimator."""

import os
import platform
from pathlib import Path


def device_name() -> str:
    """Return the processor that does the work here, for people: "2 cores of Intel(R) Xeon(R) Processor"."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{counted(cores, 'core')} of {model}"


def counted(number: int, one: str) -> str:
    """Return a number of things for people: "1 epoch", "3 epochs", "50,000 epochs"."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return a duration for people: "0.4 s", "12 s", "3 min 20 s", "1 h 5 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
