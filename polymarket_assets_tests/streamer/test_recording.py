"""What was said becomes rows that say the same, once, whether it is heard now or read from a journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets_tests.streamer.odd_venue import book, condition, tokens, trade
from streamer import replay
from streamer.entries import Heard, Listed, decode, encode
from streamer.recording import TABLES, Recorder

MARKET = Listed(f"pm:{condition(0)}", condition(0), tokens(0))
YES, NO = tokens(0)


def recorder() -> Recorder:
    made = Recorder("s")
    made.know([MARKET])
    return made


def hear(made: Recorder, *messages: Any, connection: int = 0) -> None:
    for n, message in enumerate(messages):
        text = message if isinstance(message, str) else json.dumps(message)
        made.hear(Heard(1_000_000 + n, connection, text.encode()))


def rows(made: Recorder, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = made.rows.arrow(table).to_pylist()
    return found


def change(*levels: tuple[str, str, str, str]) -> dict[str, Any]:
    changes = [
        {
            "asset_id": token,
            "price": price,
            "size": size,
            "side": side,
            "hash": "h",
            "best_bid": "0.4",
            "best_ask": "0.6",
        }
        for token, side, price, size in levels
    ]
    return {
        "market": condition(0),
        "price_changes": changes,
        "timestamp": "1790000000000",
        "event_type": "price_change",
    }


def levels(made: Recorder) -> list[tuple[object, ...]]:
    return [
        (row["kind"], row["is_bid"], row["price_e6"], row["size_e6"], row["epoch"])
        for row in rows(made, "book_changes")
    ]


@pytest.mark.parametrize(
    ("said", "recorded", "unmirrored"),
    [
        ([(YES, "BUY", "0.46", "918.34"), (NO, "SELL", "0.54", "918.34")], [(True, 460_000, 918_340_000)], 0),
        ([(NO, "SELL", "0.54", "918.34"), (YES, "BUY", "0.46", "918.34")], [(True, 460_000, 918_340_000)], 0),
        ([(YES, "SELL", "0.644", "0"), (NO, "BUY", "0.356", "0")], [(False, 644_000, 0)], 0),
        ([(NO, "BUY", "0.356", "7")], [(False, 644_000, 7_000_000)], 1),
        ([(YES, "BUY", "0.46", "1")], [(True, 460_000, 1_000_000)], 1),
        ([(YES, "BUY", "0.46", "1"), (NO, "SELL", "0.54", "2")], [(True, 460_000, 1_000_000)], 2),
        ([("999", "BUY", "0.46", "1")], [], 0),
    ],
)
def test_a_level_is_recorded_once_in_terms_of_the_canonical_token(
    said: Any, recorded: Any, unmirrored: int
) -> None:
    """Both tokens' entries say the same; a lone half is not lost."""
    made = recorder()
    hear(made, change(*said))
    assert [(row[1], row[2], row[3]) for row in levels(made)] == recorded
    assert made.heard["levels that lack their mirror"] == unmirrored


def test_changes_belong_to_the_whole_book_before_them() -> None:
    made = recorder()
    yes = change((YES, "BUY", "0.46", "1"), (NO, "SELL", "0.54", "1"))
    hear(made, yes, book(YES), yes, book(NO), yes, {**book(YES), "bids": [], "asks": []}, yes)
    one, other = (
        ("change", True, 460_000, 1_000_000),
        [("book", True, 480_000, 10_000_000), ("book", False, 500_000, 20_000_000)],
    )
    assert levels(made) == [
        (*one, 0), *[(*level, 1) for level in other], (*one, 1), (*one, 1), ("book", True, 0, 0, 2), (*one, 2),
    ]  # fmt: skip


def test_every_frame_of_a_session_has_its_own_number() -> None:
    """Two trades in one message, and the same message on two connections, are four rows with four keys."""
    made = recorder()
    both = [trade(0, 1), trade(0, 2)]
    hear(made, both)
    hear(made, both, connection=1)
    keys = [(row["connection"], row["sequence"]) for row in rows(made, "trades_raw")]
    assert keys == [(0, 1), (0, 2), (1, 3), (1, 4)]


@pytest.mark.parametrize(
    "message",
    [
        "INVALID OPERATION",
        '{"event_type":"last_trade_price"',
        '{"event_type":"book","market":"0x1"}',
        "[1, 2]",
        json.dumps({**trade(0, 1), "price": "much"}),
        json.dumps({**trade(0, 1), "asset_id": "999"}),
        json.dumps({**book(YES), "asset_id": "999"}),
    ],
)
def test_what_cannot_be_read_or_placed_is_kept_verbatim(message: str) -> None:
    made = recorder()
    hear(made, message)
    (row,) = rows(made, "rejects")
    assert row["payload"] == message
    assert row["reason"]
    assert made.waiting == 1


def test_one_unreadable_frame_is_kept_and_spoils_no_other() -> None:
    made = recorder()
    bad = {**trade(0, 2), "price": "much"}
    hear(made, [trade(0, 1), bad, trade(0, 3)])
    assert [int.from_bytes(row["tx_hash"]) for row in rows(made, "trades_raw")] == [1, 3]
    (row,) = rows(made, "rejects")
    assert json.loads(row["payload"]) == bad


def test_a_trade_without_a_transaction_is_a_trade() -> None:
    made = recorder()
    hear(made, {key: value for key, value in trade(0, 1).items() if key != "transaction_hash"})
    assert [row["tx_hash"] for row in rows(made, "trades_raw")] == [None]


def test_best_bids_and_asks_are_not_recorded_twice() -> None:
    made = recorder()
    hear(
        made,
        {
            "market": condition(0),
            "asset_id": YES,
            "best_bid": "0.4",
            "best_ask": "0.6",
            "spread": "0.2",
            "timestamp": "1790000000000",
            "event_type": "best_bid_ask",
        },
    )
    assert made.waiting == 0
    assert sum(made.heard.values()) == 1


def test_a_recorder_resumed_from_its_state_makes_the_same_rows() -> None:
    """Recovery reads one segment alone: numbers and epochs must go on where they stood."""
    messages = [
        book(YES),
        change((YES, "BUY", "0.4", "1"), (NO, "SELL", "0.6", "1")),
        trade(0, 1),
        "torn",
        [book(YES), book(NO)],
        trade(0, 2),
    ]
    one = recorder()
    hear(one, *messages[:3])
    one.take()
    state = decode(encode(one.state(0)))
    hear(one, *messages[3:])
    other = Recorder.resumed(state)  # type: ignore[arg-type]
    hear(other, *messages[3:])
    for table in TABLES:
        assert rows(other, table) == rows(one, table)
    assert other.state(9) == one.state(9)


@pytest.mark.parametrize("connection", [0, 199, -1])
def test_a_message_is_read_from_the_journal_as_it_was_written(connection: int) -> None:
    """-1 is a book that was asked for over REST."""
    heard = Heard(1_790_000_000_000_000, connection, b'{"event_type":"book"}')
    assert decode(encode(heard)) == heard


def test_a_market_given_up_is_forgotten() -> None:
    made = recorder()
    hear(made, book(YES))
    made.forget([MARKET.market_id, "pm:unknown"])
    assert made.state(0) == recorder_without_markets(made)


def recorder_without_markets(like: Recorder) -> object:
    empty = Recorder("s")
    empty._sequence, empty._epochs = like._sequence, like._epochs
    return empty.state(0)


CAPTURES = {
    "market_frames_btc15m_2026_09_30.jsonl": (
        28,
        {"book": 5, "last_trade_price": 2, "price_change": 20},
        {"book_changes": 214, "trades_raw": 2},
    ),
    "market_frames_best_bid_ask_2026_09_11.jsonl": (
        7,
        {"lifecycle": 2, "price_change": 5},
        {"book_changes": 5},
    ),
    "market_session_v2_asset_and_new_market_2026_10_05.jsonl": (
        7,
        {"book": 1, "lifecycle": 1},
        {"book_changes": 1, "market_events": 1},
    ),
    "market_resolved_btc5m_2026_08_10.json": (1, {"lifecycle": 1}, {"market_events": 1}),
    "tick_size_change_btc5m_2026_08_10.json": (1, {"tick_size_change": 1}, {"market_events": 1}),
    "nautilus_book_2024_10.json": (1, {"book": 1}, {"book_changes": 162}),
    "nautilus_last_trade_price_2024_08.json": (1, {"last_trade_price": 1}, {"trades_raw": 1}),
    "nautilus_tick_size_change_2025_02.json": (1, {"tick_size_change": 1}, {"market_events": 1}),
    "nautilus_price_change_flat_2024_08.json": (
        1,
        {"price_change": 1, "levels that lack their mirror": 1},
        {"book_changes": 1},
    ),
    "docs_like_market_resolved.json": (1, {"lifecycle": 1}, {"market_events": 1}),
}


@pytest.mark.parametrize("name", CAPTURES)
def test_a_recorded_capture_gives_exactly_its_rows(recorded_dir: Path, name: str) -> None:
    messages, frames, found = CAPTURES[name]
    counts = replay.replay([recorded_dir / "ws" / name])
    assert (counts.messages, counts.frames) == (messages, frames)
    assert counts.rows == {table: found.get(table, 0) for table in TABLES if table != "stream_gaps"}


def test_every_recorded_capture_is_counted(recorded_dir: Path) -> None:
    assert {file.name for file in (recorded_dir / "ws").iterdir()} == set(CAPTURES)


def test_the_mirror_holds_in_every_recorded_change(recorded_dir: Path) -> None:
    """The reason why half of each frame may be dropped (PROTOCOL fact 20)."""
    files = [recorded_dir / "ws" / name for name in CAPTURES if name.startswith("market_frames")]
    assert "levels that lack their mirror" not in replay.replay(files).frames
