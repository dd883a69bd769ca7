"""The site: how a lesson becomes a page and a card; and the real pages, built without a warning, in a real browser."""

import base64
import re

import nbformat
import pytest
from browser import browser, find_browser
from nbformat import NotebookNode
from sample_notebooks import PIXEL, lesson, picture

from tools import site
from tools.series import NOTEBOOKS, find
from tools.site import _readable, _unbroken, api_pages, card, cover, jupyter_slug, prepared, results_of


@pytest.fixture
def path(tmp_path):
    return lesson(tmp_path / "notebooks" / "01_pixels.ipynb")


def test_pictures_keep_their_text_solutions_are_folded_and_neighbours_left_to_the_site(path):
    notebook = nbformat.read(path, as_version=4)
    before = nbformat.writes(notebook)
    page = prepared(notebook)
    assert page.cells[2].metadata.mystnb == {"image": {"alt": "A grey pixel"}}
    assert page.cells[6].metadata.tags == ["solution", "hide-cell"]
    assert page.cells[6].metadata.mystnb.code_prompt_show == "Show the solution"
    assert "Contents" not in page.cells[0].source and "[the start](00_start_here.ipynb)" in page.cells[1].source
    assert nbformat.writes(notebook) == before


def test_percent_signs_stay_with_their_numbers_but_for_code_formulas_and_headings():
    text = "## 5 % more\n9 % and `9 %` and $9 %$\n```\n9 %\n```\n8 %"
    assert _unbroken(text) == "## 5 % more\n9\u00a0% and `9 %` and $9 %$\n```\n9 %\n```\n8\u00a0%"


def test_printed_sentences_wrap_tables_do_not_and_words_in_tables_are_marked():
    long = "a sentence that is much longer than a line on a phone, or on a narrow page"
    printed = f"name    errors\nfive        35\n✓ {long}\n  evidence < 1\nshort\n"
    parts = _readable(nbformat.v4.new_output("stream", name="stdout", text=printed))
    assert [part.output_type for part in parts] == ["stream", "display_data", "stream"]
    assert parts[1].data["text/html"] == f'<pre class="sentences">✓ {long}\n  evidence &lt; 1</pre>'
    assert "\n".join(part.get("text") or part.data["text/plain"] for part in parts) == printed.strip()
    table = nbformat.v4.new_output("display_data", {"text/html": "<td>35 errors</td><td>1e-05</td><td>NaN</td>"})
    assert _readable(table)[0].data["text/html"] == '<td class="words">35 errors</td><td>1e-05</td><td>NaN</td>'
    coloured = nbformat.v4.new_output("stream", name="stdout", text=f"\x1b[1m{long}")
    assert _readable(coloured) == [coloured]


def test_a_card_tells_what_one_learns_how_long_it_takes_and_when_it_was_executed(path):
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.executed = NotebookNode(
        date="2026-03-04", profile="smoke", source="mnist", error="cell 2 of 3: oh"
    )
    lines = card(path, notebook, "A grey\npixel").splitlines()
    assert lines[0].endswith("01 Pixels") and "What a pixel is; more." in lines
    assert ":img-alt: A grey pixel" in lines and ":link: 01_pixels" in lines
    assert "15 min · failed in cell 2 of 3 · executed 4 Mar 2026 · small profile" in lines


def test_the_cover_is_the_largest_picture_or_the_chosen_one(path):
    notebook = nbformat.read(path, as_version=4)
    larger = picture("x", "large")
    larger.outputs[0].data["image/png"] = PIXEL + PIXEL
    notebook.cells.append(larger)
    assert cover(notebook)[1] == "large"
    notebook.cells[2].metadata["cover"] = True
    assert cover(notebook) == (base64.b64decode(PIXEL), "A grey pixel")
    assert cover(nbformat.v4.new_notebook()) == (b"", "")


def test_results_just_executed_are_shown_only_for_the_notebook_as_it_is(path, tmp_path):
    executed = lesson(tmp_path / "executed" / path.name)
    again = nbformat.read(executed, as_version=4)
    again.cells[5].outputs[0].text = "new\n"
    nbformat.write(again, executed)
    assert results_of(path, executed.parent).cells[5].outputs[0].text == "new\n"
    again.cells[5].source = "another"
    nbformat.write(again, executed)
    assert results_of(path, executed.parent).cells[5].outputs[0].text == "open\n"


def test_anchors_are_those_of_jupyter():
    assert jupyter_slug("What we saw, and 99 %?") == "What-we-saw,-and-99-%?"


def test_the_api_reference_has_what_learners_import():
    pages = {name: text.decode() for name, text in api_pages().items()}
    assert ".. autofunction:: mnist_helpers.train\n" in pages["api/training.md"]
    assert ".. autofunction:: mnist_helpers.models.lenet5\n" in pages["api/models.md"]
    assert ".. autoclass:: mnist_helpers.Digits\n" in pages["api/data.md"]
    names = re.findall(r"auto(?:class|function):: (.+)", "".join(pages.values()))
    assert len({name.rpartition(".")[2] for name in names}) == len(names)  # one import path each


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The real site, from the stored results; a warning of Sphinx is an error."""
    output = tmp_path_factory.mktemp("site") / "html"
    assert site.build(output, ("-W", "--keep-going")) == 0
    return output


@pytest.mark.timeout(900)
def test_every_lesson_is_a_page_with_its_texts_and_can_be_downloaded(html):
    for path in find():
        page = (html / f"{path.stem}.html").read_text(encoding="utf-8")
        images = re.findall(r'<img [^>]*src="_images/[^>]*>', page)
        assert all(re.search(r'alt="(?!_images)[^"]+"', image) for image in images), path.name
        assert (html / "_sources" / path.name).read_bytes().strip() == path.read_bytes().strip()
        assert f'href="{path.stem}.html"' in (html / "index.html").read_text(encoding="utf-8")
    assert "Show the solution" in (html / f"{find(['04'])[0].stem}.html").read_text(encoding="utf-8")


@pytest.mark.skipif(find_browser() is None, reason="there is no Chromium here")
@pytest.mark.timeout(900)
def test_pages_fit_a_phone_ask_no_other_host_and_say_nothing_on_the_console(html):
    pages = [*html.glob("*.html"), *html.glob("api/*.html")]
    assert len(pages) > len(find()) + 8
    with browser(find_browser()) as tab:
        for page in pages:
            tab.messages.clear()
            tab.open(page, width=390, height=844)
            assert tab.evaluate("document.scrollingElement.scrollWidth") <= 390, page.name
            assert not tab.messages, page.name
        assert not [address for address in tab.requests if not address.startswith(("file:", "data:"))]
        tab.open((html / "search.html").as_uri() + "?q=convolution")
        hits = (
            "new Promise(done => setTimeout(() => done(document.querySelectorAll('#search-results li').length), 2000))"
        )
        assert tab.evaluate(hits) > 3


def test_the_glossary_links_to_lessons_that_exist():
    source = (site.DOCS / "glossary.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\((\w+\.ipynb)\)", source))
    assert len(re.findall(r"(?m)^\w.*\n  \S", source)) >= 40
    assert linked <= {path.name for path in NOTEBOOKS.glob("*.ipynb")}
