"""Two hours of an invented capture: markets of all tiers in sets and alone, one-sided, crossed and empty books, halts, gaps of
collection and of the stream, trades by the hundred, ticks and ends that change, markets that close. The day before is there, too.

Shared among streamers, it was one of them that listened first, then two, of which one was silent for most of an hour, then one."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from polymarket_assets.lake.writing import Lake
from polymarket_assets.shards import shard_of
from polymarket_assets_tests.learning.rows import LISTED

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
END = START + timedelta(hours=2)
BEGAN = START - timedelta(hours=30)
EVERY_S = {"t0": 3600, "t1": 300, "t2": 60, "t3": 30, "t4": 15}
BEYOND_H = (("t0", 48), ("t1", 12), ("t2", 4), ("t3", 1))
# Hours from the start to the end of each market; three sets, and two that are alone.
MARKETS = {
    "a": 50, "b": 50.2, "c": 14, "d": 3, "e": 3, "f": 3, "g": 1.4, "h": 0.5, "i": 1.0, "j": 5,
}  # fmt: skip
SETS: dict[str, dict[str, Any]] = {
    **{name: {"event_id": "e1", "neg_risk_id": "n1", "neg_risk": True} for name in "def"},
    **{name: {"event_id": "e2"} for name in "abh"},
    "c": {"event_id": "alone"}, "g": {"event_id": None}, "i": {"event_id": "e3", "game_id": "g", "sports_market_type": "moneyline"}, "j": {"event_id": "e3"},
}  # fmt: skip


def tier_at(left_h: float) -> str:
    return next((tier for tier, beyond in BEYOND_H if left_h > beyond), "t4")


# Counts of streamers, each from an instant on; when the last of two said nothing.
SHARED = ((START - timedelta(days=9), 1), (START - timedelta(hours=9), 2), (START + timedelta(minutes=95), 1))
SILENT = (START + timedelta(minutes=10), START + timedelta(minutes=65))


def fill(lake: Lake, seed: int = 3, *, shared: bool = False) -> None:
    """A capture in a lake."""
    dice = random.Random(seed)
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("markets", "snapshots", "orderbooks", "trades_raw", "stream_gaps")
    }
    for name, hours in MARKETS.items():
        _market(dice, rows, name, START + timedelta(hours=hours))
    for n, (session, market_id, at, minutes) in enumerate(
        (("s", None, 20, 3), ("s", "pm:d", 50, 4), ("s", "pm:d", 53, 9), ("s", "pm:h", -300, 90), ("s", None, -700, 2),
         ("20260302T000000Z-0of2-0a1b2c", None, 70, 5), ("20260302T000000Z-1of2-0a1b2c", None, 72, 2))
    ):  # fmt: skip
        begins = START + timedelta(minutes=at)
        rows["stream_gaps"].append(
            {
                "gap_id": f"{session}:{n}",
                "session_id": "s",
                "market_id": market_id,
                "from_at": begins,
                "to_at": begins + timedelta(minutes=minutes),
                "cause": "closed",
            }
        )
    if shared:
        rows["trades_raw"] = [heard for row in rows["trades_raw"] if (heard := _as_heard(row)) is not None]
    _file(lake, rows)  # fmt: skip


def _as_heard(trade: dict[str, Any]) -> dict[str, Any] | None:
    """A trade as heard by the streamer that carried its market then; None: by nobody."""
    began, count = [one for one in SHARED if one[0] <= trade["received_at"]][-1]
    number = shard_of(trade["market_id"], count)
    if (number, count) == (1, 2) and SILENT[0] <= trade["received_at"] < SILENT[1]:
        return None
    return {**trade, "session_id": f"{began:%Y%m%dT%H%M%SZ}-{number}of{count}-{trade['session_id']}"}


def _market(dice: random.Random, rows: dict[str, list[dict[str, Any]]], name: str, close: datetime) -> None:
    listed = BEGAN - timedelta(hours=dice.randrange(1, 90))
    own = {**LISTED, **SETS[name], "market_id": f"pm:{name}", "phase": "live", "tier": "t4", "accepting_orders": True, "listed_at": listed, "game_start_at": close - timedelta(hours=3),
           "category": dice.choice(["weather", "Crypto", "odd", None]), "question": dice.choice(["Will it rain by June 30?", "Lakers vs. Celtics"]), "tick_e6": dice.choice([None, 1_000, 10_000])}  # fmt: skip
    rows["markets"].append(
        {**own, "received_at": BEGAN - timedelta(minutes=dice.randrange(1, 500)), "effective_close": close}
    )
    if dice.random() < 0.5:
        rows["markets"].append(
            {
                **own,
                "received_at": START + timedelta(minutes=dice.randrange(10, 100)),
                "effective_close": close + timedelta(minutes=7),
                "outcomes": ["Up", "Down"],
            }
        )
    if close < END:
        rows["markets"].append(
            {**own, "received_at": close + timedelta(minutes=20), "effective_close": close, "phase": "closed"}
        )
    at, tick, bid = BEGAN, dice.choice([1_000, 10_000]), dice.randrange(50_000, 900_000, 10_000)
    while at < END:
        tier = tier_at((close - at) / timedelta(hours=1))
        bid = min(990_000, max(0, bid + dice.choice([-2, -1, 0, 0, 0, 0, 1, 2]) * tick))
        tick = dice.choice([1_000, 10_000]) if dice.random() < 0.002 else tick
        # A halt of collection now and then, and slots that are missed.
        at += timedelta(seconds=EVERY_S[tier] * (dice.choice([2, 3, 9]) if dice.random() < 0.03 else 1))
        _sample(dice, rows, name, at, tier, bid, tick)
        if tier in ("t2", "t3", "t4"):
            _deal(dice, rows, name, at, EVERY_S[tier], bid)


def _sample(
    dice: random.Random,
    rows: dict[str, list[dict[str, Any]]],
    name: str,
    at: datetime,
    tier: str,
    bid: int,
    tick: int,
) -> None:
    received = at + timedelta(microseconds=dice.choice([300_000, 300_000, dice.randrange(900_000)]))
    kind = dice.choices(["whole", "no bid", "no ask", "empty", "crossed", "wide"], [80, 4, 4, 2, 2, 4])[0]
    ask = bid + {"crossed": -tick, "wide": 150_000}.get(kind, tick * dice.choice([1, 1, 2]))
    bids = (
        []
        if kind in ("no bid", "empty")
        else [
            {
                "price_e6": p,
                "size_e6": dice.choice([5_000_000, dice.randrange(1, 10**10), dice.randrange(1, 10**13)]),
            }
            for p in range(bid, max(-1, bid - 30 * tick), -tick * dice.choice([1, 3]))
        ]
    )
    asks = (
        []
        if kind in ("no ask", "empty")
        else [
            {"price_e6": p, "size_e6": dice.choice([5_000_000, dice.randrange(1, 10**10)])}
            for p in range(max(0, ask), min(10**6, ask + 12 * tick) + 1, tick)
        ]
    )
    best_bid, best_ask = (levels[0]["price_e6"] / 1e6 if levels else None for levels in (bids, asks))
    mid = None if best_bid is None or best_ask is None else (best_bid + best_ask) / 2
    slot = {
        "market_id": f"pm:{name}",
        "slot_at": at,
        "received_at": received,
        "tier": tier,
        "token_id": "1",
        "hash": "",
    }
    rows["snapshots"].append({
        **slot, "phase": "live", "neg_risk": False, "best_bid": best_bid, "best_ask": best_ask, "mid": mid, "bid_levels": len(bids), "ask_levels": len(asks), "bid_shares": 1.0, "ask_shares": 1.0,
        "bid_usd": 1.0, "ask_usd": 1.0, "is_one_sided": mid is None, "is_crossed": False, "tick": dice.choice([tick / 1e6, tick / 1e6, None]), "last_trade": dice.choice([None, 0.31, 0.52]),
        "fee_rate": dice.choice([None, 0.04]), "liquidity_usd": dice.choice([None, 0.0, 512.5]), "volume_usd": dice.choice([None, 1e6]), "volume_24h_usd": dice.choice([None, 77.0]),
        "volume_change_usd": dice.choice([None, -3.0, 250.0]), "volume_change_h": dice.choice([None, 0.0, 0.5]),
    })  # fmt: skip
    if dice.random() < 0.9:
        rows["orderbooks"].append({**slot, "bids": bids, "asks": asks})


def _deal(
    dice: random.Random,
    rows: dict[str, list[dict[str, Any]]],
    name: str,
    at: datetime,
    every_s: int,
    bid: int,
) -> None:
    for _ in range(dice.choice([0, 0, 0, 1, 2, 3]) if every_s < 60 else dice.choice([0, 0, 1, 5])):
        heard = at + timedelta(microseconds=dice.choice([0, 300_000, dice.randrange(every_s * 10**6)]))
        late = dice.choice([0.09, 0.09, 0.09, 30, 400])
        size = dice.choice([0, 1_000_000, dice.randrange(1, 3 * 10**9), dice.randrange(1, 10**11)])
        row = {
            "session_id": "s", "connection": 1, "sequence": len(rows["trades_raw"]), "received_at": heard, "venue_at": heard - timedelta(seconds=late), "market_id": f"pm:{name}", "outcome_index": dice.randrange(2),
            "is_buy": dice.random() < 0.6, "price_e6": bid, "size_e6": size, "tx_hash": None if dice.random() < 0.05 else dice.randbytes(32),
        }  # fmt: skip
        row["token_id"] = str(row["outcome_index"] + 1)
        rows["trades_raw"].append(row)
        if dice.random() < 0.1:
            rows["trades_raw"].append(
                {
                    **row,
                    "session_id": "other",
                    "sequence": len(rows["trades_raw"]),
                    "received_at": heard + timedelta(seconds=dice.choice([0, 2])),
                }
            )


def _file(lake: Lake, rows: dict[str, list[dict[str, Any]]]) -> None:
    filed_by = {
        "markets": "received_at",
        "snapshots": "slot_at",
        "orderbooks": "slot_at",
        "trades_raw": "received_at",
        "stream_gaps": "to_at",
    }
    for table, held in rows.items():
        folders: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
        for row in held:
            hour = row[filed_by[table]].replace(minute=0, second=0, microsecond=0)
            folders.setdefault(
                (hour, row.get("tier") if table in ("snapshots", "orderbooks") else None), []
            ).append(row)
        for (hour, tier), of_folder in folders.items():
            held_there = [
                {name: value for name, value in row.items() if table != "orderbooks" or name != "tier"}
                for row in of_folder
            ]
            lake.publish_rows(table, held_there, part="0", at=hour, tier=tier)
