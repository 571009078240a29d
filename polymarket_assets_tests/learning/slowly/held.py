"""A recorded lake, all of it in lists, and what of it was known at an instant."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.shards import Shard
from polymarket_assets_tests.learning.slowly.plain import Row, S, logit, middle, us

EVERY_S = {"t0": 3600, "t1": 300, "t2": 60, "t3": 30, "t4": 15}
LISTENED = ("t2", "t3", "t4")
NEVER = 10**18


class Held:
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
        raw = rows("trades_raw")
        self.trades = self._trades(raw)
        # By shard, the first trade of any market in each minute.
        self.signs: dict[Shard, dict[int, int]] = defaultdict(dict)
        for row in sorted(raw, key=lambda r: r["received_at"]):
            at = us(row["received_at"])
            assert at is not None
            self.signs[Shard.of_session(row["session_id"])].setdefault(at // (60 * S), at)
        self.gaps = rows("stream_gaps")

    @staticmethod
    def _quote(row: Row) -> Row:
        mid = middle(row["best_bid"], row["best_ask"])
        return {
            **row, "at": us(row["received_at"]), "every": EVERY_S[row["tier"]] * S, "middle": mid,
            "mid2": None if mid is None else round(mid * 2e6), "l": None if mid is None else round(1e6 * logit(mid, 0.0005)),  # type: ignore[operator]
        }  # fmt: skip

    @staticmethod
    def _trades(rows: list[Row]) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        seen = set()
        for row in sorted(rows, key=lambda r: r["received_at"]):
            at = us(row["received_at"])
            assert at is not None
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
        return found

    def heard(self, market_id: str) -> list[int]:
        """The first trade in each minute, of any market, that a streamer heard which carries this one."""
        first: dict[int, int] = {}
        for shard, signs in self.signs.items():
            for minute, at in signs.items() if shard.carries(market_id) else ():
                first[minute] = min(at, first.get(minute, at))
        return sorted(first.values())

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
