"""One word for the stream, and every reason for which it is not LIVE."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.monitoring.state import state
from console.monitoring.streamers import Streamer

NOW = datetime(2026, 11, 2, 13, 40, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def listening(**changed: Any) -> Streamer:
    told = {"name": "a", "answers": True, "since": NOW - 60 * MINUTE, "last_data": NOW - SECOND, "sockets_open": 2, "sockets_wanted": 2}  # fmt: skip
    return Streamer(**{**told, **changed})


DEAD = Streamer("b", answers=False, why="no streamer answers at b")


@pytest.mark.parametrize(
    ("streamers", "in_lake_s", "found", "word", "said"),
    [
        ([listening()], 30, [], "LIVE", ""),
        ([listening(), listening(name="b")], 30, [], "LIVE", ""),
        # Published once a minute: an hour that has just begun has nothing in the lake yet.
        ([listening(since=NOW - MINUTE)], None, [], "LIVE", ""),
        ([listening(sockets_open=1)], 30, [], "STALE", "1 of 2 sockets"),
        ([listening(), DEAD], 30, [], "STALE", "no streamer answers at b"),
        ([listening(reasons=("4 markets froze",))], 30, [], "STALE", "4 markets froze"),
        ([listening(last_data=NOW - 4 * MINUTE)], 240, [], "STALE", "nothing was heard since 2026-11-02 13:36:00"),
        ([listening()], 400, [], "STALE", "what is heard is not in the lake since 2026-11-02 13:33:20"),
        ([listening()], None, [], "STALE", "nothing that is heard reaches the lake"),
        ([listening()], 30, ["no trade was heard"], "STALE", "no trade was heard"),
        # A streamer that cannot be asked from here, and writes.
        ([DEAD], 30, [], "STALE", "no streamer answers"),
        ([DEAD], 121, [], "DISCONNECTED", "no streamer answers"),
        ([DEAD], None, [], "DISCONNECTED", "no streamer answers"),
        ([listening(sockets_open=0)], 600, [], "DISCONNECTED", "0 of 2 sockets"),
        ([listening(sockets_open=0, sockets_wanted=0, last_data=None)], None, [], "DISCONNECTED", "nothing to listen to"),
        ([], None, [], "DISCONNECTED", ""),
    ],
)  # fmt: skip
def test_the_word_and_why(streamers: list[Streamer], in_lake_s: float | None, found: list[str], word: str, said: str) -> None:  # fmt: skip
    in_lake = None if in_lake_s is None else NOW - timedelta(seconds=in_lake_s)
    made = state(streamers, in_lake, found, NOW)
    assert made.word == word
    assert said in "; ".join(made.reasons)
    assert bool(made.reasons) is (word != "LIVE" and bool(streamers))
