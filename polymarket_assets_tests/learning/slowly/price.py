"""Groups price and volatility."""

from __future__ import annotations

import itertools
import math

from polymarket_assets_tests.learning.slowly.held import Held
from polymarket_assets_tests.learning.slowly.plain import Row, S, logit


def price(version: Row, quote: Row) -> Row:
    bid, ask, mid = quote["best_bid"], quote["best_ask"], quote["middle"]
    tick = quote["tick"] if quote["tick"] is not None else (version["tick_e6"] or 0) / 1e6 or None
    half, rate = (tick or 0.001) / 2, quote["fee_rate"] or 0.0
    wide = None if bid is None or ask is None else ask - bid
    return {
        "mid": mid, "logit_mid": logit(mid, half), "spread_c": None if wide is None else 100 * wide,
        "spread_logit": None if wide is None else logit(ask, half) - logit(bid, half),  # type: ignore[operator]
        "last_trade_dev_c": None if mid is None or quote["last_trade"] is None else 100 * (quote["last_trade"] - mid),
        "edge_ticks": None if mid is None or not tick else min(mid, 1 - mid) / tick,
        "hurdle_c": None if mid is None else 100 * (wide / 2 + rate * mid * (1 - mid)),
        "tick_c": None if tick is None else 100 * tick, "fee_rate": rate,
    }  # fmt: skip


def moves(lake: Held, market_id: str, quote: Row, t: int) -> Row:
    s, found = quote["at"], {}
    every = [q for q in lake.quotes[market_id] if q["at"] <= s]
    for name, seconds in {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "6h": 21600, "24h": 86400}.items():
        back = seconds * S
        known = [q for q in every if q["at"] <= s - back]
        fresh = known and s - back - known[-1]["at"] <= 2 * known[-1]["every"] and quote["every"] <= back
        ends = (quote["l"], known[-1]["l"]) if fresh else (None, None)
        found[f"lret_{name}"] = None if None in ends else (ends[0] - ends[1]) / 1e6
    for name, back, step in (("1h", 3600, 300), ("24h", 86400, 900)):
        changes = changes_by_step(lake, market_id, t, step * S, back // step)
        found[f"rv_{name}"] = (
            math.sqrt(sum(c * c for c in changes.values())) / 1e6
            if changes is not None and len(changes) >= 10
            else None
        )
    priced = [q for q in every if q["mid2"] is not None]
    day, hour = (
        [q for q in priced if q["at"] >= s - 86400 * S],
        [q for q in priced if q["at"] > s - 3600 * S],
    )
    mids = [q["mid2"] for q in day]
    has = quote["mid2"] is not None
    found["range_24h_c"] = (max(mids) - min(mids)) / 2e4 if has and len(day) > 1 else None
    found["pos_range_24h"] = (
        (quote["mid2"] - min(mids)) / (max(mids) - min(mids)) if has and max(mids) > min(mids) else None
    )
    rv = found["rv_24h"]
    found["ret_z_1h"] = (
        found["lret_1h"] / (rv / math.sqrt(24)) if rv and found["lret_1h"] is not None else None
    )
    moved = (
        max(
            [
                day[0]["at"],
                *(b["at"] for a, b in itertools.pairwise(day) if a["mid2"] != b["mid2"]),
            ]
        )
        if day
        else None
    )
    found["unchanged_s"] = (
        math.log(1 + (t - moved) / 1e6) if has and len(day) > 1 and moved is not None else None
    )
    found["n_moves_1h"] = (
        sum(a["mid2"] != b["mid2"] for a, b in itertools.pairwise(hour)) / (len(hour) - 1)
        if len(hour) > 1
        else None
    )
    pauses = [(b["at"] - a["at"], a["every"]) for a, b in itertools.pairwise(every) if b["at"] > s - 3600 * S]
    found["gap_1h"] = float(
        sum(max(0, math.floor(long / every + 0.5) - 1) for long, every in pauses if long <= 23 * 3600 * S)
    )
    return found  # fmt: skip


def changes_by_step(lake: Held, market_id: str, t: int, step: int, count: int) -> dict[int, int] | None:
    """Changes of log-odds by step of the clock; None where the newest step has no price."""
    ends: dict[int, int] = {}
    for q in lake.quotes[market_id]:
        if q["l"] is not None:
            ends[-(-q["at"] // step)] = q["l"]
    newest = t // step
    if newest not in ends:
        return None
    return {
        n: ends[n] - ends[n - 1] for n in range(newest - count + 1, newest + 1) if n in ends and n - 1 in ends
    }
