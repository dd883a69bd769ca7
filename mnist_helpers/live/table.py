"""A table that is sorted by a click on a column head, on a page as in JupyterLab."""

from __future__ import annotations

import html
from collections.abc import Mapping

import pandas as pd

from mnist_helpers.common.checks import problem
from mnist_helpers.common.types import Plain
from mnist_helpers.live.figure import LiveFigure

EMPTY = "–"


class Table(LiveFigure):
    """A table to sort: a click on a column head, or Enter, sorts by it; once more turns the order round.

    Parameters
    ----------
    frame : DataFrame
        Its index, with its name, is the first column. Rows are shown in the order given, missing values as a dash;
        however the table is sorted, these come last.
    caption : str
        One sentence above the table.
    formats : mapping of columns to format strings, optional
        Such as ``{"accuracy": "{:.2%}"}``; other values are shown as they are.
    """

    script = "table"

    def __init__(self, frame: pd.DataFrame, *, caption: str, formats: Mapping[str, str] | None = None) -> None:
        formats = dict(formats or {})
        if unknown := [name for name in formats if name not in frame.columns]:
            raise ValueError(problem("formats", "Table", f"columns among {list(frame.columns)}", unknown))
        self.caption, self.frame, self.formats = caption, frame, formats

    def data(self) -> Plain:
        frame = self.frame.reset_index(names=self.frame.index.name or "")
        columns = [
            {"name": str(name), "numeric": pd.api.types.is_numeric_dtype(kind)} for name, kind in frame.dtypes.items()
        ]
        cells = [
            [self._cell(value, column["numeric"], self.formats.get(name)) for value in frame[name]]
            for name, column in zip(frame, columns, strict=True)
        ]
        return {"caption": self.caption, "columns": columns, "rows": [list(row) for row in zip(*cells, strict=True)]}

    @staticmethod
    def _cell(value: object, numeric: bool, form: str | None) -> Plain:
        """Return what is shown, and what is sorted: a number, a text, or None for a missing value."""
        if pd.isna(value):
            return {"text": EMPTY, "key": None}
        text = str(value) if form is None else form.format(value)
        return {"text": text, "key": float(value) if numeric else text}  # type: ignore[arg-type]

    @property
    def alt(self) -> str:
        return f"{self.caption} {len(self.frame)} rows; the buttons in the column heads sort them."

    def still(self) -> str:
        """Return the table as plain HTML."""
        data = self.data()
        kinds = ["right" if column["numeric"] else "left" for column in data["columns"]]
        head = "".join(f'<th scope="col">{html.escape(column["name"])}</th>' for column in data["columns"])
        rows = [
            "".join(
                f'<td align="{kind}">{html.escape(cell["text"])}</td>' for kind, cell in zip(kinds, row, strict=True)
            )
            for row in data["rows"]
        ]
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return (
            f"<table><caption>{html.escape(self.caption)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )
