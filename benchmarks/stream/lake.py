"""What the streamer needs to listen to the venue's markets, and what it left: both through the lake's own doors."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.stream.books import condition, tokens
from polymarket_assets.lake import reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake

# Near its end for the longest run, so that every market stays where it is.
ENDS_IN = timedelta(minutes=55)


def listing(root: Path, markets: int) -> Lake:
    """A lake that lists the venue's markets."""
    lake = Lake(root)
    now = datetime.now(UTC)
    lake.publish_rows("markets", [_listed(number, now) for number in range(markets)], part="0", at=now)
    return lake


def _listed(number: int, now: datetime) -> dict[str, Any]:
    row = {
        "market_id": f"pm:{condition(number)}", "received_at": now, "phase": "scheduled", "tier": "t4",
        "effective_close": now + ENDS_IN, "end_source": "end_date", "venue": "polymarket",
        "condition_id": condition(number), "version": "v1", "outcomes": ["Yes", "No"], "token_ids": list(tokens(number)),
        "neg_risk": False, "tags": [], "tick_e6": 10_000 if number % 2 else 1_000, "min_size_e6": 5_000_000,
        "volume_usd": 1000.0 + number, "accepting_orders": True,
    }  # fmt: skip
    return {name: value for name, value in row.items() if name in TABLES["markets"].names}


def recorded(lake: Lake) -> dict[str, int]:
    """Rows the streamer left: changes, levels of whole books, trades, rejects, and gaps by cause."""
    kinds = _counted(lake, "book_changes", "kind")
    causes = _counted(lake, "stream_gaps", "cause")
    return {
        "changes": kinds["change"],
        "levels": kinds["book"],
        "trades": reading.rows(lake, "trades_raw").num_rows,
        "rejects": reading.rows(lake, "rejects").num_rows,
        **{f"gaps ({cause})": count for cause, count in causes.items() if cause != "connect"},
    }


def _counted(lake: Lake, table: str, column: str) -> Counter[str]:
    found = reading.rows(lake, table).column(column).value_counts().to_pylist()
    return Counter({each["values"]: each["counts"] for each in found})
