"""Fewer rows that look the same: per slice of time the first and last row, and those with the least and greatest values.

A chart is some hundred pixels wide, and a page with a million rows opens in no browser. A mean would hide the one
second in which a book was empty, so every slice keeps its extremes (M4: Jugel et al., VLDB 2014), and only rows that were
recorded are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Rows of one chart: three a pixel of a wide page; a megabyte of JSON for all charts of a page.
POINTS = 2_400
# Points for trades: beyond this they cover each other.
TRADES = 2_000
# Bars of volume that can still be told apart.
BARS = 96
# Widths of a bar that read as something, seconds.
_WIDTHS_S = (1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400, 604_800, 2_592_000)
_WIDTH_NAMES = ("second", "5 seconds", "15 seconds", "minute", "5 minutes", "15 minutes", "hour", "4 hours", "day", "week", "30 days")  # fmt: skip
# Of a slice's trades the largest, beside those at the least and greatest price.
_LARGEST = 3

# `drawn_at` in milliseconds since 1970: Python's instants would take longer to make than the query.
Rows = list[dict[str, Any]]
_AT = "epoch_ms(drawn_at) as drawn_at"


def thinned(
    connection: Any, table: str, columns: Sequence[str], *, more: Sequence[str] = (), most: int = POINTS, by: str = ""
) -> Rows:  # fmt: skip
    """`drawn_at`, `columns`, `more` and `by` of the rows of a table, in order; of more than `most` rows those that show `columns` best.

    `by` names a column whose values are series of their own, which share `most`.
    """
    given = ", ".join((_AT, *columns, *more, *([by] if by else ())))
    series = [row[0] for row in connection.execute(f"select distinct {by} from {table}").fetchall()] if by else [None]  # fmt: skip
    ((count,),) = connection.execute(f"select count(*) from {table}").fetchall()
    if count == 0:
        return []
    if count <= most:
        return _fetched(connection, f"select {given} from {table} order by {table}.drawn_at")
    slices = max(1, most // max(1, len(series)) // (3 + 2 * len(columns)))
    part = f"partition by {by}" if by else ""
    ends = ", ".join(f"arg_min(n, {c}), arg_max(n, {c})" for c in columns)
    query = f"""
        with numbered as (
            select *, row_number() over (order by drawn_at) as n, epoch_us(drawn_at) as us,
                min(us) over ({part}) as first_us, max(us) over ({part}) as last_us from {table}
        ), sliced as (
            select *, least(floor((us - first_us) / greatest(last_us - first_us, 1) * {slices}), {slices - 1}) as slice from numbered
        ), kept as (
            select unnest([min(n), max(n), min(n) filter (where {columns[0]} is null), {ends}]) as n
            from sliced group by slice{f", {by}" if by else ""}
        )
        select {given} from sliced where n in (select n from kept) order by sliced.drawn_at
    """  # fmt: skip
    return _fetched(connection, query)


def thinned_trades(connection: Any, table: str) -> Rows:
    """Instants, prices, dollars and sides of the trades of a table (no view: rows are told apart by their place) in order; of more
    than `TRADES` those at the extreme prices of each slice of time, and its largest. Of equal ones it is the first."""
    given = f"select {_AT}, price, usd, is_buy from {table}"
    ((count,),) = connection.execute(f"select count(*) from {table}").fetchall()
    if count <= TRADES:
        return _fetched(connection, f"{given} order by {table}.drawn_at")
    # Of time, as the picture has it: what lies in one of its pixels covers what else does, however many trades that is. Aggregates,
    # for a window's sort of half a million trades takes a second.
    query = f"""
        with whole as (
            select min(epoch_us(drawn_at)) as first_us, max(epoch_us(drawn_at)) as last_us from {table}
        ), sliced as (
            select rowid as n, price, usd, (epoch_us(drawn_at) - first_us) * {TRADES // (_LARGEST + 2)} // (last_us - first_us + 1) as slice
            from {table}, whole
        ), kept as (
            select unnest(list_concat(arg_max(n, (usd, -n), {_LARGEST}), [arg_min(n, (price, n)), arg_max(n, (price, -n))])) as n
            from sliced group by slice
        )
        {given} where rowid in (select n from kept) order by {table}.drawn_at
    """
    return _fetched(connection, query)


def volumes(connection: Any, table: str, span_s: float) -> tuple[Rows, str]:
    """Dollars traded per bar and side, and how wide a bar is, in words."""
    place = next((n for n, width in enumerate(_WIDTHS_S) if span_s / width <= BARS), len(_WIDTHS_S) - 1)
    width = _WIDTHS_S[place]
    query = f"""
        select bar * {width}000 as drawn_at, (bar + 1) * {width}000 as until,
            is_buy, sum(usd) as usd, count(*) as trades
        from (select *, epoch_us(drawn_at) // {width}000000 as bar from {table})
        group by bar, is_buy order by bar, is_buy
    """
    return _fetched(connection, query), _WIDTH_NAMES[place]


def _fetched(connection: Any, query: str) -> Rows:
    rows: Rows = connection.sql(query).to_arrow_table().to_pylist()
    return rows
