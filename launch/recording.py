"""Recording in the demo: windows of five tiers, hour by hour, and looks at what is listed, while other stages go on."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rich.progress import Progress

from launch.runs import RUN_S, Dagster
from polymarket_assets.lake.spans import HOUR, hour_of
from polymarket_assets.tiers import TIERS

# New markets appear all the time: what is listed is looked at this often meanwhile.
LOOK_EVERY_S = 40
# Too little of an hour, or of the recording, is left for a window: wait for the next.
SHORTEST_WINDOW_S = 20
# A run that is asked for begins within this time.
RUN_BEGINS_S = 10
_BREATH_S = 1.0


@dataclass
class Watched:
    """What was recorded: the hours it touched, the slots its windows had, and when it ended."""

    hours: set[datetime] = field(default_factory=set)
    expected: Counter[str] = field(default_factory=Counter)
    until: datetime = field(default_factory=lambda: datetime.now(UTC))


class Recording:
    """Goes on as long as `look` is called, which whoever waits for something does."""

    def __init__(self, dagster: Dagster, progress: Progress) -> None:
        self._dagster, self._progress = dagster, progress
        self._task = progress.add_task("Record five tiers and the trade stream", total=None)
        self._began = self._until = self._over = datetime.now(UTC)
        self._looked, self._windows, self._watched = time.monotonic(), list[str](), Watched()

    @property
    def left_s(self) -> float:
        """Seconds until it ends, 0 or less when it has."""
        return (self._until - datetime.now(UTC)).total_seconds()

    def go_on(self, seconds: float) -> None:
        """Record for so long from now, if not for longer already."""
        self._until = max(self._until, datetime.now(UTC) + timedelta(seconds=seconds))
        self._progress.update(self._task, total=(self._until - self._began).total_seconds())
        self.look()

    def look(self, over: int = 0) -> None:
        """Begin what is due: the next windows, the next look at what is listed. `over` is of no interest: a wait counts with it."""
        now, left = datetime.now(UTC), self.left_s
        self._progress.update(self._task, completed=(min(now, self._until) - self._began).total_seconds())
        rest = (hour_of(now) + HOUR - now).total_seconds()
        if now >= self._over and min(left, rest) > SHORTEST_WINDOW_S:
            self._begin(now, min(left, rest))
        if time.monotonic() - self._looked > LOOK_EVERY_S and left > LOOK_EVERY_S / 2:
            self._looked = time.monotonic()
            discovery(self._dagster)

    def end(self) -> Watched:
        """Sit it out, wait for its windows, and tell what it did."""
        while self.left_s > 0:
            self.look()
            time.sleep(_BREATH_S)
        self._dagster.wait(self._windows, seconds=RUN_S)
        self._progress.update(self._task, completed=(self._until - self._began).total_seconds())
        for run in self._windows:
            self._count_expected(run)
        self._watched.until = datetime.now(UTC)
        return self._watched

    def _begin(self, now: datetime, seconds: float) -> None:
        """A window of every tier, the nearest first."""
        self._over = now + timedelta(seconds=seconds)
        self._watched.hours.add(hour_of(now))
        self._windows += [
            self._dagster.launch(
                f"window_{tier.name}",
                tags={"dagster/partition": hour_key(now), "tier": tier.name},
                config={"ops": {f"sample_{tier.name}": {"config": {"WINDOW_S": seconds}}}},
            )
            for tier in reversed(TIERS)
        ]

    def _count_expected(self, run: str) -> None:
        for key, reported in self._dagster.reported(run).items():
            if key.startswith("snapshots/"):
                self._watched.expected[key.removeprefix("snapshots/")] += int(reported["expected"])


def discovery(dagster: Dagster) -> str:
    """Ask for a look at what is listed; returns its run."""
    return dagster.launch("discovery", tags={"dagster/partition": hour_key(with_room(RUN_BEGINS_S))})


def hour_key(at: datetime) -> str:
    """Dagster's key of the hour `at` lies in."""
    return f"{hour_of(at):%Y-%m-%d-%H:00}"


def with_room(seconds: float) -> datetime:
    """Now, or the start of the next hour where this one has less left: what is over cannot be recorded."""
    now = datetime.now(UTC)
    rest = (hour_of(now) + HOUR - now).total_seconds()
    if rest >= seconds:
        return now
    time.sleep(rest)
    return datetime.now(UTC)
