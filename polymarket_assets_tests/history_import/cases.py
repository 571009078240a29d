"""Small datasets in the forms we know, written as files: the shapes of the real ones, with the rows a test needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

# Datasets keep wall clocks: instants in files carry no zone.
wall = datetime.fromisoformat
NOON = datetime(2026, 4, 2, 12, tzinfo=UTC)
Rows = list[dict[str, Any]]


def bucket(token: str = "111", **changed: Any) -> dict[str, Any]:
    return {
        "source": "erikw03", "city": "London", "station": "London City Airport", "date": "2026-04-02",
        "slug": "highest-temperature-in-london-on-april-2-2026", "title": "Highest temperature in London on April 2?",
        "endDate": "2026-04-02T12:00:00Z", "bucket": "9°C", "yes_token": token, "resolved_yes": False, **changed,
    }  # fmt: skip


def point(token: str = "111", *, before: timedelta = timedelta(hours=5), p: float = 0.25) -> dict[str, Any]:
    return {"yes_token": token, "t": int((NOON - before).timestamp()), "p": p}


def sport(n: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "source": "sarviinageelen", "category": "basketball", "sport": "nba", "event_id": f"{20_000 + n}",
        "condition_id": f"0x{n:064x}", "title": "Pelicans vs. Lakers", "slug": f"nba-nop-lal-{n}",
        "market_created_date": "2025-03-02 05:06:38", "game_start_time": "2025-03-05 03:30:00",
        "outcome_1": "Pelicans", "outcome_2": "Lakers", "token_id_1": f"{n}1", "token_id_2": f"{n}2",
        "p1_close": 0.25, "p2_close": 0.75, "is_50_50_outcome": 0, "closed": 1, "winner": "Lakers", "volume": 300_645.7,
        **changed,
    }  # fmt: skip


def contract(slug: str = "tsc-mlb-hou-tex-2026-07-11-8pt5", **changed: Any) -> dict[str, Any]:
    return {
        "slug": slug, "question": "Will the total in HOU vs TEX be more than 8.5?", "category": "sports",
        "first_ts": wall("2026-07-11 09:00"), "last_ts": wall("2026-07-11 22:17"), "y": 1, "label_source": "api",
        "event_key": "mlb-hou-tex-2026-07-11", "truncated_by_outage": False, "still_listed_at_end": False, **changed,
    }  # fmt: skip


def quote(slug: str = "tsc-mlb-hou-tex-2026-07-11-8pt5", **changed: Any) -> dict[str, Any]:
    return {
        "slug": slug, "ts": wall("2026-07-11 19:30"), "bid": 0.4, "ask": 0.42, "volume24hr": 5.0, "segment": 1, **changed,
    }  # fmt: skip


# The recorder's first poll found this one, so that others count as listed while it ran.
FIRST = contract("tc-temp-nychigh-2026-07-10-gte90f", first_ts=wall("2026-07-10 20:00"), last_ts=wall("2026-07-11 01:00"),
                 event_key="temp-nychigh-2026-07-10", category="climate")  # fmt: skip


def weather(folder: Path, markets: Rows | None = None, prices: Rows | None = None) -> Path:
    write(folder / "weather_markets.parquet", [bucket()] if markets is None else markets)
    return write(folder / "weather_prices.parquet", [point()] if prices is None else prices)


def sports(folder: Path, rows: Rows | None = None) -> Path:
    return write(folder / "sports_closing.parquet", [sport()] if rows is None else rows)


def us(folder: Path, markets: Rows | None = None, quotes: Rows | None = None) -> Path:
    write(folder / "us_markets.parquet", [FIRST, *([contract()] if markets is None else markets)])
    return write(folder / "us_quotes.parquet", [quote()] if quotes is None else quotes)


def write(path: Path, rows: Rows) -> Path:
    """Rows as a Parquet file; returns its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path.parent


def edit(path: Path, change: Any) -> None:
    """Rewrite a file with its table changed."""
    pq.write_table(change(pq.read_table(path)), path)
