"""The command line: ``python -m mnist_helpers data`` finds or fetches MNIST, ``passes FILE`` tells who solved what."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute a command line.

    Returns
    -------
    int
        The exit status: 0, 1 when MNIST cannot be had or a file not be read, 130 after Ctrl-C. A wrong command line
        exits with 2.
    """
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers", description="Beside the MNIST notebooks.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    commands.add_parser("data", help="find or fetch MNIST, and say where it came from and where it lies")
    solved = commands.add_parser("passes", help="show who has solved which exercise, from the file MNIST_PASSES")
    solved.add_argument("file", type=Path, help="the file that MNIST_PASSES named where the learners worked")
    options = parser.parse_args(arguments)
    try:
        print(_passes(options.file) if "file" in options else _report())
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing is half-written.", file=sys.stderr)
        return 130
    return 0


def _passes(path: Path) -> str:
    from mnist_helpers.course.passes import overview

    table = overview(path)
    marks = (table != "").replace({True: "✓", False: "·"})
    marks["solved"] = (table != "").sum(axis=1)
    return marks.to_string()


def _report() -> str:
    from mnist_helpers.data.fetch import ARRAYS, find

    found = find()
    lines = [
        "MNIST is complete and verified.",
        f"  found in  {found.origin}",
        f"  lies in   {found.path or 'memory only: the cache directory cannot be written'}",
    ]
    for name, array in found.arrays.items():
        lines.append(f"  {name:8}  {array.shape} {array.dtype}, SHA-256 {ARRAYS[name][1]}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
