"""Is everything there that the series needs?"""

import platform
from importlib import metadata

import pandas as pd
from packaging.requirements import Requirement


def environment() -> pd.DataFrame:
    """Return which libraries the series needs, and which are there.

    Returns
    -------
    DataFrame
        Indexed by library, Python first: ``needed`` and ``installed``, versions (the latter "-" for what is missing),
        and ``ok``.
    """
    package = metadata.metadata("mnist-helpers")
    needed = [Requirement(f"python{package['Requires-Python']}")]
    needed += [Requirement(text) for text in package.get_all("Requires-Dist") or () if "extra ==" not in text]
    rows = [_row(requirement) for requirement in needed]
    return pd.DataFrame(rows, columns=["library", "needed", "installed", "ok"]).set_index("library")


def _row(requirement: Requirement) -> tuple[str, str, str, bool]:
    installed = platform.python_version() if requirement.name == "python" else _version(requirement.name)
    ok = installed != "-" and requirement.specifier.contains(installed, prereleases=True)
    return requirement.name, str(requirement.specifier), installed, ok


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "-"
