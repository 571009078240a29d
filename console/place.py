"""What an installation has to look at: its settings, its lake, what Dagster knows; and what was looked at lately."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from console.kept import Kept, Seen
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings

T = TypeVar("T")


def _now() -> datetime:
    return datetime.now(UTC)


class Place:
    """One installation, read only; everything that a page or an endpoint shows is asked of it."""

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] = _now) -> None:
        self.settings, self.clock = settings, clock
        self._kept: dict[Callable[[Place], Any], Kept[Any]] = {}
        self._owned: dict[Callable[[Place], Any], Any] = {}
        self._lock = threading.Lock()

    def lake(self) -> Lake:
        """Raises `Refused` where `LAKE_ROOT` is not set."""
        return Lake(self.settings.need_lake_root())

    def seen(self, look: Callable[[Place], T], *, every_s: float) -> Seen[T]:
        """What a look found, at most about `every_s` old while it is asked for. Raises `NotYet`, or what the look raised."""
        with self._lock:
            if look not in self._kept:
                self._kept[look] = Kept(lambda: look(self), every_s=every_s, clock=self.clock)
            kept: Kept[T] = self._kept[look]
        return kept.seen()

    def own(self, make: Callable[[Place], T]) -> T:
        """What looks keep from one to the next, made once."""
        with self._lock:
            if make not in self._owned:
                self._owned[make] = make(self)
            owned: T = self._owned[make]
        return owned
