"""Socket messages of every form the venue has used."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets.venue import frames
from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets.venue.records import (
    BookFrame,
    Frame,
    LevelChange,
    LifecycleFrame,
    PriceChangeFrame,
    TickSizeFrame,
    TradeFrame,
    UnreadableFrame,
)
from polymarket_assets_tests.venue import recorded
from polymarket_assets_tests.venue.test_parse import NO, RIVER, YES, case

AT = datetime(2026, 11, 22, 10, 0, 0, 456_000, UTC)
MESSAGES: list[str] = case("ws/market_frames_own.jsonl")
DUMP, LIVE, CHANGE, PONG, CHANGES_2025, FLAT_2024, TRADE, TICK, BEST, NEW, RESOLVED, UNKNOWN = MESSAGES


def only(message: str | bytes) -> Frame:
    (frame,) = frames.parse(message)
    return frame


def changed(message: str, **changes: Any) -> str:
    return json.dumps({**json.loads(message), **changes})


@pytest.mark.parametrize("message", [PONG, "PONG\n", b"PONG", "", " \n", "[]"])
def test_what_says_nothing_is_no_frame(message: str | bytes) -> None:
    assert frames.parse(message) == []


@pytest.mark.parametrize("message", MESSAGES)
def test_text_and_bytes_are_alike(message: str) -> None:
    assert frames.parse(message) == frames.parse(message.encode())


@pytest.mark.parametrize("message", [LIVE, CHANGE, TRADE, TICK, BEST, UNKNOWN])
def test_every_type_comes_alone_or_in_an_array(message: str) -> None:
    """One frame is one array or one object; the documentation promises neither for any type."""
    found = frames.parse(message)
    assert frames.parse(f"[{message}]") == found
    assert frames.parse(f"\n[{message}, {message}]\n") == found * 2


def test_a_dump_holds_both_books() -> None:
    yes, no = frames.parse(DUMP)
    assert isinstance(yes, BookFrame)
    assert isinstance(no, BookFrame)
    assert (yes.book.token_id, no.book.token_id, yes.book.condition_id) == (YES, NO, RIVER)
    assert [level.price_e6 for level in yes.book.bids] == [380_000, 370_000, 10_000]
    assert [level.price_e6 for level in yes.book.asks] == [390_000, 990_000]
    assert (yes.book.tick_e6, yes.book.last_trade_e6) == (10_000, 390_000)


def test_a_book_after_a_trade_lacks_tick_and_last_trade() -> None:
    frame = only(LIVE)
    assert isinstance(frame, BookFrame)
    assert (frame.book.tick_e6, frame.book.last_trade_e6) == (None, None)
    assert frame.book.hash == json.loads(LIVE)["hash"]


def test_sides_may_be_called_buys_and_sells() -> None:
    row = json.loads(LIVE)
    row["buys"], row["sells"] = row.pop("bids"), row.pop("asks")
    assert only(json.dumps(row)) == only(LIVE)


def test_price_changes_name_both_tokens() -> None:
    assert only(CHANGE) == PriceChangeFrame(
        condition_id=RIVER,
        venue_us=round(AT.timestamp() * 1_000_000),
        changes=[
            LevelChange(token_id=YES, is_bid=True, price_e6=380_000, size_e6=0, hash="a" * 40),
            LevelChange(token_id=NO, is_bid=False, price_e6=620_000, size_e6=0, hash="b" * 40),
        ],
    )  # fmt: skip


def test_price_changes_of_2025_and_2024() -> None:
    """Archives hold them; replaying one must give the same rows as hearing it did."""
    of_2025, of_2024 = only(CHANGES_2025), only(FLAT_2024)
    assert isinstance(of_2025, PriceChangeFrame)
    assert isinstance(of_2024, PriceChangeFrame)
    assert of_2025.changes == [
        LevelChange(token_id=YES, is_bid=True, price_e6=380_000, size_e6=10_000_000, hash="c" * 40),
        LevelChange(token_id=YES, is_bid=False, price_e6=400_000, size_e6=3_250_000, hash="c" * 40),
    ]
    assert of_2024.changes == [
        LevelChange(token_id=YES, is_bid=False, price_e6=390_000, size_e6=20_750_000, hash="d" * 40),
    ]


def test_a_trade() -> None:
    assert only(TRADE) == TradeFrame(
        condition_id=RIVER, token_id=NO, is_buy=True, price_e6=610_000, size_e6=12_345_678, venue_at=AT, tx_hash=f"0x{3001:064x}"
    )  # fmt: skip
    nameless = only(changed(TRADE, transaction_hash=""))
    assert isinstance(nameless, TradeFrame)
    assert nameless.tx_hash is None


def test_a_tick_size_change() -> None:
    assert only(TICK) == TickSizeFrame(
        condition_id=RIVER, token_id=YES, venue_at=AT, old_tick_e6=10_000, new_tick_e6=1_000
    )


@pytest.mark.parametrize(
    ("message", "kind", "condition"),
    [(BEST, "best_bid_ask", RIVER), (NEW, "new_market", f"0x{9:064x}"), (RESOLVED, "market_resolved", RIVER), (UNKNOWN, "weather_report", None)],
)  # fmt: skip
def test_everything_else_is_kept_verbatim(message: str, kind: str, condition: str | None) -> None:
    """A type that starts tomorrow is in the lake before anyone wrote a reader for it."""
    frame = only(f"[{message}]")
    assert isinstance(frame, LifecycleFrame)
    assert (frame.kind, frame.condition_id) == (kind, condition)
    assert frame.payload == message
    assert frame.venue_at == (None if kind == "weather_report" else AT)


@pytest.mark.parametrize(
    "message",
    [changed(TRADE, price=0.61, size=12.345678, timestamp=1795341600456), changed(TICK, old_tick_size=0.01, new_tick_size=1e-3)],
)  # fmt: skip
def test_numbers_for_text_are_read_too(message: str) -> None:
    assert only(message) == only(TRADE if "size_change" not in message else TICK)


@pytest.mark.parametrize(
    "message",
    ["PING?", "{", "[", "null", "1", '"book"', "{}", '{"event_type": 1}', "[1]", "[[]]", b"\xff\xfe", "[" * 100_000, '{"event_type":' * 10_000,
     changed(TRADE, side="HOLD"), changed(TRADE, price="1.01"), changed(TRADE, price=""), changed(TRADE, size="-1"), changed(TRADE, size="NaN"), changed(TRADE, transaction_hash="0x12"), changed(TRADE, timestamp="soon"),
     changed(TRADE, market="0x1"), changed(TRADE, asset_id="abc"), changed(LIVE, bids=None, asks=None), changed(CHANGE, price_changes=None), changed(CHANGE, price_changes=[{}]), changed(TICK, new_tick_size=None),
     DUMP.replace("}]", "", 1)],
)  # fmt: skip
def test_what_cannot_be_read_is_malformed_with_its_evidence(message: str | bytes) -> None:
    with pytest.raises(MalformedPayload) as raised:
        frames.parse(message)
    text = message if isinstance(message, str) else message.decode(errors="replace")
    assert raised.value.evidence == text[: MalformedPayload.EVIDENCE_CHARACTERS]


def test_a_frame_that_cannot_be_read_spoils_no_other_of_its_message() -> None:
    """A hundred first books come in one message: with one of them bad, the others must not be waited for in vain."""
    bad = changed(TRADE, side="HOLD")
    first, unreadable, last = frames.parse(f"[{LIVE}, {bad}, {TRADE}]")
    assert [first, last] == [only(LIVE), only(TRADE)]
    assert isinstance(unreadable, UnreadableFrame)
    assert unreadable.payload == bad
    assert "HOLD" in unreadable.why


def test_recorded_sessions_hold_what_was_said_of_them(recorded_dir: Path) -> None:
    def kinds(name: str) -> list[str]:
        heard = [frame for text in recorded.rows(recorded_dir, name) for frame in frames.parse(text)]
        return [frame.kind if isinstance(frame, LifecycleFrame) else type(frame).__name__ for frame in heard]

    first = kinds("ws/market_frames_btc15m_2026_09_30.jsonl")
    assert first[:2] == ["BookFrame", "BookFrame"]
    assert {"PriceChangeFrame", "TradeFrame"} <= set(first)
    assert {"best_bid_ask", "PriceChangeFrame"} == set(
        kinds("ws/market_frames_best_bid_ask_2026_09_11.jsonl")
    )
    assert kinds("ws/market_session_v2_asset_and_new_market_2026_10_05.jsonl") == ["BookFrame", "new_market"]
    assert kinds("ws/market_resolved_btc5m_2026_08_10.json") == ["market_resolved"]
    assert kinds("ws/nautilus_price_change_flat_2024_08.json") == ["PriceChangeFrame"]


def test_a_recorded_dump_carries_a_hash_that_verifies(recorded_dir: Path) -> None:
    """The hash is kept as it came, and the levels it covers are those that were read (PROTOCOL 8.6)."""
    texts = recorded.rows(recorded_dir, "ws/market_session_v2_asset_and_new_market_2026_10_05.jsonl")
    book = frames.parse(texts[0])[0]
    assert isinstance(book, BookFrame)
    (row,) = json.loads(texts[0])
    hashed = {
        "market": row["market"], "asset_id": row["asset_id"], "timestamp": row["timestamp"], "hash": "", "bids": row["bids"], "asks": row["asks"],
        "min_order_size": "5", "tick_size": row["tick_size"], "neg_risk": False, "last_trade_price": row["last_trade_price"], "version": row["version"],
    }  # fmt: skip
    assert book.book.hash == hashlib.sha1(json.dumps(hashed, separators=(",", ":")).encode()).hexdigest()
