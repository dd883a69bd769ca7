"""The command line: ``python -m mnist_helpers data`` finds or fetches MNIST."""

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute a command line.

    Returns
    -------
    int
        The exit status: 0, 1 when MNIST cannot be had, 130 after Ctrl-C. A wrong command line exits with 2.
    """
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers", description="The data of the MNIST notebooks.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    commands.add_parser("data", help="find or fetch MNIST, and say where it came from and where it lies")
    parser.parse_args(arguments)
    try:
        print(_report())
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing is half-written.", file=sys.stderr)
        return 130
    return 0


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
