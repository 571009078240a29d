"""Judging: parts, sealed weeks, verdicts; what is said is what the rows allow."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from polymarket_assets.learning import evaluation
from polymarket_assets.learning.errors import NothingToJudge
from polymarket_assets.learning.evaluation import claims, intervals
from polymarket_assets.learning.out_of_fold import BASELINES
from polymarket_assets_tests.learning.evaluation.rows import replaced, rows

DRAWS = 400


def judged(table: pa.Table, *, sealed: bool = False) -> evaluation.Evaluation:
    return evaluation.evaluate(table, draws=DRAWS, sealed=sealed)


def test_the_price_itself_has_no_skill_and_beats_nothing() -> None:
    found = judged(rows())
    head = found.overall
    assert (head.brier_skill.value, head.brier_skill.low, head.brier_skill.high) == (0, 0, 0)
    assert head.log_loss == head.against["mid"].log_loss
    assert not head.beats
    assert not found.is_claim
    assert "does not beat the market's price" in found.verdict


def test_figures_equal_their_definitions() -> None:
    given = rows(60, off=0.4)
    frame, head = given.to_pandas(), judged(given).overall
    brier = {
        name: np.average((frame[name] - frame["label"]) ** 2, weights=frame["weight"])
        for name in ("mid", "probability")
    }
    taken = np.where(frame["label"] == 1, frame["probability"], 1 - frame["probability"])
    assert head.brier == pytest.approx(brier["probability"])
    assert head.brier_skill.value == pytest.approx(1 - brier["probability"] / brier["mid"])
    assert head.log_loss == pytest.approx(np.average(-np.log(taken), weights=frame["weight"]))
    assert (head.rows, head.groups, head.markets) == (180, 60, 60)


def test_the_best_baseline_is_the_one_of_the_lowest_log_loss_that_stands_on_all_rows() -> None:
    """A baseline that knew the outcome wins; where it is null on a row, or is the base rate, it is no rival."""
    given = rows(300)
    truth = np.clip(given.column("label").to_numpy(), 0.1, 0.9)
    assert judged(replaced(given, b3=truth)).overall.best == "b3"
    assert judged(replaced(given, b0=truth)).overall.best == "mid"
    assert judged(replaced(given, b3=np.where(np.arange(900) == 0, np.nan, truth))).overall.best == "mid"


def test_a_baseline_is_compared_on_the_rows_where_it_stands() -> None:
    given = rows(300, off=0.5)
    half = np.arange(900) < 450
    with_nulls = replaced(given, b2i=np.where(half, given.column("mid").to_numpy(), np.nan))
    found = judged(with_nulls).overall.against
    alone = judged(given.slice(0, 450)).overall.against["mid"]
    assert (found["b2i"].rows, found["b2i"].groups) == (450, 150)
    assert found["b2i"].gain.by_group.value == pytest.approx(alone.gain.by_group.value)
    assert found["b2i"].skill.by_group.value == pytest.approx(alone.skill.by_group.value)
    assert found["mid"].rows == 900


@pytest.mark.parametrize("how", ["absent", "null"])
def test_stored_predictions_are_judged_against_the_price_alone(how: str) -> None:
    """What was predicted live has no baselines: they were fitted in training only."""
    given = rows(200, off=0.6)
    kept = ["market_id", "as_of", "group_id", "mid", "probability", "label", "weight"]
    bare = given.select(kept) if how == "absent" else replaced(given, **{b: [None] * 600 for b in BASELINES})
    found = evaluation.judge_predictions(bare, draws=DRAWS)
    assert (list(found.overall.against), found.overall.best) == (["mid"], "mid")
    assert found.kind == evaluation.STORED
    assert found.overall.brier_skill.value == pytest.approx(judged(given).overall.brier_skill.value)
    assert len(found.weekly.weeks) >= 9


def test_sealed_rows_are_never_used_unless_asked_for_and_then_alone() -> None:
    given = rows(400, off=0.5)
    sealed = np.arange(1200) >= 900
    mixed = replaced(given, is_sealed=sealed)
    opened = judged(mixed, sealed=True)
    assert (judged(mixed).overall.rows, opened.overall.rows) == (900, 300)
    assert judged(mixed).overall == judged(replaced(given.slice(0, 900))).overall
    assert (judged(mixed).kind, opened.kind) == (evaluation.OPEN, evaluation.SEALED)
    assert opened.verdict.startswith("sealed weeks")
    assert opened.gates[0].is_held is True
    assert judged(mixed).gates[0].is_held is False


def test_updown_series_are_a_part_of_their_own() -> None:
    """A five-minute coin game is a toss: thousands of them would hide what is found elsewhere."""
    given = rows(400, off=0.5)
    updown = np.arange(1200) >= 900
    found = judged(replaced(given, updown_labels=updown))
    assert {s.part: s.groups for s in found.scores} == {"all": 300, "updown": 100, "recorded": 300}
    assert found.overall.brier == pytest.approx(judged(given.slice(0, 900)).overall.brier)
    assert "updown/brier_skill" in found.metrics()
    assert not found.is_updown_only


def test_where_there_is_nothing_but_updown_the_headline_says_so() -> None:
    found = judged(rows(100, updown_labels=True))
    assert found.is_updown_only
    assert "up/down series alone" in found.verdict


def test_sources_are_judged_apart() -> None:
    given = rows(800, off=0.8)
    even = np.repeat(np.arange(800) % 4 < 2, 3)
    probability = np.where(even, given.column("mid").to_numpy(), given.column("probability").to_numpy())
    found = judged(replaced(given, probability=probability, source=np.where(even, "even", "good")))
    assert [s.part for s in found.scores] == ["all", "even", "good"]
    metrics = found.metrics()
    assert metrics["even/brier_skill"] == 0 < metrics["good/brier_skill"]
    assert metrics["good/groups"] == 400
    assert all(isinstance(value, float) and np.isfinite(value) for value in metrics.values())
    assert "| good |" in found.table()


@pytest.mark.parametrize(
    ("groups", "off", "known", "said"),
    [
        (5_000, 0.8, 1.0, "audit for a leak"),
        (6_000, 0.25, 1.0, "beats the market's price:"),
        (3_900, 0.24, 1.0, "on fewer than the 4,000 groups a claim needs"),
        (200, 0.2, 0.0, "does not beat the market's price"),
        (3_000, 0.4, -1.0, "is worse than the market's price"),
    ],
)
def test_a_verdict_says_what_the_figures_allow(groups: int, off: float, known: float, said: str) -> None:
    assert said in judged(rows(groups, 1, off=off, known=known, seed=1)).verdict


def test_beating_the_price_but_not_its_recalibration_is_said_so() -> None:
    given = rows(4000, 1, off=0.25)
    found = judged(replaced(given, b2=given.column("probability").to_numpy()))
    assert "but not a recalibration of it" in found.verdict
    assert not found.overall.beats


def test_a_claim_needs_every_gate() -> None:
    """Sealed weeks, groups, weeks and categories: with all there it is a claim, and each of them can undo it."""
    good = rows(8_000, 1, off=0.25, weeks=10, is_sealed=True, seed=1)
    found = judged(good, sealed=True)
    assert [gate.name for gate in found.gates if not gate.is_held] == []
    assert found.is_claim
    single = judged(replaced(good, category=["one"] * 8_000), sealed=True)
    assert [gate.name for gate in single.gates if not gate.is_held] == ["positive without any one category"]
    category = np.where(np.arange(8_000) % 5 == 0, "one", "rest")
    worse = np.where(category == "rest", good.column("mid").to_numpy(), good.column("probability").to_numpy())
    lone = judged(replaced(good, category=category, probability=worse), sealed=True)
    assert "positive without any one category" in [gate.name for gate in lone.gates if not gate.is_held]


def test_few_resolution_days_are_said_to_tell_nothing() -> None:
    some, many = judged(rows(200, weeks=1, off=0.3)), judged(rows(200, weeks=10, off=0.3))
    few = judged(replaced(rows(200), label_seen_at=[rows(1).column("as_of")[0].as_py()] * 600))
    assert few.overall.days == 1
    assert few.overall.gain_of_days is None
    assert "too few resolution days" in few.verdict
    assert many.overall.days >= intervals.LEAST_DAYS <= some.overall.days
    assert "too few" not in many.verdict


def test_the_wider_of_both_intervals_is_quoted() -> None:
    """A day on which all markets go one way is one observation, whatever the number of groups."""
    given = rows(3000, 1, weeks=8)
    day = np.arange(3000) // 60
    dice = np.random.default_rng(0)
    shock = dice.normal(0, 1.0, 50)[day]
    label = (dice.random(3000) < 1 / (1 + np.exp(-shock))).astype(int)
    seen = [given.column("as_of")[int(60 * n)].as_py() for n in day]
    gain = judged(replaced(given, label=label, probability=np.full(3000, 0.5), mid=np.full(3000, 0.6), label_seen_at=seen)).overall.against["mid"].gain  # fmt: skip
    assert gain.by_day is not None
    assert gain.by_day.width > 1.5 * gain.by_group.width
    assert gain.wider == gain.by_day


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (rows(5).slice(0, 0), "no rows to judge"),
        (rows(5).drop_columns(["weight"]), "weight missing"),
        (replaced(rows(5), probability=[None] * 15), "15 of probability"),
        (replaced(rows(5), label=[None, *[0] * 14]), "1 of label"),
        (replaced(rows(5), label=[2, *[0] * 14]), "1 of label"),
        (replaced(rows(5), mid=[1.5, -0.1, np.nan, *[0.5] * 12]), "3 of mid"),
        (replaced(rows(5), weight=[0.0, *[1.0] * 14]), "1 of weight"),
        (rows(5, is_sealed=True), "none of 15 rows is of the open weeks"),
    ],
)
def test_rows_that_cannot_be_judged_are_refused_in_one_sentence(table: pa.Table, said: str) -> None:
    with pytest.raises(NothingToJudge, match=said):
        judged(table)


def test_what_has_one_outcome_or_one_group_is_still_judged() -> None:
    """A first day of live predictions is small: it must not end in a warning of numpy's."""
    for table in (rows(1), rows(2, label=1), rows(30, weeks=1, mid=0.5, probability=0.5)):
        found = judged(table)
        assert all(np.isfinite(value) for value in found.metrics().values())
        assert not found.overall.beats


def test_suspicion_is_of_a_high_lower_bound_or_a_large_skill_on_enough_groups() -> None:
    table = [(0.02, 0.011, 50, True), (0.031, -0.01, 300, True), (0.031, -0.01, 299, False), (0.009, 0.002, 9_000, False)]  # fmt: skip
    for value, low, groups, expected in table:
        assert claims.is_suspicious(intervals.Interval(value, low, 2 * value - low), groups) is expected


@pytest.mark.slow
def test_a_judgement_of_many_groups_is_repeatable_quick_and_flat_in_memory() -> None:
    given = rows(20_000, 2, off=0.2)
    began = time.perf_counter()
    one = evaluation.evaluate(given)
    assert time.perf_counter() - began < 20
    assert one == evaluation.evaluate(given)
    sums = np.ones((20_000, 4))
    peaks = []
    for draws in (200, 1_000):
        tracemalloc.start()
        intervals.bootstrap(sums, draws, 0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
