"""A lake of two days as the console meets it: trades and book changes by the ten million, hours merged as the platform merges them, and
one that is open.

`python -m benchmarks.console_lake FOLDER` makes one to look at; it begins two days before now.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks import feature_lake
from benchmarks.feature_lake import HOURS, LISTENED, US, Made, Whole, instants, publish_hours, table
from benchmarks.rows import Tell
from polymarket_assets.collecting import trade_hours, whales
from polymarket_assets.lake import compacting, merging
from polymarket_assets.lake.spans import HOUR, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import TIERS
from polymarket_assets.venue.instants import EPOCH

# Wanted, by the issue.
TRADES, CHANGES = 10_000_000, 10_000_000
# What the streamer seals, with how many rows each a market's hour has.
_SEALED = ("trades_raw", "book_changes", "stream_gaps")
_WHALES_AN_HOUR, _GAPS_AN_HOUR, _PREDICTIONS_AN_HOUR = 60, 10, 4
_MODELS = (("polymarket/1", "champion"), ("polymarket/2", "shadow"), ("polymarket/3", "challenger"))
_HOUR_US = 3_600 * US
# As markets are: the busiest has most.
_SPREAD = 1.8


@dataclass(frozen=True)
class Counts:
    """What is in the lake, of the tables that matter."""

    markets: int
    snapshots: int
    books: int
    trades: int
    changes: int
    predictions: int


def make(
    lake: Lake, *, now: datetime, share: float = 1.0, hours: int = HOURS, tell: Tell = lambda said: None
) -> Counts:
    """Fill so many hours of a lake up to now with a share of everything, and merge those that are over."""
    start = hour_of(now) - (hours - 1) * HOUR
    dice = np.random.default_rng(11)
    tell("snapshots, books and trades as heard")
    made = feature_lake.make(lake, share, TRADES, start=start, until=now, hours=hours)
    world = _World(lake, made, dice, start, now, hours)
    tell("trades, book changes, and what is around them")
    trades, changes = world.traded(int(TRADES * share)), world.changed(int(CHANGES * share))
    world.listed()
    world.accounted()
    world.large()
    predictions = world.predicted()
    tell("merging hours")
    _merge(lake, start, now, hours)
    return Counts(made.ids.size, made.snapshots, made.books, trades, changes, predictions)


@dataclass(frozen=True)
class _World:
    """Markets that live, and what is written of them, hour by hour."""

    lake: Lake
    made: Made
    dice: np.random.Generator
    start: datetime
    now: datetime
    hours: int

    def traded(self, count: int) -> int:
        """`trades`, as a build of each hour leaves them."""
        done = 0
        for hour, market, at in self._hours(count, np.isin(self.made.tier, LISTENED)):
            rows = market.size
            price, size = self.dice.integers(1, 100, rows) * 10_000, self._sizes(rows)
            ids = np.zeros((rows, 2), dtype=np.int64)
            ids[:, 0], ids[:, 1] = done + np.arange(rows), at[0] if rows else 0
            held = table("trades", rows, {
                "trade_id": pa.Array.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(ids.tobytes())]), "market_id": self.made.ids[market],
                "traded_at": instants(at), "received_at": instants(at + 90_000), "price_e6": price, "size_e6": size, "usd_e6": price * size // US,
                "is_buy": self.dice.random(rows) < 0.55, "outcome_index": self.dice.integers(0, 2, rows), "source": ["both"] * rows, "token_id": self.made.ids[market],
            })  # fmt: skip
            self.lake.publish_pieces("trades", [held.sort_by([("market_id", "ascending"), ("traded_at", "ascending"), ("trade_id", "ascending")])], part=trade_hours.PART, at=hour)  # fmt: skip
            done += rows
        return done

    def changed(self, count: int) -> int:
        """`book_changes`, as a session publishes them; a few hours have a gap."""
        done = 0
        for hour, market, at in self._hours(count, np.isin(self.made.tier, LISTENED)):
            rows = market.size
            held = table("book_changes", rows, {
                "session_id": ["2026-0of1-x"] * rows, "connection": np.zeros(rows, dtype=np.int16), "sequence": done + np.arange(rows), "row": np.zeros(rows, dtype=np.int16),
                "received_at": instants(at), "venue_at": instants(at - 90_000), "market_id": self.made.ids[market], "kind": ["change"] * rows,
                "is_bid": self.dice.random(rows) < 0.5, "price_e6": self.dice.integers(1, 100, rows) * 10_000, "size_e6": self._sizes(rows),
            })  # fmt: skip
            self.lake.publish("book_changes", held, part="0", at=hour)
            done += rows
        return done

    def listed(self) -> None:
        """Newer rows of `markets`, with all that names a market."""
        made, count = self.made, self.made.ids.size
        names = [f"will-it-rain-{n}" for n in range(count)]
        held = table("markets", count, {
            "market_id": made.ids, "received_at": pa.repeat(pa.scalar(self.start, type=pa.timestamp("us", tz="UTC")), count), "phase": ["live"] * count, "tier": made.tier,
            "effective_close": instants(made.last_us), "venue": ["polymarket"] * count, "condition_id": [one[3:] for one in made.ids], "gamma_id": [str(n) for n in range(count)],
            "slug": names, "question": [f"Will it rain in town {n} by June 30?" for n in range(count)], "outcomes": [["Yes", "No"]] * count,
            "token_ids": [[f"{2 * n + 1}", f"{2 * n + 2}"] for n in range(count)], "event_id": made.sets, "event_slug": [f"rain-{n // 3}" for n in range(count)],
            "event_title": [f"Rain in June {n // 3}" for n in range(count)], "neg_risk_id": made.sets, "neg_risk": np.ones(count, dtype=bool), "category": ["weather"] * count,
            "tags": [["weather"]] * count, "volume_usd": self.dice.lognormal(9, 2, count), "volume_24h_usd": self.dice.lognormal(7, 2, count), "accepting_orders": np.ones(count, dtype=bool),
        })  # fmt: skip
        self.lake.publish("markets", held, part="1", at=self.start)

    def accounted(self) -> None:
        """`sweeps`, one part a slot of all but the near tiers, whose slots of a quarter of an hour share one; and gaps of the stream."""
        for tier in TIERS:
            every = tier.every // timedelta(microseconds=1)
            at = np.arange(_us(self.start), _us(self.now), every, dtype=np.int64)
            publish_hours(self.lake, "sweeps", at, lambda rows, at=at: self._slots(at[rows]), np.full(at.size, tier.name))  # fmt: skip
        at = self.dice.integers(_us(self.start), _us(self.now), self.hours * _GAPS_AN_HOUR)
        publish_hours(self.lake, "stream_gaps", at, lambda rows: self._gaps(at[rows]), None)

    def large(self) -> None:
        """`whale_events` of each hour."""
        at = np.sort(self.dice.integers(_us(self.start), _us(self.now), self.hours * _WHALES_AN_HOUR))
        market = self.dice.integers(0, self.made.ids.size, at.size)
        for hour, rows in _by_hour(at):
            held = table("whale_events", rows.size, {
                "event_id": [f"0x{n:064x}:1:B" for n in rows], "traded_at": instants(at[rows]), "market_id": self.made.ids[market[rows]], "is_buy": rows % 2 == 0,
                "outcome_index": rows % 2, "price": self.dice.random(rows.size), "usd_e6": self.dice.integers(5_000, 80_000, rows.size) * US, "depth_share": self.dice.random(rows.size),
            })  # fmt: skip
            self.lake.publish("whale_events", held, part=whales.PART, at=hour)

    def predicted(self) -> int:
        """`predictions` of three models each quarter of an hour about every market near its end, and how those ended."""
        near, done = np.flatnonzero(self.made.tier != "t0"), 0
        quarter = _HOUR_US // _PREDICTIONS_AN_HOUR
        for n, at in enumerate(range(_us(self.start), _us(self.now), quarter)):
            alive = near[(self.made.first_us[near] <= at) & (self.made.last_us[near] > at)]
            for name, role in _MODELS if alive.size else ():
                held = self._said(alive, at, name, role)
                part = f"{n % _PREDICTIONS_AN_HOUR}-{role}"
                self.lake.publish("predictions", held, part=part, at=hour_of(EPOCH + timedelta(microseconds=at)))  # fmt: skip
                done += held.num_rows
        self._ended()
        return done

    def _said(self, market: Whole, at: int, name: str, role: str) -> pa.Table:
        rows, mid = market.size, self.dice.uniform(0.02, 0.98, market.size)
        return table("predictions", rows, {
            "model_version": [name] * rows, "role": [role] * rows, "market_id": self.made.ids[market], "group_id": self.made.sets[market], "mid": mid,
            "as_of": instants(np.full(rows, at)), "created_at": instants(np.full(rows, at + 20 * US)), "scheduled_end": instants(self.made.last_us[market]), "tier": self.made.tier[market],
            "probability": np.clip(mid + self.dice.normal(0, 0.02, rows), 0.01, 0.99), "horizon_h": (self.made.last_us[market] - at) / _HOUR_US, "category": ["weather"] * rows,
        })  # fmt: skip

    def _ended(self) -> None:
        over = np.flatnonzero(self.made.last_us + 30 * 60 * US <= _us(self.now))
        at = self.made.last_us[over] + 30 * 60 * US
        label = self.dice.integers(0, 2, over.size)
        publish_hours(self.lake, "resolutions", at, lambda rows: table("resolutions", rows.size, {
            "market_id": self.made.ids[over[rows]], "seen_at": instants(at[rows]), "state": ["final"] * rows.size, "label": label[rows], "label_seen_at": instants(at[rows]),
            "decided_seen_at": instants(at[rows]), "resolved_at": instants(at[rows]), "source": ["polymarket"] * rows.size, "reason": ["payout"] * rows.size, "evidence": ["{}"] * rows.size,
        }), None)  # fmt: skip

    def _slots(self, at: Whole) -> pa.Table:
        late = self.dice.random(at.size)
        status = np.where(late < 0.01, "missed", np.where(late < 0.03, "late", "taken"))
        return table("sweeps", at.size, {
            "slot_at": instants(at), "started_at": instants(at + US), "finished_at": instants(at + 3 * US), "status": status, "markets": np.full(at.size, 200),
            "books": np.full(at.size, 198), "omitted": np.full(at.size, 2), "latency_ms": np.full(at.size, 900.0),
        })  # fmt: skip

    def _gaps(self, at: Whole) -> pa.Table:
        market = self.dice.integers(0, self.made.ids.size, at.size)
        return table("stream_gaps", at.size, {
            "gap_id": [f"x:{n}" for n in at], "from_at": instants(at - 5 * US), "to_at": instants(at), "cause": ["closed"] * at.size, "market_id": self.made.ids[market],
        })  # fmt: skip

    def _hours(self, count: int, chosen: Any) -> Iterator[tuple[datetime, Whole, Whole]]:
        """Each hour with markets and instants of its share of so many rows, in order of time."""
        weight = np.where(chosen, self.dice.lognormal(0.0, _SPREAD, chosen.size), 0.0)
        for n in range(self.hours):
            hour = self.start + n * HOUR
            end = min(_us(hour + HOUR), _us(self.now))
            alive = np.where((self.made.first_us <= _us(hour)) & (self.made.last_us > _us(hour)), weight, 0.0)
            if alive.sum():
                rows = max(1, count * (end - _us(hour)) // _HOUR_US // self.hours)
                market = self.dice.choice(alive.size, size=rows, p=alive / alive.sum())
                yield hour, market, np.sort(self.dice.integers(_us(hour), max(end, _us(hour) + 1), rows))

    def _sizes(self, rows: int) -> Whole:
        found: Whole = np.exp(self.dice.normal(16.5, 1.6, size=rows)).astype(np.int64) + 1
        return found


def _by_hour(at: Whole) -> Iterator[tuple[datetime, Whole]]:
    hour = at // _HOUR_US
    for one in np.unique(hour):
        yield EPOCH + int(one) * HOUR, np.flatnonzero(hour == one)


def _merge(lake: Lake, start: datetime, now: datetime, hours: int) -> None:
    """What is over as one file each: the stream's tables as the streamer seals them, the others as they are compacted."""
    for name in _SEALED:
        for n in range(hours - 1):
            merging.merge(lake, name, start + n * HOUR, now=now)
            merging.remove_superseded(lake, name, start + n * HOUR, now=now, kept=timedelta(0))
    compacting.compact(lake, clock=lambda: now, kept=timedelta(0))
    compacting.compact(lake, clock=lambda: now + timedelta(seconds=1), kept=timedelta(0))


def _us(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def main() -> int:
    """Make one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console_lake", description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--share", type=float, default=1.0, help="of everything")
    asked = parser.parse_args()
    print(make(Lake(asked.folder), now=datetime.now(UTC), share=asked.share, tell=lambda said: print(said, flush=True)))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
