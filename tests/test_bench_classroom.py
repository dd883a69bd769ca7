"""The benchmark of a class: whose memory is counted, that the data are read-only, and the sums. No timings."""

import os
import subprocess
import sys

import psutil
import pytest
from benchmarks import bench_classroom as bench


def session(seconds, together, each, rss, live=0):
    return bench.Session(seconds, 2 * seconds, bench.Watch(rss, dict(enumerate(each)), together), live)


def test_many_are_compared_with_as_many_times_one_alone():
    memory, each, seconds, cpu = bench.figures(
        2, [session(10.0, 700.0, [700.0], 1000.0)], [session(16.0, 1600.0, [800.0, 850.0], 1000.0, live=1)]
    )
    assert (memory.ours, memory.peer, memory.ratio) == ((1600.0,), (2000.0,), 1.25)
    assert (each.ours, each.peer) == ((825.0,), (1000.0,))
    assert (seconds.ours, seconds.peer, cpu.ours, cpu.peer) == ((16.0,), (20.0,), (32.0,), (40.0,))
    assert memory.note == "PSS; peer: 2 times one alone, RSS; 1 trained or fitted live"


def test_the_peak_of_the_sum_is_not_the_sum_of_the_peaks():
    watch = bench.Watch()
    for pss in ({1: 300.0, 2: 100.0}, {1: 100.0, 2: 250.0}):
        watch.look({pid: (2 * memory, memory) for pid, memory in pss.items()})
    assert (watch.each, watch.together, watch.rss) == ({1: 300.0, 2: 250.0}, 400.0, 600.0)


def test_only_kernels_are_watched_and_what_is_gone_is_passed_over():
    wait = "import sys; sys.stdin.read()"
    processes = [
        subprocess.Popen([sys.executable, "-c", wait, *names], stdin=subprocess.PIPE)
        for names in ([], ["ipykernel_launcher"])
    ]
    found = bench.kernels_of(psutil.Process())
    memory = bench.memory_of(found)
    for process in processes:
        process.communicate()
    assert [each.pid for each in found] == [processes[1].pid]
    ((rss, pss),) = memory.values()
    assert 0 < pss <= rss < 500
    assert bench.memory_of(found) == {}


def test_the_data_are_shared_as_a_file_that_cannot_be_written(tmp_path):
    original = tmp_path / "data.npz"
    original.write_bytes(b"digits")
    with bench.shared_read_only(original) as copy:
        assert copy.read_bytes() == b"digits"
        assert not copy.stat().st_mode & 0o222 and not copy.parent.stat().st_mode & 0o222
        if os.name == "posix" and os.geteuid():  # for root nothing is read-only
            with pytest.raises(PermissionError):
                copy.write_bytes(b"other")
    assert not copy.parent.exists() and original.exists()


def test_each_learner_has_a_cache_and_results_of_their_own(tmp_path):
    first, second = (bench._environment(tmp_path / name, tmp_path / "mnist.npz") for name in "ab")
    assert first["MNIST_DATA"] == second["MNIST_DATA"] == str(tmp_path / "mnist.npz")
    for name in ("MNIST_CACHE", "MNIST_RESULTS"):
        assert first[name] != second[name]
    assert (tmp_path / "a" / "results").is_dir() and first["MNIST_PROFILE"] == "full"
