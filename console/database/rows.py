"""A page of rows: units of files in order of time, as many as it takes, and the rows of these from DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from console import desk
from console.database import asked as asking
from console.database import footers, shelf, sources, windows
from console.database.asked import Asked
from console.database.shelf import Unit
from console.database.sources import Source
from console.place import Place
from polymarket_assets.lake.spans import Span

# Rows times columns of the files of one page at the most, beside those of its first hour or day: some 100 ms where every file
# holds a row of it. It is 330,000 trades, or 60,000 snapshots.
MOST_READ_CELLS = 4_000_000
MOST_READ_FILES = 200


@dataclass(frozen=True)
class Chosen:
    """The units to read for a page, and where what is left begins: beyond `more_from`, in the direction of the walk."""

    units: tuple[Unit, ...] = ()
    skipped: int = 0
    more_from: datetime | None = None

    @property
    def span(self) -> Span | None:
        """What the units stand for, together."""
        spans = [unit.span for unit in self.units if unit.span is not None]
        return Span(min(s.start for s in spans), max(s.end for s in spans)) if spans else None


@dataclass(frozen=True)
class Found:
    """Rows as the texts of JSON objects, the span that was looked at, and the parameters that ask for what follows, if anything does."""

    rows: list[str] = field(default_factory=list)
    span: Span | None = None
    files: int = 0
    next: dict[str, Any] | None = None


def found(place: Place, of: Asked) -> Found:
    """A page of rows.

    Without filters and in the order of filing, only the files that hold it are read. Otherwise the first hour or day,
    and where a span is named or rows are missing, up to `MOST_READ_CELLS`: the answer says how far that was.
    """
    walked = _Walk(place, of)
    first = walked.chosen(is_short=True)
    page = _page(place, of, first)
    if len(page.rows) < of.limit and of.filters and first.more_from is not None:
        return _page(place, of, walked.chosen(is_short=False))
    return page


class _Walk:
    """Which units a page is in."""

    def __init__(self, place: Place, of: Asked) -> None:
        self._place, self._of = place, of
        self._is_plain = of.is_in_order and not of.filters
        self._newest_first = of.descending or not of.is_in_order

    def chosen(self, *, is_short: bool) -> Chosen:
        """The units; `is_short`: the first that has rows is enough where rows are looked for."""
        of, skip, taken = self._of, self._of.offset, list[Unit]()
        rows = certain = 0
        for unit in shelf.of(self._place).units(
            self._place.lake(), of.table, of.span, newest_first=self._newest_first
        ):
            count = sum(footers.footer(file, of.table.filed_by).rows for file in unit.files)
            is_whole = _is_within(unit, of)
            if not count:
                continue
            if self._is_plain and is_whole and not taken and count <= skip:
                skip -= count
                continue
            if taken and self._is_enough(taken, rows + count, certain - skip, unit, is_short):
                return Chosen(tuple(taken), of.offset - skip, self._edge(unit))
            taken.append(unit)
            rows, certain = rows + count, certain + (count if is_whole else 0)
        return Chosen(tuple(taken), of.offset - skip)

    def _is_enough(self, taken: Sequence[Unit], rows: int, certain: int, unit: Unit, is_short: bool) -> bool:
        if self._is_plain and certain > self._of.limit:
            return True
        if not self._is_plain and is_short and (self._of.span is None or self._of.filters):
            return True
        files = sum(len(one.files) for one in (*taken, unit))
        return rows * len(self._of.table.names) > MOST_READ_CELLS or files > MOST_READ_FILES

    def _edge(self, unit: Unit) -> datetime | None:
        """Where a unit that was not taken begins, coming from those that were."""
        return None if unit.span is None else unit.span.end if self._newest_first else unit.span.start


def _is_within(unit: Unit, of: Asked) -> bool:
    return (
        unit.span is None
        or of.span is None
        or (of.span.start <= unit.span.start and unit.span.end <= of.span.end)
    )


def _page(place: Place, of: Asked, chosen: Chosen) -> Found:
    source = sources.of(of.table, [file for unit in chosen.units for file in unit.files])
    if source is None:
        return Found(span=of.span)
    got = _asked(place, replace(of, offset=of.offset - chosen.skipped), source)
    shown = got[: of.limit]
    following = _next(of, [value for _, value in shown], len(got) > of.limit, chosen)
    return Found([text for text, _ in shown], _looked(of, chosen), len(source.files), following)


def _asked(place: Place, of: Asked, source: Source) -> list[tuple[str, Any]]:
    """The texts of one row more than asked for, with the value of the column that they are sorted by."""
    where, values = source.where(of)
    by, way = source.column(of.by), "desc" if of.descending else "asc"
    with desk.of(place).asked() as cursor:
        window = windows.window(cursor, of, source, where, values)
        source, where, values = window.source, f"{where} and {window.where}", [*values, *window.values]
        first = [f"{by} {way} nulls last"] if of.by else []
        order = ", ".join([*first, *(f"{source.column(name)}" for name in of.table.key)])
        sql = f"select {source.row()}, {by} from {source.relation} where {where} order by {order} limit {of.limit + 1} offset {window.offset}"
        rows: list[tuple[str, Any]] = cursor.execute(sql, [source.uris, *values]).fetchall()
        return rows


def _next(of: Asked, values: list[Any], is_more: bool, chosen: Chosen) -> dict[str, Any] | None:
    """In the order of filing what follows is after the last row's instant, however many rows come in before it meanwhile."""
    if is_more and of.is_in_order and of.descending and of.by:
        end = asking.after(values[-1])
        ties = len([value for value in values if value == values[-1]])
        if ties < len(values) or of.end == end or not of.offset:
            return {"to": end, "offset": ties + (of.offset if of.end == end and ties == len(values) else 0)}
    if is_more:
        return {"offset": of.offset + of.limit} if of.offset + of.limit <= asking.MOST_OFFSET else None
    if chosen.more_from is None:
        return None
    return {"to": chosen.more_from, "offset": 0} if of.descending or not of.is_in_order else {"from": chosen.more_from, "offset": 0}  # fmt: skip


def _looked(of: Asked, chosen: Chosen) -> Span | None:
    """The span of the units, as far as it was asked for."""
    span = chosen.span
    if span is None or of.span is None:
        return span
    return Span(max(span.start, of.span.start), min(span.end, of.span.end))
