"""What Dagster records: runs and checks, really executed; their outcome is the drill's to choose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import dagster as dg

from drills.alert_place import MINUTE, Place, checked, made, ran, ran_for
from drills.forced import Forced
from polymarket_assets.watching import checks

PARTITION = "2026-11-28-04:00"
# Runs that may wait, and runs that do.
BACKLOG, WAITING = 2, 4


@contextmanager
def failed_run(place: Place) -> Iterator[Forced]:
    """A run that fails, and one that goes well."""
    yield Forced(partial(ran, place, "keeping", well=False), partial(ran, place, "keeping", well=True))


@contextmanager
def left_partition(place: Place) -> Iterator[Forced]:
    """A partition whose run failed half an hour ago, and that is then made from the asset's page."""

    def wrong() -> None:
        ran_for(place, "closed_hour", "trades", PARTITION, well=False)
        place.now += 31 * MINUTE

    yield Forced(wrong, partial(ran_for, place, "__ASSET_JOB", "trades", PARTITION, well=True))


@contextmanager
def backlog(place: Place) -> Iterator[Forced]:
    """More runs wait than may."""
    place.more["alert_backlog"] = BACKLOG

    @dg.job(name="queued")
    def queued() -> None: ...

    def wrong() -> None:
        for _ in range(WAITING):
            place.instance.create_run_for_job(queued, status=dg.DagsterRunStatus.NOT_STARTED)

    def right() -> None:
        for run in place.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.NOT_STARTED])):
            place.instance.report_run_canceled(run)

    yield Forced(wrong, right)


@contextmanager
def failed_check(place: Place) -> Iterator[Forced]:
    """A blocking check that does not hold, and holds again."""
    key = next(key for key in checks.blocking() if key.asset_key.to_user_string() == "trades")
    yield _checked(place, key, blocking=True)


@contextmanager
def warned(name: str, place: Place) -> Iterator[Forced]:
    """The daily look at the followed model warns, and holds again."""
    yield _checked(place, dg.AssetCheckKey(dg.AssetKey("promotion"), name), blocking=False)


def _checked(place: Place, key: dg.AssetCheckKey, *, blocking: bool) -> Forced:
    look = partial(checked, place, key, blocking=blocking)
    return Forced(partial(look, well=False), partial(look, well=True))


@contextmanager
def stale(place: Place) -> Iterator[Forced]:
    """Nothing was listed for three quarters of an hour."""

    def wrong() -> None:
        place.life = lambda: None
        place.now += 45 * MINUTE

    def right() -> None:
        place.life = lambda: made(place, "markets", place.now)

    right()
    yield Forced(wrong, right)
