"""Who is listened to, and where: the nearest first, nobody moved without need, no tier on one socket."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.lake import merging, objects
from polymarket_assets.lake.errors import StoreUnavailable
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets_tests.object_store import ObjectServer, Request
from polymarket_assets_tests.streamer.conftest import list_markets, market_row
from polymarket_assets_tests.streamer.odd_venue import condition, tokens
from streamer.entries import Listed
from streamer.placing import Plan, place
from streamer.universe import KNOWN_FOR, Universe, Wanted


def wanted(n: int, tier: str = "t4", volume: float = 1.0) -> Wanted:
    return Wanted(Listed(f"pm:{condition(n)}", condition(n), tokens(n)), tier, volume)


def of(universe: Universe, now: datetime | None = None) -> list[tuple[int, str]]:
    found = universe.wanted(now or datetime.now(UTC))
    return [(int(market.listed.condition_id, 16), market.tier) for market in found]


@pytest.mark.parametrize(
    ("changed", "tier"),
    [
        ({"ends_in_h": 0.5}, "t4"),
        ({"ends_in_h": -3}, "t4"),
        ({"ends_in_h": 2}, "t3"),
        ({"ends_in_h": 2, "tier": "t0"}, "t3"),
        ({"ends_in_h": 11}, "t2"),
        ({"ends_in_h": 13}, None),
        ({"ends_in_h": None}, None),
        ({"phase": "closed"}, None),
        ({"phase": "dead"}, None),
        ({"is_left_out": True}, None),
        ({"phase": "overdue", "ends_in_h": -1}, "t4"),
        ({"received_at": datetime.now(UTC) - timedelta(days=14), "ends_in_h": 0.5}, "t4"),
        ({"received_at": datetime.now(UTC) - timedelta(days=17), "ends_in_h": 0.5}, None),
    ],
)
def test_a_market_is_wanted_by_what_is_left_to_its_effective_close(
    lake: Lake, changed: dict[str, Any], tier: str | None
) -> None:
    list_markets(lake, [market_row(1, **changed)])
    assert of(Universe(lake, Settings())) == ([(1, tier)] if tier else [])


def test_the_newest_row_of_a_market_counts_in_whatever_order_they_are_read(lake: Lake) -> None:
    """A close that was brought forward must not be forgotten because an older file is read later."""
    now = datetime.now(UTC)
    universe = Universe(lake, Settings())
    list_markets(lake, [market_row(1, ends_in_h=0.5, received_at=now)], part="b")
    assert of(universe) == [(1, "t4")]
    list_markets(
        lake, [market_row(1, ends_in_h=2, received_at=now - timedelta(minutes=1)), market_row(2)], part="a"
    )
    assert of(universe) == [(2, "t4"), (1, "t4")]
    list_markets(lake, [market_row(1, phase="closed", received_at=now + timedelta(seconds=1))], part="c")
    merging.merge(lake, "markets", now, now=now)
    assert of(universe) == of(Universe(lake, Settings())) == [(2, "t4")]


def test_a_look_at_an_object_store_reads_the_manifests_of_what_changed_alone(
    object_lake: Lake, object_store: ObjectServer
) -> None:
    """A manifest for each hour of two weeks every half a minute was two million requests a day."""
    now, universe = datetime.now(UTC), Universe(object_lake, Settings())
    for hours in range(3):
        list_markets(object_lake, [market_row(hours, received_at=now - timedelta(hours=hours))])
        merging.merge(object_lake, "markets", now - timedelta(hours=hours), now=now)
    assert len(of(universe, now)) == 3
    object_store.asked.clear()
    assert len(of(universe, now)) == 3
    assert {"list-type" in request.query for request in object_store.asked} == {True}
    assert len(object_store.asked) <= KNOWN_FOR.days + 2
    list_markets(object_lake, [market_row(7, received_at=now)], part="late")
    object_store.asked.clear()
    assert len(of(universe, now)) == 4
    manifests = [r.path for r in object_store.asked if r.path.endswith("_manifest.json")]
    assert [f"hour={now:%H}" in path for path in manifests] == [True, True], "asked for, and read"
    merging.merge(object_lake, "markets", now, now=now)
    assert len(of(universe, now)) == len(of(Universe(object_lake, Settings()), now)) == 4


def test_a_store_that_fails_while_a_large_file_is_read_is_an_error_of_the_lake(
    object_lake: Lake, object_store: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The streamer goes on with the markets it has; an error that is nobody's would end it."""
    monkeypatch.setattr(objects, "WHOLE_BYTES", 0)
    list_markets(object_lake, [market_row(1)])
    gone = [False]

    def after_the_footer(request: Request) -> tuple[str, str] | None:
        is_of_the_file = request.method == "GET" and request.path.endswith(".parquet")
        was, gone[0] = gone[0], gone[0] or is_of_the_file
        return ("503 Slow Down", "SlowDown") if is_of_the_file and was else None

    with object_store.failing(after_the_footer), pytest.raises(StoreUnavailable):
        Universe(object_lake, Settings()).wanted(datetime.now(UTC))


def test_time_alone_brings_a_market_nearer(lake: Lake) -> None:
    list_markets(lake, [market_row(1, ends_in_h=13)])
    universe = Universe(lake, Settings())
    now = datetime.now(UTC)
    tiers = [of(universe, now + timedelta(hours=h)) for h in (0, 2, 10, 12.5)]
    assert tiers == [[], [(1, "t2")], [(1, "t3")], [(1, "t4")]]


def test_the_nearest_tier_comes_first_and_in_it_the_largest_volume(lake: Lake) -> None:
    rows = [
        market_row(1, ends_in_h=8),
        market_row(2, volume_usd=5.0),
        market_row(3, volume_usd=9.0),
        market_row(4, ends_in_h=2),
        market_row(5, volume_usd=None),
    ]
    list_markets(lake, rows)
    assert of(Universe(lake, Settings())) == [(3, "t4"), (2, "t4"), (5, "t4"), (4, "t3"), (1, "t2")]
    assert of(Universe(lake, Settings(stream_tiers="t3"))) == [(4, "t3")]


def test_shards_share_the_markets(lake: Lake) -> None:
    list_markets(lake, [market_row(n) for n in range(40)])
    parts = [
        {n for n, _ in of(Universe(lake, Settings(stream_shard=shard, stream_shards=3)))}
        for shard in range(3)
    ]
    assert sorted(n for part in parts for n in part) == list(range(40))
    assert all(parts)


def placed(plan: Plan) -> list[set[int]]:
    return [{int(market.condition_id, 16) for market in carried} for carried in plan.sockets]


@pytest.mark.parametrize(
    ("count", "each", "most", "sockets", "left_out"),
    [
        (0, 200, 32, 0, 0),
        (1, 200, 32, 1, 0),
        (2, 200, 32, 2, 0),
        (100, 200, 32, 2, 0),
        (200, 200, 32, 2, 0),
        (201, 200, 32, 3, 0),
        (10, 3, 32, 10, 0),
        (10, 4, 2, 2, 6),
    ],
)
def test_markets_fill_as_few_sockets_as_the_caps_allow(
    count: int, each: int, most: int, sockets: int, left_out: int
) -> None:
    plan = place([wanted(n) for n in range(count)], {}, tokens_each=each, most_sockets=most)
    assert (len(plan.sockets), sum(plan.left_out.values())) == (sockets, left_out)
    assert all(2 * len(carried) <= each for carried in plan.sockets)
    assert sum(map(len, plan.sockets)) + left_out == count


def test_the_nearest_are_served_when_room_is_short_and_the_others_are_named() -> None:
    markets = [wanted(0), wanted(1), wanted(2, "t3"), wanted(3, "t2")]
    plan = place(markets, {}, tokens_each=3, most_sockets=2)
    assert placed(plan) == [{0}, {1}]
    assert plan.left_out == {"t3": 1, "t2": 1}
    assert (
        "listening to 2 markets (2 of T4), 4 tokens on 2 sockets; no room for 1 of T3, 1 of T2"
        in plan.summary
    )


def test_losing_one_socket_never_takes_a_whole_tier() -> None:
    markets = [wanted(n, tier) for n, tier in enumerate(["t4"] * 4 + ["t3"] * 8 + ["t2"] * 12)]
    plan = place(markets, {}, tokens_each=12, most_sockets=32)
    tiers = {market.listed.market_id: market.tier for market in markets}
    assert [Counter(tiers[m.market_id] for m in carried) for carried in plan.sockets] == [
        {"t4": 1, "t3": 2, "t2": 3}
    ] * 4


@given(st.lists(st.sets(st.integers(0, 30)), min_size=2, max_size=6), st.integers(2, 9), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_no_market_that_stays_is_ever_moved(wishes: list[set[int]], each: int, most: int) -> None:
    """Moving means deafness: only those given up or out of room may lose their place."""
    places: dict[str, int] = {}
    for wish in wishes:
        plan = place([wanted(n) for n in sorted(wish)], places, tokens_each=each, most_sockets=most)
        assert all(places[m] == at for m, at in plan.places.items() if m in places)
        assert sum(plan.placed.values()) == len(plan.places) == min(len(wish), each // 2 * most)
        assert all(2 * len(carried) <= each for carried in plan.sockets)
        assert len(plan.sockets) <= most
        places = plan.places
