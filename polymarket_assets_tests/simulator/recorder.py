"""A recorder in few lines: what a listener makes of what it hears, held against the venue's hashes."""

from __future__ import annotations

import json
from typing import Any

from simulator.books import book_hash


class Recorder:
    """Keeps books by dumps, live books and changes, and checks hashes."""

    def __init__(self, ids: list[str]) -> None:
        self._ids = set(ids)
        self._books: dict[str, dict[str, Any]] = {}
        self._last: dict[str, str] = {}
        self._pending: dict[str, tuple[str, str]] = {}
        self._unsure: set[str] = set()
        self.checked = 0

    def apply(self, heard: list[str]) -> int:
        """Checks every instant but the last, whose other frames may not have come yet; returns how many hashes were checked."""
        for text in heard:
            said = json.loads(text)
            if isinstance(said, list):
                for book in said:
                    self._dump(book)
            elif said["event_type"] == "price_change":
                self._change(said)
            else:
                self._other(said)
        return self.checked

    def _dump(self, book: dict[str, Any]) -> None:
        self._books[book["asset_id"]] = {**book, "min_order_size": "5", "neg_risk": False}
        self._check(book["asset_id"], book["hash"])

    def _change(self, frame: dict[str, Any]) -> None:
        self._settle(frame["timestamp"])
        for entry in frame["price_changes"]:
            book = self._books.get(entry["asset_id"])
            if book is not None:
                side = "bids" if entry["side"] == "BUY" else "asks"
                levels = {level["price"]: level["size"] for level in book[side]} | {
                    entry["price"]: entry["size"]
                }
                ordered = sorted(levels, key=float, reverse=side == "asks")
                book[side] = [{"price": p, "size": levels[p]} for p in ordered if levels[p] != "0"]
                book["timestamp"] = frame["timestamp"]
                self._pending[entry["asset_id"]] = (frame["timestamp"], entry["hash"])

    def _other(self, frame: dict[str, Any]) -> None:
        self._settle("")
        if frame["event_type"] == "book" and frame["asset_id"] in self._books:
            self._books[frame["asset_id"]] |= {key: frame[key] for key in ("bids", "asks", "timestamp")}
            # A trade or a new grid: what else changed is told by other frames.
            self._unsure.add(frame["market"])
        if frame["event_type"] == "tick_size_change" and frame["asset_id"] in self._books:
            self._books[frame["asset_id"]]["tick_size"] = frame["new_tick_size"]

    def _settle(self, timestamp: str) -> None:
        for token, (at, hash_) in list(self._pending.items()):
            if at != timestamp:
                del self._pending[token]
                self._check(token, hash_)

    def _check(self, token: str, hash_: str) -> None:
        book = self._books[token]
        if book["market"] not in self._unsure and book["market"]:
            self.checked += 1
            found = {book_hash({**book, "neg_risk": risk}) for risk in (False, True)}
            assert hash_ in found
