"""Pages stand alone, say what their pictures show, and lead to each other."""

import base64
import hashlib
import os
import re
from urllib.parse import unquote

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_notebook
from pages import requests
from sample_notebooks import code, text
from sample_series import HINT, PIXEL, picture

from mnist_helpers import prose
from mnist_helpers.render import page
from mnist_helpers.series import Lesson

LESSON = Lesson("03_dense", "03 Dense <networks>")


def rendered(*cells, directory=".", **around):
    return page(new_notebook(cells=list(cells)), lesson=LESSON, directory=directory, **around)


def soup_of(*cells, **options):
    return BeautifulSoup(rendered(*cells, **options), "html.parser")


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
    html = page(notebook, lesson=LESSON, directory=tmp_path)
    assert requests(html) == []
    assert 'href="https://keras.io"' in html and "<title>03 Dense &lt;networks&gt; · MNIST notebooks</title>" in html
    assert html.count(base64.b64encode(b"\x89PNG").decode()) == 1 and html.count(PIXEL) == 1


def test_pictures_keep_the_alternative_text_of_their_cell():
    soup = soup_of(
        picture("plot_a()", "Ten digits, a column each"),
        picture("plot_b()", ["First", 'Second "quoted" <b>'], count=3),
        picture("x = 1\naxes = plot_c(x)\n"),
    )
    alts = [tag["alt"] for tag in soup.find_all("img")]
    assert alts == [
        "Ten digits, a column each",
        "First",
        'Second "quoted" <b>',
        "Picture drawn by: plot_b()",
        "Picture drawn by: axes = plot_c(x)",
    ]


def test_links_between_notebooks_lead_to_their_pages():
    soup = soup_of(text("[a](04_b.ipynb) [b](04_b.ipynb#part) [c](https://x.example/n.ipynb) [d](#top)"))
    links = [tag["href"] for tag in soup.main.find_all("a")]
    assert links == ["04_b.html", "04_b.html#part", "https://x.example/n.ipynb", "#top"]


def test_formulas_are_pictures_with_their_tex_or_else_the_tex_itself():
    soup = soup_of(text(r"An $\hat{p} < 1$, $$\sum_i x_i$$ and $\nosuch{y}$"))
    assert [tag["alt"] for tag in soup.find_all("img")] == [r"\hat{p} < 1", r"\sum_i x_i"]
    drawn = base64.b64decode(soup.img["src"].removeprefix("data:image/svg+xml;base64,"))
    assert b"<svg" in drawn
    assert soup.find("code").get_text() == r"\nosuch{y}"
    deep = "{" * 3000 + "x" + "}" * 3000
    assert soup_of(text(f"${deep}$")).find("code").get_text() == deep


def test_rendering_leaves_the_notebook_as_it_was():
    notebook = new_notebook(cells=[picture("plot()", "A plot")])
    before = nbformat.writes(notebook)
    page(notebook, lesson=LESSON, directory=".")
    assert nbformat.writes(notebook) == before


def test_the_policy_allows_the_pages_own_script_and_no_other():
    soup = soup_of(code("1"))
    (script,) = soup.find_all("script")
    digest = base64.b64encode(hashlib.sha256(script.string.encode()).digest()).decode()
    content = soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in content.split(";"))
    assert rules["default-src"] == "'none'" and rules["script-src"] == f"'sha256-{digest}'"
    assert rules["img-src"] == "data:" and "fold" in script.string


def test_code_folds_and_a_solution_starts_folded_with_its_output():
    hidden = code("x = 0")
    hidden.metadata["jupyter"] = {"source_hidden": True}
    soup = soup_of(code("x = 1", printed="shown\n"), hidden, code("x = 2", printed="the secret\n", tags=["solution"]))
    shown, closed, solution = soup.main.find_all("details")
    assert shown.summary.string == "Code" and shown.has_attr("open") and "x = 1" in shown.get_text()
    assert "shown" not in shown.get_text()  # the output stays when the code is folded
    assert "x = 0" in closed.get_text() and not closed.has_attr("open")
    assert solution.summary.string == "Solution" and not solution.has_attr("open")
    assert "x = 2" in solution.get_text() and "the secret" in solution.get_text()


def test_claims_and_verdicts_wrap_like_sentences_and_other_text_keeps_its_lines():
    printed = ["✓ It holds, because of <this>.\n", "✗ 04-2: look again.\n", "– not judged: x\n", "a table ✓ of text\n"]
    lines = soup_of(*(code("claim(...)", printed=each) for each in printed)).select(".jp-OutputArea-output pre")
    assert [line.get_text() for line in lines] == printed
    assert [line.get("class") for line in lines] == [["sentences"]] * 3 + [None]


@pytest.mark.parametrize("body", ["Use *plus*.", "![p](p.png) Use *plus*.", '<img src="p.png" alt="p"> Use *plus*.'])
def test_a_hint_is_folded_with_all_its_text(tmp_path, body):
    (tmp_path / "p.png").write_bytes(base64.b64decode(PIXEL))
    hint = soup_of(text(HINT.replace("Use *plus*.", body)), directory=tmp_path).main.details
    assert hint.summary.string == "Hint" and not hint.has_attr("open")
    assert hint.em.string == "plus" and "Add." not in hint.get_text()
    assert all(tag["src"].startswith("data:image/png") for tag in hint.find_all("img"))


def test_previous_contents_and_next_stand_on_the_page_and_only_once():
    links = "[← 02 B](02_b.ipynb) · [Contents](00_a.ipynb#Map) ·\n[04 D →](04_d.ipynb)"
    prose = f"# 03 Dense\n\n{links}\n\nSee [02](02_b.ipynb)."
    around = {"previous": Lesson("02_b", "02 B"), "following": Lesson("04_é", "04 <D>")}
    soup = soup_of(text(prose), text("## End\n\n[04 D →](04_d.ipynb)"), **around)
    for nav in soup.find_all("nav"):
        assert [tag["href"] for tag in nav.find_all("a")] == ["02_b.html", "index.html", "04_%C3%A9.html"]
        assert [tag.get_text() for tag in nav.find_all("a")] == ["← 02 B", "Contents", "04 <D> →"]
    assert len(soup.find_all("nav")) == 2
    assert [tag["href"] for tag in soup.main.find_all("a", class_=None)] == ["02_b.html"]
    assert len(soup_of(text("# 03")).nav.find_all("a")) == 1


def test_the_sections_of_a_page_are_listed_at_its_top():
    soup = soup_of(text("# T\n\n## First *one*\n\n### Not this\n\n## 99 % of it"))
    links = soup.find(class_="outline").find_all("a")
    assert [link.get_text() for link in links] == ["First one", "99 % of it"]
    assert {link["href"][1:] for link in links} < {tag["id"] for tag in soup.main.find_all(id=True)}


def test_files_that_the_prose_names_come_along_in_the_link(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"a,b\n")
    (tmp_path / "large.bin").write_bytes(bytes(2**20 + 1))
    soup = soup_of(text("[table](table.csv), [large](large.bin)"), directory=tmp_path)
    (link,) = soup.main.find_all("a")
    kind, data = link["href"].split(";base64,")
    assert (kind, base64.b64decode(data), link["download"]) == ("data:text/csv", b"a,b\n", "table.csv")
    assert "large" in soup.main.get_text()


@pytest.fixture
def around_a_folder(tmp_path, monkeypatch):
    """A folder with all kinds of what is no picture, or none of its own; and a secret beside the folder."""
    folder = tmp_path / "notebooks"
    (folder / "pictures").mkdir(parents=True)
    png = base64.b64decode(PIXEL)
    (tmp_path / "secret.png").write_bytes(b"nobody's business")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "circle.png").symlink_to(folder / "circle.png")
    (folder / "notes.txt").write_text("no picture")
    os.mkfifo(folder / "pipe.png")  # to open it would wait for ever
    for name in ("gré en.png", "pictures/inside.png"):
        (folder / name).write_bytes(png)
    (folder / "within.png").symlink_to(folder / "pictures" / "inside.png")
    monkeypatch.setattr(prose, "_MAX_PICTURE_BYTES", 1000)
    for name, size in (("large.png", 1000), ("larger.png", 1001)):
        (folder / name).write_bytes(bytes(size))
    return folder


NO_PICTURES = ["", "pictures", ".", "gone.png", "link.png", "../secret.png", "circle.png", "notes.txt", "pipe.png"]
NO_PICTURES += ["larger.png", "a%00b.png", "x" * 300 + ".png", "attachment:gone.png", "attachment:"]


@pytest.mark.parametrize("source", NO_PICTURES)
@pytest.mark.parametrize("form", ["![seen *so*]({})", '<img src="{}" alt="seen so">'])
def test_what_is_no_picture_of_the_folder_leaves_its_text(around_a_folder, source, form):
    soup = soup_of(text(f"Before {form.format(source)} after."), directory=around_a_folder)
    assert not [tag["src"] for tag in soup.find_all("img") if tag["src"].startswith("data:")]
    texts = "".join(
        tag.get("alt", "") if tag.name == "img" else tag.get_text() for tag in soup.main.find_all(["p", "img"])
    )
    assert "Before" in texts and "seen so" in texts and "after." in texts


@pytest.mark.parametrize("source", ["gr%C3%A9%20en.png", "pictures/inside.png", "within.png", "large.png"])
@pytest.mark.parametrize("form", ["![seen]({})", '<img src="{}" alt="seen">'])
def test_pictures_of_the_folder_come_along(around_a_folder, source, form):
    (image,) = soup_of(text(form.format(source)), directory=around_a_folder).find_all("img")
    data = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
    assert data == (around_a_folder / unquote(source)).read_bytes() and image["alt"] == "seen"


@pytest.mark.parametrize("form", ["![seen](attachment:a%20b.png)", '<img src="attachment:a b.png" alt="seen">'])
def test_an_attached_picture_is_shown(form):
    cell = text(form)
    cell["attachments"] = {"a b.png": {"text/plain": "x", "image/png": PIXEL}}
    (image,) = soup_of(cell).find_all("img")
    assert image["src"] == f"data:image/png;base64,{PIXEL}" and image["alt"] == "seen"


@pytest.mark.parametrize("target", ["a%00b.csv", "x" * 300, "circle.png", "pictures", "pipe.png", "link.png"])
def test_a_link_to_what_cannot_come_along_stays_a_link(around_a_folder, target):
    (link,) = soup_of(text(f"[x]({target})"), directory=around_a_folder).main.find_all("a")
    assert link["href"] == target


def test_tables_scroll_in_a_box_of_their_own():
    table = soup_of(text("| a | b |\n|---|---|\n| 1 | 2 |")).table
    assert table.parent["class"] == ["scroll"]
    assert [cell.get_text() for cell in table.find_all(re.compile("^t[hd]$"))] == ["a", "b", "1", "2"]
