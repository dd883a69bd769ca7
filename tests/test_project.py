"""The three files that name dependencies agree: setup.cfg, requirements.lock and environment.yml; and the Makefile."""

import ast
import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
CONDA_PYTHON = "3.12"
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[\w,-]+\])?==([^\s;]+)(?: ; (.+?))? \\$")


def declared() -> list[Requirement]:
    """The direct dependencies in setup.cfg, those for the site and for the tests among them."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = settings["options.extras_require"]
    lines = settings["options"]["install_requires"] + extras["docs"] + extras["test"]
    return [Requirement(line) for line in lines.splitlines() if line.strip()]


def locked(text: str) -> dict[str, list[tuple[Requirement, str, int]]]:
    """Every package of a lock file: its pins as (requirement, version, number of hashes)."""
    packages: dict[str, list[tuple[Requirement, str, int]]] = {}
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    for entry in entries:
        first, *rest = entry.splitlines()
        match = _PIN.match(first)
        assert match, f"not a pinned and hashed package: {first}"
        name, version, marker = match.groups()
        requirement = Requirement(f"{name}=={version}" + (f" ; {marker}" if marker else ""))
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line) for line in rest), (
            f"odd lines at {name}"
        )
        packages.setdefault(canonicalize_name(name), []).append((requirement, version, len(rest)))
    return packages


LOCK = locked((ROOT / "requirements.lock").read_text(encoding="utf-8"))


def version_for_conda(name: str) -> str:
    environment = {"python_version": CONDA_PYTHON, "python_full_version": f"{CONDA_PYTHON}.0"}
    pins = [
        version
        for requirement, version, _ in LOCK[canonicalize_name(name)]
        if requirement.marker is None or requirement.marker.evaluate(environment)
    ]
    assert len(pins) == 1, f"{name}: {pins}"
    return pins[0]


@pytest.mark.parametrize("requirement", declared(), ids=lambda requirement: requirement.name)
def test_lock_holds_every_direct_dependency_in_a_version_that_setup_cfg_allows(requirement):
    pins = LOCK.get(canonicalize_name(requirement.name))
    assert pins, f"{requirement.name} is not in requirements.lock: run make lock"
    for _, version, _ in pins:
        assert requirement.specifier.contains(Version(version), prereleases=True), f"{version}: run make lock"


def test_lock_has_hashes_for_every_package():
    assert len(LOCK) > 50
    assert not [name for name, pins in LOCK.items() if min(hashes for _, _, hashes in pins) < 1]


def test_lock_names_no_index_and_no_address():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.findall(r"(?m)^\s*--(?!hash=).*|\w+://\S+| @ ", text)


@pytest.mark.parametrize(
    "bad", ["numpy>=2\n", "--index-url x\n", "numpy==2.4.6\n", "numpy==2.4.6 \\\n    --hash=md5:00\n"]
)
def test_a_lock_file_that_is_not_pinned_and_hashed_is_noticed(bad):
    with pytest.raises(AssertionError):
        locked(bad)


def test_environment_yml_pins_the_direct_dependencies_as_the_lock_does():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    assert environment["channels"] == ["conda-forge"]
    assert conda == [f"python={CONDA_PYTHON}", "pip"]
    *pins, project = pip["pip"]
    assert project == "-e ."
    assert pins == [f"{requirement.name}=={version_for_conda(requirement.name)}" for requirement in declared()]


def make(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        pytest.skip("there is no make here")
    # these tests may themselves have been started by make, whose flags are not meant for this one
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )


def test_make_help_lists_every_target_in_one_line_each():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    lines = make("help", directory=ROOT).stdout.splitlines()
    assert all(len(line) <= 120 for line in lines)
    assert sorted(line.split()[0] for line in lines[1:]) == sorted(phony[1].split())


OTHER_PYTHON = """#!/bin/sh
if [ "$1" = -V ]; then echo Python {version}
elif [ "$1" = -c ]; then exec '{real}' -c "import sys; sys.version_info = tuple(map(int, '{version}'.split('.'))); $2"
else mkdir .venv; exit 9
fi
"""


@pytest.mark.parametrize("version", [None, "3.10.14", "3.14.0"])
def test_make_refuses_a_python_that_will_not_do_in_one_line(tmp_path, version):
    python = tmp_path / "a python"
    if version:
        python.write_text(OTHER_PYTHON.format(version=version, real=sys.executable))
        python.chmod(0o755)
    (tmp_path / "tools").mkdir()
    for name in ("Makefile", "requirements.lock", "setup.cfg", "tools/installer.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    done = make("setup", f"PYTHON={python}", directory=tmp_path)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 2 and len(errors) == 1
    assert (f"is needed, but {python} is Python {version};" if version else f"there is no {python} here") in errors[0]
    assert not (tmp_path / ".venv").exists()


# what a distribution is called, where its module has another name
DISTRIBUTIONS = {"IPython": "ipython", "sklearn": "scikit-learn", "yaml": "pyyaml"}
DISTRIBUTIONS |= {"websocket": "websocket-client", "PIL": "pillow"}
NOT_IMPORTED = {
    "jupyterlab": "in which the series is read",
    "tensorboard": "for keras.callbacks.TensorBoard, which notebook 06 names",
    "ipykernel": "in which the notebooks are executed",
    "mypy": "called by make lint",
    "ruff": "called by make lint",
    "nbval": "a plugin of pytest",
    "pytest-cov": "a plugin of pytest",
    "pytest-timeout": "a plugin of pytest",
    "pytest-xdist": "a plugin of pytest",
    "myst-nb": "an extension of Sphinx",
    "numpydoc": "an extension of Sphinx",
    "sphinx-book-theme": "the theme of the site",
    "sphinx-copybutton": "an extension of Sphinx",
    "sphinx-design": "an extension of Sphinx",
}


def sources() -> Iterator[tuple[Path, str]]:
    """Every Python file of the project, and the code of every notebook."""
    for folder in ("mnist_helpers", "tools", "docs", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield from ((path, "".join(cell["source"])) for cell in cells if cell["cell_type"] == "code")


def imported() -> set[str]:
    """The distributions behind all modules that are imported anywhere, neither Python's own nor this project's."""
    trees = [node for _, code in sources() for node in ast.walk(ast.parse(code))]
    modules = {alias.name for node in trees if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in trees if isinstance(node, ast.ImportFrom) and not node.level}
    ours = {"mnist_helpers", "tools", *(path.stem for path in (ROOT / "tests").iterdir())}
    tops = {module.split(".")[0] for module in modules} - set(sys.stdlib_module_names) - ours
    return {canonicalize_name(DISTRIBUTIONS.get(top, top)) for top in tops}


def test_what_is_imported_is_declared_and_what_is_declared_is_used():
    named = {canonicalize_name(requirement.name) for requirement in declared()}
    assert not imported() - named, "imported, but not declared in setup.cfg"
    assert named - imported() == set(NOT_IMPORTED), "declared in setup.cfg, but not imported"


def test_citation_and_package_have_one_version():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == settings["metadata"]["version"]
    assert f"## [{citation['version']}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_workflows_call_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    called = set()
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        (job,) = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
        targets = job.get("strategy", {}).get("matrix", {}).get("target", [])
        commands = [step["run"].split()[1] for step in job["steps"] if "run" in step]
        called |= {each for each in commands if not each.startswith("$")} | set(targets)
    assert {"test", "docs", "test-lowest", "test-latest"} <= called
    assert all(re.search(rf"(?m)^{re.escape(target)}:", makefile) for target in called), called
