"""The rendered series: a page for each notebook, and the contents that lead to them."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import Environment
from nbformat import NotebookNode

from mnist_helpers.common.files import atomic_write
from mnist_helpers.common.text import duration
from mnist_helpers.kernels import NotebookResult
from mnist_helpers.render import page, policy, read_template
from mnist_helpers.series import Lesson, find_notebooks, first_line, lessons

STORED = "stored"  # the status of a page that shows the results stored in a notebook, which was not executed


@dataclass(frozen=True)
class IndexRow:
    """What the contents say of how a page was made; ``finished`` is the local time, to the minute.

    ``digest`` : of what a page with stored results was made from; "" for one that was executed.
    """

    name: str
    status: str
    seconds: float = 0.0
    profile: str = ""
    source: str = ""
    finished: str = ""
    place: str = ""
    error: str | None = None
    digest: str = ""

    @classmethod
    def of(cls, result: NotebookResult, *, profile: str, source: str) -> "IndexRow":
        """Return the row for a notebook that was executed just now."""
        now = datetime.now().strftime("%Y-%m-%d %H:%M")
        seconds = round(result.seconds, 1)
        return cls(result.name, result.status, seconds, profile, source, now, result.place, result.error)


class Site:
    """The folder with the pages of a series of notebooks, and its index.html."""

    def __init__(self, directory: Path, notebooks: Path) -> None:
        self.directory = directory
        self.notebooks = notebooks
        self.lessons = lessons(notebooks)
        self._state = directory / "results.json"

    def page_of(self, name: str) -> Path:
        """Return where the page of a notebook lies."""
        return self.directory / f"{name}.html"

    def write_page(self, name: str, notebook: NotebookNode) -> str | None:
        """Render a notebook, with links to the one before and the one after.

        Of a notebook that cannot be rendered, the page says so, and the reason is returned.
        """
        previous, lesson, following = self._around(name)
        assert lesson is not None
        around: dict[str, Any] = {"directory": self.notebooks, "previous": previous, "following": following}
        problem = None
        try:
            html = page(notebook, lesson=lesson, **around)
        except Exception as error:  # nbconvert lets through whatever a stranger's cells make it trip over
            problem = f"the page cannot be rendered: {type(error).__name__}: {first_line(error)}"
            html = page(_note("This notebook cannot be rendered."), lesson=lesson, **around)
        atomic_write(self.page_of(name), html.encode(errors="replace"))  # a cell may hold half a character
        return problem

    def write_index(self, rows: Sequence[IndexRow] = ()) -> None:
        """Write index.html with these rows and those of earlier runs whose pages are still there, in reading order."""
        known = self._earlier() | {row.name: row for row in rows}
        entries = [(lesson, known[lesson.name]) for lesson in self.lessons if lesson.name in known]
        executed = [row for _, row in entries if row.status != STORED]
        template = Environment(autoescape=True).from_string(read_template("index.html.j2"))
        html = template.render(
            entries=entries,
            executed=executed,
            good=[row for row in executed if row.status == "ok"],
            total=duration(sum(row.seconds for row in executed)),
            duration=duration,
            style=read_template("index.css"),
            policy=policy(),
        )
        atomic_write(self._state, json.dumps([asdict(row) for _, row in entries], indent=1).encode())
        atomic_write(self.directory / "index.html", html.encode(errors="replace"))

    def complete(self) -> None:
        """Give every notebook that was not executed a page with its stored results, so that no link leads nowhere."""
        known, rows = self._earlier(), []
        for path in find_notebooks(self.notebooks):
            name, digest = path.stem, self._digest(path)
            if name in known and (known[name].status != STORED or known[name].digest == digest):
                continue
            try:
                notebook = nbformat.read(path, as_version=4)
            except Exception:  # nbformat lets through whatever a malformed file happens to trip over
                notebook = _note("This notebook cannot be read.")
            problem = self.write_page(name, notebook)
            rows.append(IndexRow(name, STORED, error=problem, digest=digest))
        if rows:
            self.write_index(rows)

    def _around(self, name: str) -> Sequence[Lesson | None]:
        """Return the lesson before, the lesson itself, and the one after."""
        around: Sequence[Lesson | None] = [None, *self.lessons, None]
        place = [lesson.name for lesson in self.lessons].index(name)
        return around[place : place + 3]

    def _digest(self, path: Path) -> str:
        """Return what tells whether a page is still that of its notebook; times do not, once a clock was set back."""
        try:
            content = path.read_bytes()
        except OSError:  # its page says that it cannot be read
            content = b""
        return hashlib.sha256(content + repr(self._around(path.stem)).encode()).hexdigest()

    def _earlier(self) -> dict[str, IndexRow]:
        try:
            rows = [IndexRow(**row) for row in json.loads(self._state.read_text(encoding="utf-8"))]
            sound = all(math.isfinite(row.seconds) for row in rows)
            return {row.name: row for row in rows if sound and self.page_of(row.name).is_file()}
        except (OSError, ValueError, TypeError, RecursionError):  # none yet, or of another version: all is made anew
            return {}


def _note(text: str) -> NotebookNode:
    """Return a notebook that says this and no more."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"**{text}**")])
