"""All eleven live figures in a real JupyterLab, with a kernel, used with mouse and keys."""

import os
import secrets
import socket
import subprocess
import sys
import time

import nbformat
import numpy as np
import pytest
from browser import browser, find_browser
from live_pages import LivePage
from sklearn.datasets import make_moons
from sklearn.svm import SVC

CELLS = {
    "set-up": """
import numpy as np
from sklearn.datasets import make_moons
from mnist_helpers import live, load_mnist
digits = load_mnist(standin="auto")
some = digits.validation.take(2)
rng = np.random.default_rng(0)
""",
    "Convolve": "live.Convolve(digits.train.images[0])",
    "LiveTraining": "live.LiveTraining(digits)",
    "DrawDigit": 'pad = live.DrawDigit("dense")\npad',
    "Network": 'live.Network("LeNet-5", digits.validation)',
    "Components": "live.Components(digits, n_components=4, n_shown=60)",
    "Augment": 'live.Augment(some, {"one": "LeNet-5", "other": "LeNet-5, augmented"})',
    "Shift": 'live.Shift(some, {"any": rng.dirichlet(np.ones(10), (2, 21, 21)).astype("f")})',
    "Valley": "live.Valley()",
    "Border": "live.Border(*make_moons(40, noise=0.2, random_state=0))",
    "Quiz": 'live.Quiz("Why?", {"a": "because", "c": "therefore"})',
    "Table": 'live.Table(__import__("pandas").DataFrame({"errors": [35, 41]}, index=["five", "one"]), caption="Two.")',
}
USES = {  # where to press, and where to go from there; what gets keys, and which
    "Convolve": (".from .tile", [(0.5, 0.5), (0.3, 0.4)], ".from .tile", ["ArrowDown"]),
    "LiveTraining": (".controls.first button", [(0.5, 0.5)], ".slider input", ["ArrowRight"]),
    "DrawDigit": (".sheet", [(0.2, 0.8), (0.8, 0.8)], ".slider input", ["ArrowRight"]),
    "Network": (".network-input .tile", [(0.5, 0.5), (0.6, 0.6)], ".slider input", ["ArrowRight"]),
    "Components": (".map", [(0.5, 0.9)], ".component input", ["ArrowRight"]),
    "Augment": (".augment .tile", [(0.5, 0.5), (0.6, 0.5)], ".slider input", ["ArrowRight"]),
    "Shift": (".shift .tile", [(0.5, 0.5), (0.6, 0.4)], ".shift .tile", ["ArrowLeft"]),
    "Valley": (".plane", [(0.2, 0.3), (0.4, 0.4)], ".plane", ["ArrowDown"]),
    "Border": (".choice label:last-child", [(0.5, 0.5)], ".slider input", ["ArrowRight"]),
    "Quiz": ("label", [(0.5, 0.5)], "input:checked", ["ArrowDown"]),
    "Table": ("th:nth-child(2) button", [(0.5, 0.5)], "th:nth-child(2) button", ["Enter"]),
}


class LabPage(LivePage):
    """A notebook in JupyterLab; `run` executes the selected cell and goes on to the next."""

    def __init__(self, browser, address):
        self.browser = browser
        browser.open(address, height=1000)
        self.wait("document.querySelector('.jp-Notebook .jp-CodeCell')", seconds=90)
        end = time.monotonic() + 90
        while self.text(".jp-CodeCell .jp-InputPrompt") == "[ ]:":  # until then, the kernel was not there
            assert time.monotonic() < end, browser.messages
            self.drag(".jp-CodeCell .jp-InputPrompt", (0.5, 0.5))
            self.run()
            time.sleep(1)

    def cell(self, name):
        return f".jp-CodeCell:nth-child({list(CELLS).index(name) + 1})"

    def run(self):
        self.drag(".jp-NotebookPanel-toolbar [data-jp-item-name=run]", (0.5, 0.5))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The notebook, executed cell by cell."""
    program = find_browser()
    pytest.importorskip("jupyterlab")
    if not program:
        pytest.skip("needs Chromium and the package websocket-client")
    folder = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in CELLS.values()]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "figures.ipynb")
    settings = folder / "settings" / "@jupyterlab"
    for extension, content in (
        ("notebook-extension/tracker", '{"windowingMode": "none"}'),  # all cells are in the page
        ("apputils-extension/notification", '{"fetchNews": "false"}'),
    ):
        path = settings / f"{extension}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(content)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    options = [f"--ServerApp.root_dir={folder}", f"--port={port}", f"--IdentityProvider.token={token}", "--no-browser"]
    options += ["--allow-root", "--LabApp.news_url=None", "--ServerApp.port_retries=0"]
    options += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    homes = {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    homes |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "spaces")}
    log = (folder / "log").open("wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options], env=os.environ | homes, stdout=log, stderr=log
    )
    try:
        end = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        with browser(program) as tab:
            page = LabPage(tab, f"http://127.0.0.1:{port}/lab/tree/figures.ipynb?token={token}")
            for _ in range(len(CELLS) - 1):
                page.run()
            yield page
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", USES)
def test_each_figure_moves_in_a_cell(lab, name):
    cell, (pressed, places, focused, keys) = lab.cell(name), USES[name]
    body = f"document.querySelector('{cell} .mnist-live[data-ready] .live-body')"
    lab.wait(body, seconds=240)
    selected = "[...document.querySelectorAll('.jp-CodeCell')].findIndex((one) => one.matches('.jp-mod-active'))"
    for act in (
        lambda: lab.drag(f"{cell} {pressed}", *places),
        lambda: lab.keys(f"{cell} {focused}", *keys),
    ):
        lab.text("body")  # what is still to be painted
        before = lab.value(f"window.before = {body}.innerHTML; {selected}")
        act()
        lab.wait(f"{body}.innerHTML !== window.before")
    assert lab.value(selected) == before  # keys are for the figure, not for JupyterLab


@pytest.mark.timeout(400)
def test_the_kernel_fits_the_border_and_gets_the_drawing(lab):
    cell = lab.cell("Border")
    lab.drag(f"{cell} .choice label:first-child", (0.5, 0.5))
    lab.keys(f"{cell} .slider:nth-of-type(1) input", "Home")
    lab.keys(f"{cell} .slider:nth-of-type(2) input", "Home", *["ArrowRight"] * 3)
    points, labels = make_moons(40, noise=0.2, random_state=0)
    machine = SVC(C=0.1, gamma=0.1 * 5**0.15).fit(points.astype(np.float32), labels)
    lab.wait(f"document.querySelector('{cell} .count').textContent === '{len(machine.support_)}'")
    lab.drag(f"{lab.cell('DrawDigit')} .sheet", (0.2, 0.2), (0.8, 0.2))
    lab.wait(f"document.querySelector('{lab.cell('DrawDigit')} .best')", 120)  # the kernel builds its network first
