"""Sessions: one run of the streamer each, with a folder that outlives it until all of it is accounted for.

Whether a session lives is told by a lock that the operating system drops with the process, never by a
process number, which another process may carry by now.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from polymarket_assets.shards import Shard
from polymarket_assets.venue.errors import Refused
from streamer.locks import Lock

_LOCK = "lock"
_ENDED = "ended.json"
_FLUSH = "flush"
_ASIDE = ".refused"


class AlreadyRunning(Refused):
    """A streamer of this shard lives."""


class Ended(msgspec.Struct, frozen=True):
    """How a session ended: when it last heard everything, and whether on purpose."""

    at_us: int
    cause: str  # stopped | crashed


class Session:
    """The folder of one session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self.lock = Lock(folder / _LOCK)

    @property
    def shard(self) -> Shard:
        """The shard that the session recorded."""
        return Shard.of_session(self.id)

    @property
    def began_at(self) -> datetime:
        """When it began, to the second."""
        return datetime.strptime(self.id.split("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    def ended(self) -> Ended | None:
        """How it ended; None while that is not established."""
        file = self.folder / _ENDED
        return msgspec.json.decode(file.read_bytes(), type=Ended) if file.exists() else None

    def end(self, ended: Ended) -> None:
        """Establish how it ended: whole or not at all."""
        draft = self.folder / f".{_ENDED}"
        draft.write_bytes(msgspec.json.encode(ended))
        with draft.open("rb") as handle:
            os.fsync(handle.fileno())
        draft.replace(self.folder / _ENDED)

    def forget(self) -> None:
        """Remove the folder: everything in it is in the lake, and its end is accounted for."""
        shutil.rmtree(self.folder)

    def set_aside(self, segment: Path) -> Path:
        """Keep a segment that cannot be published where no session looks for it; returns where."""
        aside = self.folder.parent / _ASIDE
        aside.mkdir(exist_ok=True)
        return segment.rename(aside / f"{self.id}-{segment.name}")

    def ask_to_flush(self) -> None:
        """Ask the running session to publish everything it has heard so far."""
        (self.folder / _FLUSH).touch()

    def is_asked_to_flush(self) -> bool:
        """Whether somebody asked since the last time; asking is over with this."""
        try:
            (self.folder / _FLUSH).unlink()
        except FileNotFoundError:
            return False
        return True


def home(state_dir: Path) -> Path:
    """The folder of all sessions, made where it is missing."""
    folder = state_dir / "stream"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def begin(state_dir: Path, shard: Shard, now: datetime) -> Session:
    """A new session, locked by this process before anybody can see it."""
    name = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{shard}-{secrets.token_hex(3)}"
    hidden = home(state_dir) / f".{name}"
    hidden.mkdir()
    lock = Lock(hidden / _LOCK)
    lock.take()
    session = Session(hidden.rename(hidden.with_name(name)))
    session.lock = lock
    return session


def only_one(state_dir: Path, shard: Shard) -> Lock:
    """The lock of the one streamer of a shard; the same number of another count may run beside it while markets move.

    Raises `AlreadyRunning`.
    """
    lock = Lock(home(state_dir) / f"shard-{shard}.lock")
    if not lock.take():
        raise AlreadyRunning(
            f"a streamer of shard {shard.number} of {shard.count} is running on {state_dir} already: stop it, or give this one another STREAM_SHARD or STATE_DIR"
        )
    return lock


def all_sessions(state_dir: Path) -> Iterator[Session]:
    """Every session that has a folder, oldest first."""
    for folder in sorted(home(state_dir).iterdir()):
        if folder.is_dir() and not folder.name.startswith("."):
            yield Session(folder)
