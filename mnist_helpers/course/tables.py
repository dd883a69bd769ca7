"""The CSV files of results: read whole or not at all, with the file's name in every error, and put in order."""

import csv
import math
import re
from collections.abc import Collection, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from mnist_helpers.evaluation.accuracy import wilson_interval


def read_rows(path: Path, columns: Sequence[str], *, key: str, others: bool = False) -> list[dict[str, str]]:
    """Return the rows of a CSV file as text by column; none where there is no file.

    ``columns`` are all its columns, or with ``others=True`` those that it must have. ``key`` is the one that names a
    row. Raises ``ValueError``, naming the file, for what is not UTF-8, other columns, a file that was cut off, a row
    of another length, and two rows of the same key.
    """
    if not path.is_file():
        return []
    text = _text(path)
    try:
        reader = csv.DictReader(StringIO(text, newline=""), strict=True)
        found, rows = tuple(reader.fieldnames or ()), list(reader)
    except csv.Error as error:
        raise _damaged(path, f"is no CSV file: {error}") from error
    if not set(columns) <= set(found) or (found != tuple(columns) and not others):
        raise _damaged(path, f"must have the columns {', '.join(columns)}, but has {', '.join(found) or 'none'}")
    if not text.endswith("\n"):
        raise _damaged(path, "was cut off: its last line has no end")
    for row in rows:
        if None in row or None in row.values():
            raise _damaged(path, f"has a row of the wrong length: {row[key] or 'without a name'}")
    names = [row[key] for row in rows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise _damaged(path, f"has several rows of {', '.join(twice)}")
    return rows


def check_numbers(path: Path, rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> None:
    """Raise ``ValueError``, naming the file, where a field of these columns is neither empty nor a finite number."""
    for row in rows:
        for column in columns:
            if row[column] and not _is_number(row[column]):
                raise _damaged(path, f"must have numbers in the column {column}, but has {row[column]!r}")


def check_indices(path: Path, rows: Sequence[Mapping[str, str]], column: str) -> None:
    """Raise ``ValueError``, naming the file, where a field does not hold increasing whole numbers with spaces."""
    for row in rows:
        parts = row[column].split()
        numbers = [int(part) if part.isascii() and part.isdigit() else -1 for part in parts]
        if -1 in numbers or numbers != sorted(set(numbers)):
            raise _damaged(
                path, f"must have increasing whole numbers in the column {column}, but has {row[column]!r:.60}"
            )


def check_results(path: Path, rows: Sequence[Mapping[str, str]], *, key: str, images: int) -> None:
    """Raise ``ValueError``, naming the file, where accuracy, errors and interval of a row contradict each other.

    ``images`` is how many were tested. Errors may be a mean, rounded to one place; accuracies have five places or more.
    """
    for row in rows:
        accuracy, errors, low, high = (float(row[c] or "nan") for c in ("test_accuracy", "errors", "low", "high"))
        right = images - errors
        fits = 0 <= right <= images and abs(right - images * accuracy) < 0.11
        if not fits or not any(
            abs(low - bounds[0]) < 1e-5 and abs(high - bounds[1]) < 1e-5
            for bounds in (wilson_interval(count, images) for count in {round(right - 0.05), round(right + 0.05)})
        ):
            raise _damaged(path, f"has a row of {row[key]} whose accuracy, errors and interval contradict each other")


def check_keys(path: Path, keys: Collection[str], other: Path, wanted: Collection[str], *, spare: int = 0) -> list[str]:
    """Return which rows are missing that the ``other`` file has; raise ``ValueError`` for more than ``spare``."""
    missing = [key for key in wanted if key not in keys]
    if len(missing) > spare:
        raise _damaged(path, f"has no row of {', '.join(missing)}, as {other.name} has")
    return missing


def as_csv(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> bytes:
    """Return rows as the content of a CSV file."""
    text = StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def natural(system: str) -> tuple[bool, list[Any]]:
    """Return what sorts S0.9 before S0.10, and names of ours after the published systems."""
    parts = re.split(r"(\d+)", system)
    ours = re.match(r"S\d", system) is None
    return ours, [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise _damaged(path, f"is not UTF-8 text: {error}") from error


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _damaged(path: Path, what: str) -> ValueError:
    return ValueError(f"The file {path} {what}. It is left as it is; a copy from version control mends it.")
