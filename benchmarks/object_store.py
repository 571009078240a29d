"""`python -m benchmarks object_store`: a lake in an object store beside one in a folder: publishing, listing, reading an hour and a day.

The server is that of the tests, in this process, and is made to wait before every answer as long as a real one is away.
It does in Python what a real one does not; what carries over is the number of requests, and which of them wait for others.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa

from benchmarks.rows import Row, Tell
from polymarket_assets.lake import merging, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import DAY, HOUR, Span
from polymarket_assets.lake.writing import Lake

TITLE = "a lake in an object store (a server of ours, on this machine) 30 ms away, beside one in a folder"
_TABLE = "book_changes"
_START = datetime(2026, 11, 2, tzinfo=UTC)
HOURS, PARTS, ROWS = 24, 4, 50_000
_TIMES = 3
# A store in the same region.
AWAY_S = 0.03


def measured(*, long: bool, tell: Tell) -> Iterator[Row]:
    """Measure; rows come as they are known."""
    from polymarket_assets_tests.object_store import BUCKET, served

    with tempfile.TemporaryDirectory() as made, served() as server:
        settings = {**server.environment, "STATE_DIR": f"{made}/state"}
        with mock.patch.dict(os.environ, settings):
            folder, store = Lake(Path(made) / "lake"), Lake(f"s3://{BUCKET}/lake")
            tell("filling two lakes")
            for lake in (folder, store):
                _fill(lake)
            server.wait_s = AWAY_S
            for name, act in _STEPS.items():
                tell(name)
                beside, took = _took(act, folder), _took(act, store)
                server.asked.clear()
                act(store)
                note = f"{len(server.asked)} requests; in a folder {beside:,.0f} ms"
                yield Row(name, took, "ms", ratio=took / beside, note=note)


def _fill(lake: Lake) -> None:
    """A day of hours, sealed but for the last."""
    rows = changes(ROWS)
    for hour in range(HOURS):
        at = _START + hour * HOUR
        for part in range(PARTS):
            lake.publish(_TABLE, rows, part=f"{part}", at=at)
        if hour < HOURS - 1:
            merging.merge(lake, _TABLE, at, now=_START + DAY)
            merging.remove_superseded(lake, _TABLE, at, now=_START + 2 * DAY)


def changes(count: int) -> pa.Table:
    """Rows of `book_changes`, of forty markets."""
    dice = np.random.default_rng(count)
    n = np.arange(count)
    at = pa.array(_START + timedelta(microseconds=997 * int(k)) for k in n).cast(pa.timestamp("us", tz="UTC"))
    given = {
        "session_id": pa.array(["20261102T130000Z-0-abc123"] * count), "connection": n % 3, "sequence": n, "row": n % 2, "received_at": at,
        "venue_at": at, "market_id": pa.array([f"pm:0x{k:064x}" for k in dice.integers(0, 40, count)]), "kind": pa.array(["change"] * count),
        "is_bid": n % 2 == 0, "price_e6": dice.integers(1, 100, count) * 10_000, "size_e6": dice.integers(0, 10**9, count),
        "epoch": np.ones(count, int),
    }  # fmt: skip
    schema = TABLES[_TABLE].schema
    columns = [pa.array(given[f.name]).cast(f.type) if f.name in given else pa.nulls(count, f.type) for f in schema]  # fmt: skip
    return pa.table(columns, schema=schema)


def _publish(lake: Lake) -> object:
    return lake.publish(_TABLE, _ONE, part="again", at=_START + (HOURS - 1) * HOUR)


def _list(lake: Lake) -> object:
    return reading.files(lake, _TABLE, Span(_START, _START + DAY))


def _query(span: Span) -> Callable[[Lake], object]:
    def act(lake: Lake) -> object:
        with reading.opening.connected() as connection:
            reading.add_view(connection, _TABLE, reading.files(lake, _TABLE, span))
            return connection.execute(
                f"select market_id, count(*), max(price_e6) from {_TABLE} group by 1"
            ).fetchall()

    return act


def _rows(span: Span) -> Callable[[Lake], object]:
    return lambda lake: reading.rows(lake, _TABLE, span).num_rows


_ONE = changes(2_000)
_HOUR, _DAY = Span(_START, _START + HOUR), Span(_START, _START + DAY)
_STEPS: dict[str, Callable[[Lake], object]] = {
    "publishing 2,000 rows": _publish,
    "naming the files of a day": _list,
    "a query over two columns of an hour (200,000 rows)": _query(_HOUR),
    "a query over two columns of a day (4.8 million)": _query(_DAY),
    "all columns of an hour": _rows(_HOUR),
}


def _took(act: Callable[[Lake], object], lake: Lake) -> float:
    """Milliseconds, the middle of several times."""
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        act(lake)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)
