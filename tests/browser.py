"""A headless Chromium for the tests of pages, driven over its DevTools protocol; tests skip where there is none."""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
]
MOST = 2000  # messages or requests of a page; more of them would fill the memory


def find_browser() -> str | None:
    """The program, or None where there is none, or none that can be driven."""
    try:
        import websocket  # noqa: F401
    except ImportError:
        return None
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass
class Browser:
    """One tab. ``messages`` : what the console showed. ``requests`` : all addresses asked for."""

    socket: Any
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    number: int = 0
    loaded: bool = False

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while (message := json.loads(self.socket.recv())).get("id") != self.number:
            self._note(message)
        assert "error" not in message, message["error"]
        return message["result"]

    def _note(self, message: dict[str, Any]) -> None:
        about = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.messages.append(json.dumps(about["exceptionDetails"]))
            case "Runtime.consoleAPICalled":
                self.messages.append(json.dumps(about["args"]))
            case "Log.entryAdded":
                self.messages.append(about["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"])
            case "Page.loadEventFired":
                self.loaded = True
        assert len(self.messages) < MOST, f"the page floods the console: {self.messages[-1][:500]}"
        assert len(self.requests) < MOST, f"the page asks again and again: {self.requests[-1][:500]}"

    def open(self, page: Path | str, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Load a page in a window of that size and wait until it is there."""
        mobile = width < 600
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.loaded = False
        self.call("Page.navigate", url=page.absolute().as_uri() if isinstance(page, Path) else page)
        while not self.loaded:
            self._note(json.loads(self.socket.recv()))

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)[
            "result"
        ].get("value")

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(picture["data"]))


@contextmanager
def browser(program: str) -> Iterator[Browser]:
    import websocket

    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            socket = websocket.create_connection(_tab(Path(profile), process), timeout=30, suppress_origin=True)
            yield Browser(socket)
            socket.close()
        finally:
            process.terminate()
            process.wait(timeout=20)


def _tab(profile: Path, process: subprocess.Popen[bytes]) -> str:
    from urllib.request import urlopen

    port = profile / "DevToolsActivePort"
    end = time.monotonic() + 30
    while not (port.exists() and port.read_text().count("\n")):
        assert process.poll() is None and time.monotonic() < end, "the browser does not start"
        time.sleep(0.05)
    with urlopen(f"http://127.0.0.1:{port.read_text().splitlines()[0]}/json/list") as answer:
        return next(tab["webSocketDebuggerUrl"] for tab in json.load(answer) if tab["type"] == "page")
