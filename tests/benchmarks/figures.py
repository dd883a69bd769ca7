"""From repeated measurements to medians and ratios, and from those to one table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

_HEADER = ("part", "what", "where", "unit", "ours", "peer", "ratio", "range", "target", "note")
_LEFT = {"part", "what", "where", "unit", "note"}


@dataclass(frozen=True)
class Figure:
    """One measured quantity: a row of the table.

    part : what was asked for on the command line. what : the network, notebook or goal.
    where : what it was measured under, such as "native", "emulated" or a format of numbers; or "".
    ours, peer : one value a repetition, in ``unit``; repetition i of both was measured side by side. No peer: ().
    more_is_better : True for a speed, False for a time or a size.
    target : the least ratio, or where there is no peer the largest value of ours; None where nothing was promised.
    note : for people; the reason when ``ours`` is empty because nothing could be measured.
    """

    part: str
    what: str
    where: str
    unit: str
    ours: tuple[float, ...]
    peer: tuple[float, ...] = ()
    more_is_better: bool = False
    target: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.peer and len(self.peer) != len(self.ours):
            raise ValueError(f"{self.what}: {len(self.ours)} repetitions of ours, {len(self.peer)} of the peer")

    @property
    def ratios(self) -> list[float]:
        """How many times better ours did than the peer beside it, repetition by repetition; above 1 is better."""
        pairs = list(zip(self.ours, self.peer, strict=bool(self.peer)))
        return [ours / peer if self.more_is_better else peer / ours for ours, peer in pairs]

    @property
    def ratio(self) -> float | None:
        """The median of the ratios; None without a peer."""
        return median(self.ratios) if self.ratios else None

    @property
    def verdict(self) -> str:
        """Return "met" or "MISSED" where there is a target, else nothing."""
        if self.target is None or not self.ours:
            return ""
        met = median(self.ours) <= self.target if self.ratio is None else self.ratio >= self.target
        return "met" if met else "MISSED"

    def as_record(self) -> dict[str, object]:
        """Return the figure as plain data for JSON, with all repetitions."""
        record: dict[str, object] = {name: getattr(self, name) for name in ("part", "what", "where", "unit", "note")}
        for side in ("ours", "peer"):
            values = list(getattr(self, side))
            record[side] = {"median": median(values) if values else None, "repetitions": values}
        return record | {"ratio": self.ratio, "ratios": self.ratios, "target": self.target, "verdict": self.verdict}


@dataclass(frozen=True)
class Part:
    """The figures of one part, and what went wrong while measuring it."""

    figures: list[Figure] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as one text table; a column that is empty everywhere is left out."""
    rows = [dict(zip(_HEADER, _cells(figure), strict=True)) for figure in figures]
    names = [name for name in _HEADER if any(row[name] for row in rows)]
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in names}
    lines = [{name: name for name in names}, {name: "-" * widths[name] for name in names}, *rows]
    return "\n".join("  ".join(_padded(line[name], name, widths[name]) for name in names).rstrip() for line in lines)


def _padded(cell: str, name: str, width: int) -> str:
    return cell.ljust(width) if name in _LEFT else cell.rjust(width)


def _cells(figure: Figure) -> tuple[str, ...]:
    ratios = figure.ratios
    return (
        figure.part,
        figure.what,
        figure.where,
        figure.unit,
        number(median(figure.ours)) if figure.ours else "-",
        number(median(figure.peer)) if figure.peer else "",
        number(median(ratios)) if ratios else "",
        f"{number(min(ratios))}-{number(max(ratios))}" if ratios else "",
        ""
        if figure.target is None
        else f"{'>=' if ratios else '<='} {number(figure.target)} {figure.verdict}".rstrip(),
        figure.note,
    )


def number(value: float) -> str:
    """Return a number with about three digits: "0.21", "14.2", "1,523"."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
