"""The venue's hash of a book is made again from what was recorded, and tells a wrong book from a right one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets.venue import parse
from polymarket_assets.venue.records import E6
from streamer import replay
from streamer.books import Book
from streamer.proofs import Snapshot, decimal, matches, snapshot
from streamer.recording import Recorder


@pytest.mark.parametrize(
    ("e6", "text"), [(530_000, "0.53"), (918_340_000, "918.34"), (270 * E6, "270"), (1, "0.000001"), (0, "0")]
)
def test_numbers_are_written_as_the_wire_writes_them(e6: int, text: str) -> None:
    assert decimal(e6) == text


def of_rest(row: dict[str, Any]) -> Snapshot:
    book = parse.book(json.dumps(row).encode())
    assert book.venue_at is not None
    return Snapshot(
        "m", book.condition_id, book.token_id, round(book.venue_at.timestamp() * 1_000_000), book.hash,
        {level.price_e6: level.size_e6 for level in book.bids}, {level.price_e6: level.size_e6 for level in book.asks},
        book.tick_e6, book.min_size_e6, book.neg_risk, book.last_trade_e6, book.version,
    )  # fmt: skip


def test_recorded_books_are_proved_and_altered_ones_are_not(recorded_dir: Path) -> None:
    rows = json.loads((recorded_dir / "clob" / "books_post_fed_june_2026.json").read_text())
    held = [of_rest(row) for row in rows]
    assert len(held) == 10
    assert all(matches(one) for one in held)
    altered = [replace(one, bids={**one.bids, min(one.bids, default=10_000): 1}) for one in held]
    assert not any(matches(one) for one in altered)


def test_an_empty_book_of_the_second_generation_is_proved(recorded_dir: Path) -> None:
    row = json.loads((recorded_dir / "clob" / "book_empty_v2_canary_2026_10_05.json").read_text())
    assert matches(of_rest(row))


def test_books_built_from_recorded_frames_are_proved(recorded_dir: Path) -> None:
    """Changes applied to a dump give the book whose hash the venue sent with the last of them."""
    recorder, settled, tokens = Recorder("s"), [], {}  # type: ignore[var-annotated]

    def on_settled(book: Book) -> None:
        book.check_due_us = 0
        settled.append(snapshot(book))

    recorder.on_settled = on_settled
    for heard in replay._heard(recorded_dir / "ws" / "market_frames_btc15m_2026_09_30.jsonl"):
        recorder.know(replay._learn(tokens, heard.payload))
        recorder.hear(heard)
    assert len(settled) == 10
    assert all(matches(held) for held in settled)
