"""Large orders: the newest rows of `whale_events`, read once and kept, so that a page of them costs no file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from console.models.naming import questions
from console.place import Place
from polymarket_assets.lake import reading
from polymarket_assets.lake.following import Followed
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span

if TYPE_CHECKING:
    import pyarrow as pa

# Hours are built when they are over.
EVERY_S = 30.0
# A week of a busy venue is some ten thousand; more than so many rows (a few megabytes) are not kept.
LOOK_BACK, MOST = timedelta(days=7), 50_000
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Whale:
    """A large order of a taker. `question` is what its market asks, null: not known; `usd` at `price` dollars a share; shares of what stood in the book and of a day's volume, null: not known."""

    event_id: str
    traded_at: datetime
    market_id: str
    outcome_index: int
    is_buy: bool
    fills: int
    price: float
    usd: float
    depth_share: float | None
    day_volume_share: float | None
    page: str
    rows: str
    question: str | None = None


@dataclass(frozen=True)
class Hour:
    """An hour's large orders."""

    hour_at: datetime
    is_buy: bool
    orders: int
    usd: float


@dataclass
class _Read:
    """What is read of a lake: its files, each once."""

    followed: Followed
    tables: dict[str, pa.Table] = field(default_factory=dict)


@dataclass(frozen=True)
class Whales:
    """The rows of the last days, newest first, and hours of the last one."""

    rows: pa.Table
    hours: tuple[Hour, ...]
    is_cut: bool


def whales(place: Place) -> Whales:
    """The large orders of the last days."""
    import pyarrow as pa

    read = place.own(_reading)
    now = place.clock()
    files = read.followed.files(Span(now - LOOK_BACK, now))
    read.tables = {file: read.tables[file] if file in read.tables else _read(file) for file in files}
    rows = pa.concat_tables([TABLES["whale_events"].schema.empty_table(), *read.tables.values()])
    rows = rows.sort_by([("traded_at", "descending"), ("event_id", "ascending")])
    return Whales(rows.slice(0, MOST), _hours(rows, now), rows.num_rows > MOST)


def _reading(place: Place) -> _Read:
    return _Read(Followed(place.lake(), "whale_events"))


def _read(file: str) -> pa.Table:
    declared = TABLES["whale_events"]
    return reading.completed(declared, reading.read(file)).cast(declared.schema)


def _hours(rows: pa.Table, now: datetime) -> tuple[Hour, ...]:
    import pyarrow as pa
    import pyarrow.compute as pc

    of_day = rows.filter(pc.greater_equal(rows.column("traded_at"), pa.scalar(now - DAY, rows.schema.field("traded_at").type)))  # fmt: skip
    by = of_day.append_column("hour_at", pc.floor_temporal(of_day.column("traded_at"), unit="hour"))
    sums = by.group_by(["hour_at", "is_buy"]).aggregate([("usd_e6", "sum"), ("usd_e6", "count")])
    found = sums.sort_by([("hour_at", "ascending"), ("is_buy", "descending")]).to_pylist()
    return tuple(Hour(one["hour_at"], one["is_buy"], one["usd_e6_count"], one["usd_e6_sum"] / 1e6) for one in found)  # fmt: skip


def chosen(found: Whales, *, least_usd: float, market: str, offset: int, limit: int) -> tuple[list[Whale], int]:  # fmt: skip
    """A page of the orders of at least so many dollars, of one market or of all, and how many there are."""
    import pyarrow.compute as pc

    rows = found.rows
    if least_usd > 0:
        rows = rows.filter(pc.greater_equal(rows.column("usd_e6"), round(least_usd * 1e6)))
    if market:
        rows = rows.filter(pc.equal(rows.column("market_id"), market))
    return [_whale(row) for row in rows.slice(offset, limit).to_pylist()], rows.num_rows


def named(place: Place, found: list[Whale]) -> list[Whale]:
    """Orders with what their markets ask, where that is known."""
    asked = questions(place, (one.market_id for one in found))
    return [replace(one, question=asked.get(one.market_id)) for one in found]


def _whale(row: dict[str, Any]) -> Whale:
    from console.models.addresses import of_market, of_rows

    shown = {name: row[name] for name in row if name != "usd_e6"}
    return Whale(**shown, usd=row["usd_e6"] / 1e6, page=of_market(row["market_id"]), rows=of_rows("trades", market_id=row["market_id"]))  # fmt: skip
