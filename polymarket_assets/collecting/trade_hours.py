"""The account of an hour of `trades`: what it was built from, what is still missing, and when to build it again.

An hour is built again when a gap or a message of it came into the lake later, and while markets deaf in it are not
healed: after as long again as the last build came after the hour, so about a dozen times in a week.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.collecting import hearing, queries
from polymarket_assets.collecting.deafness import Deafness, touches
from polymarket_assets.collecting.fetching import EARLY, HEALED, SETTLED_AFTER, Asked
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import HOUR, Span, hour_of
from polymarket_assets.lake.writing import Lake

# One part holds the hour: built again, it is replaced.
PART = "hour"
# Hours before are built again by hand; a streamer that was away for longer than a week is noticed by people.
LOOK_BACK = timedelta(days=7)
# Messages come late from a journal that is recovered at the next start; counting a week of them would cost seconds.
LATE_MESSAGES_WITHIN = timedelta(days=2)
# The schedule builds an hour seven minutes after it; one that was not built by then was forgotten.
FORGOTTEN_AFTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Unsettled:
    """An hour to be built again, why, and the build that it would replace (None: never built)."""

    hour: datetime
    why: str
    built_at: datetime | None


def asked_before(lake: Lake, span: Span) -> dict[str, Asked]:
    """What the last build of the hour knew of its deaf markets; nothing where its trades are gone."""
    if not reading.files(lake, "trades", span):
        return {}
    deaf = [d for row in reading.rows(lake, "trade_hours", span).to_pylist() for d in row["deaf"]]
    return {d["market_id"]: Asked(d["since_at"], d["state"], d["asked_at"]) for d in deaf}


def account(span: Span, now: datetime, heard: int, deaf: Deafness, asked: dict[str, Asked], rows: Iterable[dict[str, Any]]) -> dict[str, Any]:  # fmt: skip
    """The row of `trade_hours` for rows of `trades` just built."""
    recovered = [row for row in rows if row["source"] == "rest"]
    by_market = Counter(row["market_id"] for row in recovered)
    by_gap = Counter(explained_by(row, deaf) for row in recovered if _was_listened_to(row, deaf))
    unhealed = {market_id for market_id, known in asked.items() if known.state not in (HEALED, EARLY)}
    return {
        "hour_at": span.start,
        "built_at": now,
        "heard": heard,
        "recovered": len(recovered),
        "unexplained": by_gap[None],
        "early": sum(known.state == EARLY for known in asked.values()),
        "unhealed": len(unhealed),
        "gaps": [
            {"gap_id": g.gap_id, "markets": len(g.markets), "unhealed": len(unhealed & set(g.markets)), "recovered": by_gap[g.gap_id]}
            for g in deaf.gaps
        ],
        "deaf": [
            {"market_id": m, "since_at": a.since_at, "asked_at": a.asked_at, "state": a.state, "recovered": by_market[m]}
            for m, a in asked.items()
        ],
    }  # fmt: skip


def _was_listened_to(row: dict[str, Any], deaf: Deafness) -> bool:
    """Whether a market was listened to, or should have been; its first gap begins when it first was."""
    since = deaf.since.get(row["market_id"])
    return since is not None and row["traded_at"] >= since


def explained_by(row: dict[str, Any], deaf: Deafness) -> str | None:
    """The first gap in which a recovered trade can have been missed; None: we should have heard it."""
    return next((g.gap_id for g in deaf.gaps if g.explains(row["market_id"], row["traded_at"])), None)


def unsettled(lake: Lake, *, now: datetime) -> list[Unsettled]:
    """The hours of `LOOK_BACK` to be built again, newest first."""
    over = hour_of(now - SETTLED_AFTER)
    span = Span(hour_of(now - LOOK_BACK), over)
    built = {row["hour_at"]: row for row in reading.rows(lake, "trade_hours", span).to_pylist()}
    recent = Span(max(span.start, over - LATE_MESSAGES_WITHIN), over)
    heard, gaps = hearing.heard_by_hour(lake, recent), _gaps(lake, span, now)
    found = []
    for hour in sorted(span.hours(), reverse=True):
        touching = {gap_id for gap_id, from_at, to_at in gaps if touches(Span.hour(hour), from_at, to_at)}
        row = built.get(hour)
        why = _why(row, heard.get(hour, 0) if hour in recent else None, touching, hour, now)
        if why is not None:
            found.append(Unsettled(hour, why, row["built_at"] if row else None))
    return found


def _gaps(lake: Lake, span: Span, now: datetime) -> list[tuple[str, datetime, datetime]]:
    with queries.over(lake, stream_gaps=Span(span.start - HOUR, now + HOUR)) as connection:
        return connection.sql("select gap_id, from_at, to_at from stream_gaps").fetchall()


def _why(row: dict[str, Any] | None, heard: int | None, touching: set[str], hour: datetime, now: datetime) -> str | None:  # fmt: skip
    """Why an hour is to be built again now; None: it is not."""
    if row is None:
        forgotten = now >= hour + HOUR + FORGOTTEN_AFTER and (heard or touching)
        return "it was never built" if forgotten else None
    if late := touching - {gap["gap_id"] for gap in row["gaps"]}:
        return f"{len(late)} gaps were recorded later"
    if heard is not None and heard != row["heard"]:
        return f"{heard - row['heard']} messages came later"
    unsure = row["unhealed"] + row["early"]
    if unsure and now - row["built_at"] >= row["built_at"] - (hour + HOUR):
        return f"{unsure} markets are not healed"
    return None
