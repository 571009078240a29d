"""The paper portfolio: accounts as they stand, what is open at the newest mid, what was settled, and how it came about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from console.models.versions import Figure
from console.place import Place

if TYPE_CHECKING:
    import pyarrow as pa

    from polymarket_assets.learning.paper import Standing

# Runs come every quarter of an hour.
EVERY_S = 60.0
# Of the curve, points of each account that a screen can show; of settled positions, the newest.
POINTS, SETTLED = 400, 2_000
CURVE = timedelta(days=90)


@dataclass(frozen=True)
class Account:
    """A model's portfolio, dollars: `equity` is cash and open positions at cost; `roi` gained ÷ staked of what is settled."""

    model_version: str
    through: datetime
    equity_usd: float
    cash_usd: float
    locked_usd: float
    marked_usd: float
    realised_usd: float
    fees_usd: float
    open: int
    settled: int
    groups: int
    roi: Figure | None
    verdict: str


@dataclass(frozen=True)
class Position:
    """What is or was held of a market; `mid` is of the outcome held, null without a book of late, and `marked_usd` then the cost."""

    model_version: str
    market_id: str
    group_id: str
    opened_at: datetime
    settled_at: datetime | None
    outcome_index: int
    shares: float
    cost_usd: float
    fee_usd: float
    payout_usd: float | None
    fills: int
    mid: float | None = None
    marked_usd: float | None = None


@dataclass(frozen=True)
class Point:
    """An account after a run."""

    model_version: str
    at: datetime
    equity_usd: float


@dataclass(frozen=True)
class Portfolio:
    """Everything that is held on paper; of `settled` the newest."""

    accounts: tuple[Account, ...]
    open: tuple[Position, ...]
    settled: tuple[Position, ...]
    curve: tuple[Point, ...]


def held(place: Place) -> Portfolio:
    """The portfolios as of their newest accounts."""
    from polymarket_assets.lake import reading
    from polymarket_assets.lake.spans import Span
    from polymarket_assets.learning import paper

    lake, now = place.lake(), place.clock()
    standing = paper.portfolio(lake, now=now)
    positions = reading.rows(lake, "paper_positions", Span(now - CURVE, now)) if standing else None
    points = reading.rows(lake, "paper_accounts", Span(now - CURVE, now)) if standing else None
    return Portfolio(
        tuple(map(_account, standing)),
        tuple(Position(**_of(row)) for one in standing for row in one.open.sort_by([("opened_at", "descending")]).to_pylist()),
        _settled(positions, {one.model_version: one.through for one in standing}),
        _curve(points),
    )  # fmt: skip


def _account(one: Standing) -> Account:
    return Account(
        one.model_version, one.through, one.cash_usd + one.locked_usd, one.cash_usd, one.locked_usd, one.marked_usd, one.realised_usd, one.fees_usd,
        one.open.num_rows, one.settled, one.groups, _figure(one.roi.value, one.roi.low, one.roi.high), one.verdict,
    )  # fmt: skip


def _figure(value: float, low: float, high: float) -> Figure | None:
    """Without groups there is no figure, with one no interval."""
    if not math.isfinite(value):
        return None
    return Figure(value, *(end if math.isfinite(end) else None for end in (low, high)))


def _settled(rows: pa.Table | None, through: Mapping[str, datetime]) -> tuple[Position, ...]:
    """Positions of runs that count: what lies beyond an account is made again."""
    import pyarrow.compute as pc

    if rows is None:
        return ()
    paid = rows.filter(pc.is_valid(rows.column("settled_at"))).sort_by([("settled_at", "descending")])
    found = (_of(row) for row in paid.slice(0, SETTLED).to_pylist())
    return tuple(Position(**row) for row in found if row["model_version"] in through and row["settled_at"] <= through[row["model_version"]])  # fmt: skip


def _of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without its key, which is two of its other columns."""
    return {name: value for name, value in row.items() if name != "position_id"}


def _curve(rows: pa.Table | None) -> tuple[Point, ...]:
    if rows is None:
        return ()
    of: dict[str, list[Point]] = {}
    for row in rows.sort_by("through").to_pylist():
        point = Point(row["model_version"], row["through"], row["cash_usd"] + row["locked_usd"])
        of.setdefault(row["model_version"], []).append(point)
    return tuple(point for name in sorted(of) for point in _thinned(of[name]))


def _thinned(points: list[Point]) -> list[Point]:
    """Evenly fewer, the last one among them."""
    step = max(1, -(-len(points) // POINTS))
    return points[::-1][::step][::-1]
