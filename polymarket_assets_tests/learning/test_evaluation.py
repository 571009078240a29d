"""Evaluation: scores against the price, intervals over groups, and a verdict one can quote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from polymarket_assets.learning import evaluation, plots
from polymarket_assets.learning.training import PREDICTIONS


def predictions(
    groups: int = 200, per_group: int = 3, *, bias: float = 0.0, seed: int = 0, source: str = "s"
) -> pa.Table:
    """Groups with one outcome each; the market is off by `bias` logit and the model is not."""
    dice = np.random.default_rng(seed)
    true = dice.uniform(0.1, 0.9, groups)
    label = (dice.random(groups) < true).astype(int)
    mid = 1 / (1 + np.exp(-(np.log(true / (1 - true)) - bias)))
    each = {
        "label": label,
        "mid": mid,
        "probability": true,
        "baseline_b2": mid,
        "weight": np.full(groups, 1 / per_group),
    }
    columns: dict[str, Any] = {name: np.repeat(values, per_group) for name, values in each.items()}
    count = groups * per_group
    columns |= {
        "market_id": [f"m{n}" for n in range(count)], "group_id": np.repeat([f"g{n}" for n in range(groups)], per_group),
        "as_of": np.arange(count) * 10**6, "source": [source] * count, "fold": np.zeros(count, int),
    }  # fmt: skip
    return pa.table(
        {name: pa.array(columns[name]).cast(PREDICTIONS.field(name).type) for name in PREDICTIONS.names}
    )


def test_the_price_itself_has_no_skill_and_beats_nothing() -> None:
    overall = evaluation.evaluate(predictions()).overall
    assert (overall.brier_skill.value, overall.brier_skill.low, overall.brier_skill.high) == (0, 0, 0)
    assert overall.log_loss == overall.log_loss_b1
    assert not overall.beats
    assert "does not beat the market's price" in overall.verdict


def test_figures_equal_their_definitions() -> None:
    given = predictions(50, bias=0.4)
    frame = given.to_pandas()
    overall = evaluation.evaluate(given).overall
    brier = {
        name: np.average((frame[name] - frame["label"]) ** 2, weights=frame["weight"])
        for name in ("mid", "probability")
    }
    taken = np.where(frame["label"] == 1, frame["probability"], 1 - frame["probability"])
    assert overall.brier == pytest.approx(brier["probability"])
    assert overall.brier_skill.value == pytest.approx(1 - brier["probability"] / brier["mid"])
    assert overall.log_loss == pytest.approx(np.average(-np.log(taken), weights=frame["weight"]))
    assert (overall.rows, overall.groups, overall.markets) == (150, 50, 150)


def test_intervals_do_not_shrink_when_rows_of_a_group_are_repeated() -> None:
    """Rows of one event are one observation: counted apart, intervals came out four to seven times too narrow."""
    once, often = (evaluation.evaluate(predictions(300, n, bias=0.5)).overall.brier_skill for n in (1, 40))
    assert (often.low, often.high) == pytest.approx((once.low, once.high), rel=1e-9)


def test_a_better_model_is_said_to_beat_the_price_and_to_be_audited() -> None:
    found = evaluation.evaluate(predictions(5000, bias=0.8)).overall
    assert found.beats
    assert found.suspicious
    assert "audit for a leak" in found.verdict


def test_a_small_gain_on_many_groups_is_a_claim_and_on_few_is_none() -> None:
    many = evaluation.evaluate(predictions(6000, 1, bias=0.3)).overall
    few = evaluation.evaluate(predictions(200, 1, bias=0.2)).overall
    assert many.beats
    assert "beats the market's price:" in many.verdict
    assert not few.beats
    assert few.detectable_logit > 0.5 > many.detectable_logit


def test_beating_the_price_but_not_its_recalibration_is_said_so() -> None:
    given = predictions(6000, 1, bias=0.3)
    index = given.schema.get_field_index("baseline_b2")
    recalibrated = given.set_column(index, "baseline_b2", given.column("probability"))
    assert "not a recalibration of it" in evaluation.evaluate(recalibrated).overall.verdict


def test_sources_are_judged_apart() -> None:
    good, bad = predictions(400, bias=0.8, source="good"), predictions(400, source="even", seed=1)
    found = evaluation.evaluate(pa.concat_tables([good, bad]))
    assert [scores.source for scores in found.scores] == ["all", "even", "good"]
    metrics = found.metrics()
    assert metrics["brier_skill.even"] == 0 < metrics["brier_skill.good"]
    assert metrics["groups.good"] == 400
    assert all(isinstance(value, float) for value in metrics.values())
    assert "| good |" in found.table()


def test_the_bootstrap_is_repeatable_and_quick() -> None:
    import time

    given = predictions(10_000, 2, bias=0.2)
    began = time.perf_counter()
    one = evaluation.evaluate(given)
    assert time.perf_counter() - began < 20
    assert one == evaluation.evaluate(given)


def test_reliability_bins_hold_equal_weight_and_show_the_bias() -> None:
    found = evaluation.evaluate(predictions(6000, 1, bias=0.8)).reliability
    assert len(found["market"].predicted) == evaluation.BINS
    gaps = {name: np.mean(np.subtract(bins.observed, bins.predicted)) for name, bins in found.items()}
    assert gaps["market"] > 0.1 > abs(gaps["model"])


def test_pictures_are_drawn(tmp_path: Path) -> None:
    found = evaluation.evaluate(predictions())
    drawn = plots.draw(found, {"logit_mid": 0.7, "spread_c": 0.3}, tmp_path)
    assert [path.name for path in drawn] == ["reliability.png", "skill_by_source.png", "feature_gain.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)
    assert len(plots.draw(found, {}, tmp_path)) == 2
