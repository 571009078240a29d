"""Evidence to `resolutions`: every market that may have ended is asked about until its end is settled, and a few times after.

Candidates are markets followed live that are past their effective close, dead or closed, and closed markets
fetched as history. The catalogue and the Data API are asked in batches, others only where the rule wants a confirmation;
`settlement` decides; a version is written when the decision differs from the last one. Instants say when we could have
known: of a market followed live, when we saw it; of history, when it was public.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from polymarket_assets.collecting import candidates, settlement
from polymarket_assets.collecting.asking_times import Through
from polymarket_assets.collecting.candidates import Candidate, Version
from polymarket_assets.collecting.settlement import Decision, Evidence
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Gone, MalformedPayload, PolymarketError, Refused
from polymarket_assets.venue.records import (
    ClobMarket,
    Listing,
    Market,
    PricePoint,
    ResolutionRow,
)

log = logging.getLogger(__name__)

# The catalogue answers so many ids at once; the Data API splits them further.
BATCH = 100
SOURCE = "polymarket"
# Price histories asked for a payout in one run, a request each: the last resort for the three in a hundred that nobody else
# confirms. Those beyond are asked again like everything that is not settled.
MOST_PAYOUTS = 200
# A payout lies within the two weeks after the close that one answer of a price history spans, in as few points as it gives.
PAID_WITHIN = timedelta(days=14)
PAYOUT_BUCKET_S = 43_200
# The spacing that marks the payout.
SETTLEMENT = 0


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

    def prices_history(
        self, token_id: str, start: datetime, end: datetime, bucket_s: int
    ) -> Sequence[PricePoint]:
        """A token's prices of a span, the payout among them."""


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
    # Settled before, and something else now.
    corrected: int
    # Asked about and not settled.
    still_open: int
    # Due, and not asked about in this run: beyond its bound.
    left_for_later: int
    # Not due yet.
    waiting: int
    states: dict[str, int]
    # Where the next run begins: `str` of a `Through`.
    asked_through: str


@dataclass(frozen=True)
class _Heard:
    """Evidence of one market, when each part of it came, and what the market asks."""

    evidence: Evidence
    seen: dict[str, datetime]
    market: Market | None = None


@dataclass(frozen=True)
class _Decided:
    """A market, what was heard of it, and what that amounts to."""

    candidate: Candidate
    heard: _Heard
    decision: Decision


def resolve(
    lake: Lake, venue: Venue, *, clock: Callable[[], datetime], since: Through | None = None
) -> ResolveReport:
    """Ask about every candidate that became due from `since` on (None: about everything) and write what changed.

    Raises:
        Unavailable, Refused, MalformedPayload: the venue failed midway; what was decided before is written.
        LakeUnwritable: nothing was written.
    """
    due = candidates.due(lake, now=clock(), since=since)
    asking = _Asking(venue, clock)
    decided: list[_Decided] = []
    failure: PolymarketError | None = None
    try:
        for first in range(0, len(due.asked), BATCH):
            decided += asking.batch(due.asked[first : first + BATCH])
    except PolymarketError as e:
        log.warning("stopped after %d of %d markets", len(decided), len(due.asked))
        failure = e
    rows = list(_versions(decided, clock()))
    _publish(lake, rows)
    if failure is not None:
        raise failure
    return _report(decided, rows, due)


@dataclass
class _Asking:
    """A run's questions to the venue."""

    venue: Venue
    clock: Callable[[], datetime]
    payouts_left: int = field(default_factory=lambda: MOST_PAYOUTS)

    def batch(self, batch: list[Candidate]) -> list[_Decided]:
        """Ask the catalogue and the Data API about a batch, and others where the rule wants a confirmation."""
        ids = [candidate.condition_id for candidate in batch]
        listings, listed_at = _listings(self.venue.gamma, ids), self.clock()
        rows = {row.condition_id: row for row in self.venue.data.resolutions(ids)}
        seen = {"catalogue": listed_at, "data": self.clock()}
        return [
            self._decide(
                candidate, listings.get(candidate.condition_id), rows.get(candidate.condition_id), seen
            )
            for candidate in batch
        ]

    def _decide(
        self,
        candidate: Candidate,
        listing: Listing | None,
        row: ResolutionRow | None,
        seen: dict[str, datetime],
    ) -> _Decided:
        pushed = candidate.pushed.records(candidate.condition_id) if candidate.pushed else ()
        evidence = Evidence(listing.end if listing else None, row, pushed=pushed)
        heard = _Heard(evidence, seen, listing.market if listing else None)
        decision = settlement.decide(evidence)
        for confirm in (self._winner, self._payout):
            if not decision.wants_confirmation:
                break
            heard = confirm(candidate, heard)
            decision = settlement.decide(heard.evidence)
        return _Decided(candidate, heard, decision)

    def _winner(self, candidate: Candidate, heard: _Heard) -> _Heard:
        """The market as the order-book service knows it; not there, or not readable, is no evidence."""
        clob: ClobMarket | None = None
        try:
            clob = self.venue.clob.market(candidate.condition_id)
        except Gone:
            pass
        except MalformedPayload as e:
            log.warning("no confirmation from the order-book service: %s", e)
        seen = {**heard.seen, "clob": self.clock()}
        return replace(heard, evidence=replace(heard.evidence, clob=clob), seen=seen)

    def _payout(self, candidate: Candidate, heard: _Heard) -> _Heard:
        """The payout among the prices of the canonical token, while there are questions left."""
        end = heard.evidence.end
        if end is None or not end.token_ids or self.payouts_left == 0:
            return heard
        self.payouts_left -= 1
        now = self.clock()
        start = (end.closed_at or candidate.closed_at or now - PAID_WITHIN) - timedelta(minutes=1)
        payout = _paid(self.venue.data, end.token_ids[0], start, min(now, start + PAID_WITHIN))
        seen = {**heard.seen, "payout": self.clock()}
        return replace(heard, evidence=replace(heard.evidence, payout=payout), seen=seen)


def _paid(data: Resolutions, token_id: str, start: datetime, end: datetime) -> PricePoint | None:
    """The last point that marks a payout; a history that is refused or not readable is no evidence."""
    if start >= end:
        return None
    try:
        points = data.prices_history(token_id, start, end, PAYOUT_BUCKET_S)
    except (Refused, MalformedPayload) as e:
        log.warning("no payout in the price history: %s", e)
        return None
    return next((point for point in reversed(points) if point.resolution_s == SETTLEMENT), None)


def _listings(gamma: Catalogue, ids: list[str]) -> dict[str, Listing]:
    """Listings by condition id: the catalogue shows closed and open markets in separate answers."""
    found = {listing.end.condition_id: listing for listing in gamma.by_condition(ids, closed=True)}
    rest = [id_ for id_ in ids if id_ not in found]
    if rest:
        still = gamma.by_condition(rest, closed=False)
        found |= {listing.end.condition_id: listing for listing in still}
    return found


def _versions(decided: Iterable[_Decided], now: datetime) -> Iterator[dict[str, Any]]:
    """Rows for the decisions that differ from what was last written."""
    for each in decided:
        decided_at = _decided_at(each.candidate, each.heard)
        if _is_news(each, decided_at):
            yield _row(each, decided_at, now)


def _is_news(each: _Decided, decided_at: datetime | None) -> bool:
    """Whether a decision says more than the last version; that a market is simply open is no first version."""
    last, decision, pushed = each.candidate.last, each.decision, each.candidate.pushed
    if last is None:
        return decision.state != settlement.OPEN or decided_at is not None
    if last.state in settlement.SETTLED:
        return _is_corrected(last, each)
    if pushed is not None and (last.pushed is None or pushed.said != last.pushed.said):
        return True
    if decision.rule == settlement.UNLISTED:
        return decision.state not in (settlement.OPEN, last.state)
    return (last.state, last.rule or decision.rule) != (decision.state, decision.rule)


def _is_corrected(last: Version, each: _Decided) -> bool:
    """Whether a settled market is not as it was: what is merely not confirmed any more stays."""
    decision, evidence = each.decision, each.heard.evidence
    if decision.state in settlement.SETTLED:
        return (last.state, last.label) != (decision.state, decision.label)
    known = last.pushed.records(each.candidate.condition_id) if last.pushed else ()
    return not settlement.still_stands(settlement.PAYOUTS[last.label], decision, evidence, known)


def _row(each: _Decided, decided_at: datetime | None, now: datetime) -> dict[str, Any]:
    candidate, heard, decision = each.candidate, each.heard, each.decision
    last, market = candidate.last, heard.market
    settled = decision.state in settlement.SETTLED
    resolved_at = _resolved_at(heard.evidence) if settled else None
    return {
        "market_id": candidate.market_id,
        "version": 1 if last is None else last.version + 1,
        "seen_at": now,
        "state": decision.state,
        "label": decision.label,
        "payouts_e6": decision.payouts_e6,
        "evidence": _written(candidate, heard),
        "reason": decision.reason,
        "rule": decision.rule,
        "was_disputed": decision.was_disputed or (last is not None and last.was_disputed),
        "resolved_at": resolved_at,
        "decided_seen_at": decided_at,
        "label_seen_at": _labelled_at(candidate, resolved_at, now) if decision.label is not None else None,
        "source": SOURCE,
        "resolution_source": market.resolution_source if market else None,
        "twap_s": market.twap_s if market else None,
    }


def _labelled_at(candidate: Candidate, resolved_at: datetime | None, now: datetime) -> datetime:
    """When we had a label: of history, when it was public, unless another stood there before."""
    was_settled = candidate.last is not None and candidate.last.state in settlement.SETTLED
    if candidate.followed or was_settled:
        return now
    return resolved_at or candidate.closed_at or now


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
        candidate.pushed.seen_at if candidate.pushed else None,
    ]
    if settlement.tells(heard.evidence):
        told.append(min(heard.seen.values()))
        if not candidate.followed:
            told += [candidate.closed_at, _resolved_at(heard.evidence)]
    return min((at for at in told if at is not None), default=None)


def _written(candidate: Candidate, heard: _Heard) -> str:
    """The evidence as JSON: what each service said, and when we saw it."""
    evidence = heard.evidence
    said = {
        "catalogue": evidence.end,
        "data": evidence.data,
        "clob": evidence.clob,
        "payout": evidence.payout,
    }
    parts: dict[str, Any] = {
        name: {"seen_at": heard.seen[name], **_told(record)}
        for name, record in said.items()
        if record is not None
    }
    if candidate.pushed is not None:
        parts["pushed"] = candidate.pushed
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


def _report(decided: list[_Decided], rows: list[dict[str, Any]], due: candidates.Due) -> ResolveReport:
    states = Counter(each.decision.state for each in decided)
    settled = {
        each.candidate.market_id
        for each in decided
        if each.candidate.last is not None and each.candidate.last.state in settlement.SETTLED
    }
    return ResolveReport(
        asked=len(decided),
        versions=len(rows),
        labels=sum(row["label"] is not None for row in rows),
        corrected=sum(row["market_id"] in settled for row in rows),
        still_open=sum(count for state, count in states.items() if state not in settlement.SETTLED),
        left_for_later=due.left,
        waiting=due.waiting,
        states=dict(states),
        asked_through=str(due.through),
    )
