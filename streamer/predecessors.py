"""Who listened before, as far as the lake tells: for a session whose number has left nothing on this machine.

Where the count of shards changes and the old ones stop before the new ones begin, or a shard begins anew on another host, no session
here knows since when nobody listened.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from polymarket_assets.shards import Shard
from streamer import sessions

if TYPE_CHECKING:
    from pathlib import Path

    from polymarket_assets.lake.writing import Lake
    from streamer.sessions import Session

# Others bring what they hear to the lake once a minute: who still listened when we began has shown it by then.
SHOWN_WITHIN_S = 180.0
# Whoever was away for longer begins anew: no trades of so long a time are asked for again.
LOOK_BACK = timedelta(days=7)
# What a session leaves while it hears: trades as they came, and gaps when they are over.
_TOLD = {"trades_raw": "received_at", "stream_gaps": "to_at"}


def left_nothing(state_dir: Path, session: Session) -> bool:
    """Whether no other session of this number has a folder here: whoever succeeds one accounts for its end."""
    others = (other for other in sessions.all_sessions(state_dir) if other.id != session.id)
    return all(other.shard.number != session.shard.number for other in others)


def last_heard(lake: Lake, session: Session, now: datetime) -> datetime | None:
    """The newest sign of life in the lake of a session before or beside this one that carried markets of its shard; None: there is none of `LOOK_BACK`.

    Such are sessions of the same shard, and all of any other count: which of those carried what is not looked at.

    Raises:
        LakeError: the lake cannot be read.
    """
    found = (_newest(lake, table, column, session, now) for table, column in _TOLD.items())
    return max((at for at in found if at is not None), default=None)


def _newest(lake: Lake, table: str, column: str, session: Session, now: datetime) -> datetime | None:
    for files in _hours(lake, table, now):
        found = [at for file in files if (at := _newest_of(file, column, session)) is not None]
        if found:
            return max(found)
    return None


def _hours(lake: Lake, table: str, now: datetime) -> Iterator[list[str]]:
    """The files of each hour, newest first; a day is listed when the one after it had nothing."""
    from polymarket_assets.lake import reading
    from polymarket_assets.lake.spans import DAY, Span, day_of

    for day in reversed(list(Span(now - LOOK_BACK, now).days())):
        found = reading.files(lake, table, Span(day_of(day), day_of(day) + DAY))
        for _, files in groupby(reversed(found), key=lambda file: file.rsplit("/", 1)[0]):
            yield list(files)


def _newest_of(file: str, column: str, session: Session) -> datetime | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    from polymarket_assets.lake import reading

    rows = reading.read(file, ["session_id", column])
    ids = [one for one in pc.unique(rows["session_id"]).to_pylist() if _carried(one, session)]
    of_them = rows.filter(pc.is_in(rows["session_id"], pa.array(ids, pa.string())))
    newest: datetime | None = pc.max(of_them[column]).as_py()
    return newest


def _carried(session_id: str, session: Session) -> bool:
    """Whether a session carried markets of ours, or may have."""
    shard = Shard.of_session(session_id)
    return session_id != session.id and (shard == session.shard or shard.count != session.shard.count)
