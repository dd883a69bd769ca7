"""Live figures on pages opened as files, used with mouse, finger and keys in a headless Chromium."""

import json
import time
from pathlib import Path
from typing import Any

from browser import Browser

REGISTRY = "window[Object.keys(window).find((name) => name.startsWith('mnistLive'))]"
PAGE = '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'


class LivePage:
    """A page with one live figure. ``browser`` : the tab."""

    def __init__(self, browser: Browser, figure: Any, folder: Path, **window: Any) -> None:
        self.browser = browser
        page = folder / "page.html"
        page.write_text(PAGE + figure.to_html(), encoding="utf-8")
        browser.messages.clear()
        browser.open(page, **window)
        self.wait('document.querySelector(".mnist-live[data-ready]")')

    def wait(self, condition: str, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not self.value(f"Boolean({condition})"):
            assert time.monotonic() < end, f"{condition}; console: {self.browser.messages}"
            time.sleep(0.02)

    def value(self, expression: str) -> Any:
        return self.browser.evaluate(expression)

    def text(self, selector: str) -> str:
        """The text of the first element that is found."""
        self.value("new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))")
        return self.value(f"document.querySelector({json.dumps(selector)}).textContent")

    def texts(self, selector: str) -> list[str]:
        self.text("body")
        return self.value(f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => one.textContent)")

    def call(self, function: str, *arguments: Any) -> Any:
        """What a function of a module returns, such as ``valley.descend``; arrays of the page as plain lists."""
        call = f"{REGISTRY}.{function}(...{json.dumps(arguments)})"
        plain = "(name, value) => (ArrayBuffer.isView(value) ? [...value] : value)"
        return json.loads(self.value(f"JSON.stringify({call}, {plain})"))

    def _place(self, selector: str, x: float, y: float) -> tuple[float, float]:
        """A place in an element, which is scrolled into view; x and y from 0 to 1."""
        box = f"document.querySelector({json.dumps(selector)})"
        self.value(f"{box}.scrollIntoView({{ block: 'center' }})")
        sides = self.value(f"(({{ x, y, width, height }}) => [x, y, width, height])({box}.getBoundingClientRect())")
        left, top, width, height = sides
        return left + x * width, top + y * height

    def drag(self, selector: str, *places: tuple[float, float]) -> None:
        """Press the mouse at the first place, move over the others, release it at the last."""
        points = [self._place(selector, *place) for place in places]
        kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 1), "mouseReleased"]
        for kind, (x, y) in zip(kinds, [*points, points[-1]], strict=True):
            held = {"button": "left", "buttons": 0 if kind == "mouseReleased" else 1, "clickCount": 1}
            self.browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)

    def hover(self, selector: str, x: float = 0.5, y: float = 0.5) -> None:
        x, y = self._place(selector, x, y)
        self.browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def touch(self, selector: str, *places: tuple[float, float]) -> None:
        """Put a finger on the first place and move it over the others."""
        for i, (x, y) in enumerate([self._place(selector, *place) for place in places]):
            kind = "touchMove" if i else "touchStart"
            self.browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y}])
        self.browser.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def keys(self, selector: str, *names: str) -> None:
        """Focus an element and press keys: ArrowUp, Home, ..."""
        self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        codes = {"Enter": 13, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35}
        for name in names:
            for kind in ("rawKeyDown", "keyUp"):
                code = codes[name]
                typed = {"type": "keyDown", "text": "\r"} if (name, kind) == ("Enter", "rawKeyDown") else {"type": kind}
                self.browser.call("Input.dispatchKeyEvent", key=name, code=name, windowsVirtualKeyCode=code, **typed)
