"""Strategies: who wants what at a decision, and in which order wishes are served."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from polymarket_assets.learning.backtest.rules import Rules
from polymarket_assets.learning.backtest.strategies import LONGSHOTS, MODEL, RANDOM, STRATEGIES
from polymarket_assets_tests.learning.backtest.worlds import T0, rows


def decision(**named: Any) -> dict[str, Any]:
    return {"market_id": "m", "group_id": "g", "as_of": T0, "mid": 0.5, "probability": 0.6, "correction_sd": 0.1, **named}  # fmt: skip


def shifted(probability: float, logits: float) -> float:
    return 1 / (1 + math.exp(-(math.log(probability / (1 - probability)) + logits)))


@pytest.mark.parametrize(
    ("named", "outcome", "belief"),
    [
        ({}, 0, shifted(0.6, -0.1645)),
        ({"probability": 0.4}, 1, 1 - shifted(0.4, 0.1645)),
        ({"correction_sd": 0.0}, 0, 0.6),
        ({"correction_sd": 0.3}, -1, None),
        ({"correction_sd": None}, -1, None),
        ({"probability": None}, -1, None),
        ({"probability": 1.0, "mid": 0.99, "correction_sd": 0.0}, 0, 1 - 1e-6),
    ],
)
def test_a_forecast_wants_what_its_lower_end_is_worth_more_than(named: dict[str, Any], outcome: int, belief: float | None) -> None:  # fmt: skip
    found = STRATEGIES[MODEL](rows([decision(**named)]), Rules(), 0)
    assert found.outcome.tolist() == [outcome]
    if belief is not None:
        assert found.belief[0] == pytest.approx(belief)


@pytest.mark.parametrize(("mid", "outcome"), [(0.15, 1), (0.01, 1), (0.16, -1), (0.9, -1)])
def test_longshots_are_sold_whatever_the_model_says(mid: float, outcome: int) -> None:
    found = STRATEGIES[LONGSHOTS](rows([decision(mid=mid, probability=0.99)]), Rules(), 0)
    assert found.outcome.tolist() == [outcome]
    assert outcome < 0 or found.belief[0] == pytest.approx(1 - mid / 2)


def test_a_coin_turns_whole_groups_and_leaves_the_size_of_convictions() -> None:
    given = rows([decision(market_id=f"m{n}", group_id=f"g{n // 3}") for n in range(300)])
    model, thrown = (STRATEGIES[name](given, Rules(), 1) for name in (MODEL, RANDOM))
    assert np.allclose(model.belief, thrown.belief)
    sides = thrown.outcome.reshape(-1, 3)
    assert (sides == sides[:, :1]).all()
    assert 30 < sides[:, 0].sum() < 70
    assert not np.array_equal(STRATEGIES[RANDOM](given, Rules(), 2).outcome, thrown.outcome)


def test_wishes_are_served_by_instant_then_by_strength_then_by_name() -> None:
    """Of siblings at one instant the first takes the group's stake: it must not be whichever row came first."""
    given = [
        decision(market_id="late", as_of=T0 + timedelta(hours=1), probability=0.9),
        decision(market_id="weak", probability=0.58),
        decision(market_id="b", probability=0.7),
        decision(market_id="none", probability=0.5),
        decision(market_id="a", probability=0.7),
    ]
    for turn in range(5):
        table = rows(given[turn:] + given[:turn])
        order = STRATEGIES[MODEL](table, Rules(), 0).order(table)
        assert pa.array(table.column("market_id").to_pylist()).take(pa.array(order)).to_pylist() == ["a", "b", "weak", "late"]  # fmt: skip
