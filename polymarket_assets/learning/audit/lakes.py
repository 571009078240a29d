"""Copies of a lake: as it was at an instant, and with rows that came later or lie."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from polymarket_assets.lake import TABLES, opening, reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.evidence.history import CLOSES_WITHIN
from polymarket_assets.learning.evidence.recorded import GAPS_BACK, METADATA_BACK, RECORDED

# When a row of a table was known. Trades count before an instant only, everything else at it, too.
KNOWN: dict[str, str] = {
    "markets": "received_at", "snapshots": "received_at", "orderbooks": "received_at", "trades_raw": "received_at", "trades": "received_at", "stream_gaps": "to_at",
    "history_prices": "known_at", "history_books": "known_at", "history_trades": "traded_at",
}  # fmt: skip
# Metadata of closed markets are of one version, fetched afterwards: what of them is used was known at listing.
STANDING = ("history_markets",)

Change = Callable[[str, pa.Table], pa.Table]
Row = dict[str, Any]


def as_it_is(lake: Lake, row: Row, folder: Path) -> Lake:
    """What features of a row may read, as it is."""
    return altered(lake, row, folder, lambda table, rows: rows)


def as_known(lake: Lake, row: Row, folder: Path) -> Lake:
    """The lake as it was at a row's instant: what came later is not there."""
    return altered(lake, row, folder, lambda table, rows: rows.filter(_known(table, rows, row["as_of"])))


def altered(lake: Lake, row: Row, folder: Path, change: Change) -> Lake:
    """A copy of what features of a row may read, each file's rows changed; of history only the row's market and its siblings."""
    is_recorded = row["source"] == RECORDED
    wanted = None if is_recorded else [("market_id", "in", _family(lake, row))]
    for table in (*KNOWN, *STANDING):
        if table.startswith("history_") == is_recorded:
            continue
        span = _span(table, row["as_of"])
        _copy(lake, table, folder, (lambda _, rows: rows) if table in STANDING else change, span, wanted)
    return Lake(folder)


def _copy(
    lake: Lake, table: str, folder: Path, change: Change, span: Span | None, wanted: Any = None
) -> None:
    """The files of a table, their rows changed; files without rows are left out."""
    for number, file in enumerate(reading.files(lake, table, span)):
        # Filtered as it is read: a day of history may hold many times what is wanted of it.
        with reading.damage_told(file):
            read = pq.read_table(opening.source(file), filters=wanted, partitioning=None)
        held = change(table, reading.completed(TABLES[table], read).cast(TABLES[table].schema))
        if held.num_rows:
            dated = file.rsplit("/", 1)[0].rsplit(f"/{table}", 1)[1]
            to = folder / f"{table}{dated}" / f"part-{number}.parquet"
            to.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(held, to)


def _family(lake: Lake, row: Row) -> list[str]:
    """A market, those of its event or set, and what it is called by other sources."""
    with opening.connected() as connection:
        reading.add_view(
            connection,
            "history_markets",
            reading.files(lake, "history_markets", _span("history_markets", row["as_of"])),
        )
        found = connection.execute(
            """
            with mine as (select * from history_markets where market_id = $1)
            select distinct h.market_id from history_markets h join mine m
            on h.market_id = m.market_id or h.condition_id = m.condition_id or h.neg_risk_id = m.neg_risk_id or h.event_id = m.event_id
            """,
            [row["market_id"]],
        ).fetchall()
    return [market_id for (market_id,) in found]


def with_later_rows(lake: Lake, row: Row, folder: Path) -> Lake:
    """The lake of a row's instant, and from it on other rows: dated before it, received after it, and saying something else entirely."""
    at = row["as_of"]

    def lied(table: str, rows: pa.Table) -> pa.Table:
        known = rows.filter(_known(table, rows, at))
        later = known.set_column(
            known.column_names.index(KNOWN[table]),
            known.schema.field(KNOWN[table]),
            _just_after(known, at, table),
        )
        return pa.concat_tables([known, _absurd(table, later)])

    return altered(lake, row, folder, lied)


def with_features_until(lake: Lake, at: datetime, folder: Path) -> Lake:
    """What a training set is built from, its features up to an instant."""

    def until(table: str, rows: pa.Table) -> pa.Table:
        when = pa.scalar(at, pa.timestamp("us", tz="UTC"))
        return rows.filter(pc.less_equal(rows.column("as_of"), when)) if table == "features" else rows

    for table in ("resolutions", "history_markets", "features"):
        _copy(lake, table, folder, until, None)
    return Lake(folder)


def _known(table: str, rows: pa.Table, at: datetime) -> pa.ChunkedArray:
    instants, when = rows.column(KNOWN[table]), pa.scalar(at, pa.timestamp("us", tz="UTC"))
    return pc.less(instants, when) if "trades" in table else pc.less_equal(instants, when)


def _just_after(rows: pa.Table, at: datetime, table: str) -> pa.Array:
    """A microsecond after; of trades the very instant, which is too late for them."""
    when = at if "trades" in table else at + timedelta(microseconds=1)
    return pa.repeat(pa.scalar(when, pa.timestamp("us", tz="UTC")), rows.num_rows)


# What later rows say: prices at the edge, sizes without end, an end that moved.
_ABSURD: dict[str, dict[str, object]] = {
    "markets": {"effective_close": timedelta(days=3), "question": "Something else by tomorrow?", "category": "politics"},
    "snapshots": {"best_bid": 0.991, "best_ask": 0.993, "last_trade": 0.99, "volume_usd": 9e9, "liquidity_usd": 9e9, "volume_24h_usd": 9e9},
    "trades_raw": {"price_e6": 990_000, "size_e6": 10**15}, "trades": {"usd_e6": 10**14}, "history_trades": {"price_e6": 990_000, "size_e6": 10**15},
    "history_prices": {"price_e6": 990_000, "bid_e6": 980_000, "ask_e6": 999_000},
}  # fmt: skip


def _absurd(table: str, rows: pa.Table) -> pa.Table:
    for name, value in _ABSURD.get(table, {}).items():
        column = rows.column(name)
        new = (
            pc.add(column, pa.scalar(value))
            if isinstance(value, timedelta)
            else pc.if_else(column.is_valid(), pa.scalar(value, column.type), column)
        )
        rows = rows.set_column(rows.column_names.index(name), rows.schema.field(name), new.cast(column.type))
    return rows


def _span(table: str, at: datetime) -> Span:
    if table.startswith("history_"):
        return Span(at - timedelta(days=8), at + CLOSES_WITHIN + timedelta(days=1))
    return Span(at - (METADATA_BACK if table == "markets" else GAPS_BACK), at + timedelta(hours=1))
