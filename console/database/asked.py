"""A question about the rows of a table, its parts checked against the table's schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from console.database import filters
from console.database.filters import Filter
from polymarket_assets.lake.schemas import TABLES, Table
from polymarket_assets.lake.spans import Span, day_of
from polymarket_assets.venue.errors import Gone, Refused

MOST_ROWS = 500
# Rows on the way to a page are sorted, if not shown; whoever wants more of them names a bound of time, or downloads.
MOST_OFFSET = 100_000
_EVER = Span(filters.instant("0001-01-02T00:00:00Z"), filters.instant("9999-12-30T00:00:00Z"))
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Asked:
    """Rows of a table from `start` up to, but without, `end`, that meet every filter; `sort` None: by the column that files the table."""

    table: Table
    start: datetime | None = None
    end: datetime | None = None
    filters: tuple[Filter, ...] = ()
    sort: str | None = None
    descending: bool = True
    limit: int = 100
    offset: int = 0

    @property
    def span(self) -> Span | None:
        """The bounds, if any."""
        if self.start is None and self.end is None:
            return None
        return Span(self.start or _EVER.start, self.end or _EVER.end)

    @property
    def is_in_order(self) -> bool:
        """Whether rows come in the order in which they are filed: then files follow one another."""
        return self.by == self.table.filed_by

    @property
    def by(self) -> str | None:
        """The column that rows are sorted by; None: a table that is filed whole, by its key."""
        return self.sort or self.table.filed_by


def asked(
    name: str, *, since: str | None = None, until: str | None = None, where: Sequence[str] = (), sort: str | None = None, **more: Any
) -> Asked:  # fmt: skip
    """A question from its words. Raises `Refused`, with what is wrong in a sentence; `Gone` where there is no such table."""
    table = table_of(name)
    start, end = bounds(since, until)
    if (start or end) and table.filed_by is None:
        raise Refused(
            f"{name} is not filed by time: ask without from and to, or with a condition on a column"
        )
    if sort and pa.types.is_nested(filters.require(table, sort)):
        raise Refused(f"{sort} holds lists, which have no order")
    return Asked(table, start, end, tuple(filters.parsed(table, where)), sort or None, **more)


def table_of(name: str) -> Table:
    """Raises `Gone`."""
    if name not in TABLES:
        raise Gone(f"there is no table {name[:60]!r}; tables are {', '.join(TABLES)}")
    return TABLES[name]


def bounds(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Raises `Refused` where either is no instant, or no time lies between them."""
    start, end = _bound("from", since), _bound("to", until)
    if start and end and start >= end:
        raise Refused(
            "no time lies between from and to: to is the first instant left out and comes after from"
        )
    return start, end


def _bound(name: str, text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = filters.instant(text)
    except (ValueError, OverflowError) as e:
        raise Refused(f"{name} is an instant such as 2026-03-01T12:00:00Z, and {text[:60]!r} is none") from e
    if at not in _EVER:
        raise Refused(f"{name} is an instant of the years 1 to 9999")
    return at


def conditions(of: Asked) -> tuple[str, list[Any]]:
    """Bounds as SQL with `?` for every value, and the values."""
    terms, given = filters.terms(bounding(of), lambda name: f'"{name}"')
    return " and ".join(terms) or "true", given


def bounding(of: Asked) -> list[Filter]:
    """Bounds as conditions on the column that files the table; of one filed by whole days they are rounded up to one."""
    by = of.table.filed_by
    if by is None:
        return []
    is_dated = pa.types.is_date(of.table.schema.field(by).type)
    given = [(op, at) for op, at in ((">=", of.start), ("<", of.end)) if at is not None]
    return [Filter(by, op, _day_from(at) if is_dated else at) for op, at in given]


def _day_from(at: datetime) -> Any:
    start = day_of(at)
    return (start if start == at else start + timedelta(days=1)).date()


def after(value: Any) -> datetime:
    """The first bound that leaves a value in: what `to` is for rows up to it."""
    return value + _TICK if isinstance(value, datetime) else day_of(value) + timedelta(days=1)
