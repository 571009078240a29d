"""LIVE, STALE or DISCONNECTED: whether what the market says reaches the lake, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from console.monitoring.streamers import Streamer

Word = Literal["LIVE", "STALE", "DISCONNECTED"]

# Parts are published every minute: what is younger was written by a streamer that lives, wherever it runs.
FRESH = timedelta(minutes=2)
# No readable data at all for so long is what a streamer itself calls critical: every restart of the venue is shorter.
SILENT = timedelta(minutes=3)
# Heard, and after so long not in the lake: it cannot be written.
HELD = timedelta(minutes=5)


@dataclass(frozen=True)
class State:
    """The word, and why it is no better."""

    word: Word
    reasons: tuple[str, ...]
    last_data: datetime | None


def state(streamers: Sequence[Streamer], last_in_lake: datetime | None, told: Sequence[str], now: datetime) -> State:  # fmt: skip
    """Of what streamers say, the newest receipt in the lake, and what health found of the stream.

    DISCONNECTED: no streamer has an open socket, and nothing that one heard within two minutes is in the lake.
    STALE: somebody listens, and it is not all there: a streamer is away or says it is critical, a socket is away, nothing came
    for three minutes, what is heard is not in the lake after five, or health found that trades or markets are missing. LIVE: none of that.
    """
    last = max((at for at in (last_in_lake, *(one.last_data for one in streamers)) if at), default=None)
    is_fresh = last_in_lake is not None and now - last_in_lake <= FRESH
    if not any(one.sockets_open for one in streamers) and not is_fresh:
        return State("DISCONNECTED", tuple(_away(streamers)), last)
    reasons = (*_away(streamers), *_less(streamers, last, last_in_lake, now), *told)
    return State("STALE" if reasons else "LIVE", reasons, last)


def _away(streamers: Sequence[Streamer]) -> Iterator[str]:
    for one in streamers:
        if not one.answers:
            yield one.why or f"the streamer at {one.name} does not answer"
        elif not one.sockets_wanted:
            yield f"the streamer at {one.name} has nothing to listen to: no market of STREAM_TIERS is listed"
        elif one.sockets_open < one.sockets_wanted:
            yield f"{one.sockets_open} of {one.sockets_wanted} sockets of the streamer at {one.name} are open"


def _less(streamers: Sequence[Streamer], last: datetime | None, in_lake: datetime | None, now: datetime) -> Iterator[str]:  # fmt: skip
    for one in streamers:
        yield from one.reasons
    if last is None or now - last > SILENT:
        yield f"nothing was heard since {last:%Y-%m-%d %H:%M:%S} UTC" if last else "nothing was ever heard"
    elif now - (in_lake or _began(streamers) or now) > HELD:
        yield f"what is heard is not in the lake since {in_lake:%Y-%m-%d %H:%M:%S} UTC" if in_lake else "nothing that is heard reaches the lake"  # fmt: skip


def _began(streamers: Sequence[Streamer]) -> datetime | None:
    return min((one.since for one in streamers if one.since), default=None)
