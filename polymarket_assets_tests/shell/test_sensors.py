"""Sensors report what is new once, whenever they look, and ask again while something is unsettled."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from filelock import FileLock

from polymarket_assets.assets import resolutions
from polymarket_assets.assets.trades import STREAMED
from polymarket_assets.collecting import asking_times, healing
from polymarket_assets.collecting.asking_times import Through
from polymarket_assets.definitions import build_defs
from polymarket_assets.lake import merging
from polymarket_assets.lake.spans import HOUR, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.partitions import hour_key, utc_now
from polymarket_assets.resources import LakeResource, SettingsResource, VenueResource, default_resources
from polymarket_assets.sensors import ended_markets, sealed_hours, unsettled_hours
from polymarket_assets.venue.errors import Unavailable
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


def ask(lake: Lake, instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    resources = {"lake": LakeResource(root=lake.root)}
    found = ended_markets(dg.build_sensor_context(instance=instance, resources=resources))
    assert isinstance(found, dg.RunRequest | dg.SkipReason)
    return found


def report(instance: dg.DagsterInstance, through: datetime) -> None:
    """As the asset does at the end of a run."""
    instance.report_runless_asset_event(
        dg.AssetMaterialization("resolutions", metadata={"asked_through": str(Through(through))})
    )


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def test_an_end_is_asked_about_until_it_is_final(lake: Lake, instance: dg.DagsterInstance) -> None:
    """Also where no other market ends meanwhile."""
    now = utc_now()
    publish(lake, "markets", [market("m", now - 2 * HOUR, now + HOUR, condition_id=f"0x{1:064x}")])
    assert isinstance(ask(lake, instance), dg.SkipReason)
    publish(lake, "markets", [market("m", now - HOUR, now - timedelta(minutes=5), condition_id=f"0x{1:064x}")], part="1")  # fmt: skip
    assert isinstance(ask(lake, instance), dg.RunRequest)
    assert isinstance(ask(lake, instance), dg.RunRequest)
    publish(lake, "resolutions", [resolution("pm:m", now - timedelta(minutes=1), 1)])
    assert isinstance(ask(lake, instance), dg.SkipReason)


def test_a_run_asks_from_where_the_last_one_stopped_and_the_reader_is_told(
    lake: Lake, instance: dg.DagsterInstance
) -> None:
    """Asked every five minutes about everything, thousands of slow oracles would cost a run each time."""
    now = utc_now()
    publish(lake, "markets", [market("m", now - 4 * HOUR, now - timedelta(minutes=7), condition_id=f"0x{1:064x}")])  # fmt: skip
    first = ask(lake, instance)
    assert isinstance(first, dg.RunRequest)
    assert first.run_config == {"ops": {"resolutions": {"config": {"SINCE": None}}}}
    assert first.tags["ended_markets"] == "1 due, 0 later"
    report(instance, now)
    waits = ask(lake, instance)
    assert isinstance(waits, dg.SkipReason)
    assert f"the next is due at {now + timedelta(minutes=3):%Y-%m-%d %H:%M} UTC" in str(waits.skip_message)
    since = now - timedelta(minutes=4)
    report(instance, since)
    again = ask(lake, instance)
    assert isinstance(again, dg.RunRequest)
    assert again.run_config == {"ops": {"resolutions": {"config": {"SINCE": str(Through(since))}}}}


def test_while_a_run_is_asking_no_other_is_asked_for(lake: Lake, instance: dg.DagsterInstance) -> None:
    """One that takes longer than a look would find a queue of its like behind it."""
    now = utc_now()
    publish(lake, "markets", [market("m", now - 4 * HOUR, now - HOUR, condition_id=f"0x{1:064x}")])
    run = instance.create_run_for_job(
        build_defs().resolve_job_def("resolving"), status=dg.DagsterRunStatus.STARTED
    )
    skipped = ask(lake, instance)
    assert isinstance(skipped, dg.SkipReason)
    assert run.run_id in str(skipped.skip_message)
    instance.report_run_canceled(run)
    assert isinstance(ask(lake, instance), dg.RunRequest)


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


def test_a_run_reports_until_where_it_asked_and_begins_where_it_is_told(
    lake: Lake, instance: dg.DagsterInstance
) -> None:
    """What the sensor reads is what the asset writes."""

    def run(since: str | None, *, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            resolutions.ASSETS,
            resources={**default_resources(), "lake": LakeResource(root=lake.root)},
            run_config={"ops": {"resolutions": {"config": {"SINCE": since}}}},
            instance=instance,
            raise_on_error=raise_on_error,
        )

    assert resolutions.asked_through(instance) is None
    before = utc_now()
    assert run(None).success
    told = resolutions.asked_through(instance)
    assert told is not None
    assert before < asking_times.through(told).at < utc_now() + timedelta(seconds=1)
    assert run(told).success
    later = resolutions.asked_through(instance)
    assert not run("yesterday", raise_on_error=False).success
    assert resolutions.asked_through(instance) == later != told


def test_two_looks_at_ends_come_one_after_the_other(
    lake: Lake, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make bootstrap` beside `make up`: both would write the next version of every market."""
    held = FileLock(tmp_path / "resolving.lock", thread_local=False)
    resources = {**default_resources(), "lake": LakeResource(root=lake.root)}
    resources["venue"] = VenueResource(settings=SettingsResource(replaced={"state_dir": str(tmp_path)}))
    held.acquire()
    soon = threading.Timer(0.4, held.release)
    began = time.monotonic()
    soon.start()
    assert dg.materialize(resolutions.ASSETS, resources=resources, instance=instance).success
    assert time.monotonic() - began > 0.4
    monkeypatch.setattr(resolutions, "WAITS_S", 0.1)
    with held, pytest.raises(Unavailable, match="another run has asked"), resolutions._alone(tmp_path):
        pass
