"""Read the CSV files of results: whole or not at all, and with the file's name in every error."""

import csv
import math
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path


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
