"""The command line: ``python -m mnist_helpers run`` and its siblings."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mnist_helpers.budget import PROFILES

INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute a command line and return its exit status: 0, 1 when something failed, 2 when asked wrongly, or 130."""
    options = _parser().parse_args(arguments)
    try:
        return options.action(options)
    except KeyboardInterrupt:
        print("\nInterrupted. What was finished before is whole; nothing is half-written.", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers", description="Tools for the MNIST notebooks.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_data(commands)
    return parser


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser("run", help="execute notebooks and render them to HTML")
    run.add_argument(
        "selection", nargs="*", help="numbers or beginnings of names, such as 02 or 02_linear; all if none"
    )
    run.add_argument("--profile", choices=PROFILES, help="how much work (default: MNIST_PROFILE, or full)")
    run.add_argument("--notebooks", type=Path, help="directory of the notebooks (default: those of the series)")
    run.add_argument("--output", type=Path, help="directory for the pages, in its html/ (default: build)")
    run.add_argument("--timeout", type=_seconds, help="seconds that one cell may take (default: 3600)")
    run.add_argument("--in-place", action="store_true", help="also store the outputs in the notebooks (full profile)")
    run.set_defaults(action=_run)


def _add_data(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    data = commands.add_parser("data", help="fetch MNIST and say where it came from and where it lies")
    data.set_defaults(action=_data)


def _seconds(text: str) -> int:
    seconds = int(text)
    if seconds < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return seconds


def _run(options: argparse.Namespace) -> int:
    from mnist_helpers.run import RunError, run, summary

    asked = {name: getattr(options, name) for name in ("profile", "notebooks", "output", "timeout")}
    asked = {name: value for name, value in asked.items() if value is not None}
    try:
        results = run(options.selection, in_place=options.in_place, **asked)
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(summary(results))
    return 0 if all(result.ok for result in results) else 1


def _data(options: argparse.Namespace) -> int:
    from mnist_helpers.data import fetch_and_report

    try:
        print(fetch_and_report())
    except (OSError, ValueError) as error:
        print(f"error: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
