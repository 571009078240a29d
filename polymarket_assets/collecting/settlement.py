"""How a market ended, by what the venue's services say: the one rule that gives labels. Pure.

The rule is strict (PROTOCOL 4.2, 4.3): a label needs a closed market of two outcomes whose final prices are
exactly 1 and 0, confirmed by the catalogue's own `resolved` or by an independent service that names the same
payouts; evidence that contradicts itself gives none. Last prices and quotes decide nothing. A pushed message
confirms nothing either; where it says otherwise, the catalogue's word alone is not enough any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from polymarket_assets.venue.records import (
    E6,
    ClobMarket,
    MarketEnd,
    PricePoint,
    ResolutionRow,
    ResolvedPush,
)

Payouts = tuple[int, ...]

OPEN, PROPOSED, DISPUTED = "open", "proposed", "disputed"
FINAL, SPLIT, ANNULLED, AMBIGUOUS = "final", "split", "annulled", "ambiguous"
# Nothing more will come; `annulled` is used by imports only, the venue pays every market it closes.
SETTLED = (FINAL, SPLIT, ANNULLED)

# The lines of the rule, in the order in which they are tried; docs/resolutions.md says what each means.
UNLISTED, NOT_CLOSED, NOT_TWO, ODD_PRICES = "unlisted", "not_closed", "not_two_outcomes", "odd_prices"
CONTRADICTED, CHALLENGED, CONFIRMED = "contradicted", "challenged", "confirmed"
PUSHED_OTHERWISE, UNCONFIRMED = "pushed_otherwise", "unconfirmed"
RULES = (UNLISTED, NOT_CLOSED, NOT_TWO, ODD_PRICES, CONTRADICTED, CHALLENGED, CONFIRMED, PUSHED_OTHERWISE, UNCONFIRMED)  # fmt: skip

LABELS: dict[Payouts, int] = {(E6, 0): 1, (0, E6): 0}
HALVES: Payouts = (E6 // 2, E6 // 2)
# Of a settled market by its label; without one it was split.
PAYOUTS: dict[int | None, Payouts] = {**{label: payouts for payouts, label in LABELS.items()}, None: HALVES}

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
_RESOLVED = "resolved"


@dataclass(frozen=True)
class Evidence:
    """What each service said; None where it was not asked, or has nothing on the market."""

    end: MarketEnd | None
    data: ResolutionRow | None = None
    clob: ClobMarket | None = None
    # The point of the canonical token's price history that marks its payout.
    payout: PricePoint | None = None
    pushed: tuple[ResolvedPush, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What the evidence amounts to: by which line of the rule, and why in words.

    `payouts_e6` are of each outcome once settled.
    """

    state: str
    rule: str
    reason: str
    label: int | None = None
    payouts_e6: Payouts | None = None
    was_disputed: bool = False

    @property
    def wants_confirmation(self) -> bool:
        """Whether one more independent service could settle it."""
        return self.rule in (PUSHED_OTHERWISE, UNCONFIRMED)


def decide(evidence: Evidence) -> Decision:
    """The decision for one market."""
    end = evidence.end
    disputed = _was_disputed(evidence)
    if end is None or not end.closed:
        rule = UNLISTED if end is None else NOT_CLOSED
        return Decision(_standing(evidence), rule, _not_closed(evidence), was_disputed=disputed)
    if len(end.token_ids) != 2:
        reason = f"{len(end.token_ids)} outcomes, two are needed"
        return Decision(AMBIGUOUS, NOT_TWO, reason, was_disputed=disputed)
    payouts = _payouts(end.prices)
    if payouts not in LABELS and payouts != HALVES:
        said = "/".join(end.prices) or "no prices"
        reason = f"closed at {said}: neither 1/0 nor 0.5/0.5"
        return Decision(AMBIGUOUS, ODD_PRICES, reason, was_disputed=disputed)
    return _weigh(evidence, payouts, disputed)


def tells(evidence: Evidence) -> bool:
    """Whether any service lets one guess the result: from then on prices are no features. Pushes have their own instant."""
    if _standing(evidence) != OPEN or (evidence.end is not None and evidence.end.closed):
        return True
    named = bool(list(_voices(evidence)))
    return named or (evidence.end is not None and _payouts(evidence.end.prices) in LABELS)


def still_stands(
    settled: Payouts, decision: Decision, evidence: Evidence, known: tuple[ResolvedPush, ...]
) -> bool:
    """Whether nothing now speaks against what was settled at these payouts: silence takes no label back, a dispute does.

    `known` are the pushes that were known when it was settled.
    """
    end, news = evidence.end, [push for push in evidence.pushed if push not in known]
    if decision.state == DISPUTED:
        return False
    if decision.rule == UNLISTED:
        return all(said == settled for _, said in _voices(evidence))
    unconfirmed = decision.rule == UNCONFIRMED or (decision.rule == PUSHED_OTHERWISE and not news)
    return unconfirmed and end is not None and _payouts(end.prices) == settled


def _weigh(evidence: Evidence, payouts: Payouts, disputed: bool) -> Decision:
    """Final prices against what the other services say of them."""
    end = evidence.end
    assert end is not None
    voices = dict(_voices(evidence))
    against = [f"{name} says {_written(said)}" for name, said in voices.items() if said != payouts]
    if against:
        reason = f"the catalogue says {_written(payouts)}, but {' and '.join(against)}"
        return Decision(AMBIGUOUS, CONTRADICTED, reason, was_disputed=disputed)
    if evidence.data is not None and _DATA.get(evidence.data.status) == DISPUTED:
        reason = f"the Data API says {evidence.data.status}"
        return Decision(DISPUTED, CHALLENGED, reason, was_disputed=True)
    pushed = [said for said in _pushed(evidence) if said != payouts]
    otherwise = f"the stream pushed {' and '.join(map(_written, pushed))}" if pushed else ""
    own = end.status == _RESOLVED and not pushed
    confirmed = [*(["the catalogue"] if own else []), *voices]
    if confirmed:
        state = FINAL if payouts in LABELS else SPLIT
        reason = f"{_written(payouts)}, confirmed by {' and '.join(confirmed)}"
        reason += f", though {otherwise}" if pushed else ""
        return Decision(state, CONFIRMED, reason, LABELS.get(payouts), payouts, disputed)
    return _doubt(end, payouts, otherwise, disputed)


def _doubt(end: MarketEnd, payouts: Payouts, otherwise: str, disputed: bool) -> Decision:
    """Final prices that no independent service confirms."""
    if otherwise:
        reason = (
            f"the catalogue says {_written(payouts)}, but {otherwise}, and no other service confirms either"
        )
        return Decision(AMBIGUOUS, PUSHED_OTHERWISE, reason, was_disputed=disputed)
    standing = DISPUTED if end.status == DISPUTED else PROPOSED
    reason = f"closed at {_written(payouts)} with status {end.status or 'absent'}, and nobody confirms it"
    return Decision(standing, UNCONFIRMED, reason, was_disputed=disputed)


def _voices(evidence: Evidence) -> Iterator[tuple[str, Payouts]]:
    """Payouts named by services other than the catalogue; silence is no voice."""
    data, clob, payout = evidence.data, evidence.clob, evidence.payout
    if data is not None and data.status == _RESOLVED and data.payouts_e6:
        yield "the Data API", tuple(data.payouts_e6)
    if clob is not None and any(token.winner for token in clob.tokens):
        won = {token.token_id for token in clob.tokens if token.winner}
        order = evidence.end.token_ids if evidence.end else tuple(token.token_id for token in clob.tokens)
        yield "the order-book service", tuple(E6 if token in won else 0 for token in order)
    if payout is not None:
        paid = round(payout.price * E6)
        yield "the settlement price", (paid, E6 - paid)


def _pushed(evidence: Evidence) -> list[Payouts]:
    """Payouts that pushes name, each once; one without a winner names none."""
    tokens = evidence.end.token_ids if evidence.end else ()
    won = dict.fromkeys(push.winning_token_id for push in evidence.pushed if push.winning_token_id)
    return [tuple(E6 if token == winner else 0 for token in tokens) for winner in won]


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
