"""Health: what is wrong with this installation now, as findings (key, severity, since, text); the door to `watching`.

health.look(watched)            every source with what it said
health.findings(watched)        what is wrong now, the worst first
health.watched()                what sources may ask, as the settings of this process name it

docs/alerts.md says what each finding means. The sensor `alerts` asks the same sources, and tells what changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime

from polymarket_assets.alerting import delivery
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings, load
from polymarket_assets.watching import (
    asking,
    assets,
    checks,
    disks,
    happenings,
    models,
    partitions,
    runs,
    storage,
    stream,
    tiers,
    venue,
)
from polymarket_assets.watching.asking import Looked
from polymarket_assets.watching.findings import Event, Figure, Finding, Severity, Source, Watched
from polymarket_assets.watching.opening import Opening

__all__ = ["ASKED", "READ_ONLY", "SOURCES", "Event", "Figure", "Finding", "Looked", "Severity", "Source", "Watched", "findings", "look", "watched"]  # fmt: skip

# Seconds between two looks of the sensor; docs/alerts.md has the CPU that each takes. Told after one look is what stands in
# records: a fact. What is measured is looked at again, within a minute (`telling.is_due`).
_OFTEN, _SOMETIMES, _SELDOM, _DAILY = 60.0, 300.0, 1_800.0, 21_600.0

SOURCES: tuple[Source, ...] = (
    Source("lake", disks.writing, _OFTEN, confirm=2),
    Source("disks", disks.look, _OFTEN),
    Source("storage", storage.look, _OFTEN),
    Source("tiers", tiers.look, _OFTEN, confirm=2),
    Source("stream", stream.look, _OFTEN),
    Source("runs", runs.look, _OFTEN, confirm=2),
    Source("checks", checks.look, _SOMETIMES, confirm=1),
    Source("assets", assets.look, _SOMETIMES, confirm=1),
    Source("partitions", partitions.look, _SOMETIMES, confirm=1),
    Source("models", checks.models, _SOMETIMES, confirm=1),
    Source("decisions", models.look, _SOMETIMES, confirm=1),
    Source("whales", happenings.whales, _SOMETIMES, confirm=1),
    Source("edges", happenings.edges, 600.0, confirm=1),
    Source("days", happenings.days, _SELDOM, confirm=1),
    Source("forecast", disks.forecast, _SELDOM, confirm=2),
    Source("venue", venue.look, _SELDOM, confirm=2),
    Source("size", disks.size, _DAILY, confirm=1),
)

# Whoever asks is told whether those messages arrive, too; the sensor would tell it with one that does not.
ASKED: tuple[Source, ...] = (*SOURCES, Source("alerts", delivery.look, _OFTEN, confirm=1))

# Who only reads asks the lake without writing to it.
READ_ONLY: tuple[Source, ...] = (Source("lake", disks.reading, _OFTEN, confirm=2), *(one for one in ASKED if one.name != "lake"))  # fmt: skip


def look(watched: Watched, sources: Sequence[Source] = ASKED) -> Iterator[Looked]:
    """Each source with what it said; one that could not be asked is a finding of its own."""
    return asking.look(watched, sources)


def findings(watched: Watched, sources: Sequence[Source] = ASKED) -> list[Finding]:
    """What is wrong now, the worst first."""
    return ordered(look(watched, sources))


def ordered(looks: Iterable[Looked]) -> list[Finding]:
    """The findings of some looks, the worst first."""
    found = [finding for looked in looks for finding in looked.findings]
    return sorted(found, key=lambda finding: (-finding.severity.rank, finding.key))


@contextmanager
def watched(settings: Settings | None = None, now: datetime | None = None) -> Iterator[Watched]:
    """What the settings of this process name; without `DAGSTER_HOME` nothing that Dagster records is known."""
    told = settings or load()
    is_named = told.dagster_home is not None and told.dagster_home.is_dir()
    instance = Opening(str(told.dagster_home)) if is_named else None
    with closing(instance) if instance else nullcontext():
        yield Watched(told, now or datetime.now(UTC), lambda: Lake(told.need_lake_root()), instance)
