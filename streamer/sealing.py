"""Sealing: hours that are over become one sorted file per table, named by a manifest.

An hour is sealed when it is over, its grace too, and no journal holds anything of it any more; sessions that
nobody lives in are recovered for that. Until now, on request: a running session is asked to publish what it
has heard, and the manifests of the open hour say up to when (`through`). What comes after lies beside the
sealed file as parts that readers count, until the next sealing takes them in.

Where several streamers share the markets, shard 0 seals and the others publish only: their parts of an hour lie beside the sealed
file in the same way. Locks are of one host, and two hosts that sealed the same hour could each remove what the other is about to name.

It is done by a process of its own (`python -m streamer seal`, which `run` starts too) that has so much memory
and no more, and gives way to those that listen.
"""

from __future__ import annotations

import logging
import os
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from polymarket_assets.venue.errors import Unavailable
from streamer import journal, recovery, sessions
from streamer.locks import Lock
from streamer.recording import TABLES

if TYPE_CHECKING:
    from polymarket_assets.lake.folders import Folder
    from polymarket_assets.lake.spans import Span
    from polymarket_assets.lake.writing import Lake

log = logging.getLogger(__name__)

# Rounds, rotation and publication of the last minute of an hour take seconds; this is their time.
GRACE = timedelta(seconds=60)
# Hours before this are sealed or have been looked at hundreds of times.
LOOK_BACK = timedelta(days=7)
# An hour that is over for so long, and of which each table is one file at the most, is left alone: a manifest of it says nothing new but
# `through`, where `seal --until now` closed it and nobody sealed until then. Late parts bring any hour back.
SETTLED_AFTER = timedelta(hours=3)
# A running session publishes on request within seconds, unless the lake cannot be written.
FLUSH_S = 60.0
# Ours, not counting files that are mapped. An hour of 10,000 changes a second fits into 0.8 GB, whatever its parts.
MEMORY_BYTES = 1024 * 1024 * 1024
# Merging is work of minutes that nobody waits for; sockets that are not read are closed.
_NICE = 10
# Their stacks count as memory too: on a machine of many cores they would be most of it.
_THREADS = 2
_FLUSH_LOOK_S = 0.1

_HOUR = timedelta(hours=1)
# Gaps first: their number belongs into the other manifests.
_ORDER = ("stream_gaps", *(table for table in TABLES if table != "stream_gaps"))


@dataclass(frozen=True)
class Report:
    """What a sealing did."""

    # Hours of which something was sealed, with the rows they hold by table.
    sealed: dict[datetime, dict[str, int]]
    # Hours that are over and could not be sealed, because a journal still holds rows of them.
    held: tuple[datetime, ...]
    removed: int
    # Tables of hours that could not be sealed with the memory there is, in words; their parts stay readable.
    failed: tuple[str, ...] = ()


def limit() -> None:
    """Hold this process to `MEMORY_BYTES` and give way to others: for a process that does nothing but seal."""
    import pyarrow as pa

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    os.nice(_NICE)
    pa.set_cpu_count(_THREADS)
    pa.set_io_thread_count(_THREADS)


def seal(
    lake: Lake,
    state_dir: Path,
    *,
    clock: Callable[[], datetime],
    until_now: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Seal every hour that can be sealed; with `until_now` also what was heard of the open one.

    One at a time: where another is at work nothing is done, but `until_now`, which somebody waits for, comes after it.

    Raises:
        LakeUnwritable: some tables may be sealed; the call can be repeated.
        Unavailable: a running session does not publish what it holds.
    """
    one_at_a_time = Lock(sessions.home(state_dir) / "seal.lock")
    if not one_at_a_time.take(wait=until_now):
        log.info("another sealing is at work")
        return Report({}, (), 0)
    try:
        now = clock()
        since = min(now - LOOK_BACK, publish(lake, state_dir, now, until_now=until_now, sleep=sleep))
        end = now if until_now else now - GRACE
        hours = _hours(lake, state_dir, since, now)
        return _seal(lake, hours, _unpublished(state_dir), end, now, until_now, clock)
    finally:
        one_at_a_time.release()


def publish(
    lake: Lake,
    state_dir: Path,
    now: datetime,
    *,
    until_now: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> datetime:
    """Bring to the lake what sessions left that nobody lives in; with `until_now` also what living ones have heard.

    Returns since when anything was brought: all that a shard does which does not seal.

    Raises:
        LakeUnwritable: what is not published stays; the call can be repeated.
        Unavailable: a running session does not publish what it holds.
    """
    if until_now:
        _flush(state_dir, sleep)
    since = now
    for session in recovery.abandoned(state_dir):
        since = min(since, session.began_at) if recovery.recover(lake, session) else since
    return since


def _seal(
    lake: Lake,
    hours: Iterable[datetime],
    unpublished: datetime | None,
    end: datetime,
    now: datetime,
    open_too: bool,
    clock: Callable[[], datetime],
) -> Report:
    sealed: dict[datetime, dict[str, int]] = {}
    held: list[datetime] = []
    failed: list[str] = []
    removed = 0
    for hour in hours:
        if hour + _HOUR > end and not open_too:
            continue
        if unpublished is not None and hour >= unpublished and hour + _HOUR <= end:
            held.append(hour)
            continue
        rows = _seal_hour(lake, hour, min(hour + _HOUR, now), now, failed, clock)
        if rows is not None:
            sealed[hour] = rows
        removed += _removed(lake, hour, now)
    return Report(sealed, tuple(held), removed, tuple(failed))


def _seal_hour(
    lake: Lake,
    hour: datetime,
    through: datetime,
    now: datetime,
    failed: list[str],
    clock: Callable[[], datetime],
) -> dict[str, int] | None:
    """Seal the tables of an hour; their rows, or None where nothing was to be done. Adds those that do not fit to `failed`."""
    from polymarket_assets.lake import merging

    rows: dict[str, int] = {}
    news = False
    for table in _ORDER:
        gaps = rows.get("stream_gaps", 0)
        try:
            manifest = merging.merge(lake, table, hour, now=now, through=through, gaps=gaps, stamp=clock)
        except MemoryError as e:
            failed.append(f"{table} of {hour:%Y-%m-%d %H:00} takes more memory than sealing is given ({e})")
            continue
        rows[table] = manifest.rows
        news = news or manifest.sealed_at >= now
    return rows if news else None


def _removed(lake: Lake, hour: datetime, now: datetime) -> int:
    from polymarket_assets.lake import merging

    return sum(merging.remove_superseded(lake, table, hour, now=now) for table in TABLES)


def _hours(lake: Lake, state_dir: Path, since: datetime, now: datetime) -> list[datetime]:
    """The hours of which something may be to do, oldest first: anything was recorded in them or a living session listened, and they are not settled."""
    from polymarket_assets.lake.spans import Span

    listed = _listed(lake, Span(since, now))
    found = set(listed)
    for session in _living(state_dir):
        found |= set(Span(min(max(session.began_at, since), now), now).hours())
    return sorted(hour for hour in found if hour <= now and not _is_settled(hour, listed.get(hour, {}), now))


def _listed(lake: Lake, span: Span) -> dict[datetime, dict[str, Folder]]:
    """The folders of hours that a span touches, by table."""
    from polymarket_assets.lake import TABLES as DECLARED
    from polymarket_assets.lake import folders
    from polymarket_assets.lake.spans import HOUR, Span, hour_of

    hours: dict[datetime, dict[str, Folder]] = defaultdict(dict)
    whole = Span(hour_of(span.start), hour_of(span.end) + HOUR)
    for table in TABLES:
        for folder in folders.folders(lake, DECLARED[table], whole):
            hours[folder.span.start][table] = folder
    return hours


def _is_settled(hour: datetime, listed: Mapping[str, Folder], now: datetime) -> bool:
    from polymarket_assets.lake import folders

    is_old = hour + _HOUR < now - SETTLED_AFTER
    return is_old and all(table in listed and folders.is_at_rest(listed[table]) for table in TABLES)


def _living(state_dir: Path) -> list[sessions.Session]:
    """Sessions that a process lives in."""
    living = []
    for session in sessions.all_sessions(state_dir):
        if session.lock.take():
            session.lock.release()
        else:
            living.append(session)
    return living


def _unpublished(state_dir: Path) -> datetime | None:
    """The earliest hour of which a journal holds rows; None: no journal holds any."""
    found = (journal.segments(session.folder) for session in sessions.all_sessions(state_dir))
    return min((journal.hour_of(segment) for held in found for segment in held), default=None)


def _flush(state_dir: Path, sleep: Callable[[float], None]) -> None:
    """Have every living session publish what it has heard up to now. Raises `Unavailable`."""
    waiting: set[Path] = set()
    for session in _living(state_dir):
        waiting |= set(journal.segments(session.folder))
        session.ask_to_flush()
    for _ in range(int(FLUSH_S / _FLUSH_LOOK_S)):
        waiting = {segment for segment in waiting if segment.exists()}
        if not waiting:
            return
        sleep(_FLUSH_LOOK_S)
    raise Unavailable(
        f"the running streamer did not publish {len(waiting)} segments within {FLUSH_S:.0f} s: its log says why; nothing was sealed"
    )
