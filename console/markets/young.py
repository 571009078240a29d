"""Rows of hours that are not closed yet, in memory: a market's lie in hundreds of small files, one a slot.

The columns of charts alone, markets as numbers: a row takes some eighty bytes, and an hour of the venue has 300,000 at the most.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from console.kept import NotYet
from console.markets.columns import COLUMNS
from console.markets.shelves import Filed, shelves
from console.place import Place
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import HOUR, Span

if TYPE_CHECKING:
    import pyarrow as pa

# Hours are closed a quarter of an hour after they are over; trades of an hour are built within two.
_BACK = timedelta(hours=3)
# Files beyond these are read where they lie.
_MOST_ROWS = 1_000_000
_EVERY_S = 5.0
TABLES = ("snapshots", "trades_raw")


class Young:
    """The rows of the parts of a table."""

    def __init__(self, place: Place, table: str) -> None:
        self._place, self._table = place, table
        self._lock = threading.Lock()
        self._held: dict[Filed, pa.Table] = {}
        self._codes: dict[str, int] = {}
        self._ids: list[str] = []

    def look(self) -> Young:
        """Read the files that are new, and forget those that are gone."""
        now = self._place.clock()
        listed = shelves(self._place).files(self._table, Span(now - _BACK, now + HOUR))
        parts = [f for f in reversed(listed) if not f.is_sealed]
        held, rows = {}, 0
        for part in parts:
            held[part] = self._held[part] if part in self._held else self._read(part)
            rows += held[part].num_rows
            if rows > _MOST_ROWS:
                break
        with self._lock:
            self._held = held
        return self

    def split(self, files: Sequence[Filed]) -> tuple[list[pa.Table], list[Filed]]:
        """Of some files the rows that are here, and the files that are not."""
        held = self._held
        return [held[f] for f in files if f in held], [f for f in files if f not in held]

    def of(self, found: Sequence[pa.Table], market_ids: Sequence[str]) -> list[pa.Table]:
        """The rows of some markets among those that `split` gave."""
        import pyarrow as pa
        import pyarrow.compute as pc

        codes = [self._codes[id_] for id_ in market_ids if id_ in self._codes]
        if not found or not codes:
            return []
        together = pa.concat_tables(found)
        rows = together.filter(pc.is_in(together.column("market"), pa.array(codes, pa.int32())))
        held = rows.column("market").combine_chunks().dictionary_encode()
        names = pa.array([self._ids[code] for code in held.dictionary.to_pylist()], pa.string()).take(
            held.indices
        )
        return [rows.drop_columns("market").append_column("market_id", names)]

    def _read(self, part: Filed) -> pa.Table:
        import pyarrow as pa

        rows = reading.read(part.file, ("market_id", *COLUMNS[self._table]), dictionaries=("market_id",))
        ids = rows.column("market_id").unify_dictionaries().combine_chunks()
        codes = pa.array([self._code(id_) for id_ in ids.dictionary.to_pylist()], pa.int32())
        return with_columns(rows, self._table, COLUMNS[self._table]).append_column(
            "market", codes.take(ids.indices)
        )

    def _code(self, market_id: str) -> int:
        code = self._codes.setdefault(market_id, len(self._ids))
        if code == len(self._ids):
            self._ids.append(market_id)
        return code


def with_columns(rows: pa.Table, table: str, names: Sequence[str] = ()) -> pa.Table:
    """Rows with columns (`market_id` and those of `COLUMNS`) in their declared types, null where their file is older than one."""
    import pyarrow as pa

    from polymarket_assets.lake.schemas import TABLES as DECLARED

    names = names or ("market_id", *COLUMNS[table])
    types = {name: DECLARED[table].schema.field(name).type for name in names}
    there = set(rows.column_names)
    return pa.table({n: rows.column(n).cast(types[n]) if n in there else pa.nulls(rows.num_rows, types[n]) for n in names})  # fmt: skip


def _snapshots(place: Place) -> Young:
    return place.own(_young_snapshots).look()


def _young_snapshots(place: Place) -> Young:
    return Young(place, "snapshots")


def _heard(place: Place) -> Young:
    return place.own(_young_heard).look()


def _young_heard(place: Place) -> Young:
    return Young(place, "trades_raw")


_LOOKS = {"snapshots": _snapshots, "trades_raw": _heard}


def young(place: Place, table: str) -> Young | None:
    """What is in memory of a table; None: nothing yet, and its files are read where they lie."""
    look = _LOOKS.get(table)
    try:
        return place.seen(look, every_s=_EVERY_S).value if look else None
    except NotYet:
        return None
