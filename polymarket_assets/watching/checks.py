"""Checks: blocking ones whose newest result does not hold, and those of models that warn of drift."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from polymarket_assets.watching.findings import Finding, Severity, Told, Watched, instant

if TYPE_CHECKING:
    from dagster import AssetCheckKey
    from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord

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
    """By the newest result of each, of whatever partition."""
    for key, record in _failed(watched, blocking()):
        asset = key.asset_key.to_user_string()
        filed = f" in {record.partition}" if record.partition else ""
        text = f"{asset}: {key.name} does not hold{filed}; what is built on it waits"
        yield Finding(f"check_failed:{asset}/{key.name}", Severity.CRITICAL, instant(record.create_timestamp), text, f"/assets/{asset}?view=checks")  # fmt: skip


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
    from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

    found = watched.dagster.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    for key, record in found.items():
        if record.status is AssetCheckExecutionRecordStatus.FAILED:
            yield key, record
