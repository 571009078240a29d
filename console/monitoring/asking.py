"""Health as the console asks it: each source at its own pace, and Dagster's instance opened once, or again after it could not be."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from console.kept import Seen
from console.monitoring import linking
from console.place import Place
from polymarket_assets.watching.opening import Opening

if TYPE_CHECKING:
    from polymarket_assets.watching.asking import Looked
    from polymarket_assets.watching.findings import Finding, Watched

log = logging.getLogger(__name__)

# What the sensor `alerts` asks every minute is asked four times as often by who looks at it; what is asked seldom is no oftener.
EVERY_S = 15.0
_OFTEN_S = 300.0
# The first look must not wait for the slowest; who was not asked by then is asked in the next one.
_LOOK_S = 4.0
# Those that ask Dagster come in the second look: importing it takes seconds, of the first answer and of the time that each has.
_OF_DAGSTER = frozenset({"storage", "runs", "checks", "assets", "partitions", "models", "decisions"})
NOT_ASKED = "not asked yet"
# What is wrong, or not known, is looked at again soon, so that its end is seen.
_AGAIN_S = 60.0

Status = Literal["ok", "warning", "critical"]


@dataclass(frozen=True)
class Found:
    """Something that is wrong now: `step` is what to do about it, `link` a page of Dagster, `muted` that nobody is told of it."""

    key: str
    kind: str
    severity: Literal["warning", "critical"]
    since: datetime
    text: str
    step: str
    link: str | None
    muted: bool


@dataclass(frozen=True)
class Asked:
    """A source of health: when it was asked, and why it could not be, or not about all."""

    name: str
    asked_at: datetime | None
    unknown: str | None


@dataclass(frozen=True)
class Health:
    """What is wrong now, the worst first; `status` is of what people are told."""

    status: Status
    looked_at: datetime
    findings: tuple[Found, ...]
    sources: tuple[Asked, ...]


class Asking:
    """The sources of an installation; one look at a time."""

    def __init__(self, place: Place) -> None:
        self._place, self._settings = place, place.settings
        self._opening: Opening | None = None
        self._is_loaded = False
        self._lock = threading.Lock()
        self._looked: dict[str, tuple[datetime, Looked]] = {}
        self._due: dict[str, float] = {}

    def watched(self) -> Watched:
        """What sources may ask, as of now."""
        from polymarket_assets.watching.findings import Watched

        return Watched(self._settings, self._place.clock(), self._place.lake, self._open())

    def look(self) -> Health:
        """Ask the sources whose turn it is."""
        from polymarket_assets import health

        now = time.monotonic()
        due = [source for source in health.READ_ONLY if now >= self._due.get(source.name, 0.0)]
        if not self._looked:
            due = [source for source in due if source.name not in _OF_DAGSTER]
        else:
            self._load_definitions()
        # Those first that wait longest: never asked, then long due.
        due.sort(key=lambda source: self._due.get(source.name, 0.0))
        now, watched = time.monotonic(), self.watched()
        for source, looked in zip(due, health.look(watched, due), strict=False):
            self._looked[source.name] = (watched.now, looked)
            pace_s = max(EVERY_S, source.every_s / 4) if source.every_s <= _OFTEN_S else source.every_s
            self._due[source.name] = now + (min(pace_s, _AGAIN_S) if looked.findings else pace_s)
            if time.monotonic() - now > _LOOK_S:
                break
        return self._told(watched.now)

    def _load_definitions(self) -> None:
        if self._is_loaded or self._open() is None:
            return
        from polymarket_assets.watching import checks, runs

        self._is_loaded = True
        try:
            runs.jobs()
            checks.blocking()
        except Exception as e:
            # Each source that needs them says so for itself.
            log.warning("definitions could not be loaded", exc_info=e)

    def _open(self) -> Opening | None:
        """One that failed is tried anew; one that hangs is left to hang, rather than have another beside it."""
        home = self._settings.dagster_home
        if home is None or not home.is_dir():
            return None
        with self._lock:
            if self._opening is None or self._opening.has_failed:
                self._opening = Opening(str(home))
            return self._opening

    def _told(self, now: datetime) -> Health:
        from polymarket_assets import health

        found = [self._found(one) for one in health.ordered(looked for _, looked in self._looked.values())]
        asked = tuple(self._asked(source.name) for source in health.READ_ONLY)
        told = {one.severity for one in found if not one.muted}
        is_known = all(one.asked_at is not None for one in asked)
        return Health("critical" if "critical" in told else "warning" if told or not is_known else "ok", now, tuple(found), asked)  # fmt: skip

    def _asked(self, name: str) -> Asked:
        if name not in self._looked:
            return Asked(name, None, NOT_ASKED)
        at, looked = self._looked[name]
        return Asked(name, at, looked.unknown)

    def _found(self, one: Finding) -> Found:
        from polymarket_assets.masking import masked
        from polymarket_assets.watching import kinds

        link = linking.dagster(self._settings, one.link) if one.link else None
        return Found(one.key, one.kind, one.severity.value, one.since, masked(one.text), kinds.STEPS.get(one.kind, ""), link, self._settings.is_muted(one.key))  # fmt: skip


def health(place: Place) -> Seen[Health]:
    """What was found last. Raises `NotYet`."""
    return place.seen(_look, every_s=EVERY_S)


def _look(place: Place) -> Health:
    return place.own(Asking).look()
