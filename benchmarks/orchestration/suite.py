"""The rows: megabytes of a day before and after pruning, and whether what was materialised still reads so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from benchmarks.orchestration import day, stores
from benchmarks.orchestration.day import DAY
from benchmarks.orchestration.observed import Observed, observed
from benchmarks.orchestration.stores import Store
from benchmarks.rows import Row, Tell
from polymarket_assets.pruning import prune

TITLE = "what Dagster keeps of a day"
# Wanted, by the issue.
RAW_MB, PRUNED_MB = 60.0, 10.0


def measured(*, long: bool, tell: Tell) -> Iterator[Row]:
    """Measure; rows come as they are known. Raises `Failed` where a job does not succeed."""
    tell("every job once, against the simulator")
    with observed() as seen:
        for make in (stores.sqlite, stores.postgres):
            with make() as store:
                yield from _of(store, seen, tell)


def _of(store: Store, seen: Observed, tell: Tell) -> Iterator[Row]:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    stored = day.store(store.instance, seen, today - DAY, tell)
    raw, made = store.megabytes(), _materialised(store.instance)
    yield Row(f"{store.name}: a day, raw", raw, "MB", RAW_MB, more=False, note=f"{stored.runs:,} runs, {stored.events:,} lines of log, {stored.ticks:,} ticks")  # fmt: skip
    tell(f"pruning {store.name}")
    began = time.perf_counter()
    # Two days after the last event: what was stored is stored as of now.
    later = datetime.now(UTC) + 2 * DAY
    _purge(store.instance, seen, later)
    done = prune(store.instance, now=later)
    took = time.perf_counter() - began
    store.settle()
    note = f"{done.runs_deleted:,} runs and {done.events_deleted:,} lines of log less, in {took:.1f} s"
    yield Row(f"{store.name}: after pruning", store.megabytes(), "MB", PRUNED_MB, more=False, ratio=store.megabytes() / raw, note=note)  # fmt: skip
    left = _materialised(store.instance)
    yield Row(f"{store.name}: partitions that read as materialised", len(made & left), "", len(made), note=f"{len({asset for asset, _ in made})} assets")  # fmt: skip


def _materialised(instance: dg.DagsterInstance) -> set[tuple[str, str]]:
    """Assets and partitions of which there is a materialisation; an asset without partitions has one, with an empty key."""
    keys = instance.all_asset_keys()
    partitioned = {(key.to_user_string(), partition) for key in keys for partition in instance.get_materialized_partitions(key)}  # fmt: skip
    return partitioned | {(key.to_user_string(), "") for key in keys if instance.get_latest_materialization_event(key)}  # fmt: skip


def _purge(instance: dg.DagsterInstance, seen: Observed, now: datetime) -> None:
    """Ticks, as the daemon purges them by `retention` of `dagster.yaml`."""
    for tick in seen.ticks.values():
        for status, days in instance.get_tick_retention_settings(tick.instigator_type).items():
            if days > 0:
                before = (now - timedelta(days=days)).timestamp()
                instance.purge_ticks(tick.instigator_origin_id, str(tick.selector_id), before, [status])
