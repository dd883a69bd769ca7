"""Install the locked packages, and this project, into the environment that runs this file.

    python tools/install.py                         the locked versions
    python tools/install.py lowest build/lowest     into a new environment: the lowest that setup.cfg allows
    python tools/install.py latest build/latest     into a new environment: the newest there are, allowed or not

uv installs them in a fifth of pip's time, but does not read pip's configuration. If you have set an index, a
certificate or a proxy for pip, you mean it for this too, so it is handed on. Hashes are required: an index decides
where the files come from, never which files they are.
"""

import ast
import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# what pip calls it, and the environment variable in which uv looks for the same thing
SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


def pip_settings(listing: str) -> dict[str, str]:
    """Return pip's settings from the output of ``pip config list``; the environment wins, as it does for pip."""
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in found:
            found[section][option] = str(ast.literal_eval(value))
    return found["global"] | found["install"] | found[":env:"]


def uv_environment(settings: dict[str, str]) -> dict[str, str]:
    """Return the variables that tell uv what ``settings`` tell pip; local folders that do not exist are left out."""
    variables = {"UV_SYSTEM_CERTS": "1", "UV_INDEX_STRATEGY": "unsafe-best-match", "UV_NO_CONFIG": "1"}
    for option, variable in SETTINGS.items():
        values = [value for value in settings.get(option, "").split() if _reachable(value)]
        if values:
            variables[variable] = (" " if variable in ("UV_INDEX", "UV_INSECURE_HOST") else ",").join(values)
    return variables


def _reachable(value: str) -> bool:
    path = value.removeprefix("file://")
    return Path(path).exists() if path.startswith("/") else True


def uv(*arguments: str, environment: dict[str, str]) -> None:
    """Run uv with these arguments; what the user has set for uv comes before what pip is told."""
    command = [sys.executable, "-m", "uv", "--quiet", *arguments]
    subprocess.run(command, check=True, cwd=ROOT, env=environment | dict(os.environ))


def install(*arguments: str, environment: dict[str, str], python: str = sys.executable) -> None:
    """Run ``uv pip install`` with these arguments, for the environment of ``python``."""
    uv("pip", "install", "--python", python, *arguments, environment=environment)


def declared() -> list[str]:
    """Return what setup.cfg asks for, extras included, a requirement each."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    sections = [settings["options"]["install_requires"], *settings["options.extras_require"].values()]
    return [line for section in sections for line in section.splitlines() if line.strip()]


def install_end(end: str, folder: str, environment: dict[str, str]) -> None:
    """Make an environment in ``folder`` with one end of the ranges: the ``lowest`` allowed, the ``latest`` of all."""
    names = [re.split(r"[\s<>=!~;]", line)[0] for line in declared()]
    uv("venv", "--clear", "--python", sys.executable, folder, environment=environment)
    arguments = ["--resolution", "lowest-direct", *declared()] if end == "lowest" else names
    install(*arguments, environment=environment, python=folder)
    install("--no-deps", "-e", ".", environment=environment, python=folder)


def main(arguments: list[str]) -> int:
    """Install everything; return the exit status."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    environment = uv_environment(pip_settings(listing))
    try:
        if arguments:
            install_end(*arguments, environment)
        else:
            install("--require-hashes", "-r", "requirements.lock", environment=environment)
            install("--no-deps", "--no-build-isolation", "-e", ".", environment=environment)
    except subprocess.CalledProcessError as error:
        print("error: the packages could not be installed; uv says why above", file=sys.stderr)
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
