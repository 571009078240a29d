"""Which markets to ask about: those that may have ended and whose end is not settled, as the lake knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.collecting import queries, settlement
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake

# Most markets asked about in one run: some three hundred requests, half a minute within the venue's limits.
MOST = 5_000
# A market listed live is followed for this long after its last change; disputes take a week at most.
FOLLOWED_FOR = timedelta(days=45)
# What was not settled within this time after its last change stays as it is: some are stuck for ever.
ASKED_FOR = timedelta(days=30)
# A pushed resolution counts as seen when it came; later it is evidence already.
PUSHED_FOR = timedelta(days=3)


@dataclass(frozen=True)
class Version:
    """The newest version of a market's resolution."""

    version: int
    seen_at: datetime
    state: str
    label: int | None
    payouts_e6: list[int] | None
    was_disputed: bool
    decided_seen_at: datetime | None


@dataclass(frozen=True)
class Candidate:
    """A market to ask about."""

    market_id: str
    condition_id: str
    # Followed live: instants are when we saw things. Otherwise fetched as history: when they were public.
    followed: bool
    closed_at: datetime | None
    last: Version | None
    # First seen by discovery with a proposal, or closed.
    told_at: datetime | None = None
    pushed_at: datetime | None = None


def due(lake: Lake, *, now: datetime) -> tuple[list[Candidate], int]:
    """The markets to ask about, the likeliest to have ended first, at most `MOST`; and how many were left out."""
    versions = _versions(lake, now)
    pushed = _pushed(lake, now)
    followed = _followed(lake, now, list(pushed))
    live = {row["market_id"] for row in followed}
    rows = [*followed, *(row for row in _history(lake) if row["market_id"] not in live)]
    wanted = [
        _candidate(row, versions.get(row["market_id"]), pushed)
        for row in sorted(rows, key=_urgency)
        if row["condition_id"] and _is_wanted(versions.get(row["market_id"]), now)
    ]
    return wanted[:MOST], max(0, len(wanted) - MOST)


def _candidate(row: dict[str, Any], last: Version | None, pushed: dict[str, datetime]) -> Candidate:
    condition_id = row["condition_id"]
    return Candidate(
        row["market_id"],
        condition_id,
        followed="phase" in row,
        closed_at=row.get("closed_at"),
        last=last,
        told_at=row.get("told_at"),
        pushed_at=pushed.get(condition_id),
    )


def _is_wanted(last: Version | None, now: datetime) -> bool:
    return last is None or (last.state not in settlement.SETTLED and now - last.seen_at < ASKED_FOR)


def _urgency(row: dict[str, Any]) -> tuple[int, float]:
    """What the venue ended comes first, then history, then what is merely overdue; the latest first in each."""
    at = row.get("closed_at") or row["effective_close"] or row["received_at"]
    rank = 1 if "phase" not in row else 0 if row["phase"] in ("closed", "dead") else 2
    return rank, -at.timestamp()


def _followed(lake: Lake, now: datetime, pushed: list[str]) -> list[dict[str, Any]]:
    """Markets of `markets` that are closed, dead, past their effective close or said to be resolved."""
    with queries.over(lake, markets=Span(now - FOLLOWED_FOR, now + timedelta.resolution)) as connection:
        return _rows(connection.execute(_FOLLOWED, {"now": now, "pushed": pushed}))


_FOLLOWED = """
select market_id, condition_id, phase, effective_close, received_at,
    min(received_at) filter (where phase in ('closed', 'dead')) over (partition by market_id) as told_at
from markets where received_at <= $now
qualify row_number() over (partition by market_id order by received_at desc) = 1
    and (phase in ('closed', 'dead') or effective_close <= $now or list_contains($pushed::varchar[], condition_id))
"""


def _rows(found: Any) -> list[dict[str, Any]]:
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _history(lake: Lake) -> list[dict[str, Any]]:
    """Markets fetched from the venue after the fact; imported ones bring their own resolutions."""
    with queries.over(lake, history_markets=None) as connection:
        return _rows(
            connection.execute(
                "select market_id, condition_id, closed_at from history_markets where source = 'polymarket'"
            )
        )


def _versions(lake: Lake, now: datetime) -> dict[str, Version]:
    """The newest version of every market."""
    with queries.over(lake, resolutions=None) as connection:
        found = connection.execute(
            """
            select market_id, version, seen_at, state, label, payouts_e6, was_disputed, decided_seen_at
            from resolutions where seen_at <= ?
            qualify row_number() over (partition by market_id order by version desc) = 1
            """,
            [now],
        ).fetchall()
    return {market_id: Version(*rest) for market_id, *rest in found}


def _pushed(lake: Lake, now: datetime) -> dict[str, datetime]:
    """When the socket first said that a market was resolved, by condition id: a hint, never evidence."""
    span = Span(now - PUSHED_FOR, now + timedelta.resolution)
    with queries.over(lake, market_events=span) as connection:
        found = connection.execute(
            """
            select condition_id, min(received_at) from market_events
            where kind = 'market_resolved' and condition_id is not null and received_at <= ?
            group by condition_id
            """,
            [now],
        ).fetchall()
    return dict(found)
