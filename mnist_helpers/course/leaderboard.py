"""The table of all systems: one row per system, measured on the test images by complete runs on the real MNIST.

The published table lies in ``notebooks/results``, and only the authors' runs (MNIST_AUTHORS=1) write into it. What a
learner records goes to a table of their own.
"""

import os
import re
import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from mnist_helpers.common.checks import problem
from mnist_helpers.common.files import atomic_write
from mnist_helpers.common.profile import REAL, profile
from mnist_helpers.common.types import Plain
from mnist_helpers.data.mnist import cache_directory
from mnist_helpers.evaluation.accuracy import Evaluation, wilson_interval

COLUMNS = (
    *("system", "description", "notebook", "parameters", "epochs", "training_flops", "seconds", "device", "runs"),
    *("seed", "train_accuracy", "validation_accuracy", "test_accuracy", "deviation", "errors", "low", "high"),
    *("reported_accuracy", "source", "checkpoint"),
)
SETTINGS = ("batch_size", "optimizer", "estimator")  # of a learner's row, besides epochs, seed and description
PERSONAL_COLUMNS = (*COLUMNS, *SETTINGS, "recorded")
_TEXTS = {"description", "notebook", "device", "seed", "source", "checkpoint", *SETTINGS[1:], "recorded"}
_SAME_EXPERIMENT = ["system", "description", "parameters", "epochs", "runs", "seed", "checkpoint", *SETTINGS]
_TEST_IMAGES = 10_000
_PLACES = 7  # of accuracies: a reader who rounds to four places must not round what was rounded to five
_LOCK_SECONDS = 30


class LeaderboardWarning(UserWarning):
    """A row could not be written."""


def results_directory() -> Path:
    """Return the folder of the published results, ``notebooks/results`` beside the library."""
    return Path(__file__).resolve().parents[2] / "notebooks" / "results"


def personal_directory() -> Path:
    """Return the folder of the learner's own results: MNIST_RESULTS, or one in the cache directory."""
    named = os.environ.get("MNIST_RESULTS")
    return Path(named).expanduser() if named else cache_directory() / "results"


def record(
    system: str,
    run: Any,
    result: Evaluation | Sequence[Evaluation],
    *,
    notebook: str,
    description: str = "",
    validation: Evaluation | Sequence[Evaluation] | None = None,
) -> pd.DataFrame:
    """Write the row of one system.

    A learner's row goes to their own table (``read(mine=True)``), with its settings; one experiment has one row. With
    MNIST_AUTHORS=1 it takes the place of the published row, and its wrong images that of the published ones; a row
    that differs in nothing but time and device changes nothing. Results of the smoke profile, of the stand-in, of a
    shortened run or of a part of the test images are written nowhere.

    Parameters
    ----------
    system : str
        Its id, "S1.2-l1" as in ``reported.csv``, or a name of ours without such a prefix.
    run : Run, Outcome, FittedEstimator, StoredPredictions or Committee, or a sequence of them
        What was trained. Of a sequence the row has means over its runs; a committee is one system of many networks:
        parameters, operations and seconds are sums over its members.
    result : Evaluation or sequence of Evaluation
        On the test images, one for each run. Of several, accuracy and errors are means, ``deviation`` is the standard
        deviation from run to run, and the interval is that of one test set of this size at the mean accuracy.
    notebook : str
        The number of the notebook that did it, such as "02".
    description : str
        What the system is, for people.
    validation : Evaluation or sequence of Evaluation, optional
        A committee's, on the validation images; a run knows its own.

    Returns
    -------
    DataFrame
        The row, written or not.

    Raises
    ------
    TypeError, ValueError
        Not one evaluation for each run, or not of the test images.
    """
    runs, results = _listed(run), _checked(_listed(result), "test", len(_listed(run)))
    row = _row(system, runs, results, notebook, description)
    if validation is not None:
        accuracies = [each.accuracy for each in _checked(_listed(validation), "validation", len(runs))]
        row["validation_accuracy"] = _mean(accuracies, _PLACES)
    row = {column: "" if value is None else str(value) for column, value in row.items()}
    if _is_complete(runs, results):
        try:
            _write(row, results[0].wrong)
        except (OSError, ValueError, Timeout) as error:  # ValueError: the file is damaged
            message = f"The row {system!r} could not be written to the leaderboard: {error}"
            warnings.warn(message, LeaderboardWarning, stacklevel=2)
    return _typed(pd.DataFrame([row])[list(COLUMNS)])


def read(*, mine: bool = False) -> pd.DataFrame:
    """Return the published leaderboard, or the learner's own table.

    Parameters
    ----------
    mine : bool
        Whose table. The learner's has one row per experiment, so that a system may have several, and the settings that
        its runs tell.

    Returns
    -------
    DataFrame
        Indexed by system; accuracies from 0 to 1.
    """
    if mine:
        return _typed(_load(personal_directory() / "leaderboard.csv", PERSONAL_COLUMNS))
    return _typed(_load(results_directory() / "leaderboard.csv", COLUMNS))


def wrong_images() -> dict[str, np.ndarray]:
    """Return which of the test images each published system (of several runs, the first one) gets wrong.

    Returns
    -------
    dict of str to ndarray of int64
        Increasing indices, by system.
    """
    table = _load(results_directory() / "wrong_images.csv", ("system", "images"))
    return {row.system: np.array(row.images.split(), np.int64) for row in table.itertuples()}


def reported_accuracies() -> dict[str, float]:
    """Return the test accuracies that others published, 0 to 1, by system id."""
    path = results_directory() / "reported.csv"
    if not path.is_file():
        return {}
    return pd.read_csv(path, index_col="id")["reported_test_accuracy"].dropna().to_dict()


def _listed(value: object) -> list:
    return list(value) if isinstance(value, Sequence) and not hasattr(value, "runs") else [value]


def _checked(results: list, split: str, runs: int) -> list[Evaluation]:
    name, function = ("result" if split == "test" else split), "leaderboard.record"
    if others := [type(each).__name__ for each in results if not isinstance(each, Evaluation)]:
        expected = "an Evaluation, or one for each run (of a committee's, give .average or .vote)"
        raise TypeError(problem(name, function, expected, others[0]))
    if not runs or len(results) != runs or len({each.n for each in results}) > 1:
        got = [each.n for each in results]
        raise ValueError(problem(name, function, f"one evaluation, of as many images, for each of {runs} runs", got))
    if any(each.split != split for each in results):
        raise ValueError(problem(name, function, f"measured on the {split} images", [each.split for each in results]))
    return results


def _parts(runs: Sequence) -> list:
    """Return the single runs, those of a committee's members among them."""
    return [part for run in runs for part in getattr(run, "runs", (run,))]


def _is_complete(runs: Sequence, results: Sequence[Evaluation]) -> bool:
    full = profile() == "full" and all(part.full for part in _parts(runs))
    return full and all(evaluation.source == REAL and evaluation.n == _TEST_IMAGES for evaluation in results)


def _row(system: str, runs: Sequence, results: Sequence[Evaluation], notebook: str, description: str) -> Plain:
    accuracies, errors = [each.accuracy for each in results], [each.errors for each in results]
    low, high = wilson_interval(round(results[0].n - float(np.mean(errors))), results[0].n)
    parts = _parts(runs)
    return {
        "system": system,
        "description": description,
        "notebook": notebook,
        "parameters": runs[0].parameters,
        "epochs": _mean([getattr(part, "epochs", None) for part in parts], 1),
        "training_flops": _mean([_sum(getattr(p, "training_flops", None) for p in _parts([run])) for run in runs], 0),
        "seconds": _mean([run.seconds for run in runs], 1),
        "device": parts[0].device,
        "runs": len(runs),
        "seed": " ".join(str(part.seed) for part in parts if part.seed is not None),
        "train_accuracy": _mean([getattr(run, "train_accuracy", None) for run in runs], _PLACES),
        "validation_accuracy": _mean([getattr(run, "validation_accuracy", None) for run in runs], _PLACES),
        "test_accuracy": _mean(accuracies, _PLACES),
        "deviation": round(float(np.std(accuracies, ddof=1)), _PLACES) if len(runs) > 1 else None,
        "errors": _mean(errors, 1),
        "low": round(low, _PLACES),
        "high": round(high, _PLACES),
        "reported_accuracy": reported_accuracies().get(system),
        "source": results[0].source,
        "checkpoint": " ".join(part.checkpoint for part in parts if part.checkpoint),
        **_settings(getattr(parts[0], "settings", {})),
    }


def _settings(told: Plain) -> Plain:
    """Return what goes into the columns SETTINGS, of what a run tells about how it was trained."""
    optimizer = told.get("optimizer")
    if optimizer is not None:
        rate = optimizer["config"].get("learning_rate")  # an optimizer that wraps another one has none
        rate = rate["class_name"] if isinstance(rate, dict) else "" if rate is None else f"{rate:.4g}"
        optimizer = f"{optimizer['class_name']}({rate})"
    return {"batch_size": told.get("batch_size"), "optimizer": optimizer, "estimator": told.get("estimator")}


def _sum(values: Iterable) -> int | None:
    known = list(values)
    return None if None in known else sum(known)


def _mean(values: Sequence[float | None], digits: int) -> float | None:
    known = [value for value in values if value is not None]
    if len(known) != len(values):
        return None
    mean = round(float(np.mean(known)), digits)
    return int(mean) if mean == int(mean) and digits <= 1 else mean


def _write(row: dict[str, str], wrong: np.ndarray) -> None:
    """Write a row where it belongs: nowhere, if nothing is new."""
    published = {column: row[column] for column in COLUMNS}
    images = {"system": row["system"], "images": " ".join(map(str, wrong))}
    table, wrongs = results_directory() / "leaderboard.csv", results_directory() / "wrong_images.csv"
    of_time = ["seconds", "device"]
    if _has(table, published, COLUMNS, but=of_time) and _has(wrongs, images, tuple(images)):
        return
    if os.environ.get("MNIST_AUTHORS") == "1":
        _put(wrongs, images, tuple(images), ["system"])
        _put(table, published, COLUMNS, ["system"])
        return
    mine = personal_directory() / "leaderboard.csv"
    if not _has(mine, row, PERSONAL_COLUMNS, but=[*of_time, "recorded"]):
        row = row | {"recorded": datetime.now().isoformat(" ", "minutes")}
        _put(mine, row, PERSONAL_COLUMNS, _SAME_EXPERIMENT)
        print(f"{row['system']}: recorded in your own table, leaderboard.read(mine=True)")


def _has(path: Path, row: dict[str, str], columns: Sequence[str], but: Sequence[str] = ()) -> bool:
    compared = [column for column in columns if column not in but]
    return bool((_load(path, columns)[compared] == [row[column] for column in compared]).all(axis=1).any())


def _put(path: Path, row: dict[str, str], columns: Sequence[str], key: list[str]) -> None:
    """Put a row into a file in the place of the one with the same key, if there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(".leaderboard.lock"), timeout=_LOCK_SECONDS):
        table = _load(path, columns)
        others = table[~(table[key] == [row[column] for column in key]).all(axis=1)]
        table = pd.concat([others, pd.DataFrame([row])[list(columns)]])
        atomic_write(path, _as_csv(table.sort_values("system", key=lambda names: names.map(_natural), kind="stable")))


def _load(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return a file of results as text, as it stands there; no rows where there is no file."""
    if not path.is_file():
        return pd.DataFrame(columns=list(columns), dtype=str)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError as error:  # pandas' errors of parsing, and of decoding, are such
        raise ValueError(f"The file {path} is damaged; a copy from version control mends it. {error}") from error
    if list(table.columns) != list(columns):
        raise ValueError(f"The file {path} must have the columns {', '.join(columns)}. Got {list(table.columns)}.")
    return table


def _as_csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode()


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of text with its numbers as numbers, indexed by system."""
    table = table.apply(lambda column: column.map(lambda text: text or np.nan)).set_index("system")
    numbers = [column for column in table if column not in _TEXTS]
    return table.assign(**{column: pd.to_numeric(table[column]) for column in numbers})


def _natural(system: str) -> tuple:
    """Return what sorts S0.9 before S0.10, and names of ours after the published systems."""
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", system)]
    return re.match(r"S\d", system) is None, *parts
