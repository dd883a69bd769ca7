"""What a stranger's notebook can do, rendered and not executed: nothing. No script, no request, no secret."""

import base64
import hashlib
import warnings

import pytest
from browser import browser, find_browser
from bs4 import BeautifulSoup
from nbformat.v4 import new_notebook, new_output
from sample_notebooks import code, text, write

from mnist_helpers.editions import write_student_edition
from mnist_helpers.render import page
from mnist_helpers.series import Lesson
from mnist_helpers.site import Site
from mnist_helpers.slides import write_slides

EVIL = "<script>evil()</script>"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A stranger's notebook, and what is made of it without executing it: the page and the slides."""
    folder = tmp_path_factory.mktemp("above")
    (folder / "secret.txt").write_text("nobody's business")
    (folder / "secret.png").write_bytes(b"nobody's business")
    links = f"[s](../secret.txt) [t]({folder}/secret.txt) [u](%2e%2e/secret.txt) ![p](../secret.png)"
    frames = "<iframe src='https://e.example'></iframe><meta http-equiv='refresh' content='0;url=https://e.example'>"
    prose = f"# T </title>{EVIL}\n\n**What you will learn:** {EVIL}\n\n{links} [x](javascript:evil())\n\n{frames}"
    cell = code(f"open({str(folder / 'executed')!r}, 'w')")
    cell.metadata["alt"] = f'">{EVIL}'
    images = "<img src=x onerror=evil() OnLoad=evil()><a href=' java\tscript:evil()'>y</a><svg onload=evil()></svg>"
    outputs = {
        "text/html": f"{EVIL}{images}{frames}<base href='https://e.example'><link rel=stylesheet href='https://e.example'>",
        "application/javascript": "evil()",
        "image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{EVIL}</svg>",
        "text/markdown": f"{EVIL}\n\n[z](javascript:evil())",
        "text/latex": f"${EVIL}$",
    }
    cell.outputs = [new_output("display_data", data={mime: data}) for mime, data in outputs.items()]
    cell.outputs.append(new_output("error", ename=EVIL, evalue=EVIL, traceback=[EVIL]))
    path = write(folder / "notebooks" / "00_<b>x.ipynb", text(prose), cell)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Site(folder / "html", path.parent).complete()
        (deck,) = write_slides(notebooks=path.parent, output=folder / "slides")
        write_student_edition(notebooks=path.parent, output=folder / "student")
    assert not (folder / "executed").exists()
    made = {"page": folder / "html" / "00_<b>x.html", "slides": deck, "index": folder / "html" / "index.html"}
    return {name: file.read_text(encoding="utf-8") for name, file in made.items()}


@pytest.mark.parametrize("name", ["page", "slides", "index"])
def test_a_page_carries_no_script_but_its_own_and_its_policy_allows_no_other(pages, name):
    soup = BeautifulSoup(pages[name], "html.parser")
    scripts = [tag.string for tag in soup.find_all("script")]
    assert len(scripts) == (name != "index") and not any("evil" in script for script in scripts)
    charset, policy = soup.head.find_all("meta")[:2]
    assert charset.has_attr("charset") and policy["http-equiv"] == "Content-Security-Policy"
    assert soup.head.find_all(True)[:2] == [charset, policy]  # nothing is before it
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    rules = dict(rule.split(None, 1) for rule in policy["content"].split("; "))
    assert rules["script-src"] == (f"'sha256-{digests[0]}'" if digests else "'none'")
    assert (rules["default-src"], rules["img-src"], rules["base-uri"]) == ("'none'", "data:", "'none'")


@pytest.mark.parametrize("name", ["page", "slides", "index"])
def test_a_page_carries_nothing_else_that_acts(pages, name):
    soup = BeautifulSoup(pages[name], "html.parser")
    for tag in soup.body.find_all(True):
        assert tag.name not in ("iframe", "object", "embed", "base", "meta", "link")
        assert not [attribute for attribute in tag.attrs if attribute.startswith("on")]
        assert "script:" not in str(tag.get("href", "")).lower()


# -- what Python's parser reads in another way than a browser

ACTS = "<meta http-equiv='refresh' content='0;url=https://e.example'><img src=x onerror=evil()><script>evil()</script>"
DISPUTED = {
    "a head inside": f"<div><head>{ACTS}</head></div>",
    "a second page": f"</main></body></html><html><head>{ACTS}</head><body onload=evil()>",
    "a comment that ends early": f"<!-- --!>{ACTS}-->",
    "a comment that is over at once": f"<!-->{ACTS}-->",
    "a comment that is over after a dash": f"<!--->{ACTS}-->",
    "a section": f"<![CDATA[>{ACTS}]]>",
    "a section that does not end": f"<![CDATA[{ACTS}",
    "a condition": f"<![if IE]>{ACTS}<![endif]>",
    "an unknown section": f"<![x[{ACTS}]]>",
    "a declaration": f'<!x "> {ACTS}">',
    "an instruction": f'<?x "> {ACTS}"?>',
    "an end tag that is none": f'</ x ">{ACTS}">',
    "style in a picture": f"<svg><style>{ACTS}</style></svg>",
    "style in a formula": f"<math><style>{ACTS}</style></math>",
    "style and a comment": f"<style><!--</style>{ACTS}--></style>",
    "a name with a tag in it": f"<x<style>{ACTS}</x<style><p a<!--='x'>{ACTS}",
    "a script of the page's name": f"<script src='https://e.example'></script>{ACTS}",
    "a table": f"<table><style><!--</style><tr>{ACTS}</table>",
    "text in a formula": f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;{ACTS}'>",
    "nested text": f"<textarea><title></textarea>{ACTS}</title>",
}
DISPUTED |= {
    f"a comment in {tag}": f"<{tag}><!--</{tag}>{ACTS}--></{tag}>"
    for tag in ("noscript", "textarea", "title", "xmp", "noembed", "noframes", "iframe", "template", "select")
}
DISPUTED |= {
    f"a value in {tag}": f"<{tag}><p title='</{tag}>{ACTS}'></{tag}>"
    for tag in ("noscript", "textarea", "title", "xmp", "noembed", "noframes", "iframe", "style")
}
DISPUTED["the rest is text"] = f"<plaintext></plaintext>{ACTS}"


def shown_with(html, folder):
    """The page of a notebook with this as an output, and in its prose."""
    cell = code("1")
    cell.outputs = [new_output("display_data", data={mime: html}) for mime in ("text/html", "text/markdown")]
    notebook = new_notebook(cells=[text(f"# T\n\n{html}"), text(html), cell, text("The end.")])
    return page(notebook, lesson=Lesson("00_a", "00 A"), directory=folder)


def acting(html, *, scripting):
    """What acts in a page, read in the way that browsers read it, by another library; and how many scripts it has."""
    html5lib = pytest.importorskip("bleach._vendor.html5lib")
    tree = html5lib.parse(html, namespaceHTMLElements=False, scripting=scripting)
    own = set(tree.find("head").iter())
    tags = [(str(tag.tag).rpartition("}")[2].lower(), tag) for tag in tree.iter() if tag not in own]
    found = [name for name, _ in tags if name in ("iframe", "object", "embed", "base", "meta", "link")]
    found += [f"{name} {key}" for name, tag in tags for key in tag.attrib if str(key).lower().startswith("on")]
    scripts = [tag for name, tag in tags if name == "script"]
    return found + ["script" for tag in scripts if "evil" in (tag.text or "") or tag.attrib], len(scripts)


@pytest.mark.parametrize("html", DISPUTED.values(), ids=DISPUTED)
def test_nothing_acts_in_whichever_way_a_page_is_read(html, tmp_path):
    made = shown_with(html, tmp_path)
    assert made.startswith("<!DOCTYPE html>")
    for scripting in (False, True):
        acts, scripts = acting(made, scripting=scripting)
        assert acts == [] and scripts <= 1


@pytest.mark.parametrize("scripting", [False, True])
def test_the_other_reader_sees_what_acts(scripting):
    acts, scripts = acting(f"<!DOCTYPE html><title>T</title><body><!-- --!>{ACTS}--></body>", scripting=scripting)
    assert acts == ["meta", "img onerror", "script"] and scripts == 1


def test_tables_pictures_and_comments_of_a_strangers_page_lose_nothing_that_is_seen(tmp_path):
    table = "<div><style scoped>.a tbody tr th { vertical-align: top; }</style><table border='1' class='dataframe a'>"
    table += "<tr><td>1 &lt; 2</td></tr></table></div>"
    made = shown_with(f"{table}<!-- said to nobody --><noscript><b>in bold</b></noscript><p>4 &gt; 3</p>", tmp_path)
    soup = BeautifulSoup(made, "html.parser")
    assert [tag.string for tag in soup.body.find_all("style", scoped=True)] == [
        ".a tbody tr th { vertical-align: top; }"
    ] * 4
    assert soup.td.string == "1 < 2" and soup.td.find_parent("table")["class"] == ["dataframe", "a"]
    assert "said to nobody" not in made and soup.body.b.string == "in bold" and "4 > 3" in soup.body.get_text()
    assert len(soup.find_all("script")) == 1 and "The end." in soup.main.get_text()


@pytest.mark.skipif(find_browser() is None, reason="there is no Chromium here")
def test_a_browser_stays_on_the_page_and_asks_for_nothing(tmp_path):
    made = shown_with("\n".join(DISPUTED.values()).replace("src=x ", ""), tmp_path)  # what is blocked counts as asked
    (tmp_path / "a.html").write_text(made, encoding="utf-8")
    with browser(find_browser()) as tab:
        tab.open(tmp_path / "a.html")
        wait = "new Promise(done => setTimeout(() => done(location.href), 300))"
        assert tab.evaluate(wait) == (tmp_path / "a.html").as_uri()
        assert [address for address in tab.requests if not address.startswith("data:")] == [
            tab.evaluate("location.href")
        ]


@pytest.mark.parametrize("name", ["page", "slides", "index"])
def test_a_page_carries_no_file_from_outside_of_its_folder(pages, name):
    for offset in range(3):  # base64 looks different at each place
        encoded = base64.b64encode(b"_" * offset + b"nobody's business").decode()[4:-4]
        assert encoded not in pages[name]
    assert "nobody's business" not in pages[name]
