"""Checks: blocking ones whose newest result does not hold, partition by partition, and those of models that warn of drift.

A result is one that was evaluated: a run that only plans to look again has not looked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from polymarket_assets.venue.errors import Unavailable
from polymarket_assets.watching.findings import Finding, Severity, Told, Watched, instant

if TYPE_CHECKING:
    from dagster import AssetCheckKey
    from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord

# Partitions that were looked at longer ago a person has seen, or never will; what has none holds back what follows for ever.
LOOK_BACK = timedelta(days=7)
# Results of one check that do not hold; more is an outage, and the newest tell of it.
MOST_FAILED = 200
# Checks of `promotion` -> kind of finding, and what to say.
_OF_MODELS = {
    "features_as_learnt": ("model_drifted", "what the followed model sees is not what it learnt from"),
    "live_as_out_of_fold": ("model_live_gap", "the followed model does not gain live what it gained out of fold"),
}  # fmt: skip


@cache
def blocking() -> tuple[AssetCheckKey, ...]:
    """The keys of the checks that hold back what is built on their asset."""
    from polymarket_assets.definitions import defs

    graph = defs.get_repository_def().asset_graph
    return tuple(key for key in sorted(graph.asset_check_keys) if graph.get_check_spec(key).blocking)


def look(watched: Watched) -> Iterator[Told]:
    """By the newest result of each in each partition. Raises `Unavailable` where more do not hold than are looked at."""
    for key, record in _failed(watched, blocking()):
        asset, at = key.asset_key.to_user_string(), instant(record.create_timestamp)
        filed, which = (f" in {record.partition}", f"/{record.partition}") if record.partition else ("", "")
        text = f"{asset}: {key.name} does not hold{filed}; what is built on it waits"
        until = at + LOOK_BACK if record.partition else None
        yield Finding(f"check_failed:{asset}/{key.name}{which}", Severity.CRITICAL, at, text, f"/assets/{asset}?view=checks", until)  # fmt: skip


def models(watched: Watched) -> Iterator[Told]:
    """What the daily review warned of."""
    import dagster as dg

    keys = [dg.AssetCheckKey(dg.AssetKey("promotion"), name) for name in _OF_MODELS]
    for key, record in _failed(watched, keys):
        kind, text = _OF_MODELS[key.name]
        said = record.evaluation.description if record.evaluation else None
        yield Finding(kind, Severity.WARNING, instant(record.create_timestamp), f"{text}: {said or 'see the check'}", "/assets/promotion?view=checks")  # fmt: skip


def _failed(
    watched: Watched, keys: Sequence[AssetCheckKey]
) -> Iterator[tuple[AssetCheckKey, AssetCheckExecutionRecord]]:
    """Results that do not hold and after which nothing was found, of each partition the newest."""
    from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status

    log, beyond = watched.dagster.event_log_storage, []
    for key in keys:
        found = log.get_asset_check_execution_history(key, limit=MOST_FAILED, status={Status.FAILED})
        newest: dict[str | None, AssetCheckExecutionRecord] = {}
        for record in found:
            newest.setdefault(record.partition, record)
        for record in newest.values():
            if _is_recent(watched, record) and _is_last(watched, key, record):
                yield key, record
        if len(found) == MOST_FAILED and _is_recent(watched, found[-1]):
            beyond.append(key.to_user_string())
    if beyond:
        raise Unavailable(f"{MOST_FAILED} results or more of {', '.join(beyond)} do not hold: older ones are not looked at")  # fmt: skip


def _is_recent(watched: Watched, record: AssetCheckExecutionRecord) -> bool:
    return record.partition is None or watched.now - instant(record.create_timestamp) < LOOK_BACK


def _is_last(watched: Watched, key: AssetCheckKey, record: AssetCheckExecutionRecord) -> bool:
    """Whether its partition was not looked at again since."""
    from dagster._core.event_api import PartitionKeyFilter
    from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status

    last = watched.dagster.event_log_storage.get_asset_check_execution_history(
        key, limit=1, status={Status.FAILED, Status.SUCCEEDED}, partition_filter=PartitionKeyFilter(key=record.partition),
    )  # fmt: skip
    return [one.id for one in last] == [record.id]
