"""The table of all systems: one row a system, written by complete runs on the real MNIST only."""

import os
import warnings
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from mnist_helpers.common.checks import check_attributes, problem
from mnist_helpers.common.files import atomic_write
from mnist_helpers.course.tables import (
    as_csv,
    check_indices,
    check_keys,
    check_numbers,
    check_results,
    natural,
    read_rows,
)
from mnist_helpers.data.budget import profile_from_environment
from mnist_helpers.data.mnist import REAL
from mnist_helpers.evaluation.accuracy import Evaluation, wilson_interval

COLUMNS = (
    "system",
    "description",
    "notebook",
    "parameters",
    "epochs",
    "training_flops",
    "seconds",
    "device",
    "runs",
    "seed",
    "train_accuracy",
    "validation_accuracy",
    "test_accuracy",
    "deviation",
    "errors",
    "low",
    "high",
    "reported_accuracy",
    "source",
    "checkpoint",
)
NUMBERS = (
    *("parameters", "epochs", "training_flops", "seconds", "runs", "train_accuracy", "validation_accuracy"),
    *("test_accuracy", "deviation", "errors", "low", "high", "reported_accuracy"),
)
WRONG_COLUMNS = ("system", "images")
_WRONG = "wrong_images.csv"
_TEST_IMAGES = 10_000
_PLACES = 7  # of accuracies: a reader who rounds to four places must not round what was rounded to five
_LOCK_SECONDS = 30


class LeaderboardWarning(UserWarning):
    """A row could not be written to the leaderboard file, or not to the end."""


def results_directory() -> Path:
    """Return the folder of the results: MNIST_RESULTS, or ``notebooks/results`` beside the library."""
    named = os.environ.get("MNIST_RESULTS")
    return Path(named).expanduser() if named else Path(__file__).resolve().parents[2] / "notebooks" / "results"


def record(
    system: str,
    run: Any,
    result: Evaluation | Sequence[Evaluation],
    *,
    notebook: str,
    description: str = "",
    validation: Evaluation | Sequence[Evaluation] | None = None,
) -> pd.DataFrame:
    """Write the row of one system, and return it as a table of one row.

    Parameters
    ----------
    system : its id, "S1.2-l1" as in ``reported.csv``, or a name of ours without such a prefix.
    run : what was trained: a ``Run`` or ``EstimatorRun``, or a sequence of them for a mean over several seeds; or a
        ``Committee``, which is one system of many networks: parameters, operations and seconds are sums over its
        members; or a sequence of committees, for a mean.
    result : its evaluation on the test images, or one for each run. Of several, accuracy and errors are means,
        ``deviation`` is the standard deviation from seed to seed, and the interval is that of one test set of this
        size at the mean accuracy.
    notebook : the number of the notebook that did it, such as "02".
    validation : a committee's evaluation on the validation images, or one for each committee; a run knows its own.

    ``training_flops``, the floating-point operations of training, are those of the epochs that were trained; empty for
    scikit-learn's estimators, which are not trained in passes over the images. Which test images a system (of several
    runs, the first one) gets wrong goes to ``wrong_images.csv``.

    Nothing is written for results of the smoke profile, of the stand-in or of a part of the test images. A row that
    differs from the written one in nothing but its seconds leaves it as it is. Raises ``TypeError`` for what is no run
    or no `Evaluation` (of a committee, give ``.average`` or ``.vote``), ``ValueError`` for no run, for an evaluation
    that is not of the test split, or of the validation split, and, naming the file, where `read` would.
    """
    runs, results = _listed(run), _listed(result)
    _check_runs(runs)
    _check_count(results, runs, name="result")
    _check_split(results, "test", name="result")
    row = _row(system, runs, results, notebook, description)
    if validation is not None:
        validations = _listed(validation)
        _check_count(validations, runs, name="validation")
        _check_split(validations, "validation", name="validation")
        row["validation_accuracy"] = str(_mean([each.accuracy for each in validations], _PLACES))
    if _complete(runs, results):
        _write(row, results[0].wrong)
    return _table([row])


def read(path: Path | None = None) -> pd.DataFrame:
    """Return the leaderboard as a table, one row a system, accuracies from 0 to 1.

    Raises ``ValueError``, naming the file, when it is not UTF-8 text, was cut off, or has other columns, several rows
    of one system, text where numbers belong, or numbers that contradict each other. With ``path``, that file alone is
    read; else ``wrong_images.csv`` must hold the same systems. A ``LeaderboardWarning`` names a system that was not
    recorded to the end: it has images, and no row.
    """
    if path is not None:
        return _table(_rows(path))
    path = results_directory() / "leaderboard.csv"
    rows, images = _both(path)
    for system in images.keys() - rows.keys():
        message = (
            f"The file {path} has no row of {system!r}, whose images {_WRONG} has: it was not recorded to the end,"
        )
        message += " or its row was lost. Record it again, or take both files from version control."
        warnings.warn(message, LeaderboardWarning, stacklevel=2)
    return _table(list(rows.values()))


def wrong_images(path: Path | None = None) -> dict[str, np.ndarray]:
    """Return which of the test images each system gets wrong: increasing indices, int64, by system.

    Of a system of several runs it is the first run. Raises ``ValueError``, naming the file, when it is damaged, or,
    without ``path``, when ``leaderboard.csv`` holds other systems.
    """
    of_all = _by_system(path, WRONG_COLUMNS) if path else _both(results_directory() / "leaderboard.csv")[1]
    return {system: np.array(row["images"].split(), np.int64) for system, row in of_all.items()}


def reported_accuracies() -> dict[str, float]:
    """Return the published test accuracies (0 to 1) by system id, from ``reported.csv``; none without that file.

    Raises ``ValueError``, naming the file, when it is damaged.
    """
    path, column = results_directory() / "reported.csv", "reported_test_accuracy"
    rows = read_rows(path, ("id", column), key="id", others=True)
    check_numbers(path, rows, [column])
    return {row["id"]: float(row[column]) for row in rows if row[column]}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _check_runs(runs: Sequence[Any]) -> None:
    about: dict[str, Any] = {"kind": "a run or a committee, or a list of one or more", "function": "leaderboard.record"}
    if not runs:
        raise ValueError(problem("run", about["function"], about["kind"], "none"))
    for run in runs:
        check_attributes(run, ("parameters", "seconds"), name="run", **about)
    for part in _parts(runs):
        check_attributes(part, ("device", "seed", "full", "checkpoint"), name="run", **about)


def _check_count(results: Sequence[Any], runs: Sequence[Any], *, name: str) -> None:
    if len(runs) != len(results):
        wanted = f"one evaluation for each of the {len(runs)} runs"
        raise ValueError(problem(name, "leaderboard.record", wanted, f"{len(results)}"))


def _check_split(results: Sequence[Any], split: str, *, name: str) -> None:
    others = [type(result).__name__ for result in results if not isinstance(result, Evaluation)]
    if others:
        raise TypeError(problem(name, "leaderboard.record", "an Evaluation, or one for each run", others[0]))
    if any(result.split != split for result in results):
        wanted = f"measured on the {split} images"
        raise ValueError(problem(name, "leaderboard.record", wanted, str([result.split for result in results])))
    if len({result.n for result in results}) > 1:
        got = str([result.n for result in results])
        raise ValueError(problem(name, "leaderboard.record", "measured on as many images each", got))


def _complete(runs: Sequence[Any], results: Sequence[Evaluation]) -> bool:
    full = profile_from_environment() == "full" and all(part.full for part in _parts(runs))
    return full and all(evaluation.source == REAL and evaluation.n == _TEST_IMAGES for evaluation in results)


def _parts(runs: Sequence[Any]) -> list[Any]:
    """Return the single runs, those of a committee's members among them."""
    return [part for run in runs for part in getattr(run, "runs", (run,))]


def _row(
    system: str, runs: Sequence[Any], results: Sequence[Evaluation], notebook: str, description: str
) -> dict[str, str]:
    accuracies = [evaluation.accuracy for evaluation in results]
    errors = [evaluation.errors for evaluation in results]
    low, high = wilson_interval(round(results[0].n - float(np.mean(errors))), results[0].n)
    reported = reported_accuracies().get(system)
    parts = _parts(runs)
    values = {
        "system": system,
        "description": description,
        "notebook": notebook,
        "parameters": runs[0].parameters,
        "epochs": _mean([getattr(part, "epochs", None) for part in parts], 1),
        "training_flops": _mean([_flops(run) for run in runs], 0),
        "seconds": _mean([run.seconds for run in runs], 1),
        "device": parts[0].device,
        "runs": len(runs),
        "seed": " ".join(str(part.seed) for part in parts if part.seed is not None),
        "train_accuracy": _mean([_split_accuracy(run, "train") for run in runs], _PLACES),
        "validation_accuracy": _mean([_split_accuracy(run, "validation") for run in runs], _PLACES),
        "test_accuracy": _mean(accuracies, _PLACES),
        "deviation": round(float(np.std(accuracies, ddof=1)), _PLACES) if len(runs) > 1 else None,
        "errors": _mean(errors, 1),
        "low": round(low, _PLACES),
        "high": round(high, _PLACES),
        "reported_accuracy": reported,
        "source": results[0].source,
        "checkpoint": " ".join(part.checkpoint for part in parts if part.checkpoint),
    }
    return {column: "" if values[column] is None else str(values[column]) for column in COLUMNS}


def _mean(values: Sequence[float | None], digits: int) -> float | None:
    known = [value for value in values if value is not None]
    if len(known) != len(values):
        return None
    mean = round(float(np.mean(known)), digits)
    return int(mean) if mean == int(mean) and digits <= 1 else mean


def _flops(run: Any) -> int | None:
    flops = [getattr(part, "training_flops", None) for part in _parts([run])]
    known = [count for count in flops if count is not None]
    return sum(known) if len(known) == len(flops) else None


def _split_accuracy(run: Any, split: str) -> float | None:
    return getattr(run, f"{split}_accuracy", None)


def _write(row: Mapping[str, str], wrong: np.ndarray) -> None:
    path = results_directory() / "leaderboard.csv"
    images = {"system": row["system"], "images": " ".join(map(str, wrong))}
    try:
        rows, others = _both(path)
        if _same_but_for_time(rows.get(row["system"]), row) and others.get(row["system"]) == images:
            return  # before any lock: a rerun in a read-only checkout has nothing to write
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(".leaderboard.lock"), timeout=_LOCK_SECONDS):
            _put(path.with_name(_WRONG), WRONG_COLUMNS, images)  # first: what has a row has its images
            _put(path, COLUMNS, row)
    except (OSError, Timeout) as error:
        message = f"The row {row['system']!r} could not be written to the leaderboard: {error}"
        warnings.warn(message, LeaderboardWarning, stacklevel=3)


def _put(path: Path, columns: Sequence[str], row: Mapping[str, str]) -> None:
    """Put a row in the place of the system's old one."""
    rows = _by_system(path, columns) | {row["system"]: dict(row)}
    atomic_write(path, as_csv(sorted(rows.values(), key=lambda each: natural(each["system"])), columns))


def _same_but_for_time(old: Mapping[str, str] | None, new: Mapping[str, str]) -> bool:
    return old is not None and all(old[c] == new[c] for c in COLUMNS if c not in {"seconds", "device"})


def _both(path: Path) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Return the rows of both files by system, held against each other.

    Images are written first, so a record that was stopped leaves a system without a row; more than one were lost.
    """
    beside = path.with_name(_WRONG)
    before, images, rows = _by_system(path, COLUMNS), _by_system(beside, WRONG_COLUMNS), _by_system(path, COLUMNS)
    check_keys(beside, images, path, before)  # before and after, because another process may be writing
    check_keys(path, rows, beside, images, spare=1)
    return rows, images


def _by_system(path: Path, columns: Sequence[str]) -> dict[str, dict[str, str]]:
    return {row["system"]: row for row in _rows(path, columns)}


def _rows(path: Path, columns: Sequence[str] = COLUMNS) -> list[dict[str, str]]:
    rows = read_rows(path, columns, key="system")
    check_numbers(path, rows, [column for column in NUMBERS if column in columns])
    if "images" in columns:
        check_indices(path, rows, "images")
    else:
        check_results(path, rows, key="system", images=_TEST_IMAGES)
    return rows


def _table(rows: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    text = StringIO(as_csv(rows, COLUMNS).decode())
    return pd.read_csv(text, dtype={"notebook": str, "seed": str}).set_index("system")
