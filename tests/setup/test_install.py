"""tools/install.py hands pip's settings on to uv, and installs from the index that they name."""

import importlib.util
import os
import shutil
import subprocess
import venv
from pathlib import Path

import pytest
from local_index import publish

LISTING = """\
:env:.disable-pip-version-check='1'
:env:.extra-index-url='https://b.example/simple'
global.extra-index-url='https://a.example/simple'
global.index-url='https://mirror.example/simple'
install.index-url='https://only-for-installing.example/simple'
freeze.timeout='10'
"""


def test_the_settings_are_those_that_pip_install_would_use(installer):
    assert installer.pip_settings(LISTING) == {
        "disable-pip-version-check": "1",
        "extra-index-url": "https://b.example/simple",
        "index-url": "https://only-for-installing.example/simple",
    }


@pytest.mark.parametrize("lines", ["", "a='b'", "global.cert='C:\\\\certificates\\\\own.pem'"])
def test_other_settings_do_no_harm(installer, lines):
    expected = {"cert": "C:\\certificates\\own.pem"} if "cert" in lines else {}
    assert installer.pip_settings(lines) == expected


def test_every_setting_has_its_variable(installer, tmp_path):
    (tmp_path / "own.pem").touch()
    settings = {
        "index-url": "https://mirror.example/simple",
        "extra-index-url": f"https://a.example/simple\n{tmp_path.as_uri()} file:///not/there",
        "find-links": f"{tmp_path} /not/there https://wheels.example",
        "trusted-host": "mirror.example\na.example",
        "cert": str(tmp_path / "own.pem"),
        "proxy": "http://proxy.example:3128",
        "timeout": "180",
    }
    variables = installer.uv_environment(settings)
    assert {name: value for name, value in variables.items() if not name.startswith(("UV_NO", "UV_SYSTEM"))} == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": f"https://a.example/simple {tmp_path.as_uri()}",
        "UV_FIND_LINKS": f"{tmp_path},https://wheels.example",
        "UV_INSECURE_HOST": "mirror.example a.example",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "SSL_CERT_FILE": str(tmp_path / "own.pem"),
        "ALL_PROXY": "http://proxy.example:3128",
    }


@pytest.fixture
def project(tmp_path, installer):
    """A small project with an environment of its own: its lock asks for one package, which a local index has."""
    shutil.copy(Path(installer.__file__).parents[1] / "pyproject.toml", tmp_path)
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = small\nversion = 1\n[options]\npy_modules =\n", "utf-8")
    (tmp_path / "tools").mkdir()
    shutil.copy(installer.__file__, tmp_path / "tools")
    digest = publish(tmp_path / "index", "some-package", "1.0")
    publish(tmp_path / "index", "some-package", "1.1")
    (tmp_path / "requirements.lock").write_text(f"some-package==1.0 --hash=sha256:{digest}\n", "utf-8")
    venv.create(tmp_path / ".venv", with_pip=True, symlinks=os.name != "nt")
    python = tmp_path / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    site = Path(said(python, "import sysconfig; print(sysconfig.get_path('purelib'))"))
    for name in ("uv", "setuptools"):  # those of the environment that runs this test
        found = Path(importlib.util.find_spec(name).origin).parents[1]
        (site / f"{name}.pth").write_text(str(found), "utf-8")
    return tmp_path, python


def said(python, code):
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def run_it(project, pip_conf, monkeypatch):
    folder, python = project
    (folder / "pip.conf").write_text(pip_conf, "utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(folder / "pip.conf"))
    monkeypatch.setenv("UV_CACHE_DIR", str(folder / "uv"))
    return subprocess.run([python, "tools/install.py"], cwd=folder, capture_output=True, text=True, check=False)


def test_it_installs_from_a_configured_index_and_says_nothing(project, monkeypatch):
    folder, python = project
    done = run_it(project, f"[global]\nindex-url = {(folder / 'index').as_uri()}\n", monkeypatch)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    code = "from importlib.metadata import version; print(version('some-package'), version('small'))"
    assert said(python, code) == "1.0 1"


def test_another_file_of_that_name_is_refused(project, monkeypatch):
    folder, _ = project
    publish(folder / "other", "some-package", "1.0", ["Summary: not what was locked"])
    done = run_it(project, f"[global]\nindex-url = {(folder / 'other').as_uri()}\n", monkeypatch)
    assert done.returncode != 0 and "hash" in done.stderr.lower()
    assert done.stderr.splitlines()[-1].startswith("error: the packages could not be installed")
