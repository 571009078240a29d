"""Streamers that share the markets: together exactly the whole, one lake, and only what a shard carried is missed with it."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from polymarket_assets.lake import manifests, merging
from polymarket_assets.lake.layout import folder
from polymarket_assets.lake.schemas import TABLES as DECLARED
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.shards import Shard
from polymarket_assets_tests.streamer.conftest import Streamer
from polymarket_assets_tests.streamer.odd_venue import OddVenue, trade, wait_until
from polymarket_assets_tests.streamer.test_sealing import AT, HOUR, Recording, later, manifest, txs
from polymarket_assets_tests.streamer.test_simulated import (
    IN_FLIGHT,
    TRADES,
    Simulated,
    heard,
    listen,
    simulated,
)
from streamer import __main__ as commands
from streamer import predecessors, recovery, running, sealing, sessions, status
from streamer.entries import Gap
from streamer.recording import TABLES, microseconds
from streamer.sessions import Ended

__all__ = ["simulated"]

Make = Callable[..., Streamer]


def test_what_another_host_publishes_after_its_hour_was_sealed_is_not_lost_and_not_doubled(
    lake: Lake, tmp_path: Path
) -> None:
    """Shard 0 cannot see the journals of other hosts: it seals when its own are empty."""
    one = Recording(lake, tmp_path / "one", shard=Shard(0, 2))
    other = Recording(lake, tmp_path / "other", shard=Shard(1, 2))
    for recording, tx in ((one, 1), (other, 2), (other, 3)):
        recording.hear(AT, trade(0, tx))
    one.stop(AT + timedelta(seconds=1))
    assert list(sealing.seal(lake, tmp_path / "one", clock=later(minutes=2)).sealed) == [HOUR]
    assert (txs(lake), manifest(lake, "trades_raw").rows) == ([1], 1)
    other.turn(AT + timedelta(minutes=1))
    assert txs(lake) == [1, 2, 3], "beside the sealed file"
    sealing.seal(lake, tmp_path / "one", clock=later(minutes=12))
    merging.remove_superseded(lake, "trades_raw", HOUR, now=AT + timedelta(hours=2))
    assert (txs(lake), manifest(lake, "trades_raw").rows) == ([1, 2, 3], 3)


def test_a_shard_that_does_not_seal_brings_what_is_left_to_the_lake(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = Recording(lake, tmp_path, shard=Shard(1, 2))
    one.hear(AT, trade(0, 1))
    one.die()
    given = {"LAKE_ROOT": lake.root, "STATE_DIR": str(tmp_path), "STREAM_SHARD": "1", "STREAM_SHARDS": "2"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sealing, "limit", lambda: None)
    assert commands.main(["seal"]) == 0
    assert "what shard 1 heard is in the lake; shard 0 seals" in capsys.readouterr().out
    assert txs(lake) == [1]
    assert [manifests.read(lake.store, folder(DECLARED[table], HOUR)) for table in TABLES] == [None] * len(
        TABLES
    )


def test_a_host_that_becomes_another_shard_publishes_what_it_heard_before(
    lake: Lake, tmp_path: Path, odd_venue: OddVenue, streamer: Make
) -> None:
    """No session of its own number comes there any more, and shard 0 does not see its journal."""
    before = Recording(lake, tmp_path / "state")
    before.hear(AT, trade(0, 1))
    before.die()
    one = streamer(odd_venue.url, STREAM_SHARD="1", STREAM_SHARDS="2")
    one.start()
    wait_until(lambda: txs(lake) == [1], "it is in the lake", 30)
    assert one.stop() == 0


@pytest.mark.parametrize(("began", "gaps"), [(10, 1), (4, 0), (3, 0)])
def test_a_session_that_lived_until_ours_had_begun_leaves_no_gap(
    lake: Lake, tmp_path: Path, began: float, gaps: int
) -> None:
    """Markets are handed over by two that listen at once; an interval turned round would say that nobody did."""
    one = Recording(lake, tmp_path)
    one.die()
    ended = Ended(microseconds(AT + timedelta(seconds=4)), "stopped")
    found = recovery.gaps_after(one.session, ended, microseconds(AT + timedelta(seconds=began)))
    assert [(gap.gap_id, gap.from_us, gap.to_us) for gap in found] == [
        (f"{one.session.id}:0", ended.at_us, microseconds(AT + timedelta(seconds=10)))
    ] * gaps


S = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        ([], None),
        ([(Shard(0, 1), 5)], 5),
        ([(Shard(0, 1), 5), (Shard(1, 3), 90)], 90),
        ([(Shard(1, 2), 7), (Shard(0, 2), 90)], 7),
        ([(Shard(0, 2), 90)], None),
        ([(Shard(0, 1), -8 * 86_400)], None),
        ([(Shard(0, 1), -86_400)], -86_400),
    ],
)
def test_the_lake_tells_who_listened_before(
    lake: Lake, tmp_path: Path, heard: list[tuple[Shard, int]], told: int | None
) -> None:
    """Of another number of the same count we carry nothing."""
    for n, (which, at) in enumerate(heard):
        one = Recording(lake, tmp_path / f"host{n}", AT + at * S, which)
        one.hear(AT + at * S, trade(0, n))
        one.stop(AT + (at + 1) * S)
    ours = Recording(lake, tmp_path / "ours", AT + 60 * S, Shard(1, 2))
    ours.hear(AT + 70 * S, trade(0, 99))
    ours.stop(AT + 71 * S)
    found = predecessors.last_heard(lake, ours.session, AT + 100 * S)
    assert found == (None if told is None else AT + told * S)


@pytest.mark.parametrize(
    ("before", "overlaps", "gaps"),
    [
        (None, False, 1),
        (None, True, 0),
        (Shard(1, 2), False, 0),
        (Shard(1, 3), False, 0),
        (Shard(0, 2), False, 1),
    ],
)
def test_a_change_of_counts_without_an_overlap_is_a_gap_of_who_begins(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: Shard | None, overlaps: bool, gaps: int
) -> None:  # fmt: skip
    """0of1 stops and 1of2 begins later, on a machine that knows nothing of it; a session of its number there is accounted for by itself."""
    monkeypatch.setattr(predecessors, "SHOWN_WITHIN_S", 0.0)
    state, began = tmp_path / "state", datetime.now(UTC)
    if before is not None:
        Recording(lake, state, began - timedelta(hours=1), before).die()
    old = Recording(lake, tmp_path / "elsewhere", began - timedelta(minutes=9))
    heard_at = began + timedelta(minutes=1) if overlaps else began - timedelta(minutes=5)
    old.hear(heard_at, trade(0, 1))
    old.stop(heard_at + S)
    settings = Settings(state_dir=state, lake_root=lake.root, stream_shard=1, stream_shards=2)
    session = sessions.begin(state, settings.shard, began)
    monkeypatch.setattr(predecessors, "LOOK_BACK", timedelta(hours=2))
    run = running._Run(settings, lake, session, status.Desk(), 30.0)
    told: list[Gap] = []
    monkeypatch.setattr(run._keeper, "gaps", told.extend)
    monkeypatch.setattr(run._loop, "hand", lambda action: action())
    run._look_back()
    run._end()
    assert len(told) == gaps
    for gap in told:
        assert gap.from_us == microseconds(heard_at)
        assert (Shard.of_session(gap.gap_id), gap.connection) == (Shard(1, 2), None), "all of its own markets"


def shard(make: Make, simulated: Simulated, folder: Path, number: int, count: int) -> Streamer:
    """A streamer as on a host of its own."""
    one = make(simulated.url, STREAM_SHARD=f"{number}", STREAM_SHARDS=f"{count}", STATE_DIR=str(folder))
    one.start()
    return one


def markets(one: Streamer, table: str, shard: Shard) -> set[str]:
    """The markets that sessions of a shard recorded."""
    return {row["market_id"] for row in one.rows(table) if Shard.of_session(row["session_id"]) == shard}


@pytest.mark.slow
def test_two_shards_are_exactly_the_whole(
    simulated: Simulated, lake: Lake, streamer: Make, tmp_path: Path
) -> None:
    """Each market by one of them; both may be told to seal, and one of them does."""
    simulated.discover(lake)
    shards = [shard(streamer, simulated, tmp_path / f"host{n}", n, 2) for n in range(2)]
    one, other = shards
    listen(simulated, one, TRADES)
    assert [each.command("seal", "--until", "now").returncode for each in (other, one)] == [0, 0]
    listen(simulated, one, TRADES // 2)
    ended_at = datetime.now(UTC)
    assert [each.stop() for each in shards] == [0, 0]
    assert [each.command("seal", "--until", "now").returncode for each in (other, one)] == [0, 0]
    handed = simulated.handed()
    due = Counter({which: count for at, which, count in handed if at < ended_at - IN_FLIGHT})
    assert max(due.values()) == 1, "no market is subscribed twice"
    found = heard(one)
    assert not due - found, "handed to us, not in the lake"
    assert not found - Counter({which: count for _, which, count in handed}), "never handed to us, or doubled"
    carried = [markets(one, "book_changes", Shard(n, 2)) for n in range(2)]
    assert all(carried)
    assert carried == [{m for m in carried[0] | carried[1] if Shard(n, 2).carries(m)} for n in range(2)]


@pytest.mark.slow
def test_markets_move_to_a_second_shard_and_back_without_a_word_lost(
    simulated: Simulated, lake: Lake, streamer: Make, tmp_path: Path
) -> None:
    """The new ones listen before the old one stops, also on one host: what both hear is one trade, and there is no gap to tell."""
    simulated.discover(lake)

    def moved(olds: list[Streamer], numbers: range) -> list[Streamer]:
        news = [shard(streamer, simulated, tmp_path / "host", n, len(numbers)) for n in numbers]
        wait_until(lambda: all(_hears_all(each) for each in news), "the new ones hear everything", 60)
        assert [old.stop() for old in olds] == [0] * len(olds)
        listen(simulated, news[0], TRADES // 2)
        return news

    last = moved(moved(moved([], range(1)), range(2)), range(1))
    ended_at = datetime.now(UTC)
    wait_until(lambda: _sessions(tmp_path / "host") == 1, "what the others left is accounted for", 30)
    assert [each.stop(signal.SIGTERM) for each in last] == [0]
    due = {which for at, which, _ in simulated.handed() if at < ended_at - IN_FLIGHT}
    assert due <= set(heard(last[0]))
    keys = [(row["session_id"], row["connection"], row["sequence"]) for row in last[0].rows("trades_raw")]
    assert len(keys) == len(set(keys))
    gaps = [row for row in last[0].rows("stream_gaps") if row["connection"] is None]
    assert gaps == [], "nobody was ever missing"


def _hears_all(one: Streamer) -> bool:
    """Whether every book came that will: that of a market which ended meanwhile does not, and is late."""
    told = one.health()["tokens"]
    is_whole = bool(told["subscribed"]) and told["subscribed"] == told["wanted"]
    return is_whole and told["without_book"] <= told["late"]


def _sessions(state_dir: Path) -> int:
    return sum(path.is_dir() and not path.name.startswith(".") for path in (state_dir / "stream").iterdir())
