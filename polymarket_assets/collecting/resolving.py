"""Evidence to `resolutions`: every market that may have ended is asked about until its end is settled.

Candidates are markets followed live that are past their effective close, dead or closed, and closed markets
fetched as history. Three services are asked in batches; `settlement` decides; a version is written when the
decision differs from the last one. Instants say when we could have known: of a market followed live, when we
saw it; of history, when it was public.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from polymarket_assets.collecting import candidates, settlement
from polymarket_assets.collecting.candidates import Candidate, Version
from polymarket_assets.collecting.settlement import Decision, Evidence
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Gone, MalformedPayload, PolymarketError
from polymarket_assets.venue.records import ClobMarket, Listing, MarketEnd, ResolutionRow

log = logging.getLogger(__name__)

# The catalogue answers so many ids at once; the Data API splits them further.
BATCH = 100
SOURCE = "polymarket"


class Catalogue(Protocol):
    """The catalogue service, as far as resolving needs it."""

    def by_condition(self, condition_ids: Sequence[str], *, closed: bool) -> Sequence[Listing]:
        """Listings by condition id."""


class Winners(Protocol):
    """The order-book service, as far as resolving needs it."""

    def market(self, condition_id: str) -> ClobMarket:
        """A market with its winner."""


class Resolutions(Protocol):
    """The Data API, as far as resolving needs it."""

    def resolutions(self, condition_ids: Sequence[str]) -> Sequence[ResolutionRow]:
        """Resolution rows of markets."""


class Venue(Protocol):
    """What resolving needs of the venue."""

    @property
    def gamma(self) -> Catalogue: ...
    @property
    def clob(self) -> Winners: ...
    @property
    def data(self) -> Resolutions: ...


@dataclass(frozen=True)
class ResolveReport:
    """What a run of resolving saw and wrote; `states` counts the markets asked about by what is now known."""

    asked: int
    versions: int
    labels: int
    # Asked about and not settled.
    still_open: int
    # Not asked in this run: beyond its bound.
    left_for_later: int
    states: dict[str, int]


@dataclass(frozen=True)
class _Heard:
    """Evidence of one market and when each part of it came."""

    evidence: Evidence
    seen: dict[str, datetime]


def resolve(lake: Lake, venue: Venue, *, clock: Callable[[], datetime]) -> ResolveReport:
    """Ask about every candidate and write what changed.

    Raises:
        Unavailable, Refused, MalformedPayload: the venue failed midway; what was decided before is written.
        LakeUnwritable: nothing was written.
    """
    due, left = candidates.due(lake, now=clock())
    decided: list[tuple[Candidate, _Heard, Decision]] = []
    failure: PolymarketError | None = None
    try:
        for first in range(0, len(due), BATCH):
            decided += _decide(venue, due[first : first + BATCH], clock)
    except PolymarketError as e:
        log.warning("stopped after %d of %d markets", len(decided), len(due))
        failure = e
    rows = list(_versions(decided, clock()))
    _publish(lake, rows)
    if failure is not None:
        raise failure
    return _report(decided, rows, left)


def _decide(
    venue: Venue, batch: list[Candidate], clock: Callable[[], datetime]
) -> list[tuple[Candidate, _Heard, Decision]]:
    """Ask the catalogue and the Data API about a batch, and the order-book service where the rule wants it."""
    ids = [candidate.condition_id for candidate in batch]
    ends, ends_at = _ends(venue.gamma, ids), clock()
    rows = {row.condition_id: row for row in venue.data.resolutions(ids)}
    rows_at = clock()
    done = []
    for candidate in batch:
        evidence = Evidence(ends.get(candidate.condition_id), rows.get(candidate.condition_id))
        heard = _Heard(evidence, {"catalogue": ends_at, "data": rows_at})
        decision = settlement.decide(evidence)
        if decision.wants_confirmation:
            clob = _winner(venue.clob, candidate.condition_id)
            heard = _Heard(Evidence(evidence.end, evidence.data, clob), {**heard.seen, "clob": clock()})
            decision = settlement.decide(heard.evidence)
        done.append((candidate, heard, decision))
    return done


def _ends(gamma: Catalogue, ids: list[str]) -> dict[str, MarketEnd]:
    """Ends by condition id: the catalogue shows closed and open markets in separate answers."""
    found = {listing.end.condition_id: listing.end for listing in gamma.by_condition(ids, closed=True)}
    rest = [id_ for id_ in ids if id_ not in found]
    if rest:
        still = gamma.by_condition(rest, closed=False)
        found |= {listing.end.condition_id: listing.end for listing in still}
    return found


def _winner(clob: Winners, condition_id: str) -> ClobMarket | None:
    """The market as the order-book service knows it; not there, or not readable, is no evidence."""
    try:
        return clob.market(condition_id)
    except Gone:
        return None
    except MalformedPayload as e:
        log.warning("no confirmation from the order-book service: %s", e)
        return None


def _versions(
    decided: Iterable[tuple[Candidate, _Heard, Decision]], now: datetime
) -> Iterator[dict[str, Any]]:
    """Rows for the decisions that differ from what was last written."""
    for candidate, heard, decision in decided:
        decided_at = _decided_at(candidate, heard)
        if _is_news(candidate.last, decision, decided_at):
            yield _row(candidate, heard, decision, decided_at, now)


def _is_news(last: Version | None, decision: Decision, decided_at: datetime | None) -> bool:
    """Whether a decision says more than the last version; that a market is simply open is no first version."""
    if last is None:
        return decision.state != settlement.OPEN or decided_at is not None
    payouts = None if decision.payouts_e6 is None else list(decision.payouts_e6)
    return (last.state, last.label, last.payouts_e6) != (decision.state, decision.label, payouts)


def _row(
    candidate: Candidate, heard: _Heard, decision: Decision, decided_at: datetime | None, now: datetime
) -> dict[str, Any]:
    last = candidate.last
    settled = decision.state in settlement.SETTLED
    resolved_at = _resolved_at(heard.evidence) if settled else None
    labelled_at = now if candidate.followed else resolved_at or candidate.closed_at or now
    return {
        "market_id": candidate.market_id,
        "version": 1 if last is None else last.version + 1,
        "seen_at": now,
        "state": decision.state,
        "label": decision.label,
        "payouts_e6": decision.payouts_e6,
        "evidence": _written(candidate, heard),
        "reason": decision.reason,
        "was_disputed": decision.was_disputed or (last is not None and last.was_disputed),
        "resolved_at": resolved_at,
        "decided_seen_at": decided_at,
        "label_seen_at": labelled_at if decision.label is not None else None,
        "source": SOURCE,
    }


def _resolved_at(evidence: Evidence) -> datetime | None:
    """When it was resolved by the venue's clock: of the settlement where known, else of the close."""
    if evidence.data is not None and evidence.data.resolved_at is not None:
        return evidence.data.resolved_at
    return evidence.end.closed_at if evidence.end is not None else None


def _decided_at(candidate: Candidate, heard: _Heard) -> datetime | None:
    """The first time anything told the result: seen live, or public in the case of history."""
    told = [
        candidate.last.decided_seen_at if candidate.last else None,
        candidate.told_at,
        candidate.pushed_at,
    ]
    if settlement.tells(heard.evidence):
        told.append(min(heard.seen.values()))
        if not candidate.followed:
            told += [candidate.closed_at, _resolved_at(heard.evidence)]
    return min((at for at in told if at is not None), default=None)


def _written(candidate: Candidate, heard: _Heard) -> str:
    """The evidence as JSON: what each service said, and when we saw it."""
    evidence = heard.evidence
    said = {"catalogue": evidence.end, "data": evidence.data, "clob": evidence.clob}
    parts: dict[str, Any] = {
        name: {"seen_at": heard.seen[name], **_told(record)}
        for name, record in said.items()
        if record is not None
    }
    if candidate.pushed_at is not None:
        parts["pushed"] = {"seen_at": candidate.pushed_at}
    return msgspec.json.encode(parts).decode()


def _told(record: msgspec.Struct) -> dict[str, Any]:
    """A record without what only identifies the market, which the row does."""
    fields = msgspec.to_builtins(record, builtin_types=(datetime,))
    return {name: value for name, value in fields.items() if name not in _IDENTITY}


_IDENTITY = ("market_id", "condition_id", "token_ids")


def _publish(lake: Lake, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    seen_at: datetime = rows[0]["seen_at"]
    lake.publish_rows("resolutions", rows, part=f"{seen_at:%H%M%S%f}", at=seen_at)


def _report(
    decided: list[tuple[Candidate, _Heard, Decision]], rows: list[dict[str, Any]], left: int
) -> ResolveReport:
    states = Counter(decision.state for _, _, decision in decided)
    return ResolveReport(
        asked=len(decided),
        versions=len(rows),
        labels=sum(row["label"] is not None for row in rows),
        still_open=sum(count for state, count in states.items() if state not in settlement.SETTLED),
        left_for_later=left,
        states=dict(states),
    )
