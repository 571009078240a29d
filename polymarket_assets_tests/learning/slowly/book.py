"""Group book, and the flow of its best levels."""

from __future__ import annotations

import itertools
import math

from polymarket_assets_tests.learning.slowly.held import Held
from polymarket_assets_tests.learning.slowly.plain import Row, S


def book(lake: Held, market_id: str, quote: Row, t: int) -> Row:
    names = (
        "micro_dev_c",
        "bid_depth_1c",
        "ask_depth_1c",
        "bid_depth_5c",
        "ask_depth_5c",
        "imb_top",
        "imb_2c",
        "imb_5c",
        "slope_diff",
        "wall_share_bid",
        "wall_share_ask",
        "wall_dist_c",
        "n_levels",
        "book_entropy",
        "walk_cost_100_c",
        "ofi_15m",
        "book_age_s",
    )
    found: Row = dict.fromkeys(names)
    known = [b for b in lake.books[market_id] if b["at"] <= t]
    if not known or t - known[-1]["at"] > 2 * quote["every"]:
        return found
    book = known[-1]
    sides = {side: [(x["price_e6"], x["size_e6"] / 1e6) for x in book[f"{side}s"]] for side in ("bid", "ask")}
    found["book_age_s"] = math.log(1 + (t - book["at"]) / 1e6)
    found["n_levels"] = float(len(sides["bid"]) + len(sides["ask"]))
    for side, levels in sides.items():
        for cents in (1, 5):
            found[f"{side}_depth_{cents}c"] = (
                math.log(1 + sum(p / 1e6 * q for p, q in levels if abs(p - levels[0][0]) <= cents * 10_000))
                if levels
                else None
            )
        total = sum(q for _, q in levels)
        found[f"wall_share_{side}"] = max(q for _, q in levels) / total if total else None
    every = sides["bid"] + sides["ask"]
    total = sum(q for _, q in every)
    if len(every) >= 2 and total:
        found["book_entropy"] = -sum(q / total * math.log(q / total) for _, q in every if q) / math.log(
            len(every)
        )
    found["ofi_15m"] = _ofi([b for b in known if b["at"] > book["at"] - 900 * S])
    if not sides["bid"] or not sides["ask"]:
        return found
    mid = (sides["bid"][0][0] + sides["ask"][0][0]) / 2e4

    def shares(side: str, cents: float) -> float:
        return sum(q for p, q in sides[side] if abs(p - sides[side][0][0]) <= cents * 10_000)

    for name, cents in (("top", 0), ("2c", 2), ("5c", 5)):
        bid, ask = shares("bid", cents), shares("ask", cents)
        found[f"imb_{name}"] = (bid - ask) / (bid + ask) if bid + ask else None
    (bid, bid_size), (ask, ask_size) = sides["bid"][0], sides["ask"][0]
    found["micro_dev_c"] = (
        (bid * ask_size + ask * bid_size) / (bid_size + ask_size) / 1e4 - mid if bid_size + ask_size else None
    )
    near = {
        side: [(abs(p - levels[0][0]) / 1e4, q) for p, q in levels if abs(p - levels[0][0]) <= 100_000]
        for side, levels in sides.items()
    }
    if min(map(len, near.values())) >= 3 and all(sum(q for _, q in held) for held in near.values()):
        mean = {side: sum(d * q for d, q in held) / sum(q for _, q in held) for side, held in near.items()}
        found["slope_diff"] = mean["ask"] - mean["bid"]
    walls = {
        side: max(levels, key=lambda x, best=levels[0][0]: (x[1], -abs(x[0] - best)))
        for side, levels in sides.items()
    }  # type: ignore[misc]
    wall = walls["bid"] if walls["bid"][1] >= walls["ask"][1] else walls["ask"]
    found["wall_dist_c"] = wall[0] / 1e4 - mid
    usd = had = 0.0
    for p, q in sides["ask"]:
        take = min(q, (100 - usd) / (p / 1e6)) if p else q
        usd, had = usd + take * p / 1e6, had + take
        if usd >= 100 - 1e-9:
            found["walk_cost_100_c"] = 100 * 100 / had - mid
            break
    return found  # fmt: skip


def _ofi(books: list[Row]) -> float | None:
    if len(books) < 5 or any(not b["bids"] or not b["asks"] for b in books):
        return None
    flow = 0
    for a, b in itertools.pairwise(books):
        (b0, b1), (a0, a1) = (a["bids"][0], b["bids"][0]), (a["asks"][0], b["asks"][0])
        flow += b1["size_e6"] * (b1["price_e6"] >= b0["price_e6"]) - b0["size_e6"] * (
            b1["price_e6"] <= b0["price_e6"]
        )
        flow -= a1["size_e6"] * (a1["price_e6"] <= a0["price_e6"]) - a0["size_e6"] * (
            a1["price_e6"] >= a0["price_e6"]
        )
    top = sum(b["bids"][0]["size_e6"] + b["asks"][0]["size_e6"] for b in books) / 2 / len(books)
    return flow / top if top else None  # fmt: skip
