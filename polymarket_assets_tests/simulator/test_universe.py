"""The generated universe: what a seed decides, how much of everything there is, and that the edge is the planted one."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from simulator.edge import EDGE_LOGIT
from simulator.market import GAME, RACE, SERIES, STANDALONE, Market
from simulator.profiles import DAY_S, DEMO, HOUR_S
from simulator.universe import Universe

START = 1_795_418_700.0
DEADLINE = re.compile(r"\b(by|before) [A-Z][a-z]+ \d")


@pytest.fixture(scope="module")
def universe() -> Universe:
    return Universe(7, DEMO, START)


def open_(universe: Universe, now: float = START) -> list[Market]:
    return [
        market for market in universe.markets.values() if not market.closed(now) and not market.placeholder
    ]


def test_the_same_seed_gives_the_same_universe_relative_to_its_start(universe: Universe) -> None:
    again, later = Universe(7, DEMO, START), Universe(7, DEMO, START + 40)
    for other, shift in ((again, 0.0), (later, 40.0)):
        brief = {m.condition_id: m for m in open_(other, START + shift) if m.event.kind != SERIES}
        for market in (m for m in open_(universe) if m.event.kind != SERIES):
            twin = brief[market.condition_id]
            assert twin.tokens == market.tokens
            assert twin.ending.payouts == market.ending.payouts
            assert twin.truth(START + shift + 30) == pytest.approx(market.truth(START + 30), abs=0.05)
    assert {m.condition_id for m in open_(Universe(8, DEMO, START))}.isdisjoint(universe.by_condition)


def test_there_is_as_much_of_everything_as_the_demo_promises(universe: Universe) -> None:
    listed = open_(universe)
    assert 60 <= len(listed) <= 95
    assert 12 <= sum(market.ends_at - market.listed_at <= 240 for market in listed) <= 32
    assert {market.event.kind for market in listed} == {STANDALONE, RACE, SERIES, GAME}
    left = Counter(int(np.searchsorted([1, 4, 12, 48], (m.ends_at - START) / HOUR_S)) for m in listed)
    assert min(left[tier] for tier in range(5)) >= 5


def test_each_of_the_three_days_before_closed_about_150_markets(universe: Universe) -> None:
    midnight = START // DAY_S * DAY_S
    over = [market for market in universe.markets.values() if market.closed(START)]
    days = Counter(int((market.ending.closed_at - midnight) // DAY_S) for market in over)
    assert set(days) == {-3, -2, -1}
    assert all(130 <= count <= 190 for count in days.values())
    assert max(len(event.markets) for event in universe.events) <= 6


def test_markets_keep_appearing_and_ending(universe: Universe) -> None:
    universe = Universe(5, DEMO, START)
    for minute in range(1, 16):
        now = START + 60 * minute
        born = list(universe.appear(now))
        brief = [m for m in open_(universe, now) if m.ends_at - m.listed_at <= 240]
        assert born
        assert 8 <= len(brief) <= 38
    ended = [m for m in universe.markets.values() if START < m.ending.closed_at <= now]
    assert 5 <= len(ended) / 15 <= 16


def test_both_generations_are_there_and_ids_have_their_forms(universe: Universe) -> None:
    markets = list(universe.markets.values())
    v2 = [market for market in markets if market.version == "v2"]
    assert 0.17 <= len(v2) / len(markets) <= 0.33
    for market in markets:
        assert re.fullmatch(r"0x[0-9a-f]{64}", market.condition_id)
        assert len(market.gamma_condition) == (64 if market.version == "v2" else 66)
    assert all(int(m.tokens[1]) - int(m.tokens[0]) == 1 for m in v2)
    assert any(market.version == "v1" and market.position_ids for market in markets)


def test_an_event_of_a_race_pays_one_leg(universe: Universe) -> None:
    for event in universe.events:
        if event.kind == RACE:
            legs = [market for market in event.markets if not market.placeholder]
            assert sum(market.ending.payouts[0] for market in legs) == 1_000_000
            assert sum(market.truth(legs[0].listed_at + 30) for market in legs) == pytest.approx(1)


def test_games_trade_past_a_scheduled_end_that_lies_before_their_start(universe: Universe) -> None:
    games = [m for event in universe.events if event.kind == GAME for m in event.markets if m.has_book]
    assert games
    for market in games:
        assert market.end_date is not None
        assert market.event.starts_at is not None
        assert market.end_date + 2.9 * HOUR_S <= market.event.starts_at < market.ends_at


def test_windows_lie_on_the_grid_that_their_slug_names(universe: Universe) -> None:
    windows = [m for event in universe.events if event.kind == SERIES for m in event.markets]
    for market in windows:
        found = re.search(r"-updown-(\d+)([mh])-(\d+)$", market.slug)
        assert found
        length = int(found[1]) * (60 if found[2] == "m" else 3600)
        assert int(found[3]) % length == 0
        assert market.ends_at == int(found[3]) + length


def test_halves_disputes_and_rows_stuck_for_ever_all_occur(universe: Universe) -> None:
    endings = [m.ending for m in universe.markets.values() if not m.placeholder]
    assert any(ending.outcome is None for ending in endings)
    assert any(ending.was_disputed for ending in endings)
    assert {"resolved", "proposed", None} <= {ending.final_status for ending in endings}


def test_wording_and_edge_go_together(universe: Universe) -> None:
    """The feature of the edge is the wording, and nothing but stand-alone questions has it."""
    asked = [m for m in universe.markets.values() if m.event.kind == STANDALONE and m.has_book]
    assert all((market.edge == EDGE_LOGIT) == bool(DEADLINE.search(market.question)) for market in asked)
    assert 0.4 <= np.mean([market.edge > 0 for market in asked]) <= 0.6
    assert all(m.edge == 0 for m in universe.markets.values() if m.event.kind != STANDALONE)


def test_resolved_markets_by_a_deadline_were_overpriced_by_the_planted_logit() -> None:
    """The size of the edge, measured as a model would: the constant that makes quoted prices fit the outcomes."""
    large = replace(DEMO, past_standalone=600, past_races=0, past_games=0, past_windows=0)
    markets = [m for m in Universe(3, large, START).markets.values() if m.closed(START) and m.has_book]
    for deadline, expected in ((True, EDGE_LOGIT), (False, 0.0)):
        chosen = [m for m in markets if (m.edge > 0) == deadline and m.ending.outcome is not None]
        mids = np.array([m.mid(m.listed_at + 0.5 * (m.ends_at - m.listed_at)) for m in chosen])
        won = np.array([m.ending.outcome == 0 for m in chosen])
        found, error = _offset(np.log(mids / (1 - mids)), won)
        assert len(chosen) > 1000
        assert abs(found - expected) <= 4 * error
        assert error < 0.1


def test_takers_that_overpay_lift_yes_over_no_and_nothing_else(universe: Universe) -> None:
    """The demo's edge: on top of the wording's on every Yes/No market, none on games and windows; and nothing else changes."""
    lifted = Universe(universe.seed, replace(universe.profile, overpaid_logit=0.4), universe.start)
    assert lifted.markets.keys() == universe.markets.keys()
    for number, market in lifted.markets.items():
        right = universe.markets[number]
        extra = 0.4 if market.outcomes == ("Yes", "No") else 0.0
        assert market.edge == pytest.approx(right.edge + extra)
        assert (market.truth(START), market.ending) == (right.truth(START), right.ending)
    assert {RACE, STANDALONE} == {m.event.kind for m in lifted.markets.values() if m.edge}


def _offset(logit: np.ndarray, won: np.ndarray) -> tuple[float, float]:
    """Maximum likelihood of c in P(won) = sigmoid(logit - c), and its standard error."""
    c = 0.0
    for _ in range(25):
        p = 1 / (1 + np.exp(c - logit))
        information = float((p * (1 - p)).sum())
        c += float((p - won).sum()) / information
    return c, information**-0.5
