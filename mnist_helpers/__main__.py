"""The command line: ``python -m mnist_helpers run`` and its siblings."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mnist_helpers.data.budget import PROFILES

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
    _add_student(commands)
    _add_slides(commands)
    _add_data(commands)
    return parser


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser("run", help="execute notebooks and render them to HTML")
    _add_selection(run)
    run.add_argument("--profile", choices=PROFILES, help="how much work (default: MNIST_PROFILE, or full)")
    run.add_argument("--output", type=Path, help="directory for the pages, in its html/ (default: build)")
    run.add_argument("--timeout", type=_seconds, help="seconds that one cell may take (default: 3600)")
    run.add_argument("--in-place", action="store_true", help="also store the outputs in the notebooks (full profile)")
    run.set_defaults(action=_run)


def _add_student(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    student = commands.add_parser("student", help="write the notebooks without solutions and results, for students")
    _add_selection(student)
    student.add_argument("--output", type=Path, help="directory for the notebooks (default: build/student)")
    student.add_argument("--force", action="store_true", help="replace also what was changed there")
    student.set_defaults(action=_student)


def _add_slides(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    slides = commands.add_parser("slides", help="write notebooks, with their stored results, as slides for class")
    _add_selection(slides)
    slides.add_argument("--output", type=Path, help="directory for the slides (default: build/slides)")
    slides.set_defaults(action=_slides)


def _add_selection(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "selection", nargs="*", help="numbers or beginnings of names, such as 02 or 02_linear; all if none"
    )
    command.add_argument("--notebooks", type=Path, help="directory of the notebooks (default: those of the series)")


def _add_data(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    data = commands.add_parser("data", help="fetch MNIST and say where it came from and where it lies")
    data.set_defaults(action=_data)


def _seconds(text: str) -> int:
    seconds = int(text)
    if seconds < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return seconds


def _given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Return the options that were given; the functions know their own defaults."""
    values = {name: getattr(options, name) for name in ("notebooks", "output", *names)}
    return {name: value for name, value in values.items() if value is not None}


def _run(options: argparse.Namespace) -> int:
    from mnist_helpers.run import RunError, run, summary

    try:
        results = run(options.selection, in_place=options.in_place, **_given(options, "profile", "timeout"))
    except (RunError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(summary(results))
    return 0 if all(result.ok for result in results) else 1


def _student(options: argparse.Namespace) -> int:
    from mnist_helpers.editions import write_student_edition
    from mnist_helpers.series import RunError

    try:
        print(write_student_edition(options.selection, force=options.force, **_given(options)))
    except (RunError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _slides(options: argparse.Namespace) -> int:
    from mnist_helpers.series import RunError, shown
    from mnist_helpers.slides import write_slides

    try:
        for path in write_slides(options.selection, **_given(options)):
            print(shown(path))
    except (RunError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _data(options: argparse.Namespace) -> int:
    from mnist_helpers.data.mnist import fetch_and_report

    try:
        print(fetch_and_report())
    except (OSError, ValueError) as error:
        print(f"error: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
