"""Runs of history in this process and in the project's own Dagster instance, whose records are the journal of what is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from polymarket_assets import interrupts
from polymarket_assets.collecting.history.closed_days import is_fetched
from polymarket_assets.lake.writing import Lake

# Records of an asset that are read at once.
A_PAGE = 500
MOST_PAGES = 200
# What a run says is in the instance, for its page; here there is a bar.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
TAGS = {"launched_by": "bootstrap"}


@dataclass(frozen=True)
class Ran:
    """A run: what its asset reported, or why there is nothing."""

    reported: Mapping[str, Any]
    failure: str | None = None


class Runs:
    """Materialises one asset at a time."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        # Loaded here, definitions first: they say which of Dagster's warnings concern nobody.
        from polymarket_assets.definitions import defs

        self._instance = instance
        self._job = defs.resolve_implicit_global_asset_job_def()

    def run(self, asset: str, day: date | None = None, config: Mapping[str, Any] | None = None) -> Ran:
        """Materialise an asset, or its partition of a day. Raises `KeyboardInterrupt`; then all of it is published, or nothing."""
        given = {**_QUIET, **({"ops": {asset: {"config": dict(config)}}} if config else {})}
        try:
            with interrupts.kept():
                result = self._job.execute_in_process(
                    run_config=given,
                    instance=self._instance,
                    partition_key=None if day is None else f"{day}",
                    asset_selection=[dg.AssetKey(asset)],
                    tags=TAGS,
                    raise_on_error=False,
                )
        except dg.DagsterExecutionInterruptedError as e:
            raise KeyboardInterrupt from e
        if not result.success:
            why = _why(result)
            if why is None:
                raise KeyboardInterrupt
            return Ran({}, why)
        (made,) = result.asset_materializations_for_node(asset)
        return Ran(_values(made))

    def journal(self, asset: str, days: Iterable[date]) -> dict[date, tuple[float, Mapping[str, Any]]]:
        """When each day of an asset was materialised last, in Unix seconds, and what was reported; days never made are absent."""
        wanted = {f"{day}": day for day in days}
        of = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=list(wanted))
        found: dict[date, tuple[float, Mapping[str, Any]]] = {}
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = self._instance.fetch_materializations(of, limit=A_PAGE, cursor=cursor)
            for record in page.records:
                made = record.asset_materialization
                if made is not None and made.partition in wanted:
                    # The newest come first.
                    found.setdefault(wanted[str(made.partition)], (record.timestamp, _values(made)))
            cursor = page.cursor
            if not page.has_more or len(found) == len(wanted):
                break
        return found


@contextmanager
def opened() -> Iterator[Runs]:
    """Runs in the instance of `DAGSTER_HOME`."""
    with dg.DagsterInstance.get() as instance:
        yield Runs(instance)


@dataclass(frozen=True)
class Journal:
    """Which days need nothing more."""

    runs: Runs
    lake: Lake
    days: list[date]

    def unlisted(self) -> list[date]:
        """Days whose markets are not there, the newest first."""
        made = self.runs.journal("history_markets", self.days)
        return [
            day for day in self.days if day not in made or not is_fetched(self.lake, "history_markets", day)
        ]

    def unfetched(self, asset: str, least_volume_usd: float) -> list[date]:
        """Days of which this asset is not there, or of fewer markets, or of other ones, or not whole; the newest first."""
        listed = self.runs.journal("history_markets", self.days)
        made = self.runs.journal(asset, self.days)
        return [
            day
            for day in self.days
            if day not in made
            or day not in listed
            or made[day][0] < listed[day][0]
            or not is_whole(made[day][1])
            or float(made[day][1].get("least_volume_usd", 0.0)) > least_volume_usd
            or not is_fetched(self.lake, asset, day)
        ]


def is_whole(reported: Mapping[str, Any]) -> bool:
    """Whether the venue answered for every market as agreed; what it did not may be there the next time."""
    return not reported.get("malformed") and not reported.get("unreadable")


def _values(made: dg.AssetMaterialization) -> dict[str, Any]:
    return {name: value.value for name, value in made.metadata.items()}


def _why(result: dg.ExecuteInProcessResult) -> str | None:
    """What the failed step said; None where somebody stopped it."""
    from polymarket_assets.assets.running import STOPPED

    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            data: Any = event.event_specific_data
            if data.error and data.error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
                return None
            said = getattr(data, "user_failure_data", None)
            if said is not None and said.description:
                return None if said.description == STOPPED else str(said.description)
            return str(data.error.message).strip().splitlines()[-1] if data.error else "it failed"
    return "it failed before its first step"
