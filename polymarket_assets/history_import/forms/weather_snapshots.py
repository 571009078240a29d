"""`weather_snapshots`: temperature markets of a week as the catalogue showed them about every hour while they were open; no outcomes.

What a market asks is read as from the venue; its quotes are known when they were fetched. Trading went on after the listed end, when
the day's maximum was known: the series ends there, as in `weather`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polymarket_assets.history_import.forms import catalogued
from polymarket_assets.history_import.forms.declare import (
    INSTANT,
    PRICE,
    TEXT,
    Column,
    File,
    Form,
    e6,
    middle,
)

if TYPE_CHECKING:
    import duckdb

FIDELITY_S = 3600

SNAPSHOTS = File(
    "snapshots",
    frozenset({"fetched_at_utc", "conditionId", "bestBid", "bestAsk"}),
    (
        Column("fetched_at_utc", INSTANT),
        Column("id", TEXT),
        Column("conditionId", TEXT),
        Column("slug", TEXT),
        Column("question", TEXT),
        Column("event_id", TEXT),
        Column("event_slug", TEXT),
        Column("endDate", INSTANT),
        Column("outcomes", TEXT),
        Column("clobTokenIds", TEXT),
        Column("bestBid", PRICE, nullable=True),
        Column("bestAsk", PRICE, nullable=True),
    ),
    key=("conditionId", "fetched_at_utc"),
)
# Every bucket of a day is one of a set of which exactly one resolves YES; the rows do not say so.
_OF_THE_KIND = {"negRisk": True}


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Read the first row of each market as the venue's."""
    names = (*catalogued.MARKET_KEYS, "event_id", "event_slug")
    rows = connection.sql(
        f"""
        select {", ".join(catalogued.keyed(names))} from snapshots
        qualify row_number() over (partition by "conditionId" order by fetched_at_utc::timestamptz) = 1 order by "conditionId"
        """
    ).to_arrow_table().to_pylist()  # fmt: skip
    wired = ({**catalogued.wire(row, catalogued.MARKET_KEYS, ("weather",)), **_OF_THE_KIND} for row in rows)
    catalogued.register(connection, wired, ends_at="scheduled")


FORM = Form(
    name="weather_snapshots",
    holds="live quotes of temperature markets without outcomes: weather_gamma_snapshots",
    files=(SNAPSHOTS,),
    markets="select * from listed",
    prices=f"""
        select 'pm:' || lower("conditionId") as market_id, fetched_at_utc::timestamptz as priced_at, priced_at as known_at,
            {middle('"bestBid"', '"bestAsk"')} as price_e6, {e6('"bestBid"')} as bid_e6, {e6('"bestAsk"')} as ask_e6,
            {FIDELITY_S} as fidelity_s, null::varchar as left_out
        from snapshots
    """,
    prepare=_prepare,
)
