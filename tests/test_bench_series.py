"""The benchmark of the whole series: limits of each notebook, totals, and what was trained live. No timings."""

from types import SimpleNamespace

import nbformat
import pytest
from benchmarks import bench_series as bench


def executed(live=0, source="mnist", cpu=20.0, **changes):
    fields = {"name": "04_x", "ok": True, "peak_mb": 900.0, "seconds": 12.0, "place": "", "error": None}
    return bench.Executed(SimpleNamespace(**(fields | changes)), cpu, live, source)


def test_memory_and_time_of_a_notebook():
    memory, seconds, cpu = bench.figures(executed(), "full")
    assert (memory.ours, memory.target, memory.verdict, memory.note) == ((900.0,), 2048, "met", "")
    assert (seconds.ours, seconds.target, cpu.ours, cpu.target) == ((12.0,), 90, (20.0,), None)
    assert bench.figures(executed(peak_mb=2048.5), "full")[0].verdict == "MISSED"
    assert bench.figures(executed(peak_mb=None), "full")[0].ours == ()


@pytest.mark.parametrize(
    ("name", "profile", "target"),
    [("09_x", "full", 90), ("10_x", "full", 180), ("11_x", "full", 180), ("11_x", "smoke", None)],
)
def test_two_notebooks_may_take_longer_and_small_budgets_have_a_total_only(name, profile, target):
    assert bench.figures(executed(name=name), profile)[1].target == target


def test_a_notebook_that_failed_or_trained_says_so():
    failed = bench.figures(executed(ok=False, place="cell 3 of 9"), "full")
    assert [(each.verdict, each.note) for each in failed] == [("", "FAILED, cell 3 of 9")] * 3
    note = bench.figures(executed(live=2, source="sklearn-digits"), "full")[0].note
    assert note == "2 trained or fitted live; on sklearn-digits"


def test_the_total_has_a_target_only_where_every_notebook_was_executed():
    done = [executed(seconds=500.0, live=1), executed(seconds=221.0)]
    seconds, cpu = bench.totals(done, "full", whole=True)
    assert (seconds.what, seconds.ours, seconds.verdict, cpu.ours) == ("all 2 notebooks", (721.0,), "MISSED", (40.0,))
    assert seconds.note == "1 trained or fitted live"
    assert bench.totals(done[1:], "smoke", whole=True)[0].target == 480
    assert bench.totals(done, "full", whole=False)[0].target is None
    assert bench.totals([*done, executed(ok=False)], "full", whole=True)[0].target is None


def test_a_failed_notebook_is_an_error_of_its_part():
    part = bench.part_of([executed(), executed(ok=False, place="cell 3 of 9", error="oh")], "full", whole=True)
    assert part.errors == ["04_x, cell 3 of 9: oh"] and len(part.figures) == 8


def test_runs_that_were_not_loaded_are_counted():
    lines = (
        "a: trained (3 epochs in 2.0 s)\nb: loaded (3 epochs in 2.0 s); retrain=True trains it anew\nc: fitted in 3 s\n"
    )
    lines += "d: predictions loaded (fitted in 3 s); refit=True fits it anew\n"
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("stream", name="stdout", text=lines)])
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("e: fitted in 3 s"), cell])
    assert bench.live_runs(notebook) == 2
