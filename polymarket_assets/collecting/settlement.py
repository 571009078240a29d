"""How a market ended, by what the venue's services say: the one rule that gives labels. Pure.

The rule is strict (PROTOCOL 4.2, 4.3): a label needs a closed market of two outcomes whose final prices are
exactly 1 and 0, confirmed by the catalogue's own `resolved` or by an independent service that names the same
payouts; evidence that contradicts itself gives none. Last prices, quotes and pushed messages decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from polymarket_assets.venue.records import E6, ClobMarket, MarketEnd, ResolutionRow

Payouts = tuple[int, ...]

OPEN, PROPOSED, DISPUTED = "open", "proposed", "disputed"
FINAL, SPLIT, ANNULLED, AMBIGUOUS = "final", "split", "annulled", "ambiguous"
# Nothing more will come; `annulled` is used by imports only, the venue pays every market it closes.
SETTLED = (FINAL, SPLIT, ANNULLED)

LABELS: dict[Payouts, int] = {(E6, 0): 1, (0, E6): 0}
HALVES: Payouts = (E6 // 2, E6 // 2)

# What a service's status means while nothing is final, by service; unknown words mean open.
_CATALOGUE = {"proposed": PROPOSED, "disputed": DISPUTED, "resolved": PROPOSED, "settled": PROPOSED}
_DATA = {
    "proposed": PROPOSED,
    "reproposed": PROPOSED,
    "challenged": DISPUTED,
    "disputed": DISPUTED,
    "arbitration": DISPUTED,
    "resolved": PROPOSED,
}
_GRAVITY = (OPEN, PROPOSED, DISPUTED)
_CONFIRMED = "resolved"


@dataclass(frozen=True)
class Evidence:
    """What each service said; None where it was not asked, or has nothing on the market."""

    end: MarketEnd | None
    data: ResolutionRow | None = None
    clob: ClobMarket | None = None


@dataclass(frozen=True)
class Decision:
    """What the evidence amounts to.

    `payouts_e6` are of each outcome once settled; `wants_confirmation` when one more independent service
    could settle it.
    """

    state: str
    reason: str
    label: int | None = None
    payouts_e6: Payouts | None = None
    was_disputed: bool = False
    wants_confirmation: bool = False


def decide(evidence: Evidence) -> Decision:
    """The decision for one market."""
    end = evidence.end
    disputed = _was_disputed(evidence)
    if end is None or not end.closed:
        return Decision(_standing(evidence), _not_closed(evidence), was_disputed=disputed)
    if len(end.token_ids) != 2:
        return Decision(AMBIGUOUS, f"{len(end.token_ids)} outcomes, two are needed", was_disputed=disputed)
    payouts = _payouts(end.prices)
    if payouts not in LABELS and payouts != HALVES:
        said = "/".join(end.prices) or "no prices"
        return Decision(AMBIGUOUS, f"closed at {said}: neither 1/0 nor 0.5/0.5", was_disputed=disputed)
    return _weigh(evidence, payouts, disputed)


def tells(evidence: Evidence) -> bool:
    """Whether any of the evidence lets one guess the result: from then on prices are no features."""
    if _standing(evidence) != OPEN or (evidence.end is not None and evidence.end.closed):
        return True
    named = bool(list(_voices(evidence)))
    return named or (evidence.end is not None and _payouts(evidence.end.prices) in LABELS)


def _weigh(evidence: Evidence, payouts: Payouts, disputed: bool) -> Decision:
    """Final prices against what the other services say of them."""
    end = evidence.end
    assert end is not None
    voices = dict(_voices(evidence))
    against = [f"{name} says {_written(said)}" for name, said in voices.items() if said != payouts]
    if against:
        reason = f"the catalogue says {_written(payouts)}, but {' and '.join(against)}"
        return Decision(AMBIGUOUS, reason, was_disputed=disputed)
    if evidence.data is not None and _DATA.get(evidence.data.status) == DISPUTED:
        return Decision(DISPUTED, f"the Data API says {evidence.data.status}", was_disputed=True)
    confirmed = [*(["the catalogue"] if end.status == _CONFIRMED else []), *voices]
    if confirmed:
        state = FINAL if payouts in LABELS else SPLIT
        reason = f"{_written(payouts)}, confirmed by {' and '.join(confirmed)}"
        return Decision(state, reason, LABELS.get(payouts), payouts, disputed)
    standing = DISPUTED if end.status == DISPUTED else PROPOSED
    reason = f"closed at {_written(payouts)} with status {end.status or 'absent'}, and nobody confirms it"
    return Decision(standing, reason, was_disputed=disputed, wants_confirmation=evidence.clob is None)


def _voices(evidence: Evidence) -> Iterator[tuple[str, Payouts]]:
    """Payouts named by services other than the catalogue; silence is no voice."""
    data, clob = evidence.data, evidence.clob
    if data is not None and data.status == _CONFIRMED and data.payouts_e6:
        yield "the Data API", tuple(data.payouts_e6)
    if clob is not None and any(token.winner for token in clob.tokens):
        won = {token.token_id for token in clob.tokens if token.winner}
        order = evidence.end.token_ids if evidence.end else tuple(token.token_id for token in clob.tokens)
        yield "the order-book service", tuple(E6 if token in won else 0 for token in order)


def _standing(evidence: Evidence) -> str:
    """The gravest word of any service on a market that is not closed."""
    words = [
        _CATALOGUE.get(evidence.end.status or "", OPEN) if evidence.end else OPEN,
        _DATA.get(evidence.data.status, OPEN) if evidence.data else OPEN,
    ]
    return max(words, key=_GRAVITY.index)


def _not_closed(evidence: Evidence) -> str:
    if evidence.end is None:
        return "the catalogue does not know the market"
    said = [
        f"{name}: {status}"
        for name, status in (
            ("catalogue", evidence.end.status),
            ("Data API", evidence.data.status if evidence.data else None),
        )
        if status
    ]
    return "not closed" + (f" ({', '.join(said)})" if said else "")


def _was_disputed(evidence: Evidence) -> bool:
    end, data = evidence.end, evidence.data
    by_catalogue = end is not None and DISPUTED in (end.status, *end.statuses)
    by_data = data is not None and (data.was_disputed or _DATA.get(data.status) == DISPUTED)
    return by_catalogue or by_data


def _payouts(prices: tuple[str, ...]) -> Payouts | None:
    """Final prices as payouts, where they are exact millionths."""
    try:
        exact = [Decimal(price) * E6 for price in prices]
    except InvalidOperation:
        return None
    if not all(price.is_finite() and price == price.to_integral_value() for price in exact):
        return None
    return tuple(int(price) for price in exact)


def _written(payouts: Payouts) -> str:
    return "/".join(f"{payout / E6:g}" for payout in payouts)
