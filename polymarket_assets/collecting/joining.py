"""Trades as heard and fills as fetched, to rows of `trades`: each trade once, by its transaction.

The stream sends one message per transaction, at the instant of the match; the Data API has the fills and the
second of the block, some seconds later. What the Data API says of a transaction in a market is the whole truth
of it: prices, sizes, sides and number are its own; of what was heard, the instants stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from polymarket_assets.collecting import known
from polymarket_assets.collecting.deafness import LATE_BLOCK
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.records import E6, Trade
from polymarket_assets.venue.trade_id import trade_id

# Sizes of a message without a transaction and of its fills may differ by rounding: a step of the venue's sizes.
SIZE_STEP_E6 = 10_000
# Block times are rounded down to whole seconds.
BLOCK_ROUNDING = timedelta(seconds=1)

Heard = dict[str, Any]


class Key(NamedTuple):
    """What the stream and the Data API both name a trade by; a transaction may settle in several markets."""

    market_id: str
    tx_hash: bytes


@dataclass(frozen=True)
class Fill:
    """A fill of the Data API, and when it was known first."""

    key: Key
    token_id: str
    outcome_index: int | None
    is_buy: bool
    price_e6: int
    size_e6: int
    block_at: datetime
    known_at: datetime


Fills = dict[Key, list[Fill]]


@dataclass(frozen=True)
class Joined:
    """Rows of an hour; of how many fills nobody knows the outcome, and in which markets."""

    rows: list[dict[str, Any]]
    unmapped: int
    unmapped_markets: frozenset[str]


def joined(lake: Lake, heard: list[Heard], fills: Fills, span: Span, now: datetime) -> Joined:
    """Rows of the hour: fills where the Data API has the transaction, what was heard where it has not."""
    told: dict[Key, list[Heard]] = defaultdict(list)
    for row, key in paired(heard, fills):
        told[key].append(row)
    outcomes = _Outcomes(lake, heard, now)
    rows = [_of_stream(row) for key, group in told.items() if key not in fills for row in group]
    rows += [
        _of_rest(fill, n, told.get(key, []), outcomes) for key in fills for n, fill in _numbered(fills[key])
    ]
    inside = [row for row in rows if row["traded_at"] in span]
    unmapped = [row["market_id"] for row in inside if row["outcome_index"] is None]
    kept = [row for row in inside if row["outcome_index"] is not None]
    kept.sort(key=lambda row: (row["market_id"], row["traded_at"], row["trade_id"]))
    return Joined(kept, len(unmapped), frozenset(unmapped))


def fetched_fills(trades: Iterable[tuple[Trade, datetime]], carried: Iterable[dict[str, Any]]) -> Fills:
    """Fills by transaction: as fetched now, and rows of an earlier build of what was not fetched again.

    What was recovered earlier stays known since then.
    """
    before, fills = _carried(carried), defaultdict(list)
    for trade, at in trades:
        key = Key(f"pm:{trade.condition_id}", bytes.fromhex(trade.tx_hash.removeprefix("0x")))
        since = min([at, *(fill.known_at for fill in before.get(key, ()))])
        fields = (
            trade.token_id,
            trade.outcome_index,
            trade.is_buy,
            trade.price_e6,
            trade.size_e6,
            trade.traded_at,
        )
        fills[key].append(Fill(key, *fields, since))
    return {**before, **fills}


def paired(heard: list[Heard], fills: Fills) -> list[tuple[Heard, Key]]:
    """What was heard, each with the key of its transaction.

    A message without one takes the first transaction that nobody heard by name, of the same market, token and
    side, with a block soon after it and fills of its size.
    """
    named = {Key(row["market_id"], row["tx_hash"]) for row in heard if row["real_hash"] is not None}
    nameless: dict[tuple[str, str, bool], list[list[Fill]]] = defaultdict(list)
    for key in sorted(fills.keys() - named, key=lambda key: (fills[key][0].block_at, key)):
        first = fills[key][0]
        nameless[key.market_id, first.token_id, first.is_buy].append(fills[key])
    return [(row, _key(row, nameless)) for row in heard]


def _key(row: Heard, nameless: dict[tuple[str, str, bool], list[list[Fill]]]) -> Key:
    if row["real_hash"] is None:
        candidates = nameless[row["market_id"], row["token_id"], row["is_buy"]]
        for place, group in enumerate(candidates):
            if _may_be(row, group):
                return candidates.pop(place)[0].key
    return Key(row["market_id"], row["tx_hash"])


def _may_be(row: Heard, group: list[Fill]) -> bool:
    after: timedelta = group[0].block_at - row["matched_at"]
    size: int = row["size_e6"]
    is_alike = abs(sum(fill.size_e6 for fill in group) - size) <= SIZE_STEP_E6
    return is_alike and -BLOCK_ROUNDING <= after <= LATE_BLOCK


def _carried(rows: Iterable[dict[str, Any]]) -> Fills:
    """Rows of an earlier build that the Data API had told, as fills."""
    fills: Fills = defaultdict(list)
    for row in rows:
        if row["source"] != "stream":
            key = Key(row["market_id"], row["tx_hash"])
            kept = (row["token_id"], row["outcome_index"], row["is_buy"], row["price_e6"], row["size_e6"])
            fills[key].append(Fill(key, *kept, row["traded_at"], row["received_at"]))
    return fills


def _numbered(group: list[Fill]) -> list[tuple[int, Fill]]:
    """Fills of a transaction, each numbered among those of its token and side, whatever the order of the answer."""
    counts: dict[tuple[str, bool], int] = defaultdict(int)
    numbered = []
    for fill in sorted(group, key=lambda fill: (fill.price_e6, fill.size_e6)):
        numbered.append((counts[fill.token_id, fill.is_buy], fill))
        counts[fill.token_id, fill.is_buy] += 1
    return numbered


@dataclass
class _Outcomes:
    """Which outcome a token is, for fills that the venue has not joined with its metadata yet."""

    lake: Lake
    heard: list[Heard]
    now: datetime
    places: dict[str, int] | None = None

    def of(self, token_id: str) -> int | None:
        """The token's place among the outcomes; `markets` is read only when somebody asks."""
        if self.places is None:
            rows = known.known_markets(self.lake, now=self.now).column("token_ids").to_pylist()
            listed = {token: place for tokens in rows for place, token in enumerate(tokens)}
            self.places = {**listed, **{row["token_id"]: row["outcome_index"] for row in self.heard}}
        return self.places.get(token_id)


def _of_stream(row: Heard) -> dict[str, Any]:
    """A row of `trades` for a trade that only the stream knows."""
    kept = ("received_at", "market_id", "token_id", "outcome_index", "is_buy", "price_e6", "size_e6")
    return {
        **{name: row[name] for name in kept},
        "trade_id": trade_id(row["tx_hash"], row["token_id"], row["is_buy"], row["n"]),
        "traded_at": row["matched_at"],
        "usd_e6": row["price_e6"] * row["size_e6"] // E6,
        "tx_hash": row["real_hash"],
        "source": "stream",
    }


def _of_rest(fill: Fill, n: int, heard: list[Heard], outcomes: _Outcomes) -> dict[str, Any]:
    """A row of `trades` for a fill the Data API knows; a heard one has the instants of its first message."""
    first = min(heard, key=lambda row: (row["token_id"] != fill.token_id, row["received_at"]), default=None)
    index = fill.outcome_index if fill.outcome_index is not None else outcomes.of(fill.token_id)
    return {
        "trade_id": trade_id(fill.key.tx_hash, fill.token_id, fill.is_buy, n),
        "traded_at": first["matched_at"] if first else fill.block_at,
        "received_at": first["received_at"] if first else fill.known_at,
        "market_id": fill.key.market_id,
        "token_id": fill.token_id,
        "outcome_index": index,
        "is_buy": fill.is_buy,
        "price_e6": fill.price_e6,
        "size_e6": fill.size_e6,
        "usd_e6": fill.price_e6 * fill.size_e6 // E6,
        "tx_hash": fill.key.tx_hash,
        "source": "both" if first else "rest",
    }
