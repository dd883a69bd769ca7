"""The browser in which live figures are tried."""

from functools import partial

import pytest
from browser import browser, find_browser
from live_pages import LivePage


@pytest.fixture(scope="module")
def chromium():
    program = find_browser()
    if not program:
        pytest.skip("needs Chromium and the package websocket-client")
    with browser(program) as tab:
        yield tab


@pytest.fixture
def show(chromium, tmp_path):
    """Show a figure; afterwards the console must be empty, and nothing loaded but the page."""
    yield partial(LivePage, chromium, folder=tmp_path)
    assert not chromium.messages
    assert all(address.startswith(("file:", "data:", "blob:")) for address in chromium.requests)
