"""Books of an hour, slot by slot, made to be no easier to keep than the venue's: what `kept_bytes` measures on.

Thirty levels a side where the price grid has room for them (half the markets trade on cents, half on tenths), sizes
drawn from the distribution of real resting sizes (`sealed_bytes`), gaps in the ladder, and a fifth of all levels
changed from one slot to the next: some markets hardly move, in some nothing stays. Prices of a whole side shift
with the mid. A book that did not change keeps its hash and instant, as the venue's do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.sealed_bytes import Mix
from polymarket_assets.collecting import snapshotting
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.schemas.declare import LEVELS

AT = datetime(2026, 11, 2, 13, tzinfo=UTC)
EVERY = timedelta(seconds=15)
SLOTS = 240
LEVELS_A_SIDE = 30
_E6 = 1_000_000
_CATEGORIES = ("sports", "crypto", "politics", "weather", "culture")


class Books:
    """Markets and their ladders."""

    def __init__(self, markets: int, seed: int = 1) -> None:
        self._dice = np.random.default_rng(seed)
        self._mix = Mix(seed)
        self._shape = (markets, 2, LEVELS_A_SIDE)
        self.count = markets
        self.ids = sorted(f"pm:0x{self._dice.bytes(32).hex()}" for _ in range(markets))
        self._tokens = [str(int.from_bytes(self._dice.bytes(32))) for _ in range(markets)]
        self._ticks = np.where(self._dice.random(markets) < 0.5, 1_000, 10_000)
        self._mids = (self._dice.uniform(0.03, 0.97, markets) * _E6 // self._ticks).astype(np.int64)
        # A fifth on average: most far less, some nearly everything.
        self._churn = self._dice.beta(0.5, 2.0, markets)
        self._sizes, self._gaps = self._drawn(), self._drawn_gaps()
        self._hashes = [self._dice.bytes(20).hex() for _ in range(markets)]
        self._changed_at = np.full(markets, AT.timestamp() * 1e6, np.int64)
        self._last = self._mids * self._ticks
        self._listed = self._listing()

    def slots(self, count: int) -> Iterator[tuple[datetime, pa.Table, pa.Table]]:
        """So many slots: the instant, its rows of `orderbooks` and of `snapshots`."""
        for slot in range(count):
            at = AT + EVERY * slot
            self._move(at)
            books = self._rows(at)
            yield at, books, snapshotting.snapshots(books, self._listed)

    def _move(self, at: datetime) -> None:
        """What happened since the last slot."""
        dice, churn = self._dice, self._churn
        again = dice.random(self._shape) < churn[:, None, None]
        self._sizes = np.where(again, self._drawn(), self._sizes)
        regap = dice.random(self._shape) < churn[:, None, None] * 0.2
        self._gaps = np.where(regap, self._drawn_gaps(), self._gaps)
        steps = np.where(dice.random(self.count) < churn * 0.5, dice.choice((-1, 1), self.count), 0)
        self._mids = np.clip(self._mids + steps, 2, _E6 // self._ticks - 2)
        self._last = np.where(dice.random(self.count) < churn, self._mids * self._ticks, self._last)
        changed = again.any(axis=(1, 2)) | regap.any(axis=(1, 2)) | (steps != 0)
        said = int(at.timestamp() * 1e6) - dice.integers(0, 15_000_000, self.count) // 1000 * 1000
        self._changed_at = np.where(changed, said, self._changed_at)
        self._hashes = [dice.bytes(20).hex() if new else old for new, old in zip(changed, self._hashes, strict=True)]  # fmt: skip

    def _rows(self, at: datetime) -> pa.Table:
        schema = TABLES["orderbooks"].schema
        offsets = np.cumsum(self._gaps, axis=2)
        # Five hundred books come with one answer.
        received = int(at.timestamp() * 1e6) + 180_000 + np.arange(self.count) // 500 * 90_000 + at.second * 7
        columns: dict[str, Any] = {
            "market_id": self.ids,
            "slot_at": pa.array([at] * self.count, pa.timestamp("us", tz="UTC")),
            "received_at": _instants(received),
            "venue_at": _instants(self._changed_at),
            "token_id": self._tokens,
            "tick_e6": self._ticks,
            "bids": self._side(self._mids[:, None] - offsets[:, 0], 0),
            "asks": self._side(self._mids[:, None] + offsets[:, 1] - 1, 1),
            "last_trade_e6": self._last,
            "hash": self._hashes,
        }
        return pa.table({name: _array(columns[name], schema.field(name).type) for name in schema.names}, schema=schema)  # fmt: skip

    def _side(self, steps: Any, side: int) -> pa.Array:
        prices = steps * self._ticks[:, None]
        there = (prices > 0) & (prices < _E6)
        offsets = np.concatenate(([0], np.cumsum(there.sum(axis=1))))
        fields = list(LEVELS.value_type)
        levels = pa.StructArray.from_arrays(
            [
                pa.array(prices[there]).cast(fields[0].type),
                pa.array(self._sizes[:, side][there]).cast(fields[1].type),
            ],
            fields=fields,
        )
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), levels, type=LEVELS)

    def _drawn(self) -> Any:
        return self._mix._sizes(self._shape)

    def _drawn_gaps(self) -> Any:
        return self._dice.geometric(0.75, self._shape)

    def _listing(self) -> pa.Table:
        """What discovery said of them an hour ago."""
        dice = self._dice
        rows = [
            {
                "market_id": market_id, "received_at": AT - timedelta(seconds=int(dice.integers(600))), "phase": "scheduled", "tier": "t4",
                "effective_close": AT + timedelta(minutes=int(dice.integers(60, 120))), "end_source": "end_date", "venue": "polymarket",
                "outcomes": ["Yes", "No"], "token_ids": [token, "1"], "event_id": str(100_000 + n // 3), "neg_risk": n % 3 == 0,
                "category": _CATEGORIES[n % len(_CATEGORIES)], "tags": [], "listed_at": AT - timedelta(hours=int(dice.integers(2, 900))),
                "volume_usd": float(dice.lognormal(9, 2)), "volume_24h_usd": float(dice.lognormal(7, 2)),
                "liquidity_usd": float(dice.lognormal(8, 2)), "accepting_orders": True,
                "fee_schedule": '{"rate": 0.02, "exponent": 1, "taker_only": true, "rebate_rate": 0.25}' if n % 2 else None,
            }
            for n, (market_id, token) in enumerate(zip(self.ids, self._tokens, strict=True))
        ]  # fmt: skip
        return pa.Table.from_pylist(rows, schema=TABLES["markets"].schema)


def _array(values: Any, type_: pa.DataType) -> Any:
    return values if isinstance(values, pa.Array) else pa.array(values).cast(type_)


def _instants(values_us: Any) -> pa.Array:
    return pa.array(values_us).cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))


def wire_line(row: dict[str, Any]) -> bytes:
    """A row of `orderbooks` as the venue sends it, one line of JSON: prices and sizes are texts, the best come last."""
    book = {
        "market": row["market_id"][3:], "asset_id": row["token_id"], "timestamp": str(int(row["venue_at"].timestamp() * 1000)),
        "hash": row["hash"], "bids": _wire(row["bids"]), "asks": _wire(row["asks"]), "min_order_size": "5",
        "tick_size": f"{row['tick_e6'] / _E6:g}", "neg_risk": False, "last_trade_price": f"{row['last_trade_e6'] / _E6:g}",
    }  # fmt: skip
    return json.dumps(book, separators=(",", ":")).encode() + b"\n"


def _wire(levels: list[dict[str, int]]) -> list[dict[str, str]]:
    return [{"price": f"{level['price_e6'] / _E6:g}", "size": f"{level['size_e6'] / _E6:.10g}"} for level in reversed(levels)]  # fmt: skip


def row_line(row: dict[str, Any]) -> bytes:
    """A row of `snapshots` as one line of JSON."""
    return json.dumps(row, separators=(",", ":"), default=lambda at: at.isoformat()).encode() + b"\n"
