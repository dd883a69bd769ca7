"""The lock chooses the same versions next year: every package has a newer release, and none of them is taken."""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from local_index import publish
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
OLDEST_PIP = "23.0.1" if sys.version_info < (3, 12) else "23.2.1"  # Debian 12's; and the first that runs on 3.12
_PIN = re.compile(r"^([A-Za-z0-9][^\n]*?) \\\n(?:    --hash=.*\n?)+", re.MULTILINE)


def version(pin: Requirement) -> str:
    return str(pin.specifier).removeprefix("==")


def chosen(folder: Path) -> dict[str, str]:
    """The names and versions of what is installed in ``folder``."""
    return {canonicalize_name(item.name): item.version for item in metadata.distributions(path=[str(folder)])}


def what_it_asks_for(pin: Requirement) -> list[str]:
    """The extras and requirements of a locked package, as the installed one states them; none if it is not installed.

    Without them no pip would meet ``coverage[toml]`` before it meets ``coverage``.
    """
    try:
        stated = metadata.metadata(pin.name)
    except metadata.PackageNotFoundError:
        return []
    if Version(stated["Version"]) != Version(version(pin)):
        return []
    return [f"{key}: {value}" for key in ("Requires-Dist", "Provides-Extra") for value in stated.get_all(key) or []]


@pytest.fixture(scope="module")
def pins():
    return [Requirement(pin) for pin in _PIN.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def index(pins, tmp_path_factory):
    """An index with two stand-ins of every locked package: the locked version, and an empty newer one."""
    folder = tmp_path_factory.mktemp("index")
    lock = ""
    for pin in pins:
        digest = publish(folder, pin.name, version(pin), what_it_asks_for(pin))
        publish(folder, pin.name, ".".join(map(str, (*Version(version(pin)).release, 1))))
        lock += f"{pin} --hash=sha256:{digest}\n"
    (folder / "requirements.lock").write_text(lock, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def expected(pins):
    """The locked versions that are meant for this Python and this machine."""
    here = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): version(pin) for pin in here}


@pytest.fixture(scope="module", params=[f"pip=={OLDEST_PIP}", "pip"])
def pip(request, tmp_path_factory):
    """The path of a pip that runs from its wheel: the oldest supported one, and the newest."""
    folder = tmp_path_factory.mktemp("pip")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, request.param]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{request.param} cannot be fetched: {done.stderr.strip().splitlines()[-1]}")
    return next(folder.glob("*.whl")) / "pip"


def dry_run(pip: Path, index: Path, lock: Path, report: Path) -> subprocess.CompletedProcess[str]:
    """What ``pip`` says to ``lock`` when it knows of ``index`` only; it writes what it would install to ``report``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    command = [sys.executable, pip, "--isolated", "install", "--dry-run", "--ignore-installed", "--no-cache-dir"]
    command += ["--quiet", "--disable-pip-version-check", "--index-url", index.as_uri(), "--report", report]
    return subprocess.run(
        [*command, "--require-hashes", "-r", lock],
        env=environment | {"PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )


def test_pip_chooses_the_locked_versions(pip, index, expected, tmp_path):
    done = dry_run(pip, index, index / "requirements.lock", tmp_path / "report.json")
    assert done.returncode == 0, done.stderr
    would = [item["metadata"] for item in json.loads((tmp_path / "report.json").read_text("utf-8"))["install"]]
    assert {canonicalize_name(item["name"]): item["version"] for item in would} == expected


def test_uv_chooses_the_locked_versions(index, expected, tmp_path, installer):
    environment = installer.uv_environment({"index-url": index.as_uri()})
    arguments = ["--no-cache", "--target", str(tmp_path), "--require-hashes", "-r", str(index / "requirements.lock")]
    installer.install(*arguments, environment=environment)
    assert chosen(tmp_path) == expected


@pytest.mark.parametrize("pip", [f"pip=={OLDEST_PIP}"], indirect=True)
def test_a_lock_that_lost_an_extra_would_not_last(pip, index, tmp_path):
    """The check is worth something: without the extra the oldest pip looks at the newer release, and gives up."""
    text = (index / "requirements.lock").read_text(encoding="utf-8")
    assert "coverage[toml]==" in text
    (tmp_path / "requirements.lock").write_text(text.replace("coverage[toml]==", "coverage=="), encoding="utf-8")
    done = dry_run(pip, index, tmp_path / "requirements.lock", tmp_path / "report.json")
    assert done.returncode != 0
    assert "coverage" in done.stderr and "hash" in done.stderr
