"""What the judges are shown: the simulator's ledger, and what a lake holds, opened by every reader people use."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq

from drills.judging import PROMISED, Frames, Gap, Key, Life, Recorded, Sent
from drills.processes import BLOCK
from polymarket_assets.lake import reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake
from polymarket_assets.shards import Shard
from streamer.recording import TABLES as STREAMED


def ledger(file: Path) -> list[dict[str, Any]]:
    """The lines of a ledger in the order of their instants; a last line that is not whole is none."""
    lines = (json.loads(line) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n"))
    return sorted(lines, key=lambda line: str(line["at"]))


def begun_at(lines: Iterable[dict[str, Any]]) -> datetime:
    """When a ledger was begun; what was over by then is dated before."""
    return datetime.fromisoformat(next(line["at"] for line in lines if line["kind"] == "universe"))


def sent(lines: Iterable[dict[str, Any]], start: datetime, end: datetime) -> Iterator[Sent]:
    """The trades of a ledger; due are those between two instants of tokens that were subscribed."""
    wanted: set[str] = set()
    for line in lines:
        if line["kind"] == "subscribe":
            wanted |= set(line["token_ids"])
        elif line["kind"] == "unsubscribe":
            wanted -= set(line["token_ids"])
        elif line["kind"] == "trade":
            at, token = datetime.fromisoformat(line["at"]), line["token_id"]
            yield Sent(
                at,
                (line["tx_hash"], token),
                f"pm:{line['condition_id']}",
                len(line["sockets"]),
                token in wanted and start <= at <= end,
            )


def frames(lines: Iterable[dict[str, Any]], lives: Sequence[Life], lake: Lake) -> Frames:
    """Book changes that each life of the recorder was handed, and those it recorded."""
    found = Frames()
    of: dict[int, int] = {}
    for line in lines:
        if line["kind"] == "open":
            at = datetime.fromisoformat(line["at"])
            socket = line["socket"]
            of |= [(socket, n) for n, life in enumerate(lives) if life.start <= at <= life.end]
        elif line["kind"] == "frames" and line["type"] == "price_change":
            for life in (of[socket] for socket in line["sockets"] if socket in of):
                place = (life, f"pm:{line['condition_id']}")
                found.handed[place] += line["count"]
                if datetime.fromisoformat(line["at"]) <= lives[life].end - PROMISED:
                    found.early[place] += line["count"]
    found.recorded = _changes(lake, lives)
    return found


def _changes(lake: Lake, lives: Sequence[Life]) -> Counter[tuple[int, str]]:
    counts: Counter[tuple[int, str]] = Counter()
    ends = [*(life.start for life in lives[1:]), datetime.max.replace(tzinfo=UTC)]
    with reading.connected(lake) as connection:
        for n, (life, end) in enumerate(zip(lives, ends, strict=True)):
            rows = connection.execute(
                "select market_id, count(distinct (session_id, connection, sequence)) from book_changes "
                "where kind = 'change' and received_at >= $1 and received_at < $2 group by all",
                [life.start, end],
            ).fetchall()
            counts |= Counter({(n, market): count for market, count in rows})
    return counts


def recorded(lake: Lake, begun: datetime, known: Collection[Key]) -> Recorded:
    """What a lake holds of the stream, and of `trades` but for what was traded before the ledger was begun."""
    raw = reading.rows(lake, "trades_raw").select(["tx_hash", "token_id"]).to_pylist()
    trades = reading.rows(lake, "trades").select(["tx_hash", "token_id", "traded_at"]).to_pylist()
    return Recorded(
        heard=Counter((f"0x{row['tx_hash'].hex()}", row["token_id"]) for row in raw),
        gaps=list(_gaps(lake)),
        doubled={table: _doubled(lake, table) for table in (*STREAMED, "trades")},
        trades=Counter(
            key
            for row in trades
            if (key := (f"0x{row['tx_hash'].hex()}", row["token_id"])) in known
            or row["traded_at"] >= begun + BLOCK
        ),
    )


def _gaps(lake: Lake) -> Iterator[Gap]:
    with reading.connected(lake) as connection:
        carried = connection.sql(
            "select session_id, connection, list(distinct market_id) from book_changes group by all"
        ).fetchall()
        inside = dict(connection.execute(_INSIDE, [PROMISED, PROMISED]).fetchall())
    markets = {(session, number): frozenset(found) for session, number, found in carried}
    for row in reading.rows(lake, "stream_gaps").to_pylist():
        of: frozenset[str] | None = None
        if row["market_id"] is not None:
            of = frozenset({row["market_id"]})
        elif row["connection"] is not None:
            of = markets.get((row["session_id"], row["connection"]), frozenset())
        yield Gap(
            row["from_at"],
            row["to_at"],
            row["cause"],
            of,
            inside.get(row["gap_id"], 0),
            Shard.of_session(row["gap_id"]),
        )


# Rows recorded well within a gap of a market or of a connection: there it was not deaf. Not those that REST was asked for.
_INSIDE = """
    select g.gap_id, count(*) from stream_gaps g join book_changes b on b.session_id = g.session_id and b.connection >= 0
        and case when g.market_id is null then b.connection = g.connection else b.market_id = g.market_id end
        and b.received_at > g.from_at + $1 and b.received_at < g.to_at - $2
    group by all
"""


def _doubled(lake: Lake, table: str) -> int:
    key = ", ".join(TABLES[table].key)
    with reading.connected(lake) as connection:
        ((count,),) = connection.sql(
            f"select count(*) from (select 1 from {table} group by {key} having count(*) > 1)"
        ).fetchall()
    return int(count)


def published(root: Path) -> list[Path]:
    """Every published Parquet file of a lake, superseded ones too."""
    return sorted(
        path
        for path in root.rglob("*.parquet")
        if not any(part.startswith(".") for part in path.relative_to(root).parts)
    )


def unreadable(files: Sequence[Path]) -> list[str]:
    """Files that any of three readers does not open and read to the end, or of which they count differently."""
    told = []
    with duckdb.connect() as connection:
        for file in files:
            try:
                counts = {
                    pq.read_table(file, partitioning=None).num_rows,
                    pl.read_parquet(file, hive_partitioning=False).height,
                    len(connection.read_parquet(str(file)).fetchall()),
                }
            except FileNotFoundError:
                continue
            except (OSError, ValueError, duckdb.Error, pl.exceptions.PolarsError) as e:
                told.append(f"{file.name}: {e}")
                continue
            if len(counts) > 1:
                told.append(f"{file.name}: the readers count {sorted(counts)}")
    return told
