"""The benchmarks' own logic: medians, ratios, targets, the table, and what the two sides are given. No timings."""

import importlib
import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from benchmarks import __main__ as command
from benchmarks import bench_loading, bench_training
from benchmarks.figures import Figure, Part, number, table
from benchmarks.workers import ROOT, WorkerError, ask, by_turns, children_cpu, features, on_cores, worker_environment


def figure(ours=(30.0, 10.0, 20.0), peer=(10.0, 10.0, 5.0), **changes):
    return Figure(
        **({"part": "training", "what": "net", "where": "native", "unit": "u", "ours": ours, "peer": peer} | changes)
    )


def test_the_ratio_is_the_median_over_pairs_and_above_one_means_ours_is_better():
    speed = figure(more_is_better=True)
    assert speed.ratios == [3.0, 1.0, 4.0] and speed.ratio == 3.0  # the medians' ratio would be 2
    time = figure(more_is_better=False)
    assert time.ratio == pytest.approx(1 / 3)


def test_without_a_peer_there_is_no_ratio():
    assert figure(peer=()).ratio is None and figure(peer=()).ratios == []


def test_repetitions_that_are_not_pairs_are_refused():
    with pytest.raises(ValueError, match="net: 3 repetitions of ours, 2 of the peer"):
        figure(peer=(1.0, 2.0))


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"more_is_better": True, "target": 3.0}, "met"),
        ({"more_is_better": True, "target": 3.1}, "MISSED"),
        ({"more_is_better": True}, ""),
        ({"peer": (), "target": 20.0}, "met"),  # without a peer: the median is at most the target
        ({"peer": (), "target": 19.0}, "MISSED"),
        ({"ours": (), "peer": (), "target": 19.0}, ""),
    ],
)
def test_verdict(changes, verdict):
    assert figure(**changes).verdict == verdict


def test_a_record_holds_medians_and_every_repetition_and_is_json():
    record = json.loads(json.dumps(figure(more_is_better=True, target=1.4).as_record()))
    assert record["ours"] == {"median": 20.0, "repetitions": [30.0, 10.0, 20.0]}
    assert record["ratio"] == 3.0 and record["target"] == 1.4 and record["verdict"] == "met"
    assert figure(ours=(), peer=()).as_record()["ours"]["median"] is None


def test_table():
    rows = [
        figure(more_is_better=True, target=1.4),
        figure(peer=(), where="", target=5.0),
        figure((), (), note="skipped"),
    ]
    header, rule, *lines = table(rows).splitlines()
    assert header.split() == ["part", "what", "where", "unit", "ours", "peer", "ratio", "range", "target", "note"]
    assert set(rule) == {"-", " "}
    assert lines[0].split() == [
        "training",
        "net",
        "native",
        "u",
        "20.0",
        "10.0",
        "3.00",
        "1.00-4.00",
        ">=",
        "1.40",
        "met",
    ]
    assert lines[1].split() == ["training", "net", "u", "20.0", "<=", "5.00", "MISSED"]
    assert lines[2].split() == ["training", "net", "native", "u", "-", "skipped"]
    assert lines[0].index("20.0") == lines[1].index("20.0")
    assert "ratio" not in table(rows[1:]).splitlines()[0]  # a column without content is left out


@pytest.mark.parametrize(("value", "text"), [(0.213, "0.21"), (14.24, "14.2"), (1523.4, "1,523"), (100.0, "100")])
def test_number(value, text):
    assert number(value) == text


def answers(onednn, *seconds):
    return [{"images": 100, "onednn": onednn, "cpu": [2 * s, 99.0, s], "wall": [s, s]} for s in seconds]


def test_speed_of_a_round_is_that_of_its_median_pass():
    assert bench_training.speeds(answers(True, 1.0, 4.0), "cpu") == (50.0, 12.5)
    assert bench_training.speeds(answers(True, 1.0, 4.0), "wall") == (100.0, 25.0)


@pytest.fixture
def asked(monkeypatch):
    """Every task of a measurement with its environment; a CPU that ``asked.vnni``s has oneDNN on by default."""
    log = SimpleNamespace(calls=[], vnni=True)

    def fake(module, task, changes=None):
        log.calls.append((task["network"], task["library"], changes))
        on = task["library"] or (changes.get("TF_ENABLE_ONEDNN_OPTS") != "0" and log.vnni)
        return {"images": 100, "onednn": on, "cpu": [1.0 if task["library"] else 2.0], "wall": [1.0]}

    monkeypatch.setattr(bench_training, "ask", fake)
    return log


def test_ours_and_peer_take_turns_at_least_five_times(asked):
    bench_training.measure()
    sides = [library for network, library, changes in asked.calls if (network, changes) == ("simple_cnn", {})]
    assert sides == [True, False] * (len(sides) // 2) and len(sides) >= 10


def test_on_a_cpu_with_vnni_the_target_stands_on_the_emulated_figures(asked):
    found = bench_training.measure(quick=True).figures
    assert [f.where for f in found[:4]] == ["native", "native", "emulated", "emulated"]
    assert [f.target for f in found[:4]] == [None, None, 1.4, 1.4]
    assert [f.note for f in found[::2]] == [f"batch {b}, oneDNN on / {s}" for b in (86, 32, 86) for s in ("on", "off")]
    assert [f.verdict for f in found[2:4]] == ["met", "MISSED"]
    emulated = {library: changes for _, library, changes in asked.calls if changes}
    assert emulated[True] == {"ONEDNN_MAX_CPU_ISA": "AVX2"}  # that oneDNN is on there is the library's doing
    assert emulated[False] == {"ONEDNN_MAX_CPU_ISA": "AVX2", "TF_ENABLE_ONEDNN_OPTS": "0"}


def test_on_any_other_cpu_nothing_is_emulated(asked):
    asked.vnni = False
    found = bench_training.measure(quick=True).figures
    assert {(f.where, f.target, f.note[-8:]) for f in found} == {("native", 1.4, "on / off")}
    assert not any(changes for _, _, changes in asked.calls)


def test_a_worker_starts_from_no_switch_of_the_cpu_but_the_given_ones():
    base = {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": "SSE41", "HOME": "h"}
    assert worker_environment({}, base) == {"HOME": "h"}
    assert worker_environment({"TF_ENABLE_ONEDNN_OPTS": "0"}, base) == {"HOME": "h", "TF_ENABLE_ONEDNN_OPTS": "0"}


@pytest.mark.parametrize(("library", "state"), [(True, "1"), (False, None)])
def test_the_library_sets_its_default_and_the_peer_is_left_as_it_was(library, state, tmp_path, monkeypatch):
    (tmp_path / "mnist_helpers.py").write_text(
        "import os\nos.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '1')\nmodels = 'factories'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mnist_helpers")  # the true one has set the variable long ago
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert bench_training._models(library) == "factories"
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == state and os.environ["ONEDNN_MAX_CPU_ISA"] == "AVX2"


def test_a_worker_that_fails_says_why():
    with pytest.raises(WorkerError, match="(?s)bench_loading ended with status 1: .*TypeError"):
        ask("bench_loading", {"no": "task"})


def test_features_of_the_cpu(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags\t\t: fpu avx2 avx512_vnni amx_tile\nmodel name : avx_vnni\n")
    assert features(cpuinfo) == ["avx512_vnni", "amx_tile"]
    assert features(tmp_path / "none") == []


def test_loading_without_a_checkpoint_is_skipped_with_the_reason():
    skipped = bench_loading._figure("net", {"skipped": "no checkpoint"})
    assert (skipped.ours, skipped.note) == ((), "skipped: no checkpoint")
    answer = {"ours": [40.0], "peer": [50.0], "first": 80.4, "ours_kb": 244.0, "peer_kb": 1544.0}
    loaded = bench_loading._figure("net", answer)
    assert loaded.ratio == 1.25 and loaded.note == "peer: load_model; first load 80 ms, files 244 / 1,544 kB"


def test_command_writes_what_it_measured_and_fails_when_a_part_could_not_be(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench_training, "measure", lambda quick: Part([figure(more_is_better=True, target=9.0)]))

    def broken(quick):
        raise WorkerError("bench_loading ended with status 1: oh")

    monkeypatch.setattr(bench_loading, "measure", broken)
    output = tmp_path / "new" / "bench.json"
    assert command.main(["training", "--output", str(output)]) == 0  # a missed target is no failure
    assert command.main(["training", "loading", "--quick", "--output", str(output)]) == 1
    document = json.loads(output.read_text(encoding="utf-8"))
    assert document["quick"] and document["errors"] == ["loading: bench_loading ended with status 1: oh"]
    assert document["figures"][0]["verdict"] == "MISSED" and document["machine"]["versions"]["tensorflow"]
    printed = capsys.readouterr().out
    assert "FAILED loading: bench_loading ended" in printed and ">= 9.00 MISSED" in printed and "--quick" in printed


def test_an_interrupted_command_keeps_what_it_measured_before(tmp_path, monkeypatch, capsys):
    def interrupted(quick):
        raise KeyboardInterrupt

    monkeypatch.setattr(bench_training, "measure", lambda quick: Part([figure(more_is_better=True, target=9.0)]))
    monkeypatch.setattr(bench_loading, "measure", interrupted)
    output = tmp_path / "bench.json"
    assert command.main(["loading", "--output", str(output)]) == 130 and not output.exists()
    assert "nothing was measured" in capsys.readouterr().out
    assert command.main(["training", "loading", "--output", str(output)]) == 130
    assert len(json.loads(output.read_text(encoding="utf-8"))["figures"]) == 1
    assert ">= 9.00 MISSED" in capsys.readouterr().out


def test_a_busy_machine_is_told_above_the_table():
    document = {"machine": command.machine(), "quick": False, "load": 2.34} | command.report([], [])
    assert any("a load of 2.3 before" in line for line in command.described(document))
    assert not any("a load" in line for line in command.described(document | {"load": 0.1}))


def test_every_part_can_be_asked_for_by_its_name():
    for name in command.PARTS:
        assert callable(importlib.import_module(f"benchmarks.bench_{name}").measure)


def test_turns_begin_with_a_round_that_does_not_count_and_go_back_and_forth():
    log = []
    found = by_turns({"a": lambda: log.append("a"), "b": lambda: time.sleep(0.01)}, 3)
    assert len(log) == 4 and {len(seconds) for clocks in found.values() for seconds in clocks.values()} == {3}
    assert min(found["b"]["wall"]) >= 0.009 > max(found["b"]["cpu"])
    log.clear()
    by_turns({"a": lambda: log.append("a"), "b": lambda: log.append("b")}, 2)
    assert "".join(log) == "abbaab"


def test_work_is_held_to_some_cores_for_a_while():
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system cannot")
    before = os.sched_getaffinity(0)
    with pytest.raises(KeyError), on_cores(1):
        assert len(os.sched_getaffinity(0)) == 1
        raise KeyError
    assert os.sched_getaffinity(0) == before


def test_cpu_time_of_processes_that_have_ended_is_counted():
    before = children_cpu()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.1: pass"], check=True)
    assert 0.09 <= children_cpu() - before < 1


@pytest.mark.parametrize(("found", "line"), [(["amx_tile"], "has amx_tile: Tens"), ([], "no AVX-512 VNNI or the like")])
def test_the_kind_of_cpu_is_told_where_training_was_measured(found, line):
    machine = command.machine() | {"onednn_features": found}
    document = {"machine": machine, "quick": False, "load": 0.0} | command.report([figure()], [])
    assert line in command.described(document)[1]
    assert len(command.described(document | {"figures": []})) == 2


def test_command_refuses_an_unknown_part(capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(["speed"])
    assert "unknown part 'speed': choose from start, loading, training" in capsys.readouterr().err


def test_pytest_collects_no_benchmark():
    files = {path.name for path in (ROOT / "tests" / "benchmarks").glob("*.py")}
    assert len(files) >= 6
    assert not [name for name in files if name.startswith("test_") or name.endswith("_test.py")]
