"""Rows of the venue's own catalogue in a dataset: read as those that the venue answers, by the same parser and the same rule.

What was traded, quoted or resting by then is not even handed to the parser: of a closed market it is of after the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from polymarket_assets.collecting import catalogue, settlement
from polymarket_assets.collecting.settlement import Evidence
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.schemas.declare import INSTANT
from polymarket_assets.venue import parse
from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets.venue.records import Listing

if TYPE_CHECKING:
    import duckdb

# The keys of a catalogue row that are read.
MARKET_KEYS = ("id", "conditionId", "slug", "question", "outcomes", "clobTokenIds", "endDate", "orderPriceMinTickSize")  # fmt: skip
CLOSED_KEYS = (*MARKET_KEYS, "resolutionSource", "createdAt", "gameStartTime", "negRisk", "negRiskMarketID", "orderMinSize",
               "closed", "closedTime", "outcomePrices", "umaResolutionStatus", "umaResolutionStatuses")  # fmt: skip
# When a result that the catalogue shows had become public: disputes apart, hours after the close.
PUBLIC_AFTER = timedelta(hours=24)

_OF_IMPORT = {"received_at", "close_day", "source", "volume_usd", "volume_24h_usd", "liquidity_usd"}
_NAMES = tuple(name for name in TABLES["history_markets"].names if name not in _OF_IMPORT)
# A market that is left out lacks what is required.
_MARKETS = pa.schema(
    [*(TABLES["history_markets"].schema.field(name).with_nullable(True) for name in _NAMES), pa.field("left_out", pa.string())]
)  # fmt: skip
_ENDS = pa.schema(
    [("market_id", pa.string()), ("state", pa.string()), ("label", pa.int8()), ("payouts_e6", pa.list_(pa.int64())),
     ("evidence", pa.string()), ("reason", pa.string()), ("label_seen_at", INSTANT)]
)  # fmt: skip


def wire(row: Mapping[str, Any], keys: Iterable[str], tags: Iterable[str] = ()) -> dict[str, Any]:
    """A row of a dataset as the venue would answer it: a tag's slug is its label in lower case with hyphens."""
    event = {key: row.get(f"event_{key}") for key in ("id", "slug", "title")}
    slugs = [{"slug": tag.lower().replace(" ", "-")} for tag in tags]
    event |= {"seriesSlug": row.get("series_slug"), "tags": slugs}
    return {**{key: row[key] for key in keys if row.get(key) is not None}, "events": [event]}


def register(
    connection: duckdb.DuckDBPyConnection, rows: Iterable[Mapping[str, Any]], ends_at: str = "closed"
) -> None:
    """Make the tables `listed` and `ended` of catalogue rows; `ends_at`: a market is over when `closed`, or when `scheduled`."""
    listed: list[dict[str, Any]] = []
    ended: list[dict[str, Any]] = []
    for row in rows:
        market, end = _read(row, ends_at)
        listed.append(market)
        ended += [end] if end else []
    for name, found, schema in (("listed", listed, _MARKETS), ("ended", ended, _ENDS)):
        connection.register(f"_{name}", pa.Table.from_pylist(found, schema=schema))
        connection.execute(f"create temp table {name} as from _{name}")
        connection.unregister(f"_{name}")


def _read(row: Mapping[str, Any], ends_at: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    try:
        found = parse.listing(row)
    except MalformedPayload:
        return {
            "market_id": f"pm:{row.get('conditionId')}",
            "left_out": "the catalogue row cannot be read",
        }, None
    closed_at = found.end.closed_at if ends_at == "closed" else found.market.scheduled_end
    if closed_at is None:
        return {
            "market_id": found.market.market_id,
            "left_out": f"the catalogue row does not say when it {ends_at}",
        }, None
    market = catalogue.history_row(found.market, closed_at, closed_at.date(), datetime.now(UTC))
    return {name: value for name, value in market.items() if name not in _OF_IMPORT}, _end(
        found, closed_at, market
    )


def _end(found: Listing, closed_at: datetime, market: Mapping[str, Any]) -> dict[str, Any]:
    """What the rule says of the catalogue's word alone; nobody else was asked."""
    decided = settlement.decide(Evidence(found.end))
    public = max(closed_at, market["effective_close"] or closed_at) + PUBLIC_AFTER
    return {
        "market_id": found.end.market_id,
        "state": decided.state,
        "label": decided.label,
        "payouts_e6": decided.payouts_e6,
        "evidence": msgspec.json.encode({"prices": found.end.prices, "status": found.end.status}).decode(),
        "reason": decided.reason,
        "label_seen_at": public if decided.label is not None else None,
    }


def keyed(names: Iterable[str]) -> Iterator[str]:
    """SQL: columns quoted, as catalogue keys are in camel case."""
    return (f'"{name}"' for name in names)
