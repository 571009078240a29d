"""A lake of two days for the benchmark of features: markets in sets of three, snapshots of five tiers, books and trades.

Prices are random walks on a grid of cents; trades are as uneven as markets are, the busiest with two hundred thousand.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import BY_NAME
from polymarket_assets.venue.instants import EPOCH

START = datetime(2026, 3, 2, tzinfo=UTC)
US = 1_000_000
_HOUR_US = 3_600 * US
HOURS = 48
# Markets of each tier, and for how many hours each of them is in it: 1.15 million snapshots of 12,975 markets, of which 10,000 at a time.
MARKETS: dict[str, tuple[int, int]] = {
    "t0": (10_002, 48),
    "t1": (1_410, 8),
    "t2": (450, 8),
    "t3": (450, 3),
    "t4": (663, 1),
}
LISTENED = ("t2", "t3", "t4")
TRADES, BOOK_SHARE, LEVELS = 5_000_000, 0.93, 20
# Trades that a second connection heard, too.
COPIES = 0.01
# How unequal markets are: the busiest of 1,563 has a twenty-fifth of all trades.
_SPREAD = 1.8

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Made:
    """What is in the lake."""

    snapshots: int
    books: int
    trades: int
    instants: pa.Table
    # Its markets, and for each the set, tier, and first and last instant.
    ids: npt.NDArray[Any]
    sets: npt.NDArray[Any]
    tier: npt.NDArray[Any]
    first_us: Whole
    last_us: Whole


def make(lake: Lake, scale: float = 1, trades: int = TRADES, seed: int = 7, start: datetime = START, until: datetime | None = None, hours: int = HOURS) -> Made:  # fmt: skip
    """Fill a lake; `scale` times as many markets, snapshots, books and `trades`, for `hours` from `start` on; nothing that comes later than `until`."""
    dice = np.random.default_rng(seed)
    tier, first_us, last_us = _lives(dice, scale, int(start.timestamp()) * US, hours)
    ids = np.array([f"pm:0x{n:064x}" for n in range(tier.size)])
    sets = np.array([f"0x{n // 3:064x}" for n in range(tier.size)])
    _publish_markets(lake, ids, sets, tier, last_us, start - timedelta(days=3))
    market, at, bid_e6 = _walks(dice, tier, first_us, last_us)
    if until is not None:
        # The last hour is open.
        is_over = at <= int(until.timestamp()) * US
        market, at, bid_e6 = market[is_over], at[is_over], bid_e6[is_over]
    publish_hours(
        lake,
        "snapshots",
        at,
        lambda rows: _snapshots(ids, sets, tier, market[rows], at[rows], bid_e6[rows]),
        tier[market],
    )
    booked = np.flatnonzero(np.isin(tier[market], LISTENED) & (dice.random(market.size) < BOOK_SHARE))
    shares = dice.integers(1 * US, 5_000 * US, size=(4_096, LEVELS))
    publish_hours(
        lake,
        "orderbooks",
        at[booked],
        lambda rows: _books(ids, market[booked[rows]], at[booked[rows]], bid_e6[booked[rows]], shares),
        tier[market[booked]],
    )
    traded = _trades(dice, np.flatnonzero(np.isin(tier, LISTENED)), first_us, last_us, int(trades * scale))
    if until is not None:
        is_over = traded["at"] <= int(until.timestamp()) * US
        traded = {name: column[is_over] for name, column in traded.items()}
    publish_hours(
        lake,
        "trades_raw",
        traded["at"],
        lambda rows: _heard(ids, {name: column[rows] for name, column in traded.items()}, rows),
        None,
    )
    known = pa.table({"market_id": pa.array(ids[market]), "as_of": instants(at)})
    return Made(at.size, booked.size, traded["at"].size, known, ids, sets, tier, first_us, last_us)  # fmt: skip


def _lives(
    dice: np.random.Generator, scale: float, start_us: int, of: int
) -> tuple[npt.NDArray[Any], Whole, Whole]:
    """Each market's tier and the first and last instant it is sampled at; sets of three share them."""
    tiers, first, last = [], [], []
    for name, (count, lasts) in MARKETS.items():
        hours = min(lasts, of)
        begins = dice.integers(0, of - hours + 1, size=int(count * scale) // 3).repeat(3)
        tiers += [name] * begins.size
        first.append(start_us + begins * _HOUR_US)
        last.append(start_us + (begins + hours) * _HOUR_US)
    return np.array(tiers), np.concatenate(first), np.concatenate(last)


def _walks(dice: np.random.Generator, tier: npt.NDArray[Any], first_us: Whole, last_us: Whole) -> tuple[Whole, Whole, Whole]:  # fmt: skip
    """Snapshots: market, receipt and best bid, in order of market and time."""
    every = np.array([BY_NAME[name].every // timedelta(microseconds=1) for name in tier])
    counts = (last_us - first_us) // every
    market = np.arange(tier.size).repeat(counts)
    number = np.arange(market.size) - (np.cumsum(counts) - counts).repeat(counts)
    # Markets of a batch of a sweep are answered together.
    at = first_us[market] + number * every[market] + 10 * US + (market // 300) * 20_000
    steps = dice.integers(-1, 2, size=market.size) * (dice.random(market.size) < 0.2)
    steps[number == 0] = 0
    walked = np.cumsum(steps)
    walked -= walked[np.cumsum(counts) - counts].repeat(counts)
    begins = dice.integers(5, 90, size=tier.size)
    return market, at, np.clip(np.abs((begins[market] + walked - 1) % 190 - 95) + 2, 2, 97) * 10_000


def publish_hours(lake: Lake, table: str, at: Whole, made: Any, tier: npt.NDArray[Any] | None) -> None:
    if not at.size:
        return
    first = at.min() // _HOUR_US
    hour = at // _HOUR_US - first
    order = np.argsort(hour, kind="stable")
    edges = np.searchsorted(hour[order], np.arange(hour.max() + 2))
    for n, (begin, end) in enumerate(itertools.pairwise(edges)):
        rows = order[begin:end]
        parts = {None: rows} if tier is None else {name: rows[tier[rows] == name] for name in MARKETS}
        for name, held in parts.items():
            if held.size:
                lake.publish(
                    table, made(held), part="0", at=EPOCH + timedelta(hours=int(first) + n), tier=name
                )


def table(name: str, rows: int, columns: dict[str, Any]) -> pa.Table:
    """Columns in the declared form; what is not given is null, and where that is not allowed of no account."""
    schema = TABLES[name].schema
    blank: dict[pa.DataType, Any] = {pa.bool_(): False, pa.string(): "x", pa.float64(): 1.0}
    held = []
    for field in schema:
        if field.name in columns:
            given = columns[field.name]
            held.append(
                given.cast(field.type) if isinstance(given, pa.Array) else pa.array(given, type=field.type)
            )
        elif field.nullable:
            held.append(pa.nulls(rows, field.type))
        else:
            held.append(pa.repeat(pa.scalar(blank.get(field.type, 1), type=field.type), rows))
    return pa.Table.from_arrays(held, schema=schema)


def instants(at: Whole) -> pa.Array:
    return pa.array(at).cast(pa.timestamp("us", tz="UTC"))


def _publish_markets(lake: Lake, ids: Any, sets: Any, tier: Any, last_us: Whole, at: datetime) -> None:
    listed = pa.repeat(pa.scalar(at, type=pa.timestamp("us", tz="UTC")), ids.size)
    rows = table("markets", ids.size, {
        "market_id": ids, "received_at": listed, "listed_at": listed, "phase": ["live"] * ids.size, "tier": tier, "effective_close": instants(last_us),
        "event_id": sets, "neg_risk_id": sets, "neg_risk": np.ones(ids.size, dtype=bool), "outcomes": [["Yes", "No"]] * ids.size,
        "question": ["Will it rain by June 30?"] * ids.size, "token_ids": [["1", "2"]] * ids.size, "tags": [[]] * ids.size, "category": ["weather"] * ids.size,
    })  # fmt: skip
    lake.publish("markets", rows, part="0", at=at)


def _snapshots(ids: Any, sets: Any, tier: Any, market: Whole, at: Whole, bid_e6: Whole) -> pa.Table:
    bid, ask = bid_e6 / 1e6, (bid_e6 + 10_000) / 1e6
    return table("snapshots", market.size, {
        "market_id": ids[market], "slot_at": instants(at), "received_at": instants(at), "tier": tier[market], "phase": ["live"] * market.size,
        "event_id": sets[market], "neg_risk_id": sets[market], "best_bid": bid, "best_ask": ask, "mid": (bid + ask) / 2, "last_trade": bid, "tick": np.full(market.size, 0.01),
        "fee_rate": np.full(market.size, 0.05), "liquidity_usd": np.full(market.size, 1e4), "volume_usd": np.full(market.size, 1e5), "volume_24h_usd": np.full(market.size, 1e4),
        "spread": ask - bid, **{f"{side}_depth_{cents}c_usd": cents * _resting(market, at, side) for side in ("bid", "ask") for cents in (1, 2, 5, 10)},
    })  # fmt: skip


def _resting(market: Whole, at: Whole, side: str) -> npt.NDArray[Any]:
    """Dollars within a cent: a wave of an hour, each market's and side's its own."""
    told: npt.NDArray[Any] = 500 * (1.5 + np.sin(at / (600 * US) + market + (side == "ask")))
    return told


def _books(ids: Any, market: Whole, at: Whole, bid_e6: Whole, shares: Whole) -> pa.Table:
    side = np.arange(LEVELS) * 10_000
    sizes = shares[(at // US + market) % len(shares)]

    def levels(price_e6: Whole) -> pa.Array:
        held = (price_e6 > 0) & (price_e6 < US)
        ends = np.concatenate([[0], np.cumsum(held.sum(axis=1))]).astype(np.int32)
        kind = TABLES["orderbooks"].schema.field("bids").type
        values = pa.StructArray.from_arrays(
            [pa.array(price_e6[held], pa.int32()), pa.array(sizes[held])], fields=list(kind.value_type)
        )
        return pa.ListArray.from_arrays(pa.array(ends), values, type=kind)  # fmt: skip

    return table("orderbooks", market.size, {
        "market_id": ids[market], "slot_at": instants(at), "received_at": instants(at), "tick_e6": np.full(market.size, 10_000),
        "bids": levels(bid_e6[:, None] - side), "asks": levels(bid_e6[:, None] + 10_000 + side),
    })  # fmt: skip


def _trades(dice: np.random.Generator, listened: Whole, first_us: Whole, last_us: Whole, count: int) -> dict[str, Any]:  # fmt: skip
    weight = dice.lognormal(0.0, _SPREAD, size=listened.size)
    market = np.sort(dice.choice(listened, size=count, p=weight / weight.sum()))
    lasts = last_us[market] - first_us[market]
    at = first_us[market] + (dice.random(count) * lasts).astype(np.int64)
    traded = {"market": market, "at": at, "trade": np.arange(count), "price_e6": dice.integers(1, 100, size=count) * 10_000, "size_e6": np.exp(dice.normal(16.5, 1.6, size=count)).astype(np.int64) + 1, "is_buy": dice.random(count) < 0.55, "outcome_index": dice.integers(0, 2, size=count)}  # fmt: skip
    again = np.sort(dice.choice(count, size=int(COPIES * count), replace=False))
    copies = {name: values[again] for name, values in traded.items()} | {"at": at[again] + 40_000}
    order = np.argsort(np.concatenate([at, copies["at"]]), kind="stable")
    return {name: np.concatenate([values, copies[name]])[order] for name, values in traded.items()}


def _heard(ids: Any, traded: dict[str, Any], rows: Whole) -> pa.Table:
    count = rows.size
    hashes = np.zeros((count, 4), dtype=np.int64)
    hashes[:, 0] = traded["trade"]
    return table("trades_raw", count, {
        "market_id": ids[traded["market"]], "received_at": instants(traded["at"]), "venue_at": instants(traded["at"] - 90_000), "sequence": rows,
        **{name: traded[name] for name in ("price_e6", "size_e6", "is_buy", "outcome_index")},
        "tx_hash": pa.Array.from_buffers(pa.binary(32), count, [None, pa.py_buffer(hashes.tobytes())]),
    })  # fmt: skip
