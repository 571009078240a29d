"""The place of one condition: a lake, a state folder, a Dagster instance, a clock, and looks of the sensor at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dagster as dg

from drills.webhook import Webhook
from polymarket_assets import alerts, health
from polymarket_assets.alerting import outbox, telling
from polymarket_assets.alerting.outbox import State
from polymarket_assets.health import Source
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings

MINUTE = timedelta(minutes=1)
EVERY = timedelta(seconds=alerts.EVERY_S)


class Killed(BaseException):
    """The sensor's process ends here."""


@dataclass
class Place:
    """Everything of one condition; conditions move its clock where time itself is what is wrong."""

    folder: Path
    webhook: Webhook
    source: str
    instance: dg.DagsterInstance
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    more: dict[str, Any] = field(default_factory=dict)
    lake_root: Path | None = None
    # Slots that have an account, by tier.
    accounted: set[tuple[str, datetime]] = field(default_factory=set)
    # What goes on while the clock does.
    life: Callable[[], None] = lambda: None

    @property
    def lake(self) -> Lake:
        return Lake(self.lake_root or self.folder / "lake")

    @property
    def settings(self) -> Settings:
        told = {"state_dir": self.folder / "state", "lake_root": str(self.lake_root or self.folder / "lake")}
        return Settings(slack_webhook_url=self.webhook.url, **{**told, **self.more})

    @property
    def asked(self) -> Source:
        """The one source that this is about."""
        return next(source for source in health.SOURCES if source.name == self.source)

    def look(self, count: int = 1) -> None:
        """Looks as the sensor makes them, each when the source is due."""
        for _ in range(count):
            self._wait()
            self.tick()

    def _wait(self) -> None:
        """Ticks at which the source is not due."""
        state = self.state
        self.now += EVERY
        while not telling.is_due(self.asked, state, self.now):
            self.now += EVERY

    def tick(self) -> None:
        """One look now."""
        self.life()
        alerts.look_and_tell(self.instance, lambda: self.lake, self.settings, self.now, sources=[self.asked])

    def killed_look(self) -> None:
        """A look whose process ends between writing what is to be told and sending it."""
        written: Callable[[Path, State], None] = outbox.write

        def write(folder: Path, state: State) -> None:
            written(folder, state)
            if state.waiting:
                raise Killed

        self._wait()
        with suppress(Killed), patch.object(outbox, "write", write):
            self.tick()

    @property
    def state(self) -> State:
        return outbox.read(self.folder / "state", self.now)


@contextmanager
def place(folder: Path, webhook: Webhook, source: str) -> Iterator[Place]:
    """A new one."""
    (folder / "dagster").mkdir(parents=True)
    with dg.DagsterInstance.local_temp(str(folder / "dagster")) as instance:
        yield Place(folder, webhook, source, instance)


def ran(place: Place, job: str, *, well: bool) -> None:
    """A run of a job, really executed."""

    @dg.op
    def step() -> None:
        if not well:
            raise dg.Failure("forced by the drill")

    @dg.job(name=job)
    def made() -> None:
        step()

    made.execute_in_process(instance=place.instance, raise_on_error=False)


def ran_for(place: Place, job: str, asset: str, partition: str, *, well: bool) -> None:
    """A run of a job of one partitioned asset, really executed; `__ASSET_JOB` is what the asset's page starts."""

    @dg.asset(name=asset, partitions_def=dg.StaticPartitionsDefinition([partition]))
    def made() -> None:
        if not well:
            raise dg.Failure("forced by the drill")

    defs = dg.Definitions([made], jobs=[dg.define_asset_job("closed_hour", [made])])
    chosen = defs.resolve_implicit_global_asset_job_def() if job == "__ASSET_JOB" else defs.resolve_job_def(job)  # fmt: skip
    chosen.execute_in_process(instance=place.instance, raise_on_error=False, partition_key=partition)


def checked(place: Place, key: dg.AssetCheckKey, *, well: bool, blocking: bool) -> None:
    """A check of an asset, really executed."""

    @dg.asset(key=key.asset_key)
    def made() -> None: ...

    @dg.asset_check(asset=made, name=key.name, blocking=blocking)
    def check() -> dg.AssetCheckResult:
        severity = dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(passed=well, severity=severity, description="forced by the drill")

    dg.materialize([made, check], instance=place.instance, raise_on_error=False)


def made(place: Place, asset: str, at: datetime, **metadata: Any) -> None:
    """A materialisation of an asset as of an instant: Dagster's own way carries the wall's time."""
    from dagster._core.definitions.events import AssetMaterialization
    from dagster._core.events import DagsterEvent, StepMaterializationData
    from dagster._core.events.log import EventLogEntry

    data = StepMaterializationData(AssetMaterialization(asset, metadata=metadata))
    event = DagsterEvent("ASSET_MATERIALIZATION", "drill", event_specific_data=data)
    place.instance.event_log_storage.store_event(EventLogEntry(None, 10, "", "", at.timestamp(), None, "drill", event))  # fmt: skip
