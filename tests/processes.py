"""Processes that are killed, starved of disk or crowded: real ones, forked from a server that has imported the library.

The jobs stand here, where the forked processes find them; those of checkpoints and tables stand in ``faults``.
"""

import multiprocessing
import os
import resource
import signal
import warnings

from mnist_helpers.data import fetch

CONTEXT = multiprocessing.get_context("forkserver")
PRELOADED = ["pytest", "pooch", "requests", "filelock", "tqdm", "mnist_helpers.data.fetch"]
CONTEXT.set_forkserver_preload(PRELOADED)


def start(job, *arguments):
    """Start a process that does a job with this process's environment."""
    process = CONTEXT.Process(target=_begin, args=(dict(os.environ), job, *arguments), daemon=True)
    process.start()
    return process


def _begin(environment, job, *arguments):
    os.environ.clear()
    os.environ.update(environment)
    job(*arguments)


def kill(process):
    process.kill()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def with_small_files(size, deadly, job, *arguments):
    """Do a job while no file can grow beyond ``size`` bytes; ``deadly``: the write that would is the process's last."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL if deadly else signal.SIG_IGN)
    job(*arguments)


def find_data(constants, told, together=None):
    """Find the MNIST that these constants of the module describe; put its origin, or the error, and the warnings."""
    vars(fetch).update(constants)
    if together is not None:
        together.wait(60)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            origin = fetch.find().origin
        except Exception as error:
            origin = repr(error)
    told.put((origin, [str(warning.message) for warning in caught]))
