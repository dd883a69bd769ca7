"""Pages stand alone, say what their pictures show, and lead to each other."""

import base64
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_notebook, new_output
from sample_notebooks import code, text

from mnist_helpers.kernels import NotebookResult
from mnist_helpers.render import IndexRow, page, write_index

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n picture").decode()


def requests(html: str) -> list[str]:
    """Addresses that a browser would ask other hosts or other files for when it shows the page."""
    soup = BeautifulSoup(html, "html.parser")
    named = [
        tag[attribute] for tag in soup.find_all(True) for attribute in ("src", "srcset") if tag.has_attr(attribute)
    ]
    named += [tag["href"] for tag in soup.find_all("link") if tag.has_attr("href")]
    scripts = " ".join(tag.get_text() for tag in soup.find_all("script"))
    styles = " ".join(tag.get_text() for tag in soup.find_all("style"))
    named += re.findall(r"https?://[^\s\"']+", scripts) + re.findall(r"@import\s+\S+", styles)
    named += re.findall(r"url\(['\"]?([^)'\"]+)", styles)
    return [address for address in named if not address.startswith(("data:", "#"))]


def picture(source, alt=None, count=1):
    cell = code(source)
    cell.outputs = [
        new_output("display_data", data={"image/png": PIXEL, "text/plain": "<Figure>"}) for _ in range(count)
    ]
    if alt is not None:
        cell.metadata["alt"] = alt
    return cell


def rendered(*cells, directory="."):
    return page(new_notebook(cells=list(cells)), title="03_dense", directory=directory)


@pytest.mark.parametrize(
    "bad",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<img src="plot.png">',
        '<link rel="stylesheet" href="//fonts.example/a.css">',
        "<style>@import 'https://fonts.example/a.css';</style>",
        "<style>p { background: url(https://a.example/b.png) }</style>",
        "<script>import('https://cdn.example/m.mjs')</script>",
    ],
)
def test_the_check_for_requests_sees_them(bad):
    assert requests(f"<html><body>{bad}</body></html>")


def test_a_page_asks_for_nothing_else(tmp_path):
    (tmp_path / "map.png").write_bytes(b"\x89PNG")
    prose = "# Title\n\n![the map](map.png) and $x^2$\n\n```mermaid\ngraph TD; A-->B;\n```\n\n[Keras](https://keras.io)"
    notebook = new_notebook(cells=[text(prose), picture("plot()")])
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2}}
    html = page(notebook, title="00_start", directory=tmp_path)
    assert requests(html) == []
    assert 'href="https://keras.io"' in html and "<title>00_start</title>" in html
    assert html.count(base64.b64encode(b"\x89PNG").decode()) == 1 and html.count(PIXEL) == 1


def test_pictures_keep_the_alternative_text_of_their_cell():
    html = rendered(
        picture("plot_a()", "Ten digits, a column each"),
        picture("plot_b()", ["First", 'Second "quoted" <b>'], count=3),
        picture("x = 1\naxes = plot_c(x)\n"),
    )
    alts = [tag["alt"] for tag in BeautifulSoup(html, "html.parser").find_all("img")]
    assert alts == [
        "Ten digits, a column each",
        "First",
        'Second "quoted" <b>',
        "Picture drawn by: plot_b()",
        "Picture drawn by: axes = plot_c(x)",
    ]


def test_links_between_notebooks_lead_to_their_pages():
    html = rendered(text("[a](04_b.ipynb) [b](04_b.ipynb#part) [c](https://x.example/n.ipynb) [d](#top)"))
    links = [tag["href"] for tag in BeautifulSoup(html, "html.parser").find_all("a") if tag["href"] != "#"]
    assert links == ["04_b.html", "04_b.html#part", "https://x.example/n.ipynb", "#top"]


def test_formulas_are_pictures_with_their_tex_or_else_the_tex_itself():
    soup = BeautifulSoup(rendered(text(r"An $\hat{p} < 1$, $$\sum_i x_i$$ and $\nosuch{y}$")), "html.parser")
    assert [tag["alt"] for tag in soup.find_all("img")] == [r"\hat{p} < 1", r"\sum_i x_i"]
    drawn = base64.b64decode(soup.img["src"].removeprefix("data:image/svg+xml;base64,"))
    assert b"<svg" in drawn
    assert soup.find("code").get_text() == r"\nosuch{y}"


def test_rendering_leaves_the_notebook_as_it_was():
    notebook = new_notebook(cells=[picture("plot()", "A plot")])
    before = nbformat.writes(notebook)
    page(notebook, title="a", directory=".")
    assert nbformat.writes(notebook) == before


def row(name, **changes):
    result = NotebookResult(name, **({"status": "ok", "seconds": 1.23, "cells": 4} | changes))
    return IndexRow.of(result, profile="smoke", source="mnist")


def test_the_index_has_status_seconds_and_link_of_each(tmp_path):
    bad = row("01_é <b>", status="failed", seconds=75.0, failed_cell=3, error="ValueError: <script>")
    write_index(tmp_path, [bad, row("00_a")], order=["00_a", "01_é <b>"])
    soup = BeautifulSoup((tmp_path / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert soup.find("meta", {"name": "viewport"}) and not requests(str(soup))
    first, second = soup.tbody.find_all("tr")
    assert [cell.get_text(" ", strip=True) for cell in first.find_all("td")][1:] == ["✓ ok", "1.2"]
    assert first.a["href"] == "00_a.html" and second.a["href"] == "01_%C3%A9%20%3Cb%3E.html"
    assert "cell 3 of 4: ValueError: <script>" in second.get_text() and second.find("script") is None
    assert "1 of 2 executed without an error" in soup.p.get_text(" ", strip=True).replace("\n", " ")


def test_the_index_keeps_rows_of_earlier_runs_whose_pages_are_there(tmp_path):
    for name in ("00_a", "02_c"):
        (tmp_path / f"{name}.html").touch()
    write_index(tmp_path, [row("00_a"), row("01_gone"), row("02_c", seconds=9.0)], order=["00_a", "01_gone", "02_c"])
    write_index(tmp_path, [row("02_c", seconds=5.0)], order=["00_a", "01_gone", "02_c"])
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "00_a" in index and "01_gone" not in index and "5.0" in index and "9.0" not in index


@pytest.mark.parametrize("state", ["", "[1]", '[{"name": "x"}]', "{"])
def test_a_damaged_record_of_earlier_runs_does_not_matter(tmp_path, state):
    (tmp_path / "results.json").write_text(state)
    write_index(tmp_path, [row("00_a")], order=["00_a"])
    assert "00_a" in (tmp_path / "index.html").read_text(encoding="utf-8")
