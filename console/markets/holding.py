"""Which files of hours and days that are over hold a market: of five tiers' files of an hour it is in one, and it is not always traded.

The markets of each file, as numbers, read in the background; four bytes a market and file.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from console.kept import NotYet
from console.markets.shelves import Filed, shelves
from console.place import Place
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.report.subject import LOOK_BACK

TABLES = ("snapshots", "trades", "predictions", "resolutions")
_EVERY_S = 60.0


class Holding:
    """Of every file of `TABLES` of hours that are over, within `LOOK_BACK`, its markets, in order of their numbers."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._codes: dict[str, int] = {}
        self._held: dict[Filed, array[int]] = {}

    def look(self) -> Holding:
        """Read the files that are new, and forget those that are gone."""
        now = self._place.clock()
        span = Span(now - LOOK_BACK, now + HOUR)
        listed = [f for table in TABLES for f in shelves(self._place).files(table, span)]
        over = [f for f in listed if f.is_sealed or (f.span.end < now and f.tier is None)]
        self._held = {f: self._held[f] if f in self._held else self._read(f) for f in over}
        return self

    def of(self, files: Sequence[Filed], market_ids: Sequence[str]) -> list[Filed]:
        """The files that hold one of some markets, or of which nothing is known yet."""
        codes = sorted(self._codes[id_] for id_ in market_ids if id_ in self._codes)
        held = self._held
        return [f for f in files if f not in held or any(_has(held[f], code) for code in codes)]

    def _read(self, filed: Filed) -> array[int]:
        read = reading.read(filed.file, ("market_id",), dictionaries=("market_id",))
        ids = {id_ for chunk in read.column("market_id").chunks for id_ in chunk.dictionary.to_pylist()}
        return array("i", sorted(self._codes.setdefault(id_, len(self._codes)) for id_ in ids))


def _has(codes: array[int], code: int) -> bool:
    from bisect import bisect_left

    at = bisect_left(codes, code)
    return at < len(codes) and codes[at] == code


def _look(place: Place) -> Holding:
    return place.own(Holding).look()


def holding(place: Place, table: str, files: Sequence[Filed], market_ids: Sequence[str]) -> list[Filed]:
    """Of some files those that can hold a row of some markets."""
    if table not in TABLES:
        return list(files)
    try:
        return place.seen(_look, every_s=_EVERY_S).value.of(files, market_ids)
    except NotYet:
        return list(files)
