"""The judges of the drills find what is planted: a drill that cannot fail shows nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drills import truth
from drills.judging import Frames, Gap, Kill, Life, Recorded, Sent, changes, judge, shared, unfounded, unheard
from polymarket_assets.lake.writing import Lake
from polymarket_assets.shards import Shard, shard_of

AT = datetime(2026, 11, 2, 13, tzinfo=UTC)
MARKET, OTHER = "pm:0x1", "pm:0x2"
# Killed at second 20, hearing again at 25.
KILLS = [Kill(AT + timedelta(seconds=20), AT + timedelta(seconds=25))]


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def sent(n: int, seconds: float, *, handed: int = 1, due: bool = True, market: str = MARKET) -> Sent:
    return Sent(at(seconds), (f"0x{n}", "7"), market, handed, due)


def kept(*trades: Sent) -> Recorded:
    """A lake that holds these, and the gap of the kill."""
    keys = Counter(trade.key for trade in trades)
    return Recorded(heard=Counter(keys), trades=Counter(keys), gaps=[Gap(at(19.5), at(25), "crashed")], doubled={"trades_raw": 0})  # fmt: skip


TRADES = [sent(1, 5), sent(2, 19.9), sent(3, 22, handed=0), sent(4, 30), sent(5, 3, handed=0, due=False)]


def whole() -> Recorded:
    found = kept(TRADES[0], TRADES[3])
    found.trades += Counter([TRADES[1].key, TRADES[2].key])
    return found


def broken(recorded: Recorded, trades: list[Sent] = TRADES) -> dict[str, int]:
    """Violations by promise."""
    return {v.promise: len(v.violations) for v in judge(trades, recorded, KILLS, files=3) if v.violations}


def test_what_was_lost_in_the_last_second_and_while_dead_breaks_nothing() -> None:
    assert broken(whole()) == {}
    assert [verdict.judged for verdict in judge(TRADES, whole(), KILLS, files=3)] == [3, 2, 4, 2, 1, 4, 4]


def lose_one(found: Recorded) -> None:
    del found.heard[TRADES[0].key]


def hide_the_gap(found: Recorded) -> None:
    found.gaps.clear()


def gap_of_another_market(found: Recorded) -> None:
    found.gaps[:] = [Gap(at(19.5), at(25), "crashed", frozenset({OTHER}))]


def gap_too_late(found: Recorded) -> None:
    found.gaps[:] = [Gap(at(23.5), at(25), "crashed")]


def hear_twice(found: Recorded) -> None:
    found.heard[TRADES[0].key] += 1


def invent(found: Recorded) -> None:
    found.heard["0x99", "7"] = 1


def double_a_row(found: Recorded) -> None:
    found.doubled["trades_raw"] = 2


def double_a_trade(found: Recorded) -> None:
    found.trades[TRADES[0].key] += 1


def not_heal(found: Recorded) -> None:
    del found.trades[TRADES[2].key]


def trade_of_nobody(found: Recorded) -> None:
    found.trades["0x99", "7"] = 1


def tear(found: Recorded) -> None:
    found.unreadable.append("part-1.parquet: no footer")


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (lose_one, {"nothing received more than 1 s before a kill is missing": 1, "every trade sent is in trades_raw or within a gap": 1}),
        (hide_the_gap, {"every trade sent is in trades_raw or within a gap": 2}),
        (gap_of_another_market, {"every trade sent is in trades_raw or within a gap": 2}),
        (gap_too_late, {"every trade sent is in trades_raw or within a gap": 2}),
        (hear_twice, {"nothing is in trades_raw that was not handed to us, nor twice": 1}),
        (invent, {"nothing is in trades_raw that was not handed to us, nor twice": 1}),
        (double_a_row, {"no key of a table occurs twice": 1}),
        (double_a_trade, {"no duplicate in trades": 1}),
        (not_heal, {"after healing, trades holds every trade sent and no other": 1}),
        (trade_of_nobody, {"after healing, trades holds every trade sent and no other": 1}),
        (tear, {"every file opens in pyarrow, DuckDB and polars": 1}),
    ],
)  # fmt: skip
def test_a_planted_violation_is_found(plant: Callable[[Recorded], None], expected: dict[str, int]) -> None:
    found = whole()
    plant(found)
    assert broken(found) == expected


def test_a_crash_gap_excuses_nothing_that_was_received_well_before() -> None:
    """A recorder that claims to have been deaf for minutes before each crash would account for any loss."""
    found = kept(TRADES[0], TRADES[3])
    found.trades += Counter(trade.key for trade in TRADES[1:3]) + Counter([sent(6, 10).key])
    found.gaps[:] = [Gap(at(0), at(25), "crashed")]
    assert broken(found, [*TRADES, sent(6, 10)]) == {
        "nothing received more than 1 s before a kill is missing": 1
    }


def test_the_ledger_tells_which_trades_were_due() -> None:
    lines = [
        {"at": at(n).isoformat(), "kind": kind, **more}
        for n, (kind, more) in enumerate(
            [
                ("trade", {"tx_hash": "0x1", "token_id": "7", "condition_id": "0x1", "sockets": []}),
                ("subscribe", {"token_ids": ["7"], "socket": 1}),
                ("trade", {"tx_hash": "0x2", "token_id": "7", "condition_id": "0x1", "sockets": [1]}),
                ("unsubscribe", {"token_ids": ["7"], "socket": 1}),
                ("trade", {"tx_hash": "0x3", "token_id": "7", "condition_id": "0x1", "sockets": []}),
            ]
        )
    ]
    assert [(s.due, s.handed) for s in truth.sent(lines, at(0), at(9))] == [(False, 0), (True, 1), (False, 0)]
    assert not any(s.due for s in truth.sent(lines, at(5), at(9)))


def test_a_torn_file_is_found_and_a_whole_one_opens(tmp_path: Path) -> None:
    root = tmp_path / "lake"
    (root / ".scratch").mkdir(parents=True)
    for name in ("part-1.parquet", "part-2.parquet", ".part-3.parquet.1.draft", ".scratch/1.parquet"):
        pq.write_table(pa.table({"a": [1, 2]}), root / name)
    torn = root / "part-2.parquet"
    torn.write_bytes(torn.read_bytes()[:-3])
    files = truth.published(root)
    assert [file.name for file in files] == ["part-1.parquet", "part-2.parquet"]
    (told,) = truth.unreadable(files)
    assert told.startswith("part-2.parquet: ")


def test_an_empty_lake_holds_nothing(lake: Lake) -> None:
    assert truth.recorded(lake, AT, set()).heard.total() == 0


@pytest.mark.parametrize(("recorded", "violations"), [(8, 0), (10, 0), (7, 2), (11, 2)])
def test_changes_of_books_are_counted_within_the_second_that_may_be_lost(
    recorded: int, violations: int
) -> None:
    place = (0, MARKET)
    frames = Frames(Counter({place: 8}), Counter({place: 10}), Counter({place: recorded}))
    assert len(changes(frames).violations) == violations, "a count, and a place"


def test_frames_are_counted_by_the_life_that_was_handed_them(lake: Lake) -> None:
    frame = {"kind": "frames", "type": "price_change", "condition_id": "0x1", "sockets": [1], "count": 2}
    lines = [
        {"at": at(1).isoformat(), "kind": "open", "socket": 1},
        {"at": at(2).isoformat(), **frame},
        {"at": at(9.5).isoformat(), **frame},
        {"at": at(10.2).isoformat(), "kind": "open", "socket": 2},
        {"at": at(11).isoformat(), **frame, "sockets": [2]},
        {"at": at(12).isoformat(), **frame, "sockets": [2], "type": "dump"},
    ]
    found = truth.frames(lines, [Life(at(0), at(10)), Life(at(10.1), at(20))], lake)
    assert found.early == Counter({(0, MARKET): 2, (1, MARKET): 2})
    assert found.handed == Counter({(0, MARKET): 4, (1, MARKET): 2})
    assert found.recorded == Counter()


MINE, THEIRS = (Shard(n, 2) for n in (shard_of(MARKET, 2), 1 - shard_of(MARKET, 2)))


@pytest.mark.parametrize(("shard", "lost"), [(MINE, 0), (THEIRS, 1)])
def test_a_shard_that_was_away_excuses_nothing_of_another(shard: Shard, lost: int) -> None:
    trade = sent(1, 22)
    recorded = Recorded(gaps=[Gap(at(20), at(25), "crashed", shard=shard)], trades=Counter([trade.key]))
    verdicts = judge([trade], recorded, [Kill(at(20), at(25), shard)], files=0)
    assert [len(v.violations) for v in verdicts] == [0, lost, lost, 0, 0, 0, 0]


def test_a_market_listened_to_twice_is_told_but_for_moves() -> None:
    twice = [sent(n, seconds, handed=2) for n, seconds in ((1, 5), (2, 15))]
    assert len(shared([*twice, sent(3, 6)], [Life(at(0), at(10))]).violations) == 1


def test_a_trade_that_nobody_heard_during_a_move_is_told() -> None:
    trades = [sent(n, seconds) for n, seconds in ((1, 5), (2, 6), (3, 15))]
    assert len(unheard(trades, [Life(at(0), at(10))], kept(trades[0])).violations) == 1


@pytest.mark.parametrize(
    ("gap", "kill", "told"),
    [
        (Gap(at(20), at(25), "crashed", shard=MINE), Kill(at(20.5), at(26), MINE), 0),
        (Gap(at(20), at(25), "crashed", shard=MINE), Kill(at(20.5), at(26), THEIRS), 2),
        (Gap(at(20), at(25), "crashed", shard=MINE), Kill(at(30), at(36), MINE), 2),
        (Gap(at(20), at(25), "closed", frozenset({MARKET})), Kill(at(30), at(36), MINE, listened=False), 0),
    ],
)
def test_gaps_of_processes_and_kills_belong_together(gap: Gap, kill: Kill, told: int) -> None:
    assert len(unfounded([gap], [kill]).violations) == told
