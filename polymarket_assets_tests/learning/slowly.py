"""Every feature once more, in plain Python, from the rows of the lake and the words of docs/features.md alone.

Slow, one row after the other, with no as-of join and no running sum: what the fast code must agree with.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.features.market import BY_DEADLINE, CATEGORIES, SYNONYMS
from polymarket_assets.venue.instants import EPOCH

EVERY_S = {"t0": 3600, "t1": 300, "t2": 60, "t3": 30, "t4": 15}
LISTENED = ("t2", "t3", "t4")
NEVER = 10**18
S = 1_000_000
Row = dict[str, Any]


def us(at: datetime | None) -> int | None:
    return None if at is None else (at - EPOCH) // timedelta(microseconds=1)


def logit(p: float | None, half: float) -> float | None:
    if p is None:
        return None
    p = max(half, min(1 - half, p))
    return math.log(p / (1 - p))


def middle(bid: float | None, ask: float | None) -> float | None:
    return (bid + ask) / 2 if bid is not None and ask is not None and 0 <= ask - bid <= 0.10 + 1e-6 else None


def log1p(x: float | None) -> float | None:
    return None if x is None else math.log(1 + max(x, 0))


def signed_log(hours: float | None) -> float | None:
    return None if hours is None else (hours > 0) * 2 * math.log(1 + abs(hours)) - math.log(1 + abs(hours))


class Slow:
    """A recorded lake, all of it in lists."""

    def __init__(self, lake: Lake) -> None:
        def rows(table: str) -> list[Row]:
            return reading.rows(lake, table).to_pylist()

        self.versions: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(rows("markets"), key=lambda r: r["received_at"]):
            self.versions[row["market_id"]].append({**row, "at": us(row["received_at"])})
        self.quotes: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(rows("snapshots"), key=lambda r: (r["received_at"], r["slot_at"])):
            held = self.quotes[row["market_id"]]
            if held and held[-1]["received_at"] == row["received_at"]:
                held.pop()
            held.append(self._quote(row))
        self.books: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(rows("orderbooks"), key=lambda r: (r["received_at"], r["slot_at"])):
            held = self.books[row["market_id"]]
            if held and held[-1]["received_at"] == row["received_at"]:
                held.pop()
            held.append({**row, "at": us(row["received_at"])})
        self.trades, self.heard = self._trades(rows("trades_raw"))
        self.gaps = rows("stream_gaps")

    @staticmethod
    def _quote(row: Row) -> Row:
        mid = middle(row["best_bid"], row["best_ask"])
        return {
            **row, "at": us(row["received_at"]), "every": EVERY_S[row["tier"]] * S, "middle": mid,
            "mid2": None if mid is None else round(mid * 2e6), "l": None if mid is None else round(1e6 * logit(mid, 0.0005)),  # type: ignore[operator]
        }  # fmt: skip

    @staticmethod
    def _trades(rows: list[Row]) -> tuple[dict[str, list[Row]], list[int]]:
        found: dict[str, list[Row]] = defaultdict(list)
        seen, minutes = set(), {}
        for row in sorted(rows, key=lambda r: r["received_at"]):
            at = us(row["received_at"])
            assert at is not None
            minutes.setdefault(at // (60 * S), at)
            key = (
                row["market_id"],
                row["tx_hash"] or at,
                row["token_id"],
                row["is_buy"],
                row["price_e6"],
                row["size_e6"],
            )
            if key in seen or row["received_at"] - row["venue_at"] > timedelta(seconds=60):
                continue
            seen.add(key)
            usd = min(row["price_e6"] * row["size_e6"] // S, 10**14)
            sign = 1 if row["is_buy"] == (row["outcome_index"] == 0) else -1
            found[row["market_id"]].append(
                {"at": at, "usd": usd, "signed": sign * usd, "known": row["tx_hash"] is not None}
            )
        for held in found.values():
            held.sort(key=lambda t: (t["at"], t["usd"], t["signed"] > 0))
        return found, sorted(minutes.values())  # fmt: skip

    # --- as of an instant ---------------------------------------------------------------------------------

    def version(self, market_id: str, t: int) -> Row | None:
        known = [v for v in self.versions[market_id] if v["at"] <= t]
        return (
            known[-1]
            if known and known[-1]["effective_close"] is not None and known[-1]["phase"] != "closed"
            else None
        )

    def quote(self, market_id: str, t: int) -> Row | None:
        known = [q for q in self.quotes[market_id] if q["at"] <= t]
        return known[-1] if known and t - known[-1]["at"] <= 2 * known[-1]["every"] else None

    def features(self, market_id: str, as_of: datetime) -> Row | None:
        t = us(as_of)
        assert t is not None
        version, quote = self.version(market_id, t), self.quote(market_id, t)
        if version is None or quote is None:
            return None
        found = self._price(version, quote)
        found |= self._moves(market_id, quote, t)
        found |= self._book(market_id, quote, t)
        found |= self._flow(market_id, version, quote, t)
        found |= self._market(market_id, version, quote, as_of)
        found |= self._event(version, found, t)
        change, hours = quote["volume_change_usd"], quote["volume_change_h"]
        found |= {
            "log_vol_24h": log1p(quote["volume_24h_usd"]),
            "listed_flow": log1p(max(change, 0) / hours)
            if hours and hours >= 1 / 60 and change is not None
            else None,
            "tier": quote["tier"],
        }
        return found  # fmt: skip

    def _price(self, version: Row, quote: Row) -> Row:
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

    def _moves(self, market_id: str, quote: Row, t: int) -> Row:
        s, found = quote["at"], {}
        every = [q for q in self.quotes[market_id] if q["at"] <= s]
        for name, seconds in {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "6h": 21600, "24h": 86400}.items():
            back = seconds * S
            known = [q for q in every if q["at"] <= s - back]
            fresh = known and s - back - known[-1]["at"] <= 2 * known[-1]["every"] and quote["every"] <= back
            ends = (quote["l"], known[-1]["l"]) if fresh else (None, None)
            found[f"lret_{name}"] = None if None in ends else (ends[0] - ends[1]) / 1e6
        for name, back, step in (("1h", 3600, 300), ("24h", 86400, 900)):
            changes = self._changes(market_id, t, step * S, back // step)
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
        pauses = [
            (b["at"] - a["at"], a["every"]) for a, b in itertools.pairwise(every) if b["at"] > s - 3600 * S
        ]
        found["gap_1h"] = float(
            sum(max(0, math.floor(long / every + 0.5) - 1) for long, every in pauses if long <= 23 * 3600 * S)
        )
        return found  # fmt: skip

    def _changes(self, market_id: str, t: int, step: int, count: int) -> dict[int, int] | None:
        """Changes of log-odds by step of the clock; None where the newest step has no price."""
        ends: dict[int, int] = {}
        for q in self.quotes[market_id]:
            if q["l"] is not None:
                ends[-(-q["at"] // step)] = q["l"]
        newest = t // step
        if newest not in ends:
            return None
        return {
            n: ends[n] - ends[n - 1]
            for n in range(newest - count + 1, newest + 1)
            if n in ends and n - 1 in ends
        }

    def _book(self, market_id: str, quote: Row, t: int) -> Row:
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
        known = [b for b in self.books[market_id] if b["at"] <= t]
        if not known or t - known[-1]["at"] > 2 * quote["every"]:
            return found
        book = known[-1]
        sides = {
            side: [(x["price_e6"], x["size_e6"] / 1e6) for x in book[f"{side}s"]] for side in ("bid", "ask")
        }
        found["book_age_s"] = math.log(1 + (t - book["at"]) / 1e6)
        found["n_levels"] = float(len(sides["bid"]) + len(sides["ask"]))
        for side, levels in sides.items():
            for cents in (1, 5):
                found[f"{side}_depth_{cents}c"] = (
                    math.log(
                        1 + sum(p / 1e6 * q for p, q in levels if abs(p - levels[0][0]) <= cents * 10_000)
                    )
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
        found["ofi_15m"] = self._ofi([b for b in known if b["at"] > book["at"] - 900 * S])
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
            (bid * ask_size + ask * bid_size) / (bid_size + ask_size) / 1e4 - mid
            if bid_size + ask_size
            else None
        )
        near = {
            side: [(abs(p - levels[0][0]) / 1e4, q) for p, q in levels if abs(p - levels[0][0]) <= 100_000]
            for side, levels in sides.items()
        }
        if min(map(len, near.values())) >= 3 and all(sum(q for _, q in held) for held in near.values()):
            mean = {
                side: sum(d * q for d, q in held) / sum(q for _, q in held) for side, held in near.items()
            }
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

    @staticmethod
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

    # --- trades -------------------------------------------------------------------------------------------

    def _deaf(self, market_id: str, t: int) -> list[tuple[int, int]]:
        """Intervals over by `t` in which nobody listened to a market."""
        found = [(us(g["from_at"]), us(g["to_at"])) for g in self.gaps if g["market_id"] in (None, market_id)]
        found += [(a, b) for a, b in zip([-NEVER, *self.heard], self.heard, strict=False) if b - a > 960 * S]
        together: list[tuple[int, int]] = []
        for a, b in sorted(gap for gap in found if gap[1] <= t):  # type: ignore[operator]
            if together and a <= together[-1][1]:  # type: ignore[operator]
                together[-1] = (together[-1][0], max(b, together[-1][1]))  # type: ignore[type-var]
            else:
                together.append((a, b))  # type: ignore[arg-type]
        return together

    def _flow(self, market_id: str, version: Row, quote: Row, t: int) -> Row:
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
        if quote["tier"] not in LISTENED or not any(0 <= t - at <= 900 * S for at in self.heard):
            return found
        day = [q for q in self.quotes[market_id] if quote["at"] - 86400 * S <= q["at"] <= quote["at"]]
        since = max((q["at"] for q in day if q["tier"] not in LISTENED), default=day[0]["at"])
        began = min(
            at for at in (us(version["listed_at"]), self.versions[market_id][0]["at"]) if at is not None
        )
        deaf, windows = self._deaf(market_id, t), {}
        for name, seconds, least in (("5m", 300, 0.9), ("1h", 3600, 0.9), ("24h", 86400, 1 / 24)):
            begin = t - seconds * S
            unheard = min(
                seconds * S,
                max(0, since - max(begin, began)) + sum(max(0, b - max(a, begin, since)) for a, b in deaf),
            )
            if name != "5m":
                found[f"unheard_{name}"] = unheard / (seconds * S)
            if unheard <= round((1 - least) * seconds * S):
                windows[name] = [x for x in self.trades[market_id] if begin <= x["at"] < t]
        for name, held in windows.items():
            usd = sum(x["usd"] for x in held)
            found[f"n_tr_{name}"] = math.log(1 + len(held))
            found[f"sflow_{name}"] = sum(x["signed"] for x in held) / usd if usd else None
            if name != "5m":
                found[f"usd_{name}"] = math.log(1 + usd / 1e6)
            if name == "1h":
                found["avg_usd_1h"] = math.log(1 + usd / 1e6 / len(held)) if held else None
        if "24h" in windows:
            found |= self._of_a_day(market_id, windows["24h"], since, t)
        return found  # fmt: skip

    def _of_a_day(self, market_id: str, held: list[Row], since: int, t: int) -> Row:
        usd = sum(x["usd"] for x in held)
        large = [x for x in held if x["usd"] >= 1_000 * S]
        known = [x["at"] for x in self.trades[market_id] if x["at"] < t]
        whales = sum(x["usd"] for x in large)
        return {
            "vpin_24h": _vpin(held) if len(held) >= 40 and usd else None, "whale_share_24h": whales / usd if usd else None,
            "whale_sflow_24h": sum(x["signed"] for x in large) / whales if whales else None, "kyle_24h": self._kyle(market_id, t),
            "trade_age_s": math.log(1 + (t - max(max(known, default=-1), since, t - 86400 * S)) / 1e6),
            "sign_quality": sum(x["known"] for x in held) / len(held) if held else None,
        }  # fmt: skip

    def _kyle(self, market_id: str, t: int) -> float | None:
        step = 300 * S
        changes = self._changes(market_id, t, step, 288)
        if changes is None:
            return None
        flows: dict[int, int] = defaultdict(int)
        for x in self.trades[market_id]:
            flows[x["at"] // step + 1] += x["signed"]
        both = [(flows[n] / 1e9, change / 1e6) for n, change in changes.items() if n in flows]
        return sum(x * y for x, y in both) / (sum(x * x for x, _ in both) + 0.1) if len(both) >= 12 else None

    # --- metadata -----------------------------------------------------------------------------------------

    def _market(self, market_id: str, version: Row, quote: Row, as_of: datetime) -> Row:
        import re

        known = [v for v in self.versions[market_id] if v["received_at"] <= as_of]
        closes = [v["effective_close"] for v in known]
        first = min(filter(None, (version["listed_at"], known[0]["received_at"])))
        age, left = (
            (as_of - first) / timedelta(hours=1),
            (version["effective_close"] - as_of) / timedelta(hours=1),
        )
        starts = version["window_start_at"] or (
            version["game_start_at"] if version["game_id"] or version["sports_market_type"] else None
        )
        named = (version["category"] or "").strip().lower()
        named = SYNONYMS.get(named, named)
        angle = 2 * math.pi * (us(as_of) % (86400 * S)) / (86400 * S)  # type: ignore[operator]
        return {
            "category": named if named in CATEGORIES else "other", "neg_risk": version["neg_risk"],
            "yesno_labels": [o.lower() for o in version["outcomes"]] == ["yes", "no"], "by_deadline": bool(re.search(BY_DEADLINE, (version["question"] or "").lower())),
            "log_liq": log1p(quote["liquidity_usd"]), "log_cumvol": log1p(quote["volume_usd"]), "age_h": log1p(age), "hours_to_end": signed_log(left),
            "life_frac": age / (age + left) if age + left > 0 else None,
            "hours_to_start": None if starts is None else signed_log((starts - as_of) / timedelta(hours=1)),
            "end_moves": float(sum(a is not None and b is not None and a != b for a, b in itertools.pairwise(closes))),
            "tod_sin": math.sin(angle), "tod_cos": math.cos(angle), "dow": as_of.weekday(),
        }  # fmt: skip

    def _event(self, version: Row, found: Row, t: int) -> Row:
        def set_of(v: Row) -> Any:
            return (
                ("n", v["neg_risk_id"])
                if v["neg_risk_id"]
                else ("e", v["event_id"])
                if v["event_id"]
                else None
            )

        mine = version["market_id"]
        siblings = {
            m
            for m in self.versions
            if (v := self.version(m, t)) is not None
            and set_of(v) is not None
            and set_of(v) == set_of(version)
        } | {mine}
        names = ("sib_mid_dev", "sib_ask_dev", "sib_rank", "norm_logit_shift", "lead_gap", "event_move_1h")
        live = {m: q for m in siblings if (q := self.quote(m, t)) is not None}
        told: Row = {**dict.fromkeys(names), "n_sib": float(len(live))}
        if len(siblings) == 1:
            return told
        mids = {m: q["mid2"] for m, q in live.items() if q["mid2"] is not None}
        asks = [round(q["best_ask"] * 1e6) for q in live.values() if q["best_ask"] is not None]
        told["sib_ask_dev"] = sum(asks) / 1e6 - 1 if len(asks) == len(siblings) else None
        if len(mids) == len(siblings):
            total = sum(mids.values()) / 2e6
            told["sib_mid_dev"] = total - 1
            tick = found["tick_c"] or 0.1
            told["norm_logit_shift"] = (
                logit(found["mid"] / total, tick / 200) - found["logit_mid"] if total >= 0.01 else None
            )  # type: ignore[operator]
        others = [mid for m, mid in mids.items() if m != mine]
        if mine in mids:
            told["sib_rank"] = 1.0 + sum(mid > mids[mine] for mid in others)
            told["lead_gap"] = (mids[mine] - max(others)) / 2e6 if others else None
        before = {
            m: q["mid2"]
            for m in siblings - {mine}
            if (q := self.quote(m, t - 3600 * S)) is not None and q["mid2"] is not None
        }
        moves = [abs(mids[m] - before[m]) for m in before if m in mids]
        told["event_move_1h"] = sum(moves) / 2e6 if moves else None
        return told  # fmt: skip


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
