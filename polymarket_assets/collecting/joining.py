"""Trades as heard and fills as fetched, to rows of `trades`: each trade once, by transaction and token.

The stream sends one message per transaction and token, at the instant of the match; the Data API has the exact
fills and the second of the block, some seconds later. Where both have a trade, prices and sizes are the Data
API's and the instants are the stream's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from polymarket_assets.collecting import known, queries
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.records import E6, Trade
from polymarket_assets.venue.trade_id import trade_id

# Trades are filed by the match and heard later: frames of the hour may lie in the files of its neighbours.
MARGIN = timedelta(minutes=2)


class _Key(NamedTuple):
    """What the stream and the Data API both name a trade by."""

    tx_hash: bytes
    token_id: str


def heard_around(lake: Lake, span: Span) -> list[dict[str, Any]]:
    """Trades as heard around the hour, once each: two sockets that heard the same count the same fills."""
    with queries.over(lake, trades_raw=Span(span.start - MARGIN, span.end + MARGIN)) as connection:
        return connection.sql(_HEARD).to_arrow_table().to_pylist()  # type: ignore[no-any-return]


# A trade without a transaction is named by what is known of it, in as many bytes.
_HEARD = """
with named as (
    select * exclude (tx_hash), tx_hash as real_hash,
        coalesce(tx_hash, unhex(sha256(concat_ws(':', market_id, epoch_us(venue_at), price_e6, size_e6)))) as tx_hash
    from trades_raw
), counted as (
    select *, row_number() over (
        partition by session_id, connection, tx_hash, token_id, is_buy order by price_e6, size_e6, sequence
    ) - 1 as n
    from named
)
select * from counted
qualify row_number() over (
    partition by tx_hash, token_id, is_buy, n order by received_at, session_id, connection, sequence
) = 1
order by venue_at, tx_hash, token_id, n
"""


def joined(
    lake: Lake,
    heard: list[dict[str, Any]],
    fetched: list[tuple[Trade, datetime]],
    span: Span,
    now: datetime,
) -> tuple[list[dict[str, Any]], int]:
    """Rows of the hour from both sources, and how many fills had no known outcome."""
    by_key: dict[_Key, list[dict[str, Any]]] = defaultdict(list)
    for row in heard:
        by_key[_Key(row["tx_hash"], row["token_id"])].append(row)
    fills = _fills(fetched)
    outcomes = _Outcomes(lake, heard, now)
    rows = [_of_stream(row) for key, group in by_key.items() if key not in fills for row in group]
    unmapped = 0
    for key, group in fills.items():
        told = [_of_rest(fill, by_key.get(key), outcomes) for fill in group]
        rows += [row for row in told if row["outcome_index"] is not None]
        unmapped += sum(row["outcome_index"] is None for row in told)
    return [row for row in rows if row["traded_at"] in span], unmapped


class _Fill(NamedTuple):
    """A fill of the Data API: the n-th of its transaction, token and side, and when it was fetched."""

    tx_hash: bytes
    n: int
    trade: Trade
    fetched_at: datetime


def _fills(trades: list[tuple[Trade, datetime]]) -> dict[_Key, list[_Fill]]:
    """Fills by key, counted in an order that does not depend on that of the answer."""
    fills: dict[_Key, list[_Fill]] = defaultdict(list)
    for trade, at in sorted(trades, key=lambda fill: (fill[0].price_e6, fill[0].size_e6)):
        tx_hash = bytes.fromhex(trade.tx_hash.removeprefix("0x"))
        group = fills[_Key(tx_hash, trade.token_id)]
        group.append(_Fill(tx_hash, sum(f.trade.is_buy == trade.is_buy for f in group), trade, at))
    return fills


@dataclass
class _Outcomes:
    """Which outcome a token is, for fills that the venue has not joined with its metadata yet."""

    lake: Lake
    heard: list[dict[str, Any]]
    now: datetime
    places: dict[str, int] | None = None

    def of(self, token_id: str) -> int | None:
        """The token's place among the outcomes; `markets` is read only when somebody asks."""
        if self.places is None:
            rows = known.known_markets(self.lake, now=self.now).column("token_ids").to_pylist()
            listed = {token: place for tokens in rows for place, token in enumerate(tokens)}
            self.places = {**listed, **{row["token_id"]: row["outcome_index"] for row in self.heard}}
        return self.places.get(token_id)


def _of_stream(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `trades` for a trade that only the stream knows."""
    kept = ("received_at", "market_id", "token_id", "outcome_index", "is_buy", "price_e6", "size_e6")
    return {
        **{name: row[name] for name in kept},
        "trade_id": trade_id(row["tx_hash"], row["token_id"], row["is_buy"], row["n"]),
        "traded_at": row["venue_at"],
        "usd_e6": row["price_e6"] * row["size_e6"] // E6,
        "tx_hash": row["real_hash"],
        "source": "stream",
    }


def _of_rest(fill: _Fill, heard: list[dict[str, Any]] | None, outcomes: _Outcomes) -> dict[str, Any]:
    """A row of `trades` for a fill the Data API knows; heard ones keep the instants of the stream."""
    tx_hash, n, trade, fetched_at = fill
    index = trade.outcome_index if trade.outcome_index is not None else outcomes.of(trade.token_id)
    return {
        "trade_id": trade_id(tx_hash, trade.token_id, trade.is_buy, n),
        "traded_at": heard[0]["venue_at"] if heard else trade.traded_at,
        "received_at": heard[0]["received_at"] if heard else fetched_at,
        "market_id": f"pm:{trade.condition_id}",
        "token_id": trade.token_id,
        "outcome_index": index,
        "is_buy": trade.is_buy,
        "price_e6": trade.price_e6,
        "size_e6": trade.size_e6,
        "usd_e6": trade.price_e6 * trade.size_e6 // E6,
        "tx_hash": tx_hash,
        "source": "both" if heard else "rest",
    }
