"""Promotion: what each step of a model needs, and what happens to one that does not have it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.learning import evaluation
from polymarket_assets.learning.drift import Drifted
from polymarket_assets.learning.evaluation import Bounds, Evaluation, Interval
from polymarket_assets.learning.promotion import deciding, gates
from polymarket_assets.learning.promotion.deciding import Decision, carried_out
from polymarket_assets.learning.tracking.registry import Version
from polymarket_assets_tests.learning.evaluation.rows import rows
from polymarket_assets_tests.learning.remembered import Remembered

GREEN = gates.of_audit([], {})
NOW = datetime(2026, 6, 1, tzinfo=UTC)
PRICE = Version("1", "run1", {"says_the_price": "yes"})
OLD, NEW = Version("2", "run2", {}), Version("3", "run3", {})


def sealed(**how: Any) -> Evaluation:
    """A judgement of sealed weeks, of enough groups for a claim."""
    return evaluation.evaluate(
        rows(**{"groups": 5_000, "off": 0.2, "is_sealed": True, **how}), sealed=True, draws=300
    )


def live(**how: Any) -> Evaluation:
    return evaluation.judge_predictions(rows(**{"groups": 1_500, "weeks": 6, **how}), draws=300)


def spread_over(days: float) -> Evaluation:
    """Stored predictions from a Sunday on: after two weeks they lie in four calendar weeks."""
    sunday = datetime(2026, 1, 11, tzinfo=UTC)
    at = [sunday + timedelta(days=days * n / 1_499) for n in range(1_500)]
    return evaluation.judge_predictions(rows(1_500, 1, off=0.2, as_of=at).drop_columns(["cut_at"]), draws=300)


@pytest.fixture(scope="module")
def good() -> Evaluation:
    return sealed()


def test_a_model_that_beats_everything_on_sealed_weeks_may_be_watched(good: Evaluation) -> None:
    decision = deciding.to_shadow(NEW, gates.of_claim(good, None, GREEN), NOW)
    assert decision.is_granted, decision.table()
    assert decision.moves == {"shadow": "3"}
    assert "granted" in decision.said


@pytest.mark.parametrize(("roi_low", "worded"), [(0.01, "and profitable"), (-0.01, "not profitable"), (None, "not profitable")])  # fmt: skip
def test_a_claim_says_whether_trading_it_would_have_paid(
    roi_low: float | None, worded: str, good: Evaluation
) -> None:
    assert worded in deciding.to_shadow(NEW, gates.of_claim(good, None, GREEN), NOW, roi_low=roi_low).said


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("worse than the price", {"off": 0.0, "noise": 0.4}, "lower bound of the log-loss gain"),
    ("no better", {"off": 0.0}, "lower bound of the log-loss gain"),
    ("on too few groups", {"groups": 900, "off": 0.4}, "at least 4,000 groups"),
    ("too good", {"off": 1.0}, "not too good to be true"),
]  # fmt: skip


@pytest.mark.parametrize(("how", "reason"), [(how, reason) for _, how, reason in REFUSED], ids=[name for name, *_ in REFUSED])  # fmt: skip
def test_a_model_is_refused_with_the_reason(how: dict[str, Any], reason: str) -> None:
    decision = deciding.to_shadow(NEW, gates.of_claim(sealed(**how), None, GREEN), NOW)
    assert not decision.is_granted
    assert reason in decision.table()
    missed = [gate.name for gate in decision.gates if not gate.is_held]
    assert any(reason in name for name in missed), missed
    assert "refused" in decision.said


def gaining(judged: Evaluation, gain: Interval) -> Evaluation:
    """The same judgement with another gain over the best baseline."""
    best = judged.overall.against[judged.overall.best]
    against = {**judged.overall.against, best.baseline: replace(best, gain=Bounds(gain, None))}
    return replace(judged, scores=(replace(judged.overall, against=against),))


def test_a_gain_that_one_look_allows_is_refused_after_many(good: Evaluation) -> None:
    """Of fifty models one shows at p = 0.02 by luck; a gain far beyond that is not refused. No opening yet is one look all the same."""
    faint, none = gaining(good, Interval(0.002, 0.0001, 0.0039)), gaining(good, Interval(0.001, -0.001, 0.003))  # fmt: skip
    for judged, openings, held in ((faint, 1, True), (faint, 50, False), (good, 5, True), (none, 0, False)):
        gate = next(gate for gate in gates.of_claim(judged, None, GREEN, openings) if "openings" in gate.name)
        assert gate.is_held is held, gate


def test_without_sealed_weeks_nothing_is_claimed_but_all_is_told() -> None:
    decision = deciding.to_shadow(
        NEW, gates.of_claim(evaluation.evaluate(rows(5_000, off=0.2), draws=300), None, GREEN), NOW
    )
    assert "eight weeks" in decision.said
    assert [gate.is_held for gate in decision.gates] == [False, *[True] * (len(decision.gates) - 1)]


@pytest.mark.parametrize(
    ("groups", "against", "red", "reason"),
    [
        (900, Interval(0.001, -0.001, 0.003), [], "better than the champion"),
        (0, None, [], "better than the champion"),
        (900, Interval(0.002, 0.001, 0.003), ["groups apart"], "no leak"),
    ],
    ids=["no better", "not compared", "a leak"],
)
def test_a_champion_must_be_beaten_and_the_audit_green(good: Evaluation, groups: int, against: Interval | None, red: list[str], reason: str) -> None:  # fmt: skip
    decision = deciding.to_shadow(
        NEW, gates.of_claim(good, gates.of_comparison(groups, against), gates.of_audit(red, {})), NOW
    )
    assert [gate.name for gate in decision.gates if not gate.is_held] == [
        next(g.name for g in decision.gates if reason in g.name)
    ]


def test_a_shadow_that_does_live_what_it_did_in_training_becomes_champion() -> None:
    seen = live(off=0.2)
    decision = deciding.to_champion(NEW, OLD, gates.of_shadow(seen, seen.overall.log_loss_gain))
    assert decision.is_granted, decision.table()
    assert decision.moves == {"previous": "2", "champion": "3", "shadow": None}


@pytest.mark.parametrize(
    ("seen", "backtested", "reason"),
    [
        (None, Interval(0.01, 0.0, 0.02), "scored live"),
        (live(groups=200), Interval(0.0, -0.01, 0.01), "1,000 resolved groups"),
        (live(weeks=3), Interval(0.0, -0.01, 0.01), "4 weeks"),
        (spread_over(15), Interval(0.0, -0.01, 0.01), "4 weeks"),
        (live(noise=0.5), Interval(-0.03, -0.06, 0.01), "no worse than the price"),
        (live(), Interval(0.05, 0.045, 0.055), "live as out of fold"),
        (live(), None, "live as out of fold"),
    ],
)
def test_a_shadow_stays_one_with_the_reason(
    seen: Evaluation | None, backtested: Interval | None, reason: str
) -> None:
    decision = deciding.to_champion(NEW, OLD, gates.of_shadow(seen, backtested))
    assert reason in " ".join(gate.name for gate in decision.gates if not gate.is_held), decision.table()


@pytest.mark.parametrize(("days", "held"), [(15, False), (27.9, False), (28, True)])
def test_four_weeks_are_28_days_and_not_four_mondays(days: float, held: bool) -> None:
    seen = spread_over(days)
    gate = gates.of_shadow(seen, seen.overall.log_loss_gain)[0]
    assert len(seen.weekly.weeks) >= 4
    assert gate.is_held is held
    assert gate.told.startswith(f"{int(days)} days")


NULLS, MOVED, SLIGHT = Drifted("spread_c", 0.0, 0.1, 0.4), Drifted("spread_c", 0.4, 0.1, 0.1), Drifted("spread_c", 0.1, 0.1, 0.15)  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "drifted", "top", "stays"),
    [
        (None, [], [], True),
        (live(groups=20, noise=1.0), [], [], True),
        (live(noise=1.0), [], [], False),
        (live(off=0.2), [NULLS], [], False),
        (live(off=0.2), [MOVED], ["spread_c"], False),
        (live(off=0.2), [MOVED], ["mid"], True),
        (live(off=0.2), [SLIGHT], ["spread_c"], True),
    ],
    ids=["nothing live yet", "too few to tell", "worse live", "a source is out", "a top feature moved", "another moved", "a little"],
)  # fmt: skip
def test_a_champion_that_wears_out_gives_way_to_the_price(seen: Evaluation | None, drifted: list[Drifted], top: list[str], stays: bool) -> None:  # fmt: skip
    decision = deciding.to_stay(OLD, PRICE, gates.of_staying(seen, drifted, top), NOW)
    assert decision.is_granted is stays, decision.table()
    registry = Remembered({"champion": OLD}, [PRICE, OLD])
    assert carried_out(decision, registry) is not stays
    assert registry.aliases == ({"champion": "2"} if stays else {"previous": "2", "champion": "1"})
    assert ("given_up" in registry.versions["2"].tags) is not stays


def test_what_is_refused_moves_nothing() -> None:
    decision = Decision(
        NEW, "challenger to shadow", gates.of_claim(sealed(groups=100), None, GREEN), {"shadow": "3"}
    )
    registry = Remembered({}, [NEW])
    assert not carried_out(decision, registry)
    assert registry.aliases == {}


@pytest.mark.parametrize(
    ("one", "other", "agreed"),
    [
        (Interval(0.01, 0.0, 0.02), Interval(0.0, -0.01, 0.01), True),
        (Interval(0.02, 0.01, 0.03), Interval(0.0, -0.01, 0.01), False),
    ],
)
def test_figures_agree_when_their_intervals_explain_the_difference(one: Interval, other: Interval, agreed: bool) -> None:  # fmt: skip
    assert gates.agree(one, other) is agreed
