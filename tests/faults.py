"""Processes that are killed, starved of disk or crowded: real ones, forked from a server that has imported the library.

The jobs stand here, where the forked processes find them. None of them imports TensorFlow.
"""

import multiprocessing
import os
import resource
import signal
import warnings
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from mnist_helpers import leaderboard
from mnist_helpers.data.containers import read_path
from mnist_helpers.data.download import Limits, Mirror
from mnist_helpers.data.sources import CACHE_FILE, Catalogue, cache_directory, find
from mnist_helpers.evaluation.accuracy import Evaluation
from mnist_helpers.training import store as checkpoints

CONTEXT = multiprocessing.get_context("forkserver")
_LIBRARY = ["mnist_helpers.training.store", "mnist_helpers.course.leaderboard", "mnist_helpers.data.sources"]
CONTEXT.set_forkserver_preload(["pytest", "pooch", "requests", "filelock", "tqdm", *_LIBRARY])

KEY = "0123456789abcdef"
LIMITS = Limits(answer=20, stall=20, total=60, retries=0, delay=0.01)
RUN = SimpleNamespace(
    parameters=7850, epochs=5, seconds=12.3, device="2 cores", seed=0, full=True, checkpoint="lenet5-0123.npz"
)


def start(job, *arguments):
    """Start a process that does a job with this process's environment."""
    process = CONTEXT.Process(target=_begin, args=(dict(os.environ), job, *arguments), daemon=True)
    process.start()
    return process


def _begin(environment, job, *arguments):
    os.environ.clear()
    os.environ.update(environment)
    checkpoints.series_directory = lambda: cache_directory() / "none"
    job(*arguments)


def kill(process):
    process.kill()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def catalogue(fake, *urls, limits=LIMITS):
    return Catalogue(fake.specs, [Mirror(url, "npz") for url in urls], limits)


def assert_one_verified_copy(fake):
    """The cache holds the data, whole, and no more."""
    stored = read_path(cache_directory() / CACHE_FILE, fake.specs)
    assert all(np.array_equal(stored[name], fake.arrays[name]) for name in fake.specs)
    assert {path.name for path in cache_directory().iterdir()} <= {CACHE_FILE, f".{CACHE_FILE}.lock"}


def closed(monkeypatch, place):
    """Let a place be one that may not be looked at; a test that runs as root cannot make it so."""
    real = Path.is_file

    def refused(path):
        if place in (path, *path.parents):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "is_file", refused)


# -- jobs


def find_and_tell(catalogue, results, together=None, locks=True):
    """Find MNIST, and put its origin, or the error, into the queue."""
    if not locks:  # as on a file system without locks
        import filelock

        filelock.FileLock.acquire = _no_locks
    if together is not None:
        together.wait(60)
    try:
        results.put(find(catalogue).origin)
    except Exception as error:
        results.put(repr(error))


def _no_locks(*_, **__):
    raise NotImplementedError("no locks here")


def with_small_files(size, deadly, job, *arguments):
    """Do a job while no file can grow beyond ``size`` bytes; ``deadly``: the write that would is the process's last."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL if deadly else signal.SIG_IGN)
    job(*arguments)


def fetch_data(catalogue, told):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = find(catalogue)
    told.put((found.origin, [str(warning.message) for warning in caught]))


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
