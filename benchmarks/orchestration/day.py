"""A day of runs and ticks, stored through Dagster's own storage: each a copy of one that was observed, with an id and a partition of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickData
from dagster._core.utils import make_new_run_id
from dagster._serdes import deserialize_value, serialize_value
from dagster._utils.schedules import schedule_execution_time_iterator

from benchmarks.orchestration.observed import Observed, Template
from polymarket_assets import pruning, schedules
from polymarket_assets.definitions import build_defs
from polymarket_assets.lake.spans import day_of, hour_of
from polymarket_assets.partitions import hour_key
from polymarket_assets.sensors import RESOLVE_EVERY_S

DAY = timedelta(days=1)
HOUR_KEY, DAY_KEY = "%Y-%m-%d-%H:%M", "%Y-%m-%d"
SCHEDULES = [*schedules.ALL, pruning.SCHEDULE]
# A sensor that asks for a run at each look.
ASKING = "ended_markets"
# As often as their sensor asks for one at the most.
BY_SENSOR = {"resolving": timedelta(seconds=RESOLVE_EVERY_S)}

Value = TypeVar("Value")


@dataclass(frozen=True)
class Stored:
    """What a day came to."""

    runs: int
    events: int
    ticks: int


def store(instance: dg.DagsterInstance, observed: Observed, day: datetime, tell: Callable[[str], None]) -> Stored:  # fmt: skip
    """Fill an instance with a day that begins at `day`."""
    for template in observed.runs.values():
        _know(instance, observed.instance, template.run)
    runs = sorted(_runs(observed, day), key=lambda run: run[0])
    events = 0
    for count, (at, template) in enumerate(runs):
        events += _again(instance, template, at)
        if count % 100 == 0:
            tell(f"a day of runs: {count} of {len(runs)}")
    ticks = 0
    for at, tick in _ticks(observed, day):
        instance.create_tick(tick._replace(timestamp=at.timestamp(), end_timestamp=at.timestamp()))
        ticks += 1
    return Stored(len(runs), events, ticks)


def _runs(observed: Observed, day: datetime) -> Iterator[tuple[datetime, Template]]:
    """When each job runs: by its schedule, or as often as its sensor may ask."""
    for schedule in SCHEDULES:
        if schedule.job_name in observed.runs:
            yield from ((at, observed.runs[schedule.job_name]) for at in _instants(schedule, day))
    for job, every in BY_SENSOR.items():
        yield from ((at, observed.runs[job]) for at in _every(day, every))


def _ticks(observed: Observed, day: datetime) -> Iterator[tuple[datetime, TickData]]:
    """One for every look of a sensor and every run of a schedule; a schedule that did not tick while we looked ticks like one that asked for a run."""
    for sensor in build_defs().sensors or ():
        every = timedelta(seconds=sensor.minimum_interval_seconds or 30)
        yield from ((at, observed.ticks[sensor.name].tick_data) for at in _every(day, every))
    asking = observed.ticks[ASKING].tick_data._replace(instigator_type=InstigatorType.SCHEDULE)
    for schedule in SCHEDULES:
        tick = observed.ticks.get(schedule.name)
        data = asking._replace(instigator_name=schedule.name) if tick is None else tick.tick_data
        yield from ((at, data) for at in _instants(schedule, day))


def _instants(schedule: dg.ScheduleDefinition, day: datetime) -> Iterator[datetime]:
    for at in schedule_execution_time_iterator(day.timestamp(), schedule.cron_schedule, "UTC"):
        if at >= day + DAY:
            return
        yield at


def _every(day: datetime, every: timedelta) -> Iterator[datetime]:
    return (day + k * every for k in range(DAY // every))


def _know(instance: dg.DagsterInstance, source: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """What a run refers to."""
    if run.job_snapshot_id is not None:
        instance.run_storage.add_job_snapshot(source.get_job_snapshot(run.job_snapshot_id))
    if run.execution_plan_snapshot_id is not None:
        instance.run_storage.add_execution_plan_snapshot(source.get_execution_plan_snapshot(run.execution_plan_snapshot_id))  # fmt: skip


def _again(instance: dg.DagsterInstance, template: Template, at: datetime) -> int:
    """Store a copy of a run and its log; returns how many lines it has."""
    run_id = make_new_run_id()
    other = {template.run.run_id: run_id, **_moved(template.partition, at)}
    any_of = re.compile("|".join(map(re.escape, other)))

    def own(value: Value) -> Value:
        text = serialize_value(value)  # type: ignore[arg-type]
        return deserialize_value(any_of.sub(lambda found: other[found[0]], text))  # type: ignore[return-value]

    instance.add_run(own(template.run).with_status(dg.DagsterRunStatus.NOT_STARTED))
    for entry in template.log:
        instance.handle_new_event(own(entry))
    if template.printed.is_dir():
        shutil.copytree(template.printed, Path(instance.root_directory) / "storage" / run_id)
    return len(template.log)


def _moved(partition: str | None, at: datetime) -> dict[str, str]:
    """How the partition of a run reads at another instant: its key, and the instants at which it begins and ends."""
    if partition is None:
        return {}
    hourly = ":" in partition
    began = datetime.strptime(partition, HOUR_KEY if hourly else DAY_KEY).replace(tzinfo=UTC)
    length = timedelta(hours=1) if hourly else DAY
    moved = hour_of(at) if hourly else day_of(at)
    times = {str((began + k * length).timestamp()): str((moved + k * length).timestamp()) for k in (0, 1)}
    return {partition: hour_key(moved) if hourly else f"{moved:{DAY_KEY}}", **times}
