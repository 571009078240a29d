"""The endpoints of `console.monitoring`: what its pages show, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Query, Response

from console.endpoints import Here
from console.monitoring import asking, disks, errors, fields, heard, overview, sampled, streamers, worth
from console.monitoring.state import State

router = APIRouter(prefix="/api/monitoring", tags=["monitoring"])

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=1_000, description="So many at the most")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="So many are left out from the beginning")]
Tier = Annotated[str | None, Query(pattern="^t[0-4]$", description="Of this tier only: t0 … t4")]

# Endpoints whose source is away say so, and that it is worth asking again.
_AWAY: dict[int | str, dict[str, Any]] = {
    503: {"description": "It cannot be had now: `detail` says why, `again` whether to ask again"}
}


@dataclass(frozen=True)
class Looked(Generic[T]):
    """What a look found, and when; `stale_because` is why the look since then failed."""

    looked_at: datetime
    stale_because: str | None
    found: T


@dataclass(frozen=True)
class Slice(Generic[T]):
    """Some of a list: of `total` those from `offset` on."""

    looked_at: datetime
    total: int
    offset: int
    found: Sequence[T]


@dataclass(frozen=True)
class Critical:
    """Whether a person is needed now, and what for."""

    status: str
    reasons: tuple[str, ...]
    looked_at: datetime


@dataclass(frozen=True)
class Running:
    """The streamers and their sockets; of those that do not answer only why."""

    streamers: Sequence[streamers.Streamer]


@router.get("/health")
def health(place: Here) -> asking.Health:
    """What is wrong now, the worst first, with the next step and a link into Dagster; and of each source when it was asked and why it could not be."""
    return asking.health(place).value


@router.get(
    "/critical", responses={503: {"model": Critical, "description": "A person is needed: the reasons"}}
)
def critical(place: Here, response: Response) -> Critical:
    """200 while nothing critical is found, 503 with the reasons otherwise; findings that are muted do not count."""
    found = asking.health(place).value
    reasons = tuple(one.text for one in found.findings if one.severity == "critical" and not one.muted)
    response.status_code = 503 if reasons else 200
    return Critical("critical" if reasons else "ok", reasons, found.looked_at)


@router.get("/state", responses=_AWAY)
def state(place: Here) -> State:
    """LIVE, STALE or DISCONNECTED, and the reasons for not being LIVE."""
    return overview.standing(place)


@router.get("/websocket-coverage", responses=_AWAY)
def websocket_coverage(place: Here) -> Looked[list[streamers.Coverage]]:
    """By streamer and tier: markets that should be heard, those that are, and the percentage."""
    seen = streamers.streamers(place)
    return Looked(seen.at, _why(seen.error), [row for one in seen.value for row in one.coverage])


@router.get("/subscription-health", responses=_AWAY)
def subscription_health(place: Here) -> Looked[streamers.Subscriptions]:
    """How many tokens should be heard, by state (`live`, `silent`: live and without a word for ten minutes, `awaited` and `late`: without a first book, `away`, `stuck`), and which are not."""
    seen = streamers.subscriptions(place)
    return Looked(seen.at, _why(seen.error), seen.value)


@router.get("/connections", responses=_AWAY)
def connections(place: Here) -> Looked[Running]:
    """Streamers with their sockets: state, age, tokens, last data; frames heard and reconnects of each streamer."""
    seen = streamers.streamers(place)
    return Looked(seen.at, _why(seen.error), Running(seen.value))


@router.get("/field-completeness", responses=_AWAY)
def field_completeness(
    place: Here,
    tier: Tier = None,
    category: Annotated[str | None, Query(max_length=80, description="Of this category only; `all`: every one together")] = None,
    limit: Limit = 200,
    offset: Offset = 0,
) -> Slice[fields.Filled]:  # fmt: skip
    """Of each column of `snapshots` that may be null the share of rows that fill it, by hour (the last whole one and the open one), tier and category."""
    seen = fields.filled(place)
    chosen = [one for one in seen.value if tier in (None, one.tier) and category in (None, one.category)]
    return _slice(seen.at, chosen, limit, offset)


@router.get("/errors")
def newest_errors(place: Here, limit: Limit = 50) -> errors.Errors:
    """The newest of what went wrong: failed runs (a week), slots missed or late with the reason, frames that could not be read (a day each), findings."""
    return errors.errors(place, limit)


@router.get("/tiers", responses=_AWAY)
def tiers(place: Here) -> Looked[Sequence[sampled.SampledTier]]:
    """Every tier: slots expected, taken, late and missed in the last hour and day, and the share of markets that was answered for."""
    seen = sampled.sampled(place)
    return Looked(seen.at, _why(seen.error), seen.value.tiers)


@router.get("/trades-per-minute", responses=_AWAY)
def trades_per_minute(place: Here, limit: Limit = 361, offset: Offset = 0) -> Slice[heard.Minute]:
    """Trades heard, minute by minute for six hours, the newest first; of the newest two not all is in the lake yet."""
    seen = heard.heard(place)
    return _slice(seen.at, seen.value.minutes[::-1], limit, offset)


@router.get("/gaps", responses=_AWAY)
def gaps(
    place: Here,
    reach: Annotated[str | None, Query(pattern="^(everything|connection|market)$", description="Only those that made so much deaf: everything, connection or market")] = None,
    limit: Limit = 200,
    offset: Offset = 0,
) -> Slice[heard.Gap]:  # fmt: skip
    """Intervals in which the stream was deaf, that ended in the last day, the newest first."""
    seen = heard.gaps(place)
    return _slice(seen.at, [one for one in seen.value if reach in (None, one.reach)], limit, offset)


@router.get("/rejects", responses=_AWAY)
def rejects(place: Here, limit: Limit = 100, offset: Offset = 0) -> Slice[heard.Reject]:
    """Frames of the last day that could not be read, with their beginning, the newest first."""
    seen = heard.rejects(place)
    return _slice(seen.at, seen.value, limit, offset)


@router.get("/forecast", responses=_AWAY)
def forecast(place: Here) -> Looked[disks.Forecast]:
    """The size of every table, its growth a day, and when the disks of the lake are full."""
    seen = disks.forecast(place)
    return Looked(seen.at, _why(seen.error), seen.value)


@router.get("/labels", responses=_AWAY)
def labels(place: Here) -> Looked[worth.Labels]:
    """Labels a day for thirty days, and every market with a resolution by the line of the rule that judged it."""
    seen = worth.labels(place)
    return Looked(seen.at, _why(seen.error), seen.value)


def _slice(at: datetime, found: Sequence[T], limit: int, offset: int) -> Slice[T]:
    return Slice(at, len(found), offset, found[offset : offset + limit])


def _why(error: Exception | None) -> str | None:
    from polymarket_assets.masking import masked

    return masked(str(error)) if error is not None else None
