"""What Dagster records is found, and the sensor tells of it once, however often it looks."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from polymarket_assets import health
from polymarket_assets.alerts import alerts, look_and_tell
from polymarket_assets.definitions import build_defs
from polymarket_assets.doctor.__main__ import main as doctor
from polymarket_assets.health import Finding, Watched
from polymarket_assets.lake.writing import Lake
from polymarket_assets.partitions import utc_now
from polymarket_assets.resources import LakeResource, SettingsResource
from polymarket_assets.settings import Settings
from polymarket_assets.watching import assets, checks, partitions, runs
from polymarket_assets_tests.collecting.fakes import list_markets, market_row

PARTITION = "dagster/partition"
# Made once: that takes a second, and nobody changes them.
definitions = cache(build_defs)
RUN = dg.DagsterRunStatus


def found(instance: dg.DagsterInstance, source: str, now: datetime | None = None, **settings: object) -> dict[str, Finding]:  # fmt: skip
    watched = Watched(Settings(**settings), now or utc_now(), lambda: Lake("nowhere"), lambda: instance)  # type: ignore[arg-type]
    (asked,) = [one for one in health.SOURCES if one.name == source]
    return {one.key: one for one in health.findings(watched, [asked])}


def ran(instance: dg.DagsterInstance, job: str, status: RUN, partition: str | None = None, **tags: str) -> str:  # fmt: skip
    told = {**tags, **({PARTITION: partition} if partition else {})}
    run = instance.create_run_for_job(definitions().resolve_job_def(job), tags=told, status=RUN.STARTED)
    if status is RUN.FAILURE:
        instance.report_run_failed(run)
    elif status is RUN.SUCCESS:
        event = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, job)
        instance.report_dagster_event(event, run.run_id)
    return run.run_id


@pytest.mark.parametrize(
    ("job", "runs", "is_told"),
    [
        ("keeping", [RUN.FAILURE], True),
        ("keeping", [RUN.FAILURE, RUN.SUCCESS], False),
        ("keeping", [RUN.SUCCESS, RUN.FAILURE], True),
        ("keeping", [RUN.FAILURE, RUN.STARTED], True),
        ("window_t4", [RUN.FAILURE, RUN.STARTED], False),
    ],
    ids=["failed", "went well after", "failed after", "tried again", "a window that samples"],
)
def test_a_job_whose_last_run_failed_is_found(instance: dg.DagsterInstance, job: str, runs: list[RUN], is_told: bool) -> None:  # fmt: skip
    last = [ran(instance, job, status) for status in runs]
    told = found(instance, "runs")
    assert (f"run_failed:{job}" in told) is is_told
    if is_told and runs[-1] is RUN.FAILURE:
        assert told[f"run_failed:{job}"].link == f"/runs/{last[-1]}"


def test_a_run_that_will_be_retried_is_no_failure_yet(instance: dg.DagsterInstance) -> None:
    ran(instance, "keeping", RUN.FAILURE, **{"dagster/will_retry": "true"})
    assert found(instance, "runs") == {}


@pytest.mark.parametrize(
    ("job", "later", "again", "is_told"),
    [
        ("closed_hour", 31, False, True),
        ("closed_hour", 29, False, False),
        ("closed_hour", 31, True, False),
        ("window_t4", 31, False, False),
    ],
    ids=["left", "just now", "under way again", "cannot be tried again"],
)
def test_a_failed_partition_that_nobody_tries_again_is_found(instance: dg.DagsterInstance, job: str, later: int, again: bool, is_told: bool) -> None:  # fmt: skip
    ran(instance, job, RUN.FAILURE, "2026-11-28-04:00")
    if again:
        ran(instance, job, RUN.STARTED, "2026-11-28-04:00")
    told = found(instance, "partitions", utc_now() + timedelta(minutes=later))
    assert set(told) == ({f"partition_failed:{job}/2026-11-28-04:00"} if is_told else set())


HOUR_OF = "2026-11-28-04:00"
LEFT = f"partition_failed:closed_hour/{HOUR_OF}"


def by_hand(instance: dg.DagsterInstance, status: RUN, *assets: str, partition: str = HOUR_OF) -> None:
    """A run that somebody started from the asset's page."""
    run = instance.create_run_for_job(definitions().resolve_implicit_global_asset_job_def(), tags={PARTITION: partition}, status=RUN.STARTED, asset_selection=frozenset(map(dg.AssetKey, assets)))  # fmt: skip
    if status is RUN.FAILURE:
        instance.report_run_failed(run)
    elif status is RUN.SUCCESS:
        for asset in assets:
            instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=partition))
        instance.report_dagster_event(dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, run.job_name), run.run_id)  # fmt: skip


@pytest.mark.parametrize(
    ("status", "assets", "partition", "ends"),
    [
        (RUN.SUCCESS, ["trades", "whale_events"], HOUR_OF, True),
        (RUN.SUCCESS, ["trades"], HOUR_OF, False),
        (RUN.SUCCESS, ["trades", "whale_events"], "2026-11-28-05:00", False),
        (RUN.SUCCESS, ["market_hours"], HOUR_OF, False),
        (RUN.STARTED, ["whale_events"], HOUR_OF, True),
        (RUN.STARTED, ["market_hours"], HOUR_OF, False),
    ],
    ids=["made", "made in part", "another hour", "another asset", "under way", "another asset under way"],
)
def test_a_failed_partition_ends_with_what_was_made_of_it(instance: dg.DagsterInstance, status: RUN, assets: list[str], partition: str, ends: bool) -> None:  # fmt: skip
    """However it was made: the alert says to materialize it from the asset's page, which is another job."""
    later = utc_now() + timedelta(minutes=31)
    ran(instance, "closed_hour", RUN.FAILURE, HOUR_OF)
    assert set(found(instance, "partitions", later)) == {LEFT}
    by_hand(instance, status, *assets, partition=partition)
    assert (LEFT not in found(instance, "partitions", later)) is ends


def test_what_failed_from_an_assets_page_is_told_by_its_assets(instance: dg.DagsterInstance) -> None:
    later = utc_now() + timedelta(minutes=31)
    for asset in ("history_prices", "history_features"):
        by_hand(instance, RUN.FAILURE, asset, partition="2026-11-28")
    by_hand(instance, RUN.SUCCESS, "history_features", partition="2026-11-28")
    assert set(found(instance, "partitions", later)) == {"partition_failed:__ASSET_JOB/history_prices/2026-11-28"}  # fmt: skip


def test_runs_that_wait_push_no_failed_one_out_of_sight(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(runs, "NEWEST", 3)
    ran(instance, "closed_hour", RUN.FAILURE)
    for _ in range(runs.NEWEST):
        instance.create_run_for_job(definitions().resolve_job_def("closed_hour"), status=RUN.NOT_STARTED)
    assert set(found(instance, "runs")) == {"run_failed:closed_hour"}


def test_an_outage_of_one_job_pushes_no_other_out_of_sight(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(partitions, "MOST_FAILED", 3)
    later = utc_now() + timedelta(minutes=31)
    ran(instance, "following", RUN.FAILURE)
    ran(instance, "closed_hour", RUN.FAILURE, HOUR_OF)
    for hour in range(3):
        ran(instance, "window_t4", RUN.FAILURE, HOUR_OF)
        ran(instance, "hour_features", RUN.FAILURE, f"2026-11-28-0{hour}:00")
    assert set(found(instance, "runs")) == {f"run_failed:{job}" for job in ("following", "closed_hour", "window_t4", "hour_features")}  # fmt: skip
    left = found(instance, "partitions", later)
    assert {LEFT, "unknown:partitions"} < set(left)
    assert "3 runs or more of hour_features failed" in left["unknown:partitions"].text


def test_a_job_of_which_only_retried_runs_are_seen_is_not_known(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(runs, "NEWEST", 2)
    ran(instance, "keeping", RUN.FAILURE)
    for _ in range(2):
        ran(instance, "keeping", RUN.FAILURE, **{"dagster/will_retry": "true"})
    assert set(found(instance, "runs")) == {"unknown:runs"}


def test_a_failed_run_that_is_too_old_to_be_looked_for_has_not_recovered(instance: dg.DagsterInstance) -> None:  # fmt: skip
    ran(instance, "learning", RUN.FAILURE)
    old = utc_now() + runs.LOOK_BACK + timedelta(minutes=1)
    (failed,) = found(instance, "runs").values()
    assert found(instance, "runs", old) == {}
    assert failed.until is not None
    assert failed.until < old


def test_a_queue_longer_than_it_may_be_is_found(instance: dg.DagsterInstance) -> None:
    for _ in range(3):
        instance.create_run_for_job(definitions().resolve_job_def("keeping"), status=RUN.NOT_STARTED)
    assert "run_backlog" in found(instance, "runs", alert_backlog="2")
    assert found(instance, "runs", alert_backlog="3") == {}


def check(instance: dg.DagsterInstance, key: dg.AssetCheckKey, *, holds: bool, partition: str | None = None) -> None:  # fmt: skip
    hours = dg.StaticPartitionsDefinition([partition]) if partition else None

    @dg.asset(key=key.asset_key, partitions_def=hours)
    def made() -> None: ...

    @dg.asset_check(asset=made, name=key.name, blocking=True, partitions_def=hours)
    def checked() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=holds)

    dg.materialize([made, checked], instance=instance, raise_on_error=False, partition_key=partition)


def test_a_blocking_check_is_found_while_its_newest_result_does_not_hold(instance: dg.DagsterInstance) -> None:  # fmt: skip
    key = checks.blocking()[0]
    assert len(checks.blocking()) > 20
    for holds in (True, False, True):
        check(instance, key, holds=holds)
        told = found(instance, "checks")
        assert set(told) == (set() if holds else {f"check_failed:{key.asset_key.to_user_string()}/{key.name}"})  # fmt: skip


def test_a_check_of_a_partition_ends_with_a_result_of_that_partition(instance: dg.DagsterInstance) -> None:
    """Neither with that of another hour nor with a run that has only been asked for."""
    key = next(one for one in checks.blocking() if one.asset_key.to_user_string() == "trades")
    named = [f"check_failed:trades/{key.name}/2026-11-28-0{hour}:00" for hour in (4, 5)]
    check(instance, key, holds=False, partition="2026-11-28-04:00")
    check(instance, key, holds=True, partition="2026-11-28-05:00")
    assert set(found(instance, "checks")) == {named[0]}
    planned = definitions().resolve_job_def("closed_hour")
    instance.create_run_for_job(planned, tags={PARTITION: "2026-11-28-04:00"}, status=RUN.NOT_STARTED)
    assert set(found(instance, "checks")) == {named[0]}
    check(instance, key, holds=False, partition="2026-11-28-05:00")
    assert set(found(instance, "checks")) == {*named}
    check(instance, key, holds=True, partition="2026-11-28-04:00")
    (left,) = found(instance, "checks").values()
    assert left.key == named[1]
    assert left.until is not None
    assert found(instance, "checks", left.until) == {}


def test_more_checks_that_do_not_hold_than_are_looked_at_are_not_known(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(checks, "MOST_FAILED", 2)
    key = next(one for one in checks.blocking() if one.asset_key.to_user_string() == "trades")
    for hour in range(3):
        check(instance, key, holds=False, partition=f"2026-11-28-0{hour}:00")
    newest = {f"check_failed:trades/{key.name}/2026-11-28-0{hour}:00" for hour in (1, 2)}
    assert set(found(instance, "checks")) == {*newest, "unknown:checks"}


@pytest.mark.parametrize(("name", "kind"), [("features_as_learnt", "model_drifted"), ("live_as_out_of_fold", "model_live_gap")])  # fmt: skip
def test_what_the_review_warns_of_is_found_until_it_holds(instance: dg.DagsterInstance, name: str, kind: str) -> None:  # fmt: skip
    key = dg.AssetCheckKey(dg.AssetKey("promotion"), name)
    for holds in (False, True):
        check(instance, key, holds=holds)
        assert set(found(instance, "models")) == (set() if holds else {kind})


def test_an_asset_is_stale_after_its_cadence_and_not_where_its_schedule_is_off(instance: dg.DagsterInstance) -> None:  # fmt: skip
    for cadence in assets.CADENCES:
        instance.report_runless_asset_event(dg.AssetMaterialization(cadence.asset))
    assert found(instance, "assets") == {}
    later = utc_now() + timedelta(minutes=40)
    assert set(found(instance, "assets", later)) == {"asset_stale:markets"}
    switch_off(instance, "discovery")
    assert found(instance, "assets", later) == {}


def test_every_cadence_is_of_an_asset_and_of_what_starts_it() -> None:
    repository = definitions().get_repository_def()
    known = {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()}
    starters = {s.name for s in [*repository.schedule_defs, *repository.sensor_defs]}
    assert {cadence.asset for cadence in assets.CADENCES} <= known
    assert {cadence.by for cadence in assets.CADENCES} <= starters


def test_what_a_review_decided_is_told_as_it_says_it(instance: dg.DagsterInstance) -> None:
    said = ["polymarket/3: challenger to shadow: granted, all 9 gates hold", "polymarket/2: champion to stay: refused: live: −2 %"]  # fmt: skip
    instance.report_runless_asset_event(dg.AssetMaterialization("promotion", metadata={"decided": dg.MetadataValue.json(said)}))  # fmt: skip
    watched = Watched(Settings(), utc_now(), lambda: Lake("nowhere"), lambda: instance)
    (asked,) = [one for one in health.SOURCES if one.name == "decisions"]
    (looked,) = health.look(watched, [asked])
    assert [event.key for event in looked.events] == ["model_decided:polymarket/3/challenger to shadow/granted", "model_decided:polymarket/2/champion to stay/refused"]  # fmt: skip
    assert [event.text for event in looked.events] == said


def switch_off(instance: dg.DagsterInstance, name: str) -> None:
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(InProcessCodeLocationOrigin(LoadableTargetOrigin()), "r"), name)  # fmt: skip
    data = ScheduleInstigatorData(cron_schedule="* * * * *")
    instance.add_instigator_state(InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.STOPPED, data))  # fmt: skip


def test_a_tier_that_a_person_switched_off_is_not_silent(instance: dg.DagsterInstance, lake: Lake) -> None:
    """And without Dagster it is: who samples is known from the lake alone."""
    list_markets(lake, market_row(1))
    (asked,) = [one for one in health.SOURCES if one.name == "tiers"]
    watched = Watched(Settings(), utc_now(), lambda: lake, lambda: instance)
    silent = {one.key for one in health.findings(watched, [asked])}
    assert "tier_silent:t0" in silent
    switch_off(instance, "window_t0")
    assert {one.key for one in health.findings(watched, [asked])} == silent - {"tier_silent:t0"}
    assert {one.key for one in health.findings(replace(watched, open_instance=None), [asked])} == silent


def test_what_follows_windows_is_not_stale_where_a_person_starts_them(instance: dg.DagsterInstance) -> None:
    for cadence in assets.CADENCES:
        instance.report_runless_asset_event(dg.AssetMaterialization(cadence.asset))
    for asset in ("model", "markets"):
        instance.report_runless_asset_event(dg.AssetMaterialization(asset))
    later = utc_now() + timedelta(minutes=70)
    follows = {"asset_stale:predictions", "asset_stale:paper_portfolio"}
    assert set(found(instance, "assets", later)) == {"asset_stale:markets", *follows}
    assert set(found(instance, "assets", later, watch_windows="false")) == {"asset_stale:markets"}


def test_an_empty_lake_that_was_written_before_is_a_disk_that_is_not_mounted(instance: dg.DagsterInstance, lake: Lake) -> None:  # fmt: skip
    (asked,) = [one for one in health.SOURCES if one.name == "lake"]
    watched = Watched(Settings(), utc_now(), lambda: lake, lambda: instance)
    assert health.findings(watched, [asked]) == []
    instance.report_runless_asset_event(dg.AssetMaterialization("markets"))
    (missing,) = health.findings(watched, [asked])
    assert "is its disk mounted" in missing.text
    list_markets(lake, market_row(1))
    assert health.findings(watched, [asked]) == []
    assert lake.store.list("") == [path for path in lake.store.list("") if "probe" not in path]


def test_the_sensor_tells_once_and_leaves_figures(instance: dg.DagsterInstance, lake: Lake, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Without a webhook: to the log, which is how one sees what would be told."""
    ran(instance, "keeping", RUN.FAILURE)
    settings = Settings(state_dir=tmp_path / "state", lake_root=lake.root, polymarket_gamma_url="http://127.0.0.1:1")  # fmt: skip
    sources = [source for source in health.SOURCES if source.name == "runs"]
    now = utc_now()
    with caplog.at_level(logging.WARNING):
        for minute in range(5):
            look_and_tell(instance, lambda: lake, settings, now + timedelta(minutes=minute), sources=sources)
    assert sum("the last run of keeping failed" in record.message for record in caplog.records) == 1
    left = (tmp_path / "state" / "metrics.prom").read_text()
    assert "polymarket_runs_waiting 0.0" in left
    assert "polymarket_alerts_waiting 0.0" in left
    assert json.loads((tmp_path / "state" / "alerts.json").read_text())["sent"] == 1


@pytest.mark.slow
def test_a_tick_of_the_sensor_asks_every_source_and_says_how_it_went(instance: dg.DagsterInstance, lake: Lake, tmp_path: Path) -> None:  # fmt: skip
    told = {"state_dir": str(tmp_path), "lake_root": lake.root} | {f"polymarket_{name}_url": "http://127.0.0.1:1" for name in ("gamma", "clob", "data")}  # fmt: skip
    resources = {"lake": LakeResource(root=lake.root), "settings": SettingsResource(replaced=told)}
    said = alerts(dg.build_sensor_context(instance=instance, resources=resources))
    assert isinstance(said, dg.SkipReason)
    assert str(said.skip_message).startswith(f"{len(health.SOURCES)} sources asked, ")


def test_without_a_place_to_remember_nothing_is_told(instance: dg.DagsterInstance, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.delenv("STATE_DIR", raising=False)
    said = alerts(dg.build_sensor_context(instance=instance, resources={"lake": LakeResource(root=lake.root), "settings": SettingsResource()}))  # fmt: skip
    assert "STATE_DIR is not set" in str(said.skip_message)


@pytest.mark.slow
def test_the_doctor_shows_what_is_wrong_with_the_next_step(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.setenv("LAKE_ROOT", lake.root)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    for name in ("GAMMA", "CLOB", "DATA"):
        monkeypatch.setenv(f"POLYMARKET_{name}_URL", "http://127.0.0.1:1")
    assert doctor(["--live"]) == 2
    said = capsys.readouterr().out
    assert "venue_unrecordable" in said
    assert "unknown:runs" in said
    assert doctor(["--metrics"]) == 0
    assert 'polymarket_disk_free_bytes{disk="LAKE_ROOT"}' in capsys.readouterr().out
