"""Venues are never mixed: a market that a dataset brings must not be known already as another venue's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from polymarket_assets.history_import.finding import Dataset
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake

if TYPE_CHECKING:
    import duckdb

# Ids that only one venue gives, by how they begin.
OWN: dict[str, str] = {"pm:": "polymarket", "us:": "polymarket_us"}

# Markets of a dataset that stand elsewhere under another venue: one of them, how many, and the two venues.
_DIFFERING = """
    select any_value(a.market_id), count(*), a.venue, e.venue from all_markets a
    join (select distinct market_id, venue from {elsewhere}) e using (market_id)
    where a.venue <> e.venue group by a.venue, e.venue order by a.venue, e.venue
"""


def reasons(lake: Lake, opened: Sequence[tuple[Dataset, duckdb.DuckDBPyConnection]]) -> list[str]:
    """Why datasets whose markets are taken do not fit the lake, their ids, or each other."""
    held = reading.files(lake, "history_markets")
    found = []
    for n, (dataset, connection) in enumerate(opened):
        reading.add_view(connection, "history_markets", held)
        found += _against(connection, dataset.form.name, "history_markets", "in the lake")
        found += _against(connection, dataset.form.name, _by_id(), "by their ids")
        for other, its in opened[:n]:
            connection.register(
                "_others", its.sql("select market_id, venue from all_markets").to_arrow_table()
            )
            found += _against(connection, dataset.form.name, "_others", f"in {other.form.name}")
            connection.unregister("_others")
    return found


def _by_id() -> str:
    said = " ".join(
        f"when starts_with(market_id, '{prefix}') then '{venue}'" for prefix, venue in OWN.items()
    )
    return f"(select market_id, case {said} end as venue from all_markets)"


def _against(connection: duckdb.DuckDBPyConnection, name: str, elsewhere: str, where: str) -> list[str]:
    return [
        f"{name} markets: {count:,} markets of the venue {venue} are markets of {other} {where} (such as {example})"
        for example, count, venue, other in connection.execute(
            _DIFFERING.format(elsewhere=elsewhere)
        ).fetchall()
    ]
