"""Books: the venue's hash, its forms to the byte, and a ladder that never crosses."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import books
from simulator.books import Side, Snapshot, book_hash
from simulator.ladder import COARSE, FINE, ONE, Ladder

MARKET, TOKEN = "0x" + "ab" * 32, "1234567890"


def ladder(tick: int, seed: int, half: float = 0.5) -> Ladder:
    return Ladder(tick, half, 150.0, 12, random.Random(seed))


def test_hashes_of_recorded_rest_books_are_reproduced(recorded_dir: Path) -> None:
    """The hash is how a recorder finds gaps: a venue with another one would look broken all the time."""
    recorded = json.loads((recorded_dir / "clob" / "books_post_fed_june_2026.json").read_text())
    assert len(recorded) == 10
    assert [book_hash(book) for book in recorded] == [book["hash"] for book in recorded]


def test_the_hash_of_the_recorded_book_of_the_newer_generation_is_reproduced(recorded_dir: Path) -> None:
    book = json.loads((recorded_dir / "clob" / "book_empty_v2_canary_2026_10_05.json").read_text())
    assert book_hash(book) == book["hash"]
    assert book_hash({key: value for key, value in book.items() if key != "version"}) != book["hash"]


def test_recorded_books_are_written_byte_for_byte(recorded_dir: Path) -> None:
    """All three forms of a book, from levels as they were recorded."""
    text = (recorded_dir / "clob" / "book_empty_v2_canary_2026_10_05.json").read_text().strip()
    said = json.loads(text)
    made = Snapshot(
        said["market"], said["asset_id"], int(said["timestamp"]), Side({}, {}, False), COARSE, False, "", "v2"
    )
    assert made.rest() == text
    frames = [
        json.loads(line)["payloadUtf8"]
        for line in (recorded_dir / "ws" / "market_frames_btc15m_2026_09_30.jsonl").open()
    ]
    dump, live = json.loads(frames[0]), next(f for f in frames if '"event_type":"book"' in f and f[0] == "{")
    assert "[" + ",".join(_remade(book, "").dump() for book in dump) + "]" == frames[0].strip()
    # The new last price is told a moment later (PROTOCOL 8.6).
    assert _remade(json.loads(live), "0.490").live() == live


def _remade(book: dict, last: str) -> Snapshot:
    levels = (
        {round(float(row["price"]) * ONE): round(float(row["size"]) * 100) for row in book[side]}
        for side in ("bids", "asks")
    )
    return Snapshot(book["market"], book["asset_id"], int(book["timestamp"]), Side(*levels, False), COARSE, False, last, "v1")  # fmt: skip


@pytest.mark.parametrize(("hundredths", "text"), [(500, "5"), (91_834, "918.34"), (51_50, "51.5"), (7, "0.07"), (0, "0")])  # fmt: skip
def test_sizes_have_no_trailing_zeros(hundredths: int, text: str) -> None:
    assert books.size(hundredths) == text


@pytest.mark.parametrize(("thousandths", "text"), [(1, "0.001"), (10, "0.01"), (500, "0.5"), (980, "0.98"), (1000, "1"), (0, "0")])  # fmt: skip
def test_prices_have_no_trailing_zeros(thousandths: int, text: str) -> None:
    assert books.price(thousandths) == text


@pytest.mark.parametrize(("thousandths", "text"), [(None, ""), (980, "0.980"), (490, "0.490"), (6, "0.006")])
def test_the_last_trade_always_has_three_decimals(thousandths: int | None, text: str) -> None:
    assert books.last(thousandths) == text


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([COARSE, FINE]),
    st.lists(st.floats(0.0002, 0.9998), min_size=1, max_size=30),
    st.integers(0, 1000),
)
def test_whatever_the_price_does_books_never_cross_and_stay_on_the_grid(tick: int, mids: list[float], seed: int) -> None:  # fmt: skip
    held = ladder(tick, seed)
    for mid in mids:
        held.requote(mid)
        if mid > 0.5:
            held.take(buys=True, size=seed * 10 + 1)
        levels = {**held.bids, **held.asks}
        assert all(0 < price < ONE and price % tick == 0 and size > 0 for price, size in levels.items())
        assert len(held.bids) + len(held.asks) == len(levels)
        assert held.best_bid is None or held.best_ask is None or held.best_bid < held.best_ask
        assert len(levels) <= 60


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=15), st.integers(0, 1000))
def test_told_changes_rebuild_the_book(mids: list[float], seed: int) -> None:
    """A listener who applies every change has the venue's book."""
    held = ladder(COARSE, seed)
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    for mid in mids:
        for change in held.requote(mid):
            side = bids if change.is_bid else asks
            side[change.price] = change.size
            if not change.size:
                del side[change.price]
        assert (bids, asks) == (held.bids, held.asks)


def test_the_second_token_s_book_is_the_mirror_of_the_first() -> None:
    held = ladder(COARSE, 3)
    held.requote(0.37)
    first, second = (Side(held.bids, held.asks, mirrored) for mirrored in (False, True))
    mirrored = [(books.price(ONE - round(float(price) * ONE)), size) for price, size in first.asks]
    assert second.bids == mirrored
    assert float(first.best_ask) == pytest.approx(1 - float(second.best_bid))


def test_near_an_extreme_nobody_stands_on_the_far_side() -> None:
    held = ladder(FINE, 5)
    held.requote(0.0002)
    assert not held.bids
    assert held.best_ask == FINE
