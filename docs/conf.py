"""Settings of the site. It is built by tools/site.py (make docs, make run), which gathers the sources first."""

import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mnist_helpers.live import share

# -- launch links: with the address of a public repository, every lesson gets buttons that open it somewhere to run it
REPOSITORY = ""  # such as "https://github.com/owner/name"
BRANCH = "main"
LAUNCH = {"binderhub_url": "https://mybinder.org", "colab_url": "https://colab.research.google.com"}
# "jupyterhub_url" may be added there

project = "MNIST, honestly"
author = "the authors of the series"
language = "en"
extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
]

nb_execution_mode = "off"
nb_ipywidgets_js = {}  # they would come from another host
nb_merge_streams = True
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
myst_heading_slug_func = "tools.site.jupyter_slug"
suppress_warnings = ["mystnb.unknown_mime_type"]

autodoc_typehints = "none"  # they stand in the docstrings
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
toc_object_entries_show_parents = "hide"

html_title = project
html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_favicon = "_static/favicon.svg"
html_sourcelink_suffix = ""
html_show_search_summary = False  # browsers do not let a page that is opened as a file read others
html_last_updated_fmt = ""
html_show_copyright = False
html_theme_options = {
    "logo": {"text": project, "image_light": "_static/logo.svg", "image_dark": "_static/logo.svg"},
    "path_to_docs": "notebooks",
    "use_download_button": True,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "home_page_in_toc": False,
    "show_navbar_depth": 1,
    "navbar_persistent": [],
    "footer_content_items": ["last-updated"],
}
if REPOSITORY:
    html_theme_options |= {
        "repository_url": REPOSITORY,
        "repository_branch": BRANCH,
        "use_repository_button": True,
        "launch_buttons": LAUNCH,
    }
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_math_renderer = "mathml"  # formulas without a script, and without another host


# the theme notes on the console which of its modes it is in, and how it scrolled: no news for anybody
QUIET = """(({ log }) => {
  console.log = (...words) => String(words[0]).startsWith("[PST]") || log.apply(console, words);
})(console);"""


def _formula(translator, node: nodes.Element) -> None:
    block = isinstance(node, nodes.math_block)
    mathml = convert(node.astext(), display="block" if block else "inline")
    translator.body.append(f'<div class="math">{mathml}</div>' if block else mathml)
    raise nodes.SkipNode


def _share(app, page, template, context, doctree) -> None:
    """Leave one copy of the scripts and weights that several live figures of a page need."""
    context["body"] = share(context.get("body") or "")


def setup(app) -> None:
    app.add_js_file(None, body=QUIET)
    app.add_html_math_renderer("mathml", (_formula, None), (_formula, None))
    app.connect("html-page-context", _share)
