"""Features of recorded markets: what was known at an instant, by receipt, and nothing else."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.evidence import recorded as of_recordings
from polymarket_assets.shards import shard_of
from polymarket_assets_tests.learning.rows import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    market,
    publish,
    resolution,
    snapshot,
)

CLOSE = NOON + 90 * MINUTE  # decision instants 12:30 (1 h left), 13:00 (0.5 h), 13:15 (0.25 h)


def sampled(
    name: str, start: datetime, end: datetime, every: timedelta = 15 * SECOND, **more: Any
) -> list[dict[str, Any]]:
    """A market's snapshots at a steady cadence, the price rising by a tick each time."""
    count = int((end - start) / every)
    return [
        snapshot(name, start + n * every, 0.30 + n % 40 / 100, 0.32 + n % 40 / 100, **more)
        for n in range(count)
    ]


def rows(lake: Lake, start: datetime = NOON, hours: int = 6) -> list[dict[str, Any]]:
    return of_recordings.recorded(lake, Span(start, start + hours * HOUR)).to_pylist()


def by_horizon(lake: Lake, **where: Any) -> dict[float, dict[str, Any]]:
    return {round(row["horizon_h"], 6): row for row in rows(lake, **where)}


def test_rows_lie_on_the_decision_grid_of_the_effective_close(lake: Lake) -> None:
    publish(lake, "markets", [market("a", NOON - HOUR, CLOSE)])
    publish(lake, "snapshots", sampled("a", NOON, CLOSE))
    found = by_horizon(lake)
    assert sorted(found) == [0.25, 0.5, 1.0]
    assert all(row["as_of"] == CLOSE - horizon * HOUR for horizon, row in found.items())


def test_a_row_holds_the_newest_snapshot_received_by_its_instant(lake: Lake) -> None:
    """A sweep planned before the instant and answered after it was not known."""
    instant = CLOSE - HOUR
    publish(lake, "markets", [market("a", NOON, CLOSE)])
    publish(
        lake,
        "snapshots",
        [
            snapshot("a", instant - 10 * SECOND, 0.40, 0.42),
            snapshot("a", instant, 0.50, 0.52),
            snapshot("a", instant + SECOND, 0.60, 0.62, slot_at=instant - SECOND / 2),
        ],
    )
    assert by_horizon(lake)[1.0]["mid"] == pytest.approx(0.51)


@pytest.mark.parametrize(
    ("tier", "age", "used"),
    [
        ("t4", 30 * SECOND, True),
        ("t4", 31 * SECOND, False),
        ("t1", 10 * MINUTE, True),
        ("t1", 601 * SECOND, False),
    ],
)
def test_a_snapshot_older_than_two_intervals_of_its_tier_says_nothing(
    lake: Lake, tier: str, age: timedelta, used: bool
) -> None:
    publish(lake, "markets", [market("a", NOON, CLOSE)])
    publish(lake, "snapshots", [snapshot("a", CLOSE - HOUR - age, 0.40, 0.42, tier=tier)])
    assert (1.0 in by_horizon(lake)) is used


def test_coverage_says_whether_the_latest_sweep_was_there(lake: Lake) -> None:
    publish(lake, "markets", [market("a", NOON, CLOSE), market("b", NOON, CLOSE)])
    instant = CLOSE - HOUR
    publish(
        lake,
        "snapshots",
        [snapshot("a", instant - 15 * SECOND, 0.4, 0.42), snapshot("b", instant - 29 * SECOND, 0.4, 0.42)],
    )
    assert {row["market_id"]: row["coverage"] for row in rows(lake)} == {"pm:a": 1.0, "pm:b": 0.5}


def test_instants_follow_the_close_as_it_was_known_then(lake: Lake) -> None:
    """Grid points counted from the end as it turned out would tell, early on, that it was to move (L3)."""
    later = CLOSE + 5 * HOUR
    moved = NOON + 45 * MINUTE
    publish(
        lake, "markets", [market("a", NOON - HOUR, CLOSE), market("a", moved, later, listed_at=NOON - HOUR)]
    )
    publish(lake, "snapshots", sampled("a", NOON, later))
    found = rows(lake, hours=8)
    before = [row for row in found if row["as_of"] < moved]
    after = [row for row in found if row["as_of"] >= moved]
    assert [(row["horizon_h"], row["scheduled_end"], row["end_moves"]) for row in before] == [(1.0, CLOSE, 0)]
    assert {(row["scheduled_end"], row["end_moves"]) for row in after} == {(later, 1)}
    assert [row["horizon_h"] for row in after] == [4, 3, 2, 1, 0.5, 0.25]


def test_overdue_markets_keep_their_rows_while_they_are_sampled(lake: Lake) -> None:
    publish(lake, "markets", [market("a", NOON, CLOSE)])
    publish(lake, "snapshots", sampled("a", NOON, CLOSE + 90 * MINUTE))
    found = by_horizon(lake)
    assert [h for h in sorted(found) if h < 0] == [-1.0, -0.5]
    assert found[-1.0]["hours_to_end"] == pytest.approx(-math.log(2))
    assert found[-1.0]["life_frac"] > 1


def test_a_market_that_the_venue_closed_has_no_further_rows(lake: Lake) -> None:
    publish(
        lake, "markets", [market("a", NOON, CLOSE), market("a", CLOSE - 40 * MINUTE, CLOSE, phase="closed")]
    )
    publish(lake, "snapshots", sampled("a", NOON, CLOSE))
    assert list(by_horizon(lake)) == [1.0]


@pytest.mark.parametrize(
    ("what", "listed_at", "window_start_at", "wanted"),
    [
        ("lives four minutes", NOON, None, [0.1, 0.25, 0.5, 0.75]),
        ("listed a day before its four-minute window", NOON - 24 * HOUR, NOON, [0.1, 0.25, 0.5, 0.75]),
        ("lives a day", NOON - 24 * HOUR, None, []),
    ],
)
def test_short_lived_markets_get_rows_by_share_of_their_planned_life(
    lake: Lake, what: str, listed_at: datetime, window_start_at: datetime | None, wanted: list[float]
) -> None:
    """A market that lives minutes lies between two points of the grid and would never enter."""
    close = NOON + 4 * MINUTE
    publish(lake, "markets", [market("a", NOON, close, listed_at=listed_at, window_start_at=window_start_at)])
    publish(lake, "snapshots", sampled("a", NOON, close))
    shares = sorted(round(row["horizon_h"] / (4 / 60), 6) for row in rows(lake))
    assert shares == wanted


def test_features_are_the_same_when_nothing_after_the_instant_exists(lake: Lake, tmp_path: Any) -> None:
    """The truncation test: cut the lake at an instant, and every row up to it must be what it was (4.6 vi)."""
    cut = NOON + 95 * MINUTE
    markets = [
        market("a", NOON - HOUR, CLOSE),
        market("a", NOON + 50 * MINUTE, CLOSE + HOUR),
        market("a", cut + MINUTE, CLOSE + 3 * HOUR, category="crypto"),
        market("b", NOON, CLOSE + HOUR, neg_risk_id="n"),
        market("c", cut + MINUTE, CLOSE + HOUR, neg_risk_id="n", event_id="b"),
    ]
    snapshots = [row for name in "abc" for row in sampled(name, NOON, CLOSE + HOUR)]
    publish(lake, "markets", markets)
    publish(lake, "snapshots", snapshots)
    truncated = Lake(tmp_path / "truncated")
    publish(truncated, "markets", [row for row in markets if row["received_at"] <= cut])
    publish(truncated, "snapshots", [row for row in snapshots if row["received_at"] <= cut])
    span = Span(NOON, cut + timedelta(microseconds=1))
    whole, known = of_recordings.recorded(lake, span), of_recordings.recorded(truncated, span)
    assert whole.num_rows > 3
    assert whole.equals(known)
    assert [row for row in rows(lake) if row["as_of"] <= cut] == known.to_pylist()


def test_how_markets_ended_never_meets_a_feature(lake: Lake, tmp_path: Any) -> None:
    outcome_known = Lake(tmp_path / "outcome")
    for one in (lake, outcome_known):
        publish(one, "markets", [market("a", NOON, CLOSE)])
        publish(one, "snapshots", sampled("a", NOON, CLOSE))
    publish(outcome_known, "resolutions", [resolution("pm:a", NOON - HOUR, 1)])
    written = [of_recordings.publish_recorded(one, NOON) for one in (lake, outcome_known)]
    contents = [one.store.read_bytes(w.path) for one, w in zip((lake, outcome_known), written, strict=True)]
    assert written[0].rows == 1
    assert contents[0] == contents[1]


# Markets that two shards share, each with its own.
OF_TWO = {shard_of(f"pm:{name}", 2): name for name in "ab"}


def trade(name: str, at: datetime, session: str) -> dict[str, Any]:
    return {
        "session_id": session, "connection": 0, "sequence": at.minute, "received_at": at, "venue_at": at, "market_id": f"pm:{name}",
        "token_id": "1", "outcome_index": 0, "is_buy": True, "price_e6": 500_000, "size_e6": 1_000_000, "tx_hash": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("what", "stretches", "heard"),
    [
        ("one for all, and nothing of a market for half an hour", {0: [(0, 60, "0of1")], 1: [(0, 25, "0of1")]}, {0, 1}),
        ("a shard that fell silent", {0: [(0, 60, "0of2")], 1: [(0, 25, "1of2")]}, {0}),
        ("a shard that never said a word", {0: [(0, 60, "0of2")], 1: []}, {0}),
        ("two, then one for all", {0: [(0, 60, "0of2")], 1: [(0, 25, "1of2"), (25, 60, "0of1")]}, {0, 1}),
        ("one for all, then two of which one does not come", {0: [(0, 25, "0of1"), (25, 60, "0of2")], 1: [(0, 25, "0of1")]}, {0}),
        ("all silent", {0: [(0, 25, "0of2")], 1: [(0, 25, "1of2")]}, set()),
    ],
)  # fmt: skip
def test_a_market_is_heard_while_a_shard_that_carries_it_hears(lake: Lake, what: str, stretches: dict[int, list[tuple[int, int, str]]], heard: set[int]) -> None:  # fmt: skip
    """Asked at three quarters of the hour, of a market of each of two shards."""
    as_of = NOON + 45 * MINUTE
    publish(lake, "markets", [market(name, NOON - HOUR, as_of + HOUR) for name in OF_TWO.values()])
    publish(lake, "snapshots", [row for name in OF_TWO.values() for row in sampled(name, NOON - HOUR, as_of + MINUTE)])  # fmt: skip
    publish(lake, "trades_raw", [trade(OF_TWO[n], NOON + minute * MINUTE, f"20260302T120000Z-{shard}-0a1b2c") for n, held in stretches.items() for begin, end, shard in held for minute in range(begin, end)])  # fmt: skip
    found = {row["market_id"]: row["unheard_1h"] for row in rows(lake)}
    assert found == {f"pm:{name}": found[f"pm:{name}"] for name in OF_TWO.values()}
    assert {n for n, name in OF_TWO.items() if found[f"pm:{name}"] is not None} == heard


@pytest.mark.parametrize(("shards", "unheard_min"), [(("0of2", "1of2"), {0: 0, 1: 20}), (("0of1", "0of1"), {0: 0, 1: 0})])  # fmt: skip
def test_a_silence_of_one_shard_is_missed_of_its_markets_alone(lake: Lake, shards: tuple[str, str], unheard_min: dict[int, int]) -> None:  # fmt: skip
    """Also once the shard is back; of one streamer a market that says nothing is a quiet market."""
    as_of = NOON + 75 * MINUTE
    publish(lake, "markets", [market(name, NOON - 3 * HOUR, as_of + HOUR) for name in OF_TWO.values()])
    publish(lake, "snapshots", [row for name in OF_TWO.values() for row in sampled(name, NOON - 2 * HOUR, as_of + MINUTE)])  # fmt: skip
    publish(lake, "trades_raw", [trade(OF_TWO[n], NOON + minute * MINUTE, f"20260302T120000Z-{shards[n]}-0a1b2c") for n in OF_TWO for minute in range(-100, 75) if n == 0 or not 30 < minute < 50])  # fmt: skip
    found = {row["market_id"]: row["unheard_1h"] for row in rows(lake)}
    assert {n: round(60 * found[f"pm:{name}"]) for n, name in OF_TWO.items()} == unheard_min


def test_publishing_an_hour_again_replaces_it(lake: Lake) -> None:
    publish(lake, "markets", [market("a", NOON, CLOSE)])
    publish(lake, "snapshots", [snapshot("a", CLOSE - HOUR, 0.4, 0.42)])
    of_recordings.publish_recorded(lake, NOON)
    again = of_recordings.publish_recorded(lake, NOON + 59 * MINUTE)
    assert again.path == "features/date=2026-03-02/hour=12/part-recorded.parquet"
    assert reading.rows(lake, "features").num_rows == again.rows == 1


def test_an_hour_without_anything_is_empty_not_an_error(lake: Lake) -> None:
    assert of_recordings.publish_recorded(lake, NOON).rows == 0
