"""Recorded payloads found in a folder, whatever file they lie in: told apart by their keys, kept as their own bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from simulator.listing import Entry

# Folders of REST answers; `ws` is played, not served.
SERVED = ("gamma", "clob", "data")
SUFFIXES = (".json", ".jsonl", ".ndjson")
_Object = dict[str, msgspec.Raw]


class NothingRecorded(ValueError):
    """A folder without payloads, or with a broken one."""


@dataclass
class Recorded:
    """What was found, by what it is asked for; of several recordings of one thing the newest counts."""

    markets: dict[str, Entry] = field(default_factory=dict)
    events: dict[str, Entry] = field(default_factory=dict)
    tags: dict[str, msgspec.Raw] = field(default_factory=dict)
    books: dict[str, msgspec.Raw] = field(default_factory=dict)
    full: dict[str, msgspec.Raw] = field(default_factory=dict)
    compact: dict[str, msgspec.Raw] = field(default_factory=dict)
    quotes: dict[str, _Object] = field(default_factory=dict)
    old_prices: dict[str, msgspec.Raw] = field(default_factory=dict)
    price_pages: list[msgspec.Raw] = field(default_factory=list)
    trades: list[tuple[str, msgspec.Raw]] = field(default_factory=list)
    old_trades: list[tuple[str, msgspec.Raw]] = field(default_factory=list)
    resolutions: list[tuple[str, msgspec.Raw]] = field(default_factory=list)
    holders: list[msgspec.Raw] = field(default_factory=list)
    live_volume: list[msgspec.Raw] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(len(getattr(self, name)) for name in self.__dataclass_fields__)

    def take(self, raw: msgspec.Raw) -> None:
        """File a value, and what it holds."""
        kept = bytes(raw)
        if kept[:1] == b"[":
            for item in msgspec.json.decode(kept, type=list[msgspec.Raw]):
                self.take(item)
        elif kept[:1] == b"{":
            self._object(msgspec.Raw(kept), msgspec.json.decode(kept, type=_Object))

    def _object(self, raw: msgspec.Raw, said: _Object) -> None:
        for keys, file in _KINDS:
            if keys <= said.keys():
                file(self, raw, said)
                break
        if not _WHOLE & said.keys():
            for value in said.values():
                self.take(value)

    def _market(self, raw: msgspec.Raw, said: _Object) -> None:
        _newest(self.markets, raw)

    def _event(self, raw: msgspec.Raw, said: _Object) -> None:
        _newest(self.events, raw)

    def _quotes(self, raw: msgspec.Raw, said: _Object) -> None:
        self.quotes |= msgspec.json.decode(said["clob_quotes"], type=dict[str, _Object])


def _newest(held: dict[str, Entry], raw: msgspec.Raw) -> None:
    row = msgspec.json.decode(raw)
    key = str(row["id"])
    if key not in held or str(held[key].row.get("updatedAt", "")) < str(row.get("updatedAt", "")):
        held[key] = Entry(row, raw, tuple(row.get("tags") or ()))


def _by(name: str, key: str) -> Any:
    def file(recorded: Recorded, raw: msgspec.Raw, said: _Object) -> None:
        getattr(recorded, name)[_text(said[key])] = raw

    return file


def _rows(name: str, key: str | None = None) -> Any:
    def file(recorded: Recorded, raw: msgspec.Raw, said: _Object) -> None:
        getattr(recorded, name).append((_text(said[key]), raw) if key else raw)

    return file


def _text(raw: msgspec.Raw) -> str:
    return str(msgspec.json.decode(raw))


# What has these keys is this kind of thing; the first that fits.
_KINDS: tuple[tuple[frozenset[str], Any], ...] = tuple(
    (frozenset(keys.split()), file)
    for keys, file in (
        ("markets slug ticker", Recorded._event),
        ("conditionId question", Recorded._market),
        ("asset_id bids asks", _by("books", "asset_id")),
        ("condition_id tokens", _by("full", "condition_id")),
        ("t c mos", _by("compact", "c")),
        ("yes_token history", _by("old_prices", "yes_token")),
        ("proxy_wallet transaction_hash", _rows("trades", "condition_id")),
        ("proxyWallet transactionHash", _rows("old_trades", "conditionId")),
        ("condition_id status was_disputed", _rows("resolutions", "condition_id")),
        ("token_id holders", _rows("holders")),
        ("taker_volume_total conditions", _rows("live_volume")),
        ("clob_quotes", Recorded._quotes),
        ("id label slug", _by("tags", "id")),
    )
)
# Objects with one of these are looked into no further.
_WHOLE = frozenset({"bids", "proxy_wallet", "proxyWallet", "tokens", "holders", "taker_volume_total"})


def find(folder: Path) -> Recorded:
    """Everything recorded under `folder`. Raises `NothingRecorded`."""
    recorded = Recorded()
    for file in _files(folder):
        for text in _values(file):
            try:
                if _is_prices(text):
                    recorded.price_pages.append(msgspec.Raw(text))
                else:
                    recorded.take(msgspec.Raw(text))
            except msgspec.DecodeError as e:
                raise NothingRecorded(f"{file} is not JSON ({e}): mend or remove it") from e
    return recorded


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise NothingRecorded(f"{folder} is not a folder: name one with gamma/, clob/, data/ or ws/ in it")
    return sorted(f for name in SERVED for f in (folder / name).glob("**/*") if f.suffix in SUFFIXES)


def _values(file: Path) -> Iterator[bytes]:
    text = file.read_bytes()
    lines = text.splitlines() if file.suffix != ".json" else [text]
    return (line.strip() for line in lines if line.strip())


def _is_prices(text: bytes) -> bool:
    """A page of prices names no token: it is kept whole."""
    return b'"resolution_seconds"' in text and "data" in json.loads(text)
