"""Group flow: trades, and whether anybody listened."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

from polymarket_assets.shards import Shard
from polymarket_assets_tests.learning.slowly.held import LISTENED, NEVER, Held
from polymarket_assets_tests.learning.slowly.plain import Row, S, us
from polymarket_assets_tests.learning.slowly.price import changes_by_step


def flow(lake: Held, market_id: str, version: Row, quote: Row, t: int) -> Row:
    names = (
        "n_tr_5m",
        "n_tr_1h",
        "n_tr_24h",
        "usd_1h",
        "usd_24h",
        "sflow_5m",
        "sflow_1h",
        "sflow_24h",
        "vpin_24h",
        "avg_usd_1h",
        "whale_share_24h",
        "whale_sflow_24h",
        "kyle_24h",
        "trade_age_s",
        "sign_quality",
        "unheard_1h",
        "unheard_24h",
    )
    found: Row = dict.fromkeys(names)
    if quote["tier"] not in LISTENED or not any(0 <= t - at <= 900 * S for at in lake.heard(market_id)):
        return found
    day = [q for q in lake.quotes[market_id] if quote["at"] - 86400 * S <= q["at"] <= quote["at"]]
    since = max((q["at"] for q in day if q["tier"] not in LISTENED), default=day[0]["at"])
    began = min(at for at in (us(version["listed_at"]), lake.versions[market_id][0]["at"]) if at is not None)
    deaf, windows = _deaf(lake, market_id, t), {}
    for name, seconds, least in (("5m", 300, 0.9), ("1h", 3600, 0.9), ("24h", 86400, 1 / 24)):
        begin = t - seconds * S
        unheard = min(
            seconds * S,
            max(0, since - max(begin, began)) + sum(max(0, b - max(a, begin, since)) for a, b in deaf),
        )
        if name != "5m":
            found[f"unheard_{name}"] = unheard / (seconds * S)
        if unheard <= round((1 - least) * seconds * S):
            windows[name] = [x for x in lake.trades[market_id] if begin <= x["at"] < t]
    for name, held in windows.items():
        usd = sum(x["usd"] for x in held)
        found[f"n_tr_{name}"] = math.log(1 + len(held))
        found[f"sflow_{name}"] = sum(x["signed"] for x in held) / usd if usd else None
        if name != "5m":
            found[f"usd_{name}"] = math.log(1 + usd / 1e6)
        if name == "1h":
            found["avg_usd_1h"] = math.log(1 + usd / 1e6 / len(held)) if held else None
    if "24h" in windows:
        found |= _of_a_day(lake, market_id, windows["24h"], since, t)
    return found  # fmt: skip


def _deaf(lake: Held, market_id: str, t: int) -> list[tuple[int, int]]:
    """Intervals over by `t` in which nobody listened to a market."""
    found = [
        (us(g["from_at"]), us(g["to_at"]))
        for g in lake.gaps
        if g["market_id"] == market_id or (g["market_id"] is None and Shard.of_session(g["gap_id"]).carries(market_id))
    ]  # fmt: skip
    heard = lake.heard(market_id)
    found += [(a, b) for a, b in zip([-NEVER, *heard], heard, strict=False) if b - a > 960 * S]
    together: list[tuple[int, int]] = []
    for a, b in sorted(gap for gap in found if gap[1] <= t):  # type: ignore[operator]
        if together and a <= together[-1][1]:  # type: ignore[operator]
            together[-1] = (together[-1][0], max(b, together[-1][1]))  # type: ignore[type-var]
        else:
            together.append((a, b))  # type: ignore[arg-type]
    return together


def _of_a_day(lake: Held, market_id: str, held: list[Row], since: int, t: int) -> Row:
    usd = sum(x["usd"] for x in held)
    large = [x for x in held if x["usd"] >= 1_000 * S]
    known = [x["at"] for x in lake.trades[market_id] if x["at"] < t]
    whales = sum(x["usd"] for x in large)
    return {
        "vpin_24h": _vpin(held) if len(held) >= 40 and usd else None, "whale_share_24h": whales / usd if usd else None,
        "whale_sflow_24h": sum(x["signed"] for x in large) / whales if whales else None, "kyle_24h": _kyle(lake, market_id, t),
        "trade_age_s": math.log(1 + (t - max(max(known, default=-1), since, t - 86400 * S)) / 1e6),
        "sign_quality": sum(x["known"] for x in held) / len(held) if held else None,
    }  # fmt: skip


def _kyle(lake: Held, market_id: str, t: int) -> float | None:
    step = 300 * S
    changes = changes_by_step(lake, market_id, t, step, 288)
    if changes is None:
        return None
    flows: dict[int, int] = defaultdict(int)
    for x in lake.trades[market_id]:
        flows[x["at"] // step + 1] += x["signed"]
    both = [(flows[n] / 1e9, change / 1e6) for n, change in changes.items() if n in flows]
    return sum(x * y for x, y in both) / (sum(x * x for x, _ in both) + 0.1) if len(both) >= 12 else None


def _vpin(held: list[Row]) -> float:
    """Twenty buckets of equal dollars; a trade across a border is divided."""
    total = sum(x["usd"] for x in held)
    borders = [total * k // 20 for k in range(21)]

    def signed_until(border: int) -> int:
        had = signed = 0
        for x in held:
            take = min(x["usd"], border - had)
            signed += take if x["signed"] > 0 else -take
            had += take
        return signed

    marks = [signed_until(border) for border in borders]
    return sum(abs(b - a) for a, b in itertools.pairwise(marks)) / total
