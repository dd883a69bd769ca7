"""Slides: a section begins a slide, long ones are cut, and the deck needs nothing else."""

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_notebook
from pages import problems
from sample_notebooks import code, text, write
from sample_series import picture, write_series

from mnist_helpers.series import RunError
from mnist_helpers.slides import deck, write_slides


def slides_of(*cells):
    html = deck(new_notebook(cells=list(cells)), name="00_a", directory=".")
    return BeautifulSoup(html, "html.parser").find_all("section", class_="slide")


def texts(slides):
    return [" ".join(slide.get_text(" ").replace("¶", "").split()) for slide in slides]


def test_each_heading_begins_a_slide_even_within_a_cell():
    slides = slides_of(text("# T\n\nIntro.\n\n## A\n\nOne."), code("x"), text("### B\n\n```\n## no heading\n```"))
    assert texts(slides) == ["T Intro.", "A One. Code x", "B ## no heading"]


def test_a_section_that_grows_too_long_goes_on_with_its_name_above():
    slides = slides_of(text("## *Long* one"), picture("a()", "First"), picture("b()", "Second"), text("Reading."))
    assert [[image["alt"] for image in slide.find_all("img")] for slide in slides] == [["First"], ["Second"]]
    assert slides[0].find(class_="section") is None
    assert slides[1].find(class_="section").string == "Long one" and "Reading." in slides[1].get_text()


def test_slide_types_are_obeyed_and_solutions_folded():
    def typed(cell, kind):
        cell.metadata["slideshow"] = {"slide_type": kind}
        return cell

    secret = code("y = 2", printed="secret\n", tags=["solution"])
    slides = slides_of(
        text("# T"),
        typed(text("Skipped."), "skip"),
        typed(text("Said."), "notes"),
        typed(code("x"), "subslide"),
        secret,
    )
    assert texts(slides) == ["T", "T Code x Solution y = 2 secret"]
    assert not slides[1].find("details", class_="solution").has_attr("open")


def test_slides_ask_for_nothing_and_lead_nowhere_else(tmp_path):
    folder = write_series(tmp_path)
    paths = write_slides(["1"], notebooks=folder, output=tmp_path / "slides")
    assert [path.name for path in paths] == ["01_sécond.slides.html"]
    assert problems(tmp_path / "slides") == []
    soup = BeautifulSoup(paths[0].read_text(encoding="utf-8"), "html.parser")
    assert soup.title.string == "01 Second <b> & last · slides"
    assert not [link for link in soup.find_all("a") if "ipynb" in link["href"] or link["href"].endswith(".html")]
    assert write_slides(["1"], notebooks=folder, output=tmp_path / "again")[0].read_text() == paths[0].read_text()


def test_a_notebook_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "00_a.ipynb").write_text("{no notebook")
    with pytest.raises(RunError, match="00_a.ipynb: not a readable notebook"):
        write_slides(notebooks=tmp_path, output=tmp_path)


def test_a_notebook_that_cannot_be_rendered_is_named(tmp_path):
    write(tmp_path / "00_a.ipynb", picture("plot()", 3))  # alternative texts that are none
    with pytest.raises(RunError, match="00_a.ipynb: it cannot be rendered: 'int' object"):
        write_slides(notebooks=tmp_path, output=tmp_path)


def test_a_notebook_without_text_has_its_name_as_title(tmp_path):
    write(tmp_path / "00_a.ipynb", code("1"))
    (path,) = write_slides(notebooks=tmp_path, output=tmp_path)
    assert "<title>00_a · slides</title>" in path.read_text()
