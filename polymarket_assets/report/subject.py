"""A market as the page's head tells of it, the rows the lake knows it by, and the span that is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from polymarket_assets.collecting import queries
from polymarket_assets.lake import opening, reading
from polymarket_assets.lake.spans import DAY, HOUR, Span
from polymarket_assets.lake.writing import Lake

Row = dict[str, Any]

# Markets come into the tiers 14 days before their end (`LOOKAHEAD_HOURS`): with a day to spare this is all that was
# sampled of most, and of the others the end. Every hour of it is some files to open.
LOOK_BACK = timedelta(days=15)
# Trades settle, gaps end and ends are told after a market closed.
_AFTERWARDS = timedelta(hours=2)


@dataclass(frozen=True)
class Subject:
    """A market: its newest row, of `markets`, else of `history_markets`, else of `census`, else of none.

    `recorded_at`: receipt of its first and last row of `markets`. `close_day` files it in history.
    """

    market_id: str
    row: dict[str, Any]
    recorded_at: tuple[datetime, datetime] | None
    versions: int
    close_day: date | None
    closed_at: datetime | None
    source: str

    @property
    def canonical(self) -> str:
        """The name of the outcome that prices are of."""
        outcomes = self.row.get("outcomes") or []
        return str(outcomes[0]) if outcomes else "the first outcome"

    @property
    def title(self) -> str:
        """What is asked, else the best name there is."""
        return str(self.row.get("question") or self.row.get("slug") or self.market_id)


def subjects(
    lake: Lake, market_ids: Sequence[str], *, now: datetime, since: datetime | None = None
) -> list[Subject]:
    """The markets of some ids, in their order; one that no catalogue knows has an empty row."""
    with queries.over(lake, history_markets=None, census=None) as connection:
        past, counted = (_newest(connection, query, market_ids) for query in (_PAST, _COUNTED))
    followed = _followed(
        lake, market_ids, _files(lake, [*past.values()], [*counted.values()], since or now, now)
    )
    if set(market_ids) - followed.keys() - past.keys() - counted.keys():
        followed = _followed(lake, market_ids, reading.files(lake, "markets"))
    return [subject_of(id_, followed.get(id_), past.get(id_), counted.get(id_)) for id_ in market_ids]


def _files(
    lake: Lake, past: Sequence[Row], counted: Sequence[Row], since: datetime, now: datetime
) -> list[str]:
    """The files of `markets` that may know them: of lately, of before their close, and of while the census saw them."""
    spans = [
        (min(since, now - LOOK_BACK), now + HOUR),
        *((row["closed_at"] - LOOK_BACK, row["closed_at"] + DAY) for row in past),
        *((row["first_seen_at"] - DAY, row["received_at"] + DAY) for row in counted),
    ]
    days = sorted({day for start, end in spans for day in Span(start, min(end, now + HOUR)).days()})
    return [file for day in days for file in reading.files(lake, "markets", Span.day(day))]


def _followed(lake: Lake, market_ids: Sequence[str], files: list[str]) -> dict[str, Row]:

    with opening.connected() as connection:
        reading.add_view(connection, "markets", files)
        return _newest(connection, _FOLLOWED, market_ids)


def _newest(connection: Any, query: str, market_ids: Sequence[str]) -> dict[str, Row]:
    """The newest row of each of these markets."""
    wanted = {f"id{n}": market_id for n, market_id in enumerate(market_ids)}
    among = f"market_id in ({', '.join(f'${name}' for name in wanted)})"
    rows: list[Row] = connection.sql(query.format(among=among), params=wanted).to_arrow_table().to_pylist()
    return {row["market_id"]: row for row in rows}


def subject_of(
    market_id: str,
    followed: Row | None,
    past: Row | None,
    counted: Row | None,
) -> Subject:
    """A market by its newest rows of `markets` (with `first_received_at` and `versions`), `history_markets` and `census`."""
    row = {**(counted or {}), **(past or {}), **(followed or {})}
    source = "recorded" if followed else past["source"] if past else "census" if counted else "unknown"
    return Subject(
        market_id,
        row,
        (followed["first_received_at"], followed["received_at"]) if followed else None,
        followed["versions"] if followed else 0,
        past["close_day"] if past else None,
        past["closed_at"] if past else None,
        source,
    )


def window(
    found: Sequence[Subject], since: datetime | None, until: datetime | None, now: datetime
) -> Span | None:
    """The hours in which something of these markets may have been recorded; None where they were not followed.

    It ends with the last row of a closed market, else now, and reaches back `LOOK_BACK` unless `since` is given.
    """
    firsts = [s.recorded_at[0] for s in found if s.recorded_at]
    if not firsts:
        return None
    ends = [
        s.recorded_at[1] + _AFTERWARDS if s.row["phase"] == "closed" else now for s in found if s.recorded_at
    ]
    end = min(max(ends), now) + HOUR if until is None else until
    start = max(min(firsts), end - LOOK_BACK) if since is None else since
    return Span(start, max(end, start))


_FOLLOWED = """
select *, min(received_at) over (partition by market_id) as first_received_at,
    count(*) over (partition by market_id) as versions
from markets where {among} qualify row_number() over (partition by market_id order by received_at desc) = 1
"""
_PAST = "select * from history_markets where {among} qualify row_number() over (partition by market_id order by received_at desc) = 1"
_COUNTED = "select * from census where {among} qualify row_number() over (partition by market_id order by received_at desc) = 1"
