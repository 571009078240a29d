"""Sensors report what is new once, whenever they look, and ask again while something is unsettled."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from polymarket_assets.assets.trades import STREAMED
from polymarket_assets.collecting import healing
from polymarket_assets.lake import merging
from polymarket_assets.lake.spans import HOUR, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.partitions import hour_key, utc_now
from polymarket_assets.resources import LakeResource
from polymarket_assets.sensors import ended_markets, sealed_hours, unsettled_hours
from polymarket_assets_tests.learning.rows import market, publish, resolution


def look(lake: Lake, cursor: str | None) -> tuple[set[str], str | None]:
    """The tables reported in one look, and the cursor after it."""
    context = dg.build_sensor_context(cursor=cursor, resources={"lake": LakeResource(root=lake.root)})
    found = sealed_hours(context)
    if isinstance(found, dg.SkipReason):
        return set(), cursor
    assert isinstance(found, dg.SensorResult)
    return {event.asset_key.to_user_string() for event in found.asset_events}, found.cursor


def test_a_look_between_two_manifests_of_one_seal_loses_neither(lake: Lake) -> None:
    """All manifests of a seal carry the same instant."""
    hour, at = hour_of(utc_now()) - 2 * HOUR, utc_now()
    first, *rest = STREAMED
    merging.merge(lake, first, hour, now=at, through=hour + HOUR, gaps=0)
    told, cursor = look(lake, None)
    assert told == {first}
    for table in rest:
        merging.merge(lake, table, hour, now=at, through=hour + HOUR, gaps=0)
    told, cursor = look(lake, cursor)
    assert told == set(rest)
    assert look(lake, cursor) == (set(), cursor)


def asks(lake: Lake) -> bool:
    return isinstance(ended_markets(dg.build_sensor_context(resources={"lake": LakeResource(root=lake.root)})), dg.RunRequest)  # fmt: skip


def test_an_end_is_asked_about_until_it_is_final(lake: Lake) -> None:
    """Also where no other market ends meanwhile."""
    now = utc_now()
    publish(lake, "markets", [market("m", now - 2 * HOUR, now + HOUR, condition_id=f"0x{1:064x}")])
    assert not asks(lake)
    publish(lake, "markets", [market("m", now - HOUR, now - timedelta(minutes=5), condition_id=f"0x{1:064x}")], part="1")  # fmt: skip
    assert asks(lake)
    assert asks(lake)
    publish(lake, "resolutions", [resolution("pm:m", now - timedelta(minutes=1), 1)])
    assert not asks(lake)


def test_hours_that_a_later_gap_touches_are_built_again(lake: Lake) -> None:
    """A process that was down over two hours reports its gap when it is back: both hours had no gap before."""

    def asked() -> dict[str, str]:
        found = unsettled_hours(dg.build_sensor_context(resources={"lake": LakeResource(root=lake.root)}))
        runs = found.run_requests or [] if isinstance(found, dg.SensorResult) else []
        return {str(run.partition_key): run.tags["unsettled"] for run in runs}

    hour = hour_of(utc_now()) - 4 * HOUR
    assert asked() == {}
    gap = {"gap_id": "z:0", "session_id": "z", "from_at": hour + timedelta(minutes=50), "to_at": hour + timedelta(minutes=90), "cause": "crashed"}  # fmt: skip
    lake.publish_rows("stream_gaps", [gap], part="0", at=gap["to_at"])
    assert asked() == {hour_key(hour): "it was never built", hour_key(hour + HOUR): "it was never built"}
    for at in (hour, hour + HOUR):
        healing.build_trades(lake, None, at, clock=utc_now)
    assert asked() == {}
    later = {
        **gap,
        "gap_id": "z:1",
        "from_at": hour + timedelta(minutes=5),
        "to_at": hour + timedelta(minutes=6),
    }
    lake.publish_rows("stream_gaps", [later], part="1", at=later["to_at"])
    assert asked() == {hour_key(hour): "1 gaps were recorded later"}
