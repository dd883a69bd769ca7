"""Pages and slides in a real browser: no error, no request, nothing wider than a phone, buttons and keys that work."""

import pytest
from browser import browser, find_browser
from sample_series import write_series

from mnist_helpers.site import Site
from mnist_helpers.slides import write_slides

pytestmark = pytest.mark.skipif(find_browser() is None, reason="there is no Chromium here")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_series(tmp_path_factory.mktemp("series"))
    Site(folder / "html", folder).complete()
    return folder


@pytest.fixture(scope="module")
def tab():
    with browser(find_browser()) as opened:
        yield opened


@pytest.fixture
def quiet(tab):
    """The tab; afterwards, nothing was said on the console, and nothing but the page itself was asked for."""
    tab.messages.clear()
    tab.requests.clear()
    yield tab
    assert tab.messages == []
    assert not [address for address in tab.requests if not address.startswith(("data:", "file:"))]
    assert sum(address.startswith("file:") for address in tab.requests) == 1


def test_a_script_that_is_not_the_pages_own_is_blocked_and_seen(tab, folder, tmp_path):
    page = (folder / "html" / "00_first.html").read_text(encoding="utf-8")
    bad = tmp_path / "bad.html"
    bad.write_text(page.replace("</main>", "<script>document.title = 'taken'</script><img src='x.png'></main>"))
    tab.messages.clear()
    tab.open(bad)
    assert tab.evaluate("document.title") != "taken"
    assert sum("Content Security Policy" in message for message in tab.messages) == 2


@pytest.mark.parametrize("name", ["index", "00_first", "01_sécond"])
def test_a_phone_shows_the_whole_width_and_every_picture(quiet, folder, name):
    quiet.open(folder / "html" / f"{name}.html", width=360, height=740)
    assert quiet.evaluate("document.scrollingElement.scrollWidth") == 360
    assert quiet.evaluate("[...document.images].every(image => image.naturalWidth > 0)")


def test_the_button_folds_all_code_and_unfolds_it_but_not_the_solution(quiet, folder):
    quiet.open(folder / "html" / "01_sécond.html")
    state = "[fold.textContent, ...['code', 'solution'].map(c => document.querySelectorAll(`.${c}[open]`).length)]"
    assert quiet.evaluate(state) == ["Hide all code", 3, 0]
    quiet.evaluate("fold.click()")
    assert quiet.evaluate(state) == ["Show all code", 0, 0]
    quiet.evaluate("fold.click()")
    assert quiet.evaluate(state) == ["Hide all code", 3, 0]


def test_keys_lead_through_the_slides(quiet, folder, tmp_path):
    (deck,) = write_slides(["1"], notebooks=folder, output=tmp_path)
    quiet.open(deck)
    state = "[place.textContent, document.querySelectorAll('.slide.current').length]"
    shown = quiet.evaluate("document.querySelectorAll('section.slide').length")
    for key, number in (("ArrowRight", 2), ("ArrowLeft", 1), ("ArrowLeft", 1), ("End", shown), ("Home", 1)):
        quiet.press(key)
        assert quiet.evaluate(state) == [f"{number} / {shown}", 1]
    assert quiet.evaluate("location.hash = '3'; document.body.classList.contains('live')")
    assert quiet.evaluate("new Promise(done => setTimeout(() => done(place.textContent), 50))") == f"3 / {shown}"
