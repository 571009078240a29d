"""Features of every snapshot of two days, from Parquet to Parquet, and ten of them by a careful way in pandas beside it.

`python -m benchmarks features`. Each piece runs in a process of its own, so that its CPU and peak memory are its own.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import feature_lake, features_in_pandas
from benchmarks.past import apart, peak_mb
from benchmarks.rows import Failed, Row, Tell
from polymarket_assets.lake.writing import Lake

# Wanted, by the issue.
WALL_S, CPU_S, MB, TIMES, SWEEP_S = 30.0, 30.0, 2_500.0, 3.0, 2.0
SWEEP_MARKETS = 10_000
# What the system before this one heard.
VENUE_TRADES_A_MINUTE = 380
VENUE_TRADES = VENUE_TRADES_A_MINUTE * 60 * feature_lake.HOURS
LARGER = 4

TITLE = "features of 1.15 million snapshots with 5 million trades and half a million books; × is of ten features in pandas"


@dataclass(frozen=True)
class Took:
    """What a piece took, and how many rows it made."""

    rows: int
    wall_s: float
    cpu_s: float
    mb: float


def measured(*, long: bool, tell: Tell) -> Iterator[Row]:
    """Measure; rows come as they are known. Raises `Failed` where the two ways differ."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        tell("making a lake of two days")
        instants = apart(made, root)
        tell("computing all features of all snapshots")
        ours = apart(computed, root)
        tell("computing ten of them in pandas")
        yield from _beside(instants, ours, apart(in_pandas, root))
        _same(root)
        tell("one sweep of ten thousand markets")
        yield _swept(root, "5 million trades")
    yield _at_the_rate_of_the_venue(tell)
    if long:
        yield from _larger(ours, tell)  # fmt: skip


def _beside(instants: Took, ours: Took, theirs: Took) -> Iterator[Row]:
    of_pandas = f"pandas {theirs.wall_s:.1f} s, {theirs.cpu_s:.1f} CPU-s, {theirs.mb:,.0f} MB for ten of them"
    told = f"{ours.rows:,} rows of {instants.rows:,} instants"
    yield Row("all features: time", ours.wall_s, "s", WALL_S, more=False, ratio=ours.wall_s / theirs.wall_s, note=told)  # fmt: skip
    yield Row("all features: CPU", ours.cpu_s, "s", CPU_S, more=False, ratio=ours.cpu_s / theirs.cpu_s, note=of_pandas)  # fmt: skip
    yield Row("all features: peak memory", ours.mb, "MB", MB, more=False, ratio=ours.mb / theirs.mb)
    per_feature = (theirs.cpu_s / len(features_in_pandas.NAMES)) / (ours.cpu_s / ours_count())
    yield Row("CPU a feature, times less than pandas", per_feature, "", TIMES, note="equal to 1e-9 in all ten")  # fmt: skip


def _swept(root: Path, of: str) -> Row:
    swept = apart(sweep, root)
    if swept.rows < SWEEP_MARKETS:
        raise Failed(f"only {swept.rows:,} markets were live at the sweep")
    told = f"{swept.rows:,} rows, {swept.cpu_s:.1f} CPU-s, {swept.mb:,.0f} MB"
    return Row(f"a sweep of 10,000 markets, {of}", swept.wall_s, "s", SWEEP_S, more=False, note=told)


def _at_the_rate_of_the_venue(tell: Tell) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        tell(f"making a lake of two days with {VENUE_TRADES:,} trades")
        apart(made, Path(folder), 1, VENUE_TRADES)
        return _swept(Path(folder), f"{VENUE_TRADES_A_MINUTE} trades a minute")


def _larger(ours: Took, tell: Tell) -> Iterator[Row]:
    """Four times as much of everything."""
    with tempfile.TemporaryDirectory() as folder:
        tell(f"making a lake {LARGER} times as large")
        apart(made, Path(folder), LARGER)
        tell(f"computing features of {LARGER} times as many snapshots")
        larger = apart(computed, Path(folder))
        note = f"{larger.cpu_s:.0f} CPU-s, {larger.mb:,.0f} MB for {larger.rows:,} rows"
        yield Row(
            f"CPU of {LARGER} times as much, a row",
            larger.cpu_s / larger.rows / (ours.cpu_s / ours.rows),
            "times",
            note=note,
        )


def ours_count() -> int:
    """How many features there are."""
    from polymarket_assets.learning.features.catalogue import FEATURES

    return len(FEATURES)


def made(root: Path, scale: int = 1, trades: int = feature_lake.TRADES) -> Took:
    """A lake, and beside it the instants of its snapshots."""
    held = feature_lake.make(Lake(root / "lake"), scale, trades)
    pq.write_table(held.instants, root / "instants.parquet")
    return Took(held.snapshots, 0.0, 0.0, 0.0)


def computed(root: Path) -> Took:
    """All features of all instants, piece by piece into one file."""
    from polymarket_assets.lake import TABLES
    from polymarket_assets.learning.evidence.recorded import pieces_at

    def run() -> int:
        rows = 0
        with pq.ParquetWriter(root / "ours.parquet", TABLES["features"].schema, compression="zstd") as file:
            for piece in pieces_at(Lake(root / "lake"), pq.read_table(root / "instants.parquet")):
                file.write_table(piece)
                rows += piece.num_rows
        return rows

    return _taken(run)


def in_pandas(root: Path) -> Took:
    """Ten features of all instants."""

    def run() -> int:
        found = features_in_pandas.computed(root / "lake", root / "instants.parquet")
        found.to_parquet(root / "theirs.parquet")
        return len(found)

    return _taken(run)


def sweep(root: Path) -> Took:
    """What a live scorer does after a sweep: all features of ten thousand markets at one instant."""
    from polymarket_assets.learning.evidence.recorded import at_instants

    at = feature_lake.START + timedelta(hours=feature_lake.HOURS - 1, minutes=30)
    markets = pq.read_table(root / "instants.parquet", columns=["market_id"]).column("market_id").unique()
    wanted = pa.table({"market_id": markets, "as_of": pa.repeat(pa.scalar(at, pa.timestamp("us", tz="UTC")), len(markets))})  # fmt: skip
    at_instants(Lake(root / "lake"), wanted.slice(0, 10))
    return _taken(lambda: at_instants(Lake(root / "lake"), wanted).num_rows)  # fmt: skip


def _same(root: Path) -> None:
    """Raises `Failed` where a feature of pandas is not ours to 1e-9."""
    names = list(features_in_pandas.NAMES)
    ours = pq.read_table(root / "ours.parquet", columns=["market_id", "as_of", *names]).to_pandas()
    both = ours.merge(
        pq.read_table(root / "theirs.parquet").to_pandas(),
        on=["market_id", "as_of"],
        suffixes=("", "_pandas"),
        how="inner",
    )
    if len(both) != len(ours):
        raise Failed(f"{len(both):,} rows in both, {len(ours):,} in ours")
    for name in names:
        one, other = both[name].to_numpy(dtype=float), both[f"{name}_pandas"].to_numpy(dtype=float)
        if not np.allclose(one, other, rtol=1e-9, atol=1e-9, equal_nan=True):
            raise Failed(f"{name} differs between the two ways")  # fmt: skip


def _taken(run: Callable[[], int]) -> Took:
    wall, cpu = time.perf_counter(), time.process_time()
    rows = run()
    return Took(rows, time.perf_counter() - wall, time.process_time() - cpu, peak_mb())  # fmt: skip
