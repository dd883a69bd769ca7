"""Slides: the rule, and a deck in a real browser."""

import nbformat
import pytest
from browser import browser, find_browser
from nbformat import NotebookNode
from sample_notebooks import code, lesson, text, write

from tools.slides import slide_type, with_slide_types, write_slides


def test_headings_begin_slides_prose_after_pictures_is_a_note_and_solutions_are_left_out(tmp_path):
    deck = with_slide_types(nbformat.read(lesson(tmp_path / "01_pixels.ipynb"), as_version=4))
    types = [cell.metadata.slideshow.slide_type for cell in deck.cells]
    assert types == ["slide", "slide", "-", "notes", "subslide", "-", "skip"]


def test_a_cell_decides_for_itself():
    cell = text("## Heading")
    cell.metadata["slideshow"] = NotebookNode(slide_type="skip")
    deck = with_slide_types(nbformat.v4.new_notebook(cells=[cell]))
    assert deck.cells[0].metadata.slideshow.slide_type == "skip"


def test_a_folded_cell_is_shown_only_for_its_result():
    cell = code("check_the_numbers()")
    cell.metadata["jupyter"] = NotebookNode(source_hidden=True)
    assert slide_type(cell, after_picture=False) == "skip"


def test_a_deck_has_no_solution_no_hint_no_dead_link_and_formulas_without_a_script(tmp_path):
    lesson(tmp_path / "01_pixels.ipynb")
    (deck,) = write_slides(notebooks=tmp_path, output=tmp_path / "slides")
    html = deck.read_text(encoding="utf-8")
    assert "secret" not in html and "Use <em>plus" not in html and ".ipynb" not in html
    assert html.count("<math") == 1 and "$y$" in html
    assert "http" not in "".join(line for line in html.splitlines() if "<script" in line or "<link" in line)


@pytest.mark.skipif(find_browser() is None, reason="there is no Chromium here")
def test_nothing_is_cut_off_and_nothing_is_fetched(tmp_path):
    long = "\n".join(f"line_{number} = {number}  # {'word ' * 30}" for number in range(60))
    prose = [text("A sentence that takes some place on a slide. " * 12) for _ in range(8)]
    write(tmp_path / "01_long.ipynb", text("# Long"), text("## Section"), *prose, code(long, printed="x " * 3000))
    (deck,) = write_slides(notebooks=tmp_path, output=tmp_path / "slides")
    with browser(find_browser()) as tab:
        tab.open(deck, width=1280, height=720)
        tab.evaluate("new Promise(done => Reveal.isReady() ? done() : Reveal.on('ready', done))")
        assert tab.evaluate("Reveal.getTotalSlides()") > 4
        for _ in range(tab.evaluate("Reveal.getTotalSlides()")):
            low = "[...Reveal.getCurrentSlide().querySelectorAll('.jp-Cell')].map(e => e.getBoundingClientRect())"
            assert tab.evaluate(f"{low}.every(box => box.bottom <= 720 && box.right <= 1280)")
            tab.evaluate("Reveal.next()")
        assert tab.messages == [] and not [a for a in tab.requests if not a.startswith(("file:", "data:"))]
