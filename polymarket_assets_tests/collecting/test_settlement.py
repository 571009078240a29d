"""A label is given only where the venue's services leave no doubt, and every doubt has its reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from polymarket_assets.collecting import settlement
from polymarket_assets.collecting.settlement import Evidence
from polymarket_assets.venue.records import (
    ClobMarket,
    ClobToken,
    MarketEnd,
    PricePoint,
    ResolutionRow,
    ResolvedPush,
)
from polymarket_assets_tests.conftest import PROJECT

YES, NO = ("1", "0"), ("0", "1")
TOKENS = ("11", "22")
WON, LOST, HALF = (1_000_000, 0), (0, 1_000_000), (500_000, 500_000)


def end(prices: tuple[str, ...] = YES, status: str | None = "resolved", **changed: Any) -> MarketEnd:
    fields: dict[str, Any] = {"closed": True, "closed_at": None, "token_ids": TOKENS}
    return MarketEnd(
        market_id="pm:0x1", condition_id="0x1", prices=prices, status=status, **{**fields, **changed}
    )


def data(status: str = "resolved", payouts: tuple[int, ...] | None = WON, disputed: bool = False) -> ResolutionRow:  # fmt: skip
    return ResolutionRow(
        condition_id="0x1", status=status, was_disputed=disputed, payouts_e6=payouts, resolved_at=None
    )


def clob(*winners: str) -> ClobMarket:
    return ClobMarket(
        condition_id="0x1",
        closed=True,
        tokens=tuple(ClobToken(token, "?", token in winners) for token in TOKENS),
    )


def paid(price: float) -> PricePoint:
    return PricePoint(datetime(2026, 11, 2, tzinfo=UTC), price, 0)


def pushed(*winners: str | None) -> tuple[ResolvedPush, ...]:
    return tuple(
        ResolvedPush(condition_id="0x1", winning_token_id=token, winning_outcome=None, venue_at=None)
        for token in winners
    )


OPEN = {"closed": False}
ROWS: list[tuple[str, Evidence, str, int | None]] = [
    ("resolved yes", Evidence(end(YES)), "final", 1),
    ("resolved no", Evidence(end(NO)), "final", 0),
    ("prices written with decimals", Evidence(end(("1.0", "0.000"))), "final", 1),
    ("all three agree", Evidence(end(NO), data(payouts=LOST), clob("22")), "final", 0),
    ("resolved halves", Evidence(end(("0.5", "0.5"))), "split", None),
    ("halves confirmed by data", Evidence(end(("0.5", "0.5"), None), data(payouts=HALF)), "split", None),
    ("halves nobody confirms", Evidence(end(("0.5", "0.5"), "proposed")), "proposed", None),
    ("one and one", Evidence(end(("1", "1"))), "ambiguous", None),
    ("zero and zero", Evidence(end(("0", "0"))), "ambiguous", None),
    ("fractions", Evidence(end(("0.58", "0.42"))), "ambiguous", None),
    ("nearly one", Evidence(end(("0.9999999", "0.0000001"))), "ambiguous", None),
    ("no prices", Evidence(end(())), "ambiguous", None),
    ("prices that are no numbers", Evidence(end(("NaN", "0"))), "ambiguous", None),
    ("three outcomes", Evidence(end(("1", "0", "0"), token_ids=("1", "2", "3"))), "ambiguous", None),
    ("stuck proposed", Evidence(end(YES, "proposed")), "proposed", None),
    ("stuck proposed, data confirms", Evidence(end(YES, "proposed"), data()), "final", 1),
    ("stuck proposed, winner named", Evidence(end(NO, "proposed"), clob=clob("22")), "final", 0),
    ("stuck proposed, no winner", Evidence(end(YES, "proposed"), clob=clob()), "proposed", None),
    ("stuck disputed", Evidence(end(YES, "disputed")), "disputed", None),
    ("stuck disputed, winner named", Evidence(end(YES, "disputed"), clob=clob("11")), "final", 1),
    ("no status", Evidence(end(YES, None)), "proposed", None),
    ("no status, winner named", Evidence(end(YES, None), clob=clob("11")), "final", 1),
    ("data contradicts", Evidence(end(YES), data(payouts=LOST)), "ambiguous", None),
    ("winner contradicts", Evidence(end(YES), clob=clob("22")), "ambiguous", None),
    ("two winners", Evidence(end(YES, None), clob=clob("11", "22")), "ambiguous", None),
    ("data contradicts halves", Evidence(end(("0.5", "0.5")), data(payouts=WON)), "ambiguous", None),
    ("resolved, data disputes", Evidence(end(YES), data("challenged", None)), "disputed", None),
    ("resolved, data lags", Evidence(end(YES), data("posed", None)), "final", 1),
    ("data resolved without payouts", Evidence(end(YES, None), data(payouts=None)), "proposed", None),
    ("open", Evidence(end(("0.4", "0.6"), None, **OPEN)), "open", None),
    ("open and proposed", Evidence(end(("0.9", "0.1"), "proposed", **OPEN)), "proposed", None),
    ("open, data disputes", Evidence(end(YES, "proposed", **OPEN), data("disputed", None)), "disputed", None),
    ("not closed, all say resolved", Evidence(end(YES, **OPEN), data(), clob("11")), "proposed", None),
    ("unknown word", Evidence(end(("0.4", "0.6"), "meditating", **OPEN)), "open", None),
    ("unknown to the catalogue", Evidence(None), "open", None),
    ("delisted, data resolved", Evidence(None, data()), "proposed", None),
    ("stuck proposed, only the settlement price speaks", Evidence(end(NO, "proposed"), payout=paid(0)), "final", 0),
    ("halves, only the settlement price speaks", Evidence(end(("0.5", "0.5"), None), payout=paid(0.5)), "split", None),
    ("settlement price contradicts", Evidence(end(YES, "proposed"), payout=paid(0)), "ambiguous", None),
    ("a settlement price between", Evidence(end(YES, "proposed"), payout=paid(0.7)), "ambiguous", None),
    ("pushed the same", Evidence(end(YES), pushed=pushed("11")), "final", 1),
    ("pushed, and nothing else", Evidence(end(("0.4", "0.6"), None, **OPEN), pushed=pushed("11")), "open", None),
    ("pushed the same, nobody confirms", Evidence(end(YES, "proposed"), pushed=pushed("11")), "proposed", None),
    ("pushed otherwise", Evidence(end(YES), pushed=pushed("22")), "ambiguous", None),
    ("pushed otherwise, status absent", Evidence(end(YES, None), pushed=pushed("22")), "ambiguous", None),
    ("pushed otherwise, data confirms", Evidence(end(YES), data(), pushed=pushed("22")), "final", 1),
    ("pushed otherwise, winner named", Evidence(end(YES), clob=clob("11"), pushed=pushed("22")), "final", 1),
    ("pushed otherwise, settlement price confirms", Evidence(end(YES), payout=paid(1), pushed=pushed("22")), "final", 1),
    ("pushed otherwise, and so says the winner", Evidence(end(YES), clob=clob("22"), pushed=pushed("22")), "ambiguous", None),
    ("pushed both", Evidence(end(YES), pushed=pushed("11", "22")), "ambiguous", None),
    ("pushed a token of another market", Evidence(end(YES), pushed=pushed("33")), "ambiguous", None),
    ("pushed without a winner", Evidence(end(YES), pushed=pushed(None)), "final", 1),
    ("halves, a winner pushed", Evidence(end(("0.5", "0.5")), pushed=pushed("11")), "ambiguous", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("evidence", "state", "label"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_the_rule(evidence: Evidence, state: str, label: int | None) -> None:
    """A wrong label teaches a model a lie; a doubtful one is worth less than none."""
    decision = settlement.decide(evidence)
    assert (decision.state, decision.label) == (state, label), decision.reason
    assert (decision.label is not None) == (decision.state == "final")
    assert (decision.payouts_e6 is not None) == (decision.state in ("final", "split"))
    assert decision.reason


def test_every_line_of_the_rule_is_met_and_told() -> None:
    """A line that no row above reaches would be untested; one that is not documented, unexplained."""
    described = (PROJECT / "docs" / "resolutions.md").read_text()
    assert {settlement.decide(evidence).rule for _, evidence, *_ in ROWS} == set(settlement.RULES)
    for rule in settlement.RULES:
        assert f"| `{rule}` |" in described


def test_a_push_that_says_otherwise_is_told_with_the_label_it_did_not_prevent() -> None:
    decision = settlement.decide(Evidence(end(YES), data(), pushed=pushed("22")))
    assert decision.reason == "1/0, confirmed by the Data API, though the stream pushed 0/1"
    doubt = settlement.decide(Evidence(end(YES), pushed=pushed("22")))
    assert "the catalogue says 1/0, but the stream pushed 0/1" in doubt.reason


def test_a_confirmation_is_wanted_only_where_it_could_settle_the_matter() -> None:
    """Asking the order-book service about every market would cost a request each."""
    wanting = [name for name, evidence, *_ in ROWS if settlement.decide(evidence).wants_confirmation]
    assert wanting[:6] == ["halves nobody confirms", "stuck proposed", "stuck proposed, no winner", "stuck disputed", "no status", "data resolved without payouts"]  # fmt: skip
    assert wanting[6:] == ["pushed the same, nobody confirms", "pushed otherwise", "pushed otherwise, status absent", "pushed both", "pushed a token of another market", "halves, a winner pushed"]  # fmt: skip


@pytest.mark.parametrize(
    ("evidence", "disputed"),
    [
        (Evidence(end(statuses=("proposed", "disputed", "proposed", "resolved"))), True),
        (Evidence(end(YES, "disputed")), True),
        (Evidence(end(), data(disputed=True)), True),
        (Evidence(end(**OPEN), data("arbitration", None)), True),
        (Evidence(end(statuses=("proposed", "resolved")), data()), False),
    ],
)
def test_a_dispute_anywhere_is_remembered(evidence: Evidence, disputed: bool) -> None:
    assert settlement.decide(evidence).was_disputed is disputed


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        (Evidence(end(("0.4", "0.6"), None, **OPEN)), False),
        (Evidence(end(("0.999", "0.001"), None, **OPEN)), False),
        (Evidence(end(YES, None, **OPEN)), True),
        (Evidence(end(("0.4", "0.6"), "proposed", **OPEN)), True),
        (Evidence(end(("0.4", "0.6"), None, **OPEN), data()), True),
        (Evidence(end(("0.4", "0.6"), None, **OPEN), clob=clob("11")), True),
        (Evidence(end(("0.4", "0.6"), None)), True),
        (Evidence(None), False),
    ],
)
def test_from_the_first_hint_on_the_result_counts_as_known(evidence: Evidence, told: bool) -> None:
    """Prices after a hint contain the answer; features must end before it."""
    assert settlement.tells(evidence) is told


STANDS: list[tuple[str, Evidence, tuple[ResolvedPush, ...], bool]] = [
    ("not listed any more", Evidence(None), (), True),
    ("not listed, and the Data API as before", Evidence(None, data()), (), True),
    ("not listed, and the Data API otherwise", Evidence(None, data(payouts=LOST)), (), False),
    ("not listed, and disputed", Evidence(None, data("disputed", None)), (), False),
    ("the catalogue forgot its status", Evidence(end(YES, None)), (), True),
    ("proposed again at the same prices", Evidence(end(YES, "proposed")), (), True),
    ("disputed at the same prices", Evidence(end(YES, "disputed")), (), False),
    ("other prices, not confirmed yet", Evidence(end(NO, "proposed")), (), False),
    ("not closed any more", Evidence(end(("0.4", "0.6"), None, **OPEN)), (), False),
    ("prices that pay nobody", Evidence(end(("1", "1"))), (), False),
    ("a service contradicts", Evidence(end(YES), clob=clob("22")), (), False),
    ("a push that came since", Evidence(end(YES), pushed=pushed("22")), (), False),
    ("a push that was known", Evidence(end(YES), pushed=pushed("22")), pushed("22"), True),
]


@pytest.mark.parametrize(
    ("evidence", "known", "stands"), [row[1:] for row in STANDS], ids=[row[0] for row in STANDS]
)
def test_silence_takes_no_label_back(
    evidence: Evidence, known: tuple[ResolvedPush, ...], stands: bool
) -> None:
    """A service that is down for a minute would withdraw labels, and a dispute that came late would not."""
    decision = settlement.decide(evidence)
    assert settlement.still_stands(WON, decision, evidence, known) is stands, decision.reason
