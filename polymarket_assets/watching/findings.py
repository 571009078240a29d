"""What a source yields: findings that stand until they are gone, events that happen once, and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import Unavailable

if TYPE_CHECKING:
    from dagster import DagsterInstance


class StorageAway(Unavailable):
    """Dagster's storage does not answer."""


class Severity(StrEnum):
    """A warning can wait for the next day; what is critical loses data while nobody acts."""

    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """The larger, the worse."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Finding:
    """Something that is wrong now. `key` is `<kind>` or `<kind>:<which>` and stays the same while it lasts; `link` is a path of the Dagster UI.

    `until`: from then on it is not looked for any more. That it is not found then is no recovery.
    """

    key: str
    severity: Severity
    since: datetime
    text: str
    link: str | None = None
    until: datetime | None = None

    @property
    def kind(self) -> str:
        """What docs/alerts.md lists."""
        return kind_of(self.key)


@dataclass(frozen=True)
class Event:
    """Something that happened at an instant and is told once, by its key.

    `only_changes`: the first ones of a kind that are ever seen are how things stand, and are not told.
    """

    key: str
    at: datetime
    text: str
    link: str | None = None
    only_changes: bool = False

    @property
    def kind(self) -> str:
        """What docs/alerts.md lists."""
        return kind_of(self.key)


@dataclass(frozen=True)
class Figure:
    """A gauge of `polymarket_<name>` as Prometheus reads it; figures of one name have the same labels."""

    name: str
    said: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


Told = Finding | Event | Figure


def kind_of(key: str) -> str:
    """The kind that a key is of."""
    return key.partition(":")[0]


def instant(timestamp: float) -> datetime:
    """As Dagster's records have it."""
    return datetime.fromtimestamp(timestamp, UTC)


@dataclass(frozen=True)
class Watched:
    """What sources may ask."""

    settings: Settings
    now: datetime
    open_lake: Callable[[], Lake]
    # Dagster's instance; it is opened where somebody asks for it, and may raise `StorageAway`.
    open_instance: Callable[[], DagsterInstance] | None = None
    # Keys of what people were told of, and not of its end.
    standing: frozenset[str] = frozenset()

    def margin(self, key: str, points: float) -> float:
        """How much better than its threshold a percentage must be for that to be over: nothing where it was not told."""
        return points if key in self.standing else 0.0

    @property
    def lake(self) -> Lake:
        """Raises `LakeError` and `NotConfigured`."""
        return self.open_lake()

    @property
    def dagster(self) -> DagsterInstance:
        """Raises `Unavailable` where no instance was named, `StorageAway` where its storage does not answer."""
        if self.open_instance is None:
            raise Unavailable("no Dagster instance is named: set DAGSTER_HOME to its folder")
        return self.open_instance()


@dataclass(frozen=True)
class Source:
    """Who is asked, how often, and at how many looks running something must be found before it is told."""

    name: str
    look: Callable[[Watched], Iterator[Told]]
    every_s: float = 60.0
    confirm: int = 3
