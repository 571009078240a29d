"""Outcomes of stored predictions: each counts once an hour, when its market was due, and never when the result was known."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import evaluation
from polymarket_assets.learning.live import outcomes
from polymarket_assets_tests.learning.rows import HOUR, MINUTE, NOON, publish, resolution

END = NOON + 6 * HOUR
LATER = END + 24 * HOUR


def prediction(market: str, as_of: datetime, **more: Any) -> dict[str, Any]:
    return {
        "model_version": "polymarket/2", "role": "shadow", "market_id": market, "as_of": as_of, "mid": 0.4, "probability": 0.5, "correction_sd": 0.1,
        "created_at": as_of + MINUTE, "group_id": "g", "scheduled_end": END, "category": "sports", "tier": "t2", "horizon_h": 1.0, **more,
    }  # fmt: skip


def decided(tmp_path: Path, predicted: list[dict[str, Any]], ends: list[dict[str, Any]], now: datetime = LATER) -> list[dict[str, Any]]:  # fmt: skip
    lake = Lake(tmp_path)
    for n, row in enumerate(predicted):
        lake.publish_rows("predictions", [row], part=f"{n}", at=row["as_of"].replace(minute=0))
    publish(lake, "resolutions", ends)
    return list(outcomes.decided(lake, "polymarket/2", since=NOON - HOUR, now=now).to_pylist())


def test_the_last_word_of_an_hour_counts(tmp_path: Path) -> None:
    said = [prediction("pm:a", NOON + n * 15 * MINUTE, probability=0.5 + n / 100) for n in range(5)]
    found = decided(tmp_path, said, [resolution("pm:a", END + HOUR, 1)])
    assert [(row["as_of"], row["probability"]) for row in found] == [(NOON + 45 * MINUTE, 0.53), (NOON + 60 * MINUTE, 0.54)]  # fmt: skip


def test_markets_of_a_group_share_the_weight_of_an_hour(tmp_path: Path) -> None:
    said = [prediction(market, END - 2 * MINUTE) for market in ("pm:a", "pm:b", "pm:c")]
    found = decided(tmp_path, said, [resolution("pm:a", END, 1), resolution("pm:b", END, 0)])
    assert [row["weight"] for row in found] == pytest.approx([1 / 3, 1 / 3]), (
        "the third is open, and was there"
    )


def weights(tmp_path: Path, hours: int, *, end: datetime = END, markets: tuple[str, ...] = ("pm:a",)) -> list[float]:  # fmt: skip
    """Of a group that was spoken of in so many hours from noon on."""
    said = [prediction(market, NOON + n * HOUR + 45 * MINUTE, scheduled_end=end) for n in range(hours) for market in markets]  # fmt: skip
    found = decided(tmp_path, said, [resolution(market, end + 3 * HOUR, 1) for market in markets])
    return [row["weight"] for row in found]


@pytest.mark.parametrize(("hours", "end", "markets"), [
    (1, NOON + HOUR, ("pm:a",)),
    (6, END, ("pm:a",)),
    (6, END - 30 * MINUTE, ("pm:a",)),
    (6, END, ("pm:a", "pm:b", "pm:c")),
], ids=["an hour", "six hours", "until half past", "six hours of three markets"])  # fmt: skip
def test_a_group_weighs_one_however_long_it_was_spoken_of(hours: int, end: datetime, markets: tuple[str, ...], tmp_path: Path) -> None:  # fmt: skip
    """A group watched for two days would count as 48 that were watched for an hour."""
    assert sum(weights(tmp_path, hours, end=end, markets=markets)) == pytest.approx(1)


@pytest.mark.parametrize("hours", [1, 3, 6, 8])
def test_weights_do_not_change_with_what_came_after(hours: int, tmp_path: Path) -> None:
    """Early ends tell of the outcome: by the hours that it turned out to last, a group that ended early would weigh more an hour (L4)."""
    whole = weights(tmp_path / "whole", 9)
    assert len(whole) == 9
    assert weights(tmp_path / "part", hours) == pytest.approx(whole[:hours])


LEFT_OUT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("of another model", {"model_version": "polymarket/1"}, {}),
    ("not due yet", {"scheduled_end": LATER + HOUR}, {}),
    ("of before the time asked for", {"as_of": NOON - 2 * HOUR}, {}),
    ("after the result was known", {}, {"decided_seen_at": NOON - MINUTE}),
    ("stored when the label was there", {"created_at": END + 2 * HOUR}, {}),
    ("split", {}, {"state": "split", "label": None}),
    ("disputed", {}, {"state": "disputed", "label": None}),
]


@pytest.mark.parametrize(("said", "ended"), [(said, ended) for _, said, ended in LEFT_OUT], ids=[name for name, *_ in LEFT_OUT])  # fmt: skip
def test_what_is_no_fair_test_is_left_out(
    tmp_path: Path, said: dict[str, Any], ended: dict[str, Any]
) -> None:
    found = decided(tmp_path, [prediction("pm:a", **{"as_of": NOON, **said})], [resolution("pm:a", END + HOUR, 1) | ended])  # fmt: skip
    assert found == []


def test_the_newest_resolution_known_then_is_taken(tmp_path: Path) -> None:
    ends = [resolution("pm:a", END, 1), resolution("pm:a", LATER + HOUR, 0, version=2)]
    (row,) = decided(tmp_path, [prediction("pm:a", NOON)], ends)
    assert row["label"] == 1


def test_decided_predictions_can_be_judged(tmp_path: Path) -> None:
    said = [prediction(f"pm:{n}", NOON + timedelta(minutes=n), group_id=f"g{n}") for n in range(30)]
    lake = Lake(tmp_path)
    for n, row in enumerate(said):
        lake.publish_rows("predictions", [row], part=f"{n}", at=NOON)
    publish(lake, "resolutions", [resolution(f"pm:{n}", END + HOUR, n % 2) for n in range(30)])
    rows = outcomes.decided(lake, "polymarket/2", since=NOON, now=LATER)
    assert evaluation.judge_predictions(rows, draws=50).overall.groups == 30
