"""Install the locked packages, and this project, into the environment that runs this file.

uv installs them in a fifth of pip's time, but does not read pip's configuration. If you have set an index, a
certificate or a proxy for pip, you mean it for this too, so it is handed on. Hashes are required: an index decides
where the files come from, never which files they are.
"""

import ast
import os
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


def install(*arguments: str, environment: dict[str, str]) -> None:
    """Run ``uv pip install`` with these arguments; what the user has set for uv comes before what pip is told."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable, *arguments]
    subprocess.run(command, check=True, cwd=ROOT, env=environment | dict(os.environ))


def main() -> int:
    """Install everything; return the exit status."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    environment = uv_environment(pip_settings(listing))
    try:
        install("--require-hashes", "-r", "requirements.lock", environment=environment)
        install("--no-deps", "--no-build-isolation", "-e", ".", environment=environment)
    except subprocess.CalledProcessError as error:
        print("error: the packages could not be installed; uv says why above", file=sys.stderr)
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
