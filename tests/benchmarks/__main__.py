"""Measure, print one table, and write build/bench.json: ``python -m tests.benchmarks [PART ...] [--quick]``."""

import argparse
import importlib
import json
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import psutil

from mnist_helpers.common.files import atomic_write
from mnist_helpers.common.text import device_name, duration

from .figures import Figure, Part, table
from .workers import WorkerError, features

PARTS = (  # those that take a whole series last
    "start",
    "loading",
    "training",
    "flops",
    "augmentation",
    "sprint",
    "shap",
    "classroom",
    "series",
    "smoke",
)
_QUICK = "--quick: too few repetitions and too little work. These figures show that the benchmark runs, nothing else."


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0, 1 when something could not be measured, or 130 when interrupted. A missed target is no failure."""
    options = _options(arguments)
    started, status = time.perf_counter(), 0
    found = Part()
    document = {"machine": machine(), "quick": options.quick, "load": psutil.getloadavg()[0]}
    try:
        for name in options.parts or PARTS:
            part = measured(name, options.quick)
            found = Part(found.figures + part.figures, found.errors + part.errors)
            document |= report(found.figures, found.errors)
            atomic_write(options.output, (json.dumps(document, indent=1) + "\n").encode())
    except KeyboardInterrupt:
        print("\nInterrupted; what was measured before is kept.", file=sys.stderr)
        status = 130  # what a shell reports for a program that Ctrl-C ended
    if found.figures:
        print("\n".join([*described(document), "", table(found.figures), ""]))
    for error in found.errors:
        print(f"FAILED {error}")
    seconds = duration(time.perf_counter() - started)
    kept = f"all repetitions are in {options.output}" if found.figures or found.errors else "nothing was measured"
    print(f"took {seconds}; {kept}")
    return status or int(bool(found.errors))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="only see that it runs: tiny sizes, two repetitions")
    parser.add_argument("--output", type=Path, default=Path("build") / "bench.json", help="default: %(default)s")
    options = parser.parse_args(arguments)
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"unknown part {unknown[0]!r}: choose from {', '.join(PARTS)}")
    return options


def measured(name: str, quick: bool) -> Part:
    """Return the figures of one part; what goes wrong in it ends this part only."""
    try:
        return importlib.import_module(f"{__package__}.bench_{name}").measure(quick=quick)
    except (WorkerError, OSError, ValueError) as error:
        return Part(errors=[f"{name}: {error}"])


def machine() -> dict[str, object]:
    """Return what the figures depend on: the processor, its features, and the versions."""
    names = ("tensorflow", "keras", "numpy")
    return {
        "device": device_name(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in names},
        "onednn_features": features(),
    }


def report(figures: Sequence[Figure], errors: Sequence[str]) -> dict[str, object]:
    """Return figures and errors as plain data."""
    return {"figures": [figure.as_record() for figure in figures], "errors": list(errors)}


def described(document: dict) -> list[str]:
    """Return the lines above the table: what was measured on, and how to read it."""
    on = document["machine"]
    lines = [f"{on['device']}, {on['system']}, Python {on['python']}, TensorFlow {on['versions']['tensorflow']}"]
    if any(figure["part"] == "training" for figure in document["figures"]):
        lines += _kinds_of_cpu(on["onednn_features"])
    if document["load"] > 0.5:
        lines.append(f"The machine was busy: a load of {document['load']:.1f} before this began. CPU seconds count.")
    lines.append("Medians; ratio: how many times better ours is than the peer beside it, with the lowest and highest.")
    return [*lines, _QUICK] if document["quick"] else lines


def _kinds_of_cpu(found: Sequence[str]) -> list[str]:
    if not found:
        return ["This CPU has no AVX-512 VNNI or the like: TensorFlow leaves oneDNN off, and the library turns it on."]
    return [
        f"This CPU has {', '.join(found)}: TensorFlow turns oneDNN on by itself.",
        "native: the library's defaults and TensorFlow's are the same here, and 1.0 is expected.",
        "emulated: a CPU with AVX2 and none of those, on which TensorFlow leaves oneDNN off and the library does not.",
    ]


if __name__ == "__main__":
    sys.exit(main())
