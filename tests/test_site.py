"""The rendered series hangs together: contents, neighbours, links, and a page for every notebook."""

import json
import os

import nbformat
import pytest
from bs4 import BeautifulSoup
from pages import problems
from sample_notebooks import code, text, write
from sample_series import picture, write_series

from mnist_helpers.kernels import NotebookResult
from mnist_helpers.site import IndexRow, Site


def row(name, **changes):
    result = NotebookResult(name, **({"status": "ok", "seconds": 1.23, "cells": 4} | changes))
    return IndexRow.of(result, profile="smoke", source="mnist")


def index_of(directory):
    return BeautifulSoup((directory / "index.html").read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = write_series(tmp_path_factory.mktemp("série à lire"))
    made = Site(folder / "html", folder)
    made.complete()
    return made


def test_every_link_anchor_picture_and_request_of_a_complete_site_is_right(site):
    assert len(list(site.directory.glob("*.html"))) == 3
    assert problems(site.directory) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('href="index.html"', 'href="contents.html"', "contents.html leads nowhere"),
        ("00_first.html#Map", "00_first.html#Nap", "#Nap has no such place"),
        ('alt="A pixel"', 'alt=""', "picture without a text"),
        ("data:image", "https://x.example/image", "asks for https://x.example"),
        ("<main", '<i id="lesson"></i><main', "id lesson twice"),
        ('name="viewport"', 'name="port"', "no viewport"),
        ("default-src", "default", "no policy"),
    ],
)
def test_the_check_of_the_site_sees(site, tmp_path, old, new, problem):
    for path in site.directory.glob("*.html"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert any(problem in found for found in problems(tmp_path))


def test_the_contents_say_title_summary_time_and_status_of_each(tmp_path):
    write_series(tmp_path)
    site = Site(tmp_path / "html", tmp_path)
    bad = row("01_sécond", status="failed", seconds=75.0, failed_cell=3, error="ValueError: <script>")
    site.write_index([bad, row("00_first")])
    soup = index_of(tmp_path / "html")
    first, second = soup.ol.find_all("li")
    assert first.a["href"] == "00_first.html" and first.a.string == "00 First steps: a start"
    assert second.a["href"] == "01_s%C3%A9cond.html" and second.a.string == "01 Second <b> & last"
    assert "What a cell is; how to see it; more." in first.get_text()
    assert "1.5 minutes to read, no time to run" in first.get_text() and "✓ ok" in first.get_text()
    assert "executed in 1.2 s, smoke profile, mnist" in first.get_text()
    assert "✗ failed" in second.get_text() and "cell 3 of 4: ValueError: <script>" in second.get_text()
    assert soup.find("script") is None and "1 of 2 executed without an error, in 1 min 16 s" in soup.get_text()


def test_a_page_leads_to_its_neighbours(site):
    first, second = (
        BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in sorted(site.directory.glob("0*"))
    )
    assert [link.get_text() for link in first.nav.find_all("a")] == ["Contents", "01 Second <b> & last →"]
    assert second.nav.a.get_text() == "← 00 First steps: a start"


def series(folder):
    for name in ("00_a", "01_b", "02_c"):
        write(folder / f"{name}.ipynb", text(f"# {name}"), code("1", printed="stored\n"))
    return Site(folder / "html", folder)


def test_the_contents_keep_rows_of_earlier_runs_whose_pages_are_there(tmp_path):
    site = series(tmp_path)
    site.directory.mkdir()
    for name in ("00_a", "02_c"):
        site.page_of(name).touch()
    site.write_index([row("00_a"), row("01_b"), row("02_c", seconds=9.0)])
    site.write_index([row("02_c", seconds=5.0)])
    index = index_of(site.directory).get_text()
    assert "00_a" in index and "01_b" not in index and "5.0 s" in index and "9.0 s" not in index


DAMAGED = ["", "[1]", '[{"name": "x"}]', "{", "3", "[" * 100_000, '[{"name": ["x"], "status": "ok"}]']
DAMAGED += [f'[{{"name": "01_b", "status": "ok", "seconds": {seconds}}}]' for seconds in ('"1"', "null", "NaN", "[]")]
DAMAGED += ['[{"name": "%s", "status": "ok"}]' % ("x" * 5000)]


@pytest.mark.parametrize("state", DAMAGED)
def test_a_damaged_record_of_earlier_runs_does_not_matter(tmp_path, state):
    site = series(tmp_path)
    site.directory.mkdir()
    site.page_of("01_b").touch()
    (site.directory / "results.json").write_text(state)
    site.write_index([row("00_a")])
    assert "00_a" in index_of(site.directory).get_text()


def test_pages_with_stored_results_are_made_where_there_is_none_and_made_anew_when_the_notebook_changed(tmp_path):
    site = series(tmp_path)
    site.directory.mkdir()
    site.page_of("01_b").write_text("executed")
    site.write_index([row("01_b")])
    site.complete()
    assert site.page_of("01_b").read_text() == "executed" and "stored" in site.page_of("00_a").read_text()
    assert [entry["status"] for entry in json.loads((site.directory / "results.json").read_text())] == [
        "stored",
        "ok",
        "stored",
    ]
    assert "1 of 1 executed" in index_of(site.directory).get_text()
    for name in ("00_a", "01_b", "02_c"):
        site.page_of(name).write_text("as before")
    edited = (tmp_path / "00_a.ipynb").read_text().replace("stored", "edited")
    (tmp_path / "00_a.ipynb").write_text(edited)
    os.utime(tmp_path / "00_a.ipynb", (0, 0))  # a clock that was set back does not hide the change
    os.utime(tmp_path / "02_c.ipynb", ns=(2**62, 2**62))  # and a file from the future is not a change
    site.complete()
    assert "edited" in site.page_of("00_a").read_text()
    assert site.page_of("01_b").read_text() == site.page_of("02_c").read_text() == "as before"


def test_a_page_is_made_anew_when_its_neighbour_is_another(tmp_path):
    series(tmp_path).complete()
    write(tmp_path / "01_bb.ipynb", text("# 01_bb"))
    site = Site(tmp_path / "html", tmp_path)
    site.complete()
    assert all('href="01_bb.html"' in site.page_of(name).read_text() for name in ("01_b", "02_c"))
    assert problems(site.directory) == []


def test_a_notebook_that_cannot_be_read_has_a_page_that_says_so(tmp_path):
    site = series(tmp_path)
    (tmp_path / "01_b.ipynb").write_text("{no notebook")
    site.complete()
    assert "cannot be read" in site.page_of("01_b").read_text() and problems(site.directory) == []


def test_a_notebook_that_cannot_be_rendered_has_a_page_and_a_row_that_say_so(tmp_path):
    site = series(tmp_path)
    write(tmp_path / "01_b.ipynb", picture("plot()", 3))  # alternative texts that are none
    site.complete()
    assert "cannot be rendered" in site.page_of("01_b").read_text() and "stored" in site.page_of("02_c").read_text()
    assert "the page cannot be rendered: TypeError" in index_of(site.directory).get_text()
    assert problems(site.directory) == []


def test_half_a_character_is_replaced(tmp_path):
    (tmp_path / "00_a.ipynb").write_text(json.dumps(nbformat.v4.new_notebook(cells=[text("# A \ud83d B")])))
    site = Site(tmp_path / "html", tmp_path)
    site.complete()
    assert all("A ? B" in (site.directory / name).read_text(encoding="utf-8") for name in ("00_a.html", "index.html"))
