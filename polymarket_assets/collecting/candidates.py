"""Which markets to ask about: those that may have ended and whose end is not settled, and those settled lately.

What the lake knows of each becomes its `Life`; `asking` says from it when the market is due.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from polymarket_assets.collecting import asking_times, queries, settlement
from polymarket_assets.collecting.asking_times import Life, Through
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue import parse
from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets.venue.records import ResolvedPush

# Most markets asked about in one run: some three hundred requests, half a minute within the venue's limits.
MOST = 5_000
# One place in so many is for those that became due last: a backlog of years keeps no label of today waiting.
OF_NEWEST = 5
# A market listed live is followed for this long after its last change; disputes take a week at most.
FOLLOWED_FOR = timedelta(days=45)
# A pushed resolution counts as seen when it came; later it is evidence already.
PUSHED_FOR = timedelta(days=3)
# What pushes say of one market's winner: none, and two that contradict each other; more add nothing.
MOST_SAID = 3


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A winner that was pushed, and when that first came."""

    seen_at: datetime
    winning_token_id: str | None = None
    winning_outcome: str | None = None
    venue_at: datetime | None = None


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What the stream pushed of a market's end: when anything first came, and each winner it named."""

    seen_at: datetime
    said: tuple[Said, ...] = ()

    def and_(self, other: Pushed | None) -> Pushed:
        """Both together, each winner once."""
        if other is None:
            return self
        first: dict[str | None, Said] = {}
        for said in sorted((*self.said, *other.said), key=lambda said: said.seen_at):
            first.setdefault(said.winning_token_id, said)
        return Pushed(seen_at=min(self.seen_at, other.seen_at), said=tuple(first.values())[:MOST_SAID])

    def records(self, condition_id: str) -> tuple[ResolvedPush, ...]:
        """The messages as the venue's records."""
        return tuple(
            ResolvedPush(
                condition_id=condition_id,
                winning_token_id=said.winning_token_id,
                winning_outcome=said.winning_outcome,
                venue_at=said.venue_at,
            )
            for said in self.said
        )


@dataclass(frozen=True)
class Version:
    """The newest version of a market's resolution."""

    version: int
    seen_at: datetime
    state: str
    label: int | None
    rule: str | None
    was_disputed: bool
    decided_seen_at: datetime | None
    resolved_at: datetime | None = None
    # As it was known then.
    pushed: Pushed | None = None


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
    pushed: Pushed | None = None
    life: Life = field(default_factory=lambda: Life(()))


@dataclass(frozen=True)
class Due:
    """Whom to ask about now.

    `left` are due and have to wait for the next run, which begins at `through`; `waiting` are those that will be due, the
    first of them at `next_at`.
    """

    asked: list[Candidate]
    left: int
    through: Through
    waiting: int
    next_at: datetime | None


def due(lake: Lake, *, now: datetime, since: Through | None = None) -> Due:
    """The markets that became due from `since` until `now`, at most `MOST`; without `since` everything that is not settled, and what was settled lately.

    Most of it stays due: who asks in rounds gives each the `through` of the one before.

    Those that were due first are asked first, so that nobody waits for ever; a few places are for those that were due last.
    """
    found: list[tuple[Through, Candidate]] = []
    later: list[datetime] = []
    # A last look may have become due since the last run, and not be asked for yet.
    settled_from = (since.at if since is not None else now) - asking_times.RECHECKS[-1]
    for candidate in _candidates(lake, now, settled_from):
        at = asking_times.due_at(candidate.life, now)
        place = Through(at, candidate.market_id) if at is not None else None
        if place is not None and (since is None or place >= since):
            found.append((place, candidate))
        elif (following := asking_times.next_at(candidate.life, now)) is not None:
            later.append(following)
    return _placed(sorted(found, key=lambda each: each[0]), later, now)


def _placed(found: list[tuple[Through, Candidate]], later: list[datetime], now: datetime) -> Due:
    """As many as a run asks about, of all that are due in the order in which they were."""
    first = len(found) if len(found) <= MOST else MOST - MOST // OF_NEWEST
    rest = max(first, len(found) - (MOST - first))
    return Due(
        [candidate for _, candidate in (*found[:first], *found[rest:])],
        rest - first,
        found[first][0] if rest > first else Through(now + timedelta.resolution),
        len(later),
        min(later, default=None),
    )


def _candidates(lake: Lake, now: datetime, settled_from: datetime) -> list[Candidate]:
    pushed = _pushed(lake, now)
    rows = _rows(lake, now, settled_from, list(pushed))
    return [_candidate(row, pushed.get(row["condition_id"])) for row in rows]


def _candidate(row: dict[str, Any], pushed: Pushed | None) -> Candidate:
    last = _version(row) if row["version"] is not None else None
    known = last.pushed if last is not None else None
    pushed = pushed.and_(known) if pushed is not None else known
    return Candidate(
        row["market_id"],
        row["condition_id"],
        followed=row["followed"],
        closed_at=row["closed_at"],
        last=last,
        told_at=row["told_at"],
        pushed=pushed,
        life=_life(row, last, pushed),
    )


def _version(row: dict[str, Any]) -> Version:
    fields = {name: row[name] for name in Version.__dataclass_fields__ if name != "pushed"}
    pushed = msgspec.json.decode(row["was_pushed"], type=Pushed) if row["was_pushed"] else None
    return Version(**fields, pushed=pushed)


def _life(row: dict[str, Any], last: Version | None, pushed: Pushed | None) -> Life:
    """What happened to a market: it ended, was closed, pushed, fetched, or its state changed."""
    if last is not None and last.state in settlement.SETTLED:
        # Of history nothing is to be expected any more where it was settled long ago.
        settled_at = last.seen_at if row["followed"] else last.resolved_at or last.seen_at
        return Life((), settled_at)
    told = (row["ended_at"], row["told_at"], row["closed_seen_at"])
    happened = [*told, pushed.seen_at if pushed else None, last.seen_at if last else None]
    return Life(tuple(at for at in happened if at is not None))


def _rows(lake: Lake, now: datetime, settled_from: datetime, pushed: list[str]) -> list[dict[str, Any]]:
    """Markets of both kinds with what they need: those that may have ended and are not settled, or were settled lately."""
    spans = {"markets": Span(now - FOLLOWED_FOR, now + timedelta.resolution)}
    with queries.over(lake, **spans, history_markets=None, resolutions=None) as connection:
        given = {
            "now": now,
            "pushed": pushed,
            "asked_from": now - asking_times.ASKED_FOR,
            "settled_from": settled_from,
        }
        found = connection.execute(_CANDIDATES, given)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


# Followed: closed, dead, past their effective close or said to be resolved. Of an end that we first heard of later,
# the clock starts then. History: imported markets bring their own resolutions.
_CANDIDATES = f"""
with followed as (
    select market_id, condition_id, true as followed, null::timestamptz as closed_at,
        greatest(effective_close, min(received_at) over life) as ended_at,
        min(received_at) filter (where phase in ('closed', 'dead')) over life as told_at,
        min(received_at) filter (where phase = 'closed') over life as closed_seen_at
    from markets where received_at <= $now
    window life as (partition by market_id)
    qualify row_number() over (partition by market_id order by received_at desc) = 1
        and (phase in ('closed', 'dead') or effective_close <= $now or list_contains($pushed::varchar[], condition_id))
), listed as (
    from followed union all by name
    select market_id, condition_id, false as followed, closed_at, received_at as ended_at
    from history_markets anti join followed using (market_id) where source = 'polymarket'
), newest as (
    select market_id, version, seen_at, state, label, rule, was_disputed, decided_seen_at, resolved_at
    from resolutions where seen_at <= $now
    qualify row_number() over (partition by market_id order by version desc) = 1
), pushed as (
    select market_id, version, json_extract(evidence, '$.pushed')::varchar as was_pushed
    from resolutions where evidence like '%"pushed"%'
)
select l.*, n.* exclude (market_id), p.was_pushed
from listed l left join newest n using (market_id) left join pushed p using (market_id, version)
where l.condition_id is not null and (n.version is null or case when n.state in {settlement.SETTLED}
    then coalesce(case when not followed then n.resolved_at end, n.seen_at) >= $settled_from
    else greatest(n.seen_at, l.ended_at, l.told_at, l.closed_seen_at) > $asked_from
        or list_contains($pushed::varchar[], l.condition_id) end)
"""


def _pushed(lake: Lake, now: datetime) -> dict[str, Pushed]:
    """What the socket said of markets that were resolved, by condition id."""
    span = Span(now - PUSHED_FOR, now + timedelta.resolution)
    with queries.over(lake, market_events=span) as connection:
        found = connection.execute(
            """
            select condition_id, payload, min(received_at) from market_events
            where kind = 'market_resolved' and condition_id is not null and received_at <= ?
            group by all
            """,
            [now],
        ).fetchall()
    pushed: dict[str, Pushed] = {}
    for condition_id, payload, seen_at in found:
        said = Pushed(seen_at=seen_at, said=_said(payload, seen_at))
        pushed[condition_id] = said.and_(pushed.get(condition_id))
    return pushed


def _said(payload: str, seen_at: datetime) -> tuple[Said, ...]:
    """The winner of a message; one that cannot be read says no more than that it came."""
    try:
        push = parse.resolved_push(payload)
    except MalformedPayload:
        return ()
    return (
        Said(
            seen_at=seen_at,
            winning_token_id=push.winning_token_id,
            winning_outcome=push.winning_outcome,
            venue_at=push.venue_at,
        ),
    )
