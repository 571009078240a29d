"""The stream: the real streamer on the simulator, killed, cut off, or before a disk that takes nothing.

Only what `stream_no_trades` is about stands in, as rows: minutes in which nobody trades take minutes, twelve of which are forced. That
a streamer answers meanwhile is real there, too; it records into a lake of its own.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from drills.alert_place import MINUTE, Place
from drills.disks import Disk
from drills.forced import Forced
from drills.forced.disks import on_a_disk
from drills.forced.rows import row
from drills.processes import Simulator, Streamer, busy, wait_for
from polymarket_assets.lake.writing import Lake

# The universe of the drill, and messages a second.
SEED, RATE = 7, 50.0
# Markets of hours and days: one that is over has no book to wait for, and nobody lists markets meanwhile.
LASTING = {"STREAM_TIERS": "t0,t1"}
# Of each tier so much is heard where all is well.
HEARD = 0.95
# Room for what is recorded in a minute or two.
DISK_MB = 64


@contextmanager
def _streaming(place: Place, lake: Lake, shard: str = "0", shards: str = "1") -> Iterator[tuple[Simulator, Streamer]]:  # fmt: skip
    """A streamer that hears a simulator and records into a lake; its status is the place's."""
    venue = Simulator(place.folder, busy(SEED, RATE))
    streamer = _streamer(place, lake, venue, shard, shards)
    place.more["stream_status_port"] = streamer.port
    try:
        venue.discover(lake)
        _start(streamer)
        yield venue, streamer
    finally:
        if streamer.is_alive:
            streamer.end()
        venue.stop()


def _streamer(place: Place, lake: Lake, venue: Simulator, shard: str, shards: str) -> Streamer:
    told = {**LASTING, "STREAM_SHARD": shard, "STREAM_SHARDS": shards}
    return Streamer(Path(lake.root), place.folder / f"streaming-{shard}", venue.url, place.folder / f"streamer-{shard}.log", told)  # fmt: skip


def _start(streamer: Streamer) -> None:
    streamer.start()
    wait_for(lambda: streamer.is_hearing and _covered(streamer), "hearing")


@contextmanager
def killed(place: Place) -> Iterator[Forced]:
    """The streamer is killed, and started again."""
    with _streaming(place, place.lake) as (_, streamer):

        def wrong() -> None:
            streamer.end(signal.SIGKILL)
            # What it published last is of some minutes ago.
            place.now += 3 * MINUTE

        yield Forced(wrong, lambda: _start(streamer))


@contextmanager
def one_of_two(place: Place) -> Iterator[Forced]:
    """Of two streamers that share the markets one is killed, and started again."""
    with _streaming(place, place.lake, "0", "2") as (venue, first):
        second = _streamer(place, place.lake, venue, "1", "2")
        place.more.pop("stream_status_port")
        place.more["stream_status_urls"] = f"http://127.0.0.1:{first.port},http://127.0.0.1:{second.port}"

        def wrong() -> None:
            second.end(signal.SIGKILL)
            place.now += 3 * MINUTE

        try:
            _start(second)
            yield Forced(wrong, lambda: _start(second))
        finally:
            if second.is_alive:
                second.end()


@contextmanager
def deaf(place: Place) -> Iterator[Forced]:
    """The venue ends every socket and takes none; then it does again."""
    with _streaming(place, place.lake) as (venue, streamer):

        def wrong() -> None:
            venue.control("POST", "/faults/refuse", {"drop": True})
            wait_for(lambda: not _covered(streamer), "deafness")

        def right() -> None:
            venue.control("DELETE", "/faults", {})
            wait_for(lambda: _covered(streamer), "hearing")

        yield Forced(wrong, right)


def _covered(streamer: Streamer) -> bool:
    """Whether every tier is heard."""
    tiers = streamer.page("coverage").get("tiers", {})
    return bool(tiers) and all(one["heard"] >= HEARD * one["should_be"] for one in tiers.values())


@contextmanager
def unwritable(place: Place) -> Iterator[Forced]:
    """The streamer's lake turns read-only while rows are to be published."""
    with on_a_disk(place, DISK_MB) as disk, _streaming(place, place.lake) as (_, streamer):

        def wrong() -> None:
            _turn(disk, streamer)
            wait_for(lambda: streamer.page("critical").get("reasons"), "the streamer's complaint")

        def right() -> None:
            disk.read_only(False)
            wait_for(lambda: streamer.page("critical").get("status") == "ok", "the streamer's content")

        yield Forced(wrong, right)


def _turn(disk: Disk, streamer: Streamer) -> None:
    """Read-only, and something to publish now: else that would come with the next minute."""
    disk.read_only(True)
    (next(streamer.state_dir.glob("stream/2*")) / "flush").touch()


@contextmanager
def untraded(place: Place) -> Iterator[Forced]:
    """No trade of the stream reaches the lake while last trades of sampled books change."""
    with _streaming(place, Lake(place.folder / "elsewhere")):
        number = count()

        def heard() -> None:
            trade = row("trades_raw", received_at=place.now, market_id="pm:a")
            place.lake.publish_rows("trades_raw", [trade], part=f"{next(number)}", at=place.now)

        def wrong() -> None:
            place.now += 8 * MINUTE
            for back in range(6):
                at = place.now - back * MINUTE
                rows = [row("snapshots", market_id=f"pm:{n}", slot_at=at, received_at=at, tier="t4", last_trade=0.4 + back / 100) for n in range(5)]  # fmt: skip
                place.lake.publish_rows("snapshots", rows, part=f"{next(number)}", at=at, tier="t4")

        heard()
        yield Forced(wrong, heard)
