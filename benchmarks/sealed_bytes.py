"""Sealing minutes of the venue's mix at 10,000 messages a second, and the bytes a row takes then.

`python -m benchmarks.sealed_bytes [--minutes N] [--rate N]` prints the bytes per row by column; `--lake ROOT` those of the
sealed hours of a lake. The mix is made to be no easier than the real one: activity falls off slowly over 2,000
markets, bursts are shorter than the recorded ones (3 changes on average, where the captures have 5 to 13), the network's delay varies, prices lie on
the grid, and sizes are drawn anew each time from the distribution of real resting sizes (38 % whole shares, most
of these round lots; a median of 500 over four decades, to the cent).
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Figure
from polymarket_assets.lake import merging, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake

AT = datetime(2026, 11, 2, 13, tzinfo=UTC)
# Each kind of row is sealed in an hour of its own, so that its bytes can be told apart.
HOURS = {"change": AT, "book": AT + timedelta(hours=1), "trade": AT}
MARKETS = 2000
CONNECTIONS = 20
# Of the messages (PROTOCOL 8.4 and the venue's mix); half of the whole books are of canonical tokens.
BOOKS, TRADES = 0.014 / 2, 0.007
BOOK_LEVELS = 70
# As the streamer publishes.
PART_ROWS = 200_000
# Several times what sealing holds at once.
MINUTES, RATE = 6, 10_000
KEPT = Path("data/benchmarks/sealed_bytes")
_MINUTE_US = 60_000_000
_LOTS = (500, 20, 100, 5, 50, 200, 60, 1000, 10, 30, 120, 40, 150, 80, 75, 800, 550, 900, 600, 15)
_LOTS_WEIGHTS = (242, 225, 138, 129, 79, 76, 71, 67, 50, 48, 48, 48, 42, 30, 29, 27, 25, 24, 24, 23)

Columns = dict[str, Any]


class Mix:
    """A venue's traffic, minute by minute."""

    def __init__(self, seed: int = 1) -> None:
        self._dice = np.random.default_rng(seed)
        weights = 1 / np.arange(1, MARKETS + 1) ** 0.9
        self._weights = weights / weights.sum()
        self._mids = self._dice.uniform(0.03, 0.97, MARKETS)
        fine = (self._mids < 0.04) | (self._mids > 0.96) | (self._dice.random(MARKETS) < 0.2)
        self._ticks = np.where(fine, 1_000, 10_000)
        self._ids = np.array([f"pm:0x{self._dice.bytes(32).hex()}" for _ in range(MARKETS)])
        self._tokens = np.array([str(int.from_bytes(self._dice.bytes(32))) for _ in range(2 * MARKETS)])
        self._ladders = self._sizes((MARKETS, BOOK_LEVELS))
        self._sequence = 0

    def changes(self, minute: int, messages: int) -> Columns:
        """Rows of `book_changes`: levels set."""
        dice = self._dice
        bursts = dice.geometric(1 / 3, messages // 2)
        bursts = bursts[: np.searchsorted(np.cumsum(bursts), messages)]
        starts = np.sort(dice.integers(0, _MINUTE_US, len(bursts)))
        steps = np.cumsum(dice.exponential(700, bursts.sum()))
        within = steps - np.repeat(steps[np.cumsum(bursts) - bursts], bursts)
        markets = np.repeat(dice.choice(MARKETS, len(bursts), p=self._weights), bursts)
        said = np.repeat(starts, bursts) + within * 0.6
        delays = np.repeat(dice.lognormal(np.log(60_000), 0.5, len(bursts)), bursts)
        heard = np.minimum(
            np.repeat(starts, bursts) + delays + within + dice.exponential(120, len(said)), _MINUTE_US - 1
        )
        order = np.argsort(heard, kind="stable")
        markets = markets[order]
        is_bid = dice.random(len(markets)) < 0.5
        sizes = np.where(dice.random(len(markets)) < 0.22, 0, self._sizes(len(markets)))
        return {
            **self._heard(minute, markets, heard[order], said[order]), "row": 0, "kind": "change", "is_bid": is_bid,
            "price_e6": self._prices(markets, is_bid, minute), "size_e6": sizes, "epoch": markets + 1 + minute // 10 * MARKETS,
        }  # fmt: skip

    def books(self, minute: int, messages: int) -> Columns:
        """Rows of `book_changes`: the levels of whole books, of which a fifth changed since the last."""
        markets, heard = self._moments(int(messages * BOOKS))
        ladders = self._ladders[markets]
        ladders = np.where(self._dice.random(ladders.shape) < 0.2, self._sizes(ladders.shape), ladders)
        self._ladders[markets] = ladders
        levels = np.arange(BOOK_LEVELS) - BOOK_LEVELS // 2
        ticks = self._ticks[markets]
        prices = (self._mids[markets] * 1e6 // ticks * ticks)[:, None] + levels * ticks[:, None]
        rows = {
            name: np.repeat(values, BOOK_LEVELS)
            for name, values in self._heard(minute, markets, heard, heard - 60_000).items()
        }
        return {
            **rows, "row": np.tile(np.arange(BOOK_LEVELS), len(markets)), "kind": "book", "is_bid": np.tile(levels < 0, len(markets)),
            "price_e6": np.clip(prices, 1_000, 999_000).ravel(), "size_e6": ladders.ravel(), "epoch": rows["sequence"] % 2**31,
        }  # fmt: skip

    def trades(self, minute: int, messages: int) -> Columns:
        """Rows of `trades_raw`."""
        markets, heard = self._moments(int(messages * TRADES))
        count = len(markets)
        outcomes, is_buy = self._dice.integers(0, 2, count), self._dice.random(count) < 0.7
        hashes = pa.array([self._dice.bytes(32) for _ in range(count)], pa.binary(32))
        return {
            **self._heard(minute, markets, heard, heard - self._dice.lognormal(np.log(90_000), 0.5, count)),
            "token_id": self._tokens[markets * 2 + outcomes], "outcome_index": outcomes, "is_buy": is_buy,
            "price_e6": self._prices(markets, is_buy, minute), "size_e6": self._sizes(count), "tx_hash": hashes,
        }  # fmt: skip

    def _moments(self, count: int) -> tuple[Any, Any]:
        return self._dice.choice(MARKETS, count, p=self._weights), np.sort(
            self._dice.integers(0, _MINUTE_US, count)
        )

    def _heard(self, minute: int, markets: Any, heard_us: Any, said_us: Any) -> Columns:
        # A few numbers in between belong to other kinds of frames.
        sequence = self._sequence + np.cumsum(1 + (self._dice.random(len(markets)) < 0.03))
        self._sequence = int(sequence[-1])
        begin = int(AT.timestamp()) * 1_000_000 + minute * _MINUTE_US
        said = (begin + said_us.astype(np.int64)) // 1000 * 1000
        return {
            "session_id": np.full(len(markets), "20261102T120000Z-0-abc123"), "connection": markets % CONNECTIONS, "sequence": sequence,
            "received_at": begin + heard_us.astype(np.int64), "venue_at": said, "market_id": self._ids[markets],
        }  # fmt: skip

    def _prices(self, markets: Any, is_bid: Any, minute: int) -> Any:
        mids, ticks = self._mids[markets] + 0.02 * np.sin(minute / 9 + markets), self._ticks[markets]
        away = self._dice.geometric(0.18, len(markets))
        grid = mids * 1e6 // ticks * ticks
        return np.clip(
            np.where(is_bid, grid - (away - 1) * ticks, grid + away * ticks), ticks, 1_000_000 - ticks
        )

    def _sizes(self, shape: Any) -> Any:
        lots = self._dice.choice(_LOTS, shape, p=np.array(_LOTS_WEIGHTS) / sum(_LOTS_WEIGHTS)) * 1_000_000
        cents = np.maximum(np.exp(self._dice.normal(np.log(500), 2.3, shape)) * 100 // 1, 500)
        whole = self._dice.random(shape) < 0.18
        drawn = np.where(whole, np.maximum(cents // 100, 5) * 100, cents).astype(np.int64) * 10_000
        return np.where(self._dice.random(shape) < 0.2, lots, drawn)


def publish(root: Path, *, minutes: int, rate: int) -> Lake:
    """A lake with the parts of so many minutes at so many messages a second."""
    lake, mix = Lake(root), Mix()
    kinds = {"change": mix.changes, "book": mix.books, "trade": mix.trades}
    for minute in range(minutes):
        for kind, made in kinds.items():
            declared = TABLES[_table(kind)]
            columns = made(minute, rate * 60)
            count = len(columns["sequence"])
            rows = pa.table(
                {field.name: _array(columns[field.name], count, field.type) for field in declared.schema}
            )
            for start in range(0, count, PART_ROWS):
                lake.publish(
                    declared.name, rows.slice(start, PART_ROWS), part=f"{minute:03d}-{start}", at=HOURS[kind]
                )
    return lake


def _array(values: Any, count: int, type_: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(np.broadcast_to(values, count)).cast(type_)


def prepared() -> Lake:
    """The lake of the figure, made once and kept beside the results."""
    if not (KEPT / "whole").exists():
        publish(KEPT, minutes=MINUTES, rate=RATE)
        (KEPT / "whole").touch()
    return Lake(KEPT)


def reopen(lake: Lake) -> None:
    """Take sealing back."""
    for path in lake.store.list(""):
        if "/merged-" in path or "/_manifest" in path:
            lake.store.remove(path)


def seal(lake: Lake) -> None:
    """Seal every hour of the mix."""
    for kind, hour in HOURS.items():
        merging.merge(lake, _table(kind), hour, now=hour + timedelta(hours=1))


def sort_in_memory(lake: Lake) -> None:
    """What sealing would be without a bound: read, sort, write."""
    for kind in HOURS:
        declared = TABLES[_table(kind)]
        files = [lake.store.uri(path) for path in lake.store.list(declared.name) if "/part-" in path]
        rows = pa.concat_tables([pq.read_table(file) for file in files])
        pq.write_table(
            rows.sort_by([(name, "ascending") for name in declared.key]),
            Path(lake.root) / "beside.parquet",
            compression="zstd",
        )


def _table(kind: str) -> str:
    return "trades_raw" if kind == "trade" else "book_changes"


def _shown(files: list[tuple[str, str]]) -> Iterator[Table]:
    for title, file in files:
        footer = pq.ParquetFile(file).metadata
        sizes: Counter[str] = Counter()
        for group in (footer.row_group(n) for n in range(footer.num_row_groups)):
            for column in (group.column(n) for n in range(group.num_columns)):
                sizes[column.path_in_schema] += column.total_compressed_size
        shown = Table(box=SIMPLE, title=f"{title}: {footer.num_rows:,} rows", show_footer=True)
        shown.add_column("column", footer="file")
        shown.add_column(
            "bytes per row", justify="right", footer=f"{Path(file).stat().st_size / footer.num_rows:.2f}"
        )
        for name, size in sizes.items():
            shown.add_row(name, f"{size / footer.num_rows:.3f}")
        yield shown


def main() -> None:
    """Print the bytes per row by column."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sealed_bytes", description=__doc__)
    parser.add_argument("--minutes", type=int, default=MINUTES)
    parser.add_argument("--rate", type=int, default=RATE, help="messages a second")
    parser.add_argument("--lake", help="the sealed hours of this lake instead")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        if given.lake:
            lake = Lake(given.lake)
            names = ("book_changes", "trades_raw")
            files = [
                (file[len(given.lake) :].rsplit("/", 1)[0], file)
                for name in names
                for file in reading.files(lake, name)
                if "/merged-" in file
            ]
        else:
            lake = publish(Path(made), minutes=given.minutes, rate=given.rate)
            seal(lake)
            files = [
                (f"{_table(kind)}, {kind}s", reading.files(lake, _table(kind))[hour > AT])
                for kind, hour in HOURS.items()
            ]
        for table in _shown(files):
            Console().print(table)


FIGURE = Figure(
    name="sealed_bytes",
    subject="from benchmarks import sealed_bytes as b; lake = b.prepared(); b.reopen(lake); b.seal(lake)",
    beside="from benchmarks import sealed_bytes as b; b.sort_in_memory(b.prepared())",
    called="reading, sorting and writing it in memory",
    rounds=1,
)

if __name__ == "__main__":
    main()
