"""The books that the figures of keeping rest on are books, and the figures are of all their rows."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import kept_books, kept_bytes
from benchmarks.kept_books import Books
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake


def test_books_are_sorted_best_first_not_crossed_and_change_from_slot_to_slot() -> None:
    first, second = (books.to_pylist() for _, books, _ in Books(40).slots(2))
    for row in first:
        bids, asks = ([level["price_e6"] for level in row[side]] for side in ("bids", "asks"))
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert all(0 < price < 1_000_000 for price in bids + asks)
        assert not (bids and asks) or bids[0] < asks[0]
    kept = [a["hash"] == b["hash"] for a, b in zip(first, second, strict=True)]
    assert all((a["bids"] == b["bids"]) for a, b, same in zip(first, second, kept, strict=True) if same)
    assert 0 < sum(kept) < 40


def test_every_row_is_in_both_figures(tmp_path: Path) -> None:
    found = list(kept_bytes.sizes(tmp_path, markets=20, slots=12))
    assert [(kept.table, kept.rows) for kept in found] == [("orderbooks", 240), ("snapshots", 240)]
    assert all(kept.json > kept.json_zstd > 0 for kept in found)
    assert all(kept.parts > kept.compacted > 0 for kept in found)


def test_copies_are_other_markets(tmp_path: Path) -> None:
    kept_bytes.publish(tmp_path, markets=5, slots=1, copies=3)
    assert len(set(reading.rows(Lake(tmp_path), "orderbooks").column("market_id").to_pylist())) == 15


def test_a_line_is_what_the_venue_sends() -> None:
    (_, books, _) = next(iter(Books(1).slots(1)))
    line = json.loads(kept_books.wire_line(books.to_pylist()[0]))
    assert set(line) >= {"market", "asset_id", "timestamp", "hash", "bids", "asks", "tick_size"}
    assert float(line["bids"][0]["price"]) < float(line["bids"][-1]["price"]), "the best comes last"
