"""Jobs that write checkpoints and tables, for processes that are killed, starved of disk or crowded.

They stand here, where the forked processes find them. None of them imports TensorFlow.
"""

import os
import signal
import warnings
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import processes
from processes import CONTEXT, PRELOADED, kill, with_small_files  # noqa: F401 - for the tests of these jobs

from mnist_helpers import leaderboard
from mnist_helpers.data import cache_directory
from mnist_helpers.evaluation.accuracy import Evaluation
from mnist_helpers.training import store as checkpoints

CONTEXT.set_forkserver_preload([*PRELOADED, "mnist_helpers.training.store", "mnist_helpers.course.leaderboard"])

KEY = "0123456789abcdef"
RUN = SimpleNamespace(
    parameters=7850, epochs=5, seconds=12.3, device="2 cores", seed=0, full=True, checkpoint="lenet5-0123.npz"
)


def start(job, *arguments):
    """Start a process that does a job with this process's environment, and finds no checkpoint of the series."""
    return processes.start(_without_series, job, *arguments)


def _without_series(job, *arguments):
    checkpoints.series_directory = lambda: cache_directory() / "none"
    job(*arguments)


def closed(monkeypatch, place):
    """Let a place be one that may not be looked at; a test that runs as root cannot make it so."""
    real = Path.is_file

    def refused(path):
        if place in (path, *path.parents):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "is_file", refused)


# -- jobs


def write_checkpoint(number, told=None):
    """Write a checkpoint of 200 kB that holds a number everywhere."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        checkpoints.write("x", KEY, {"a": np.full(50_000, number, np.int32)}, {"number": number}, compress=False)
    if told is not None:
        told.put((None, [str(warning.message) for warning in caught]))


def result_of(errors):
    """An evaluation on all test images, the first ``errors`` of which are wrong."""
    labels = np.zeros(10_000, np.int64)
    return Evaluation((np.arange(10_000) < errors).astype(np.int64), labels, None, "test", "mnist")


def write_row(number, told=None):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        leaderboard.record(f"S9.{number}", RUN, result_of(number + 1), notebook="05", description=f"row {number}")
    if told is not None:
        told.put((None, [str(warning.message) for warning in caught]))


def write_rows(numbers):
    for number in numbers:
        write_row(number)


def record_and_die(system, errors):
    """Record a system, and be killed when its second file is to be written."""
    whole, calls = leaderboard.atomic_write, count(1)

    def deadly(path, content):
        if next(calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        whole(path, content)

    leaderboard.atomic_write = deadly
    leaderboard.record(system, RUN, result_of(errors), notebook="05")


def write_for_ever(write, written):
    """Write number after number, and tell each that is safely there."""
    for number in count():
        write(number)
        written.value = number
