"""When nothing was heard, or no slot was taken: rows of the stream's gaps and of missed slots, all markets', kept in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.kept import NotYet
from console.markets.shelves import Filed, shelves
from console.place import Place
from polymarket_assets.lake import reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.report.subject import LOOK_BACK

if TYPE_CHECKING:
    import pyarrow as pa

_EVERY_S = 10.0
_NAMES = ("stream_gaps", "sweeps")


class _Rows:
    """The rows of every file of a table within `LOOK_BACK`, those that say that something is amiss."""

    def __init__(self, place: Place, table: str) -> None:
        self._place, self._table = place, table
        self._held: dict[Filed, pa.Table] = {}

    def look(self) -> pa.Table:
        import pyarrow as pa

        now = self._place.clock()
        listed = shelves(self._place).files(self._table, Span(now - LOOK_BACK, now + HOUR))
        self._held = {f: self._held[f] if f in self._held else self._read(f) for f in listed}
        declared = TABLES[self._table].schema
        held = pa.concat_tables([declared.empty_table(), *(t for t in self._held.values() if t.num_rows)])
        # Of an hour's file each, pieces take DuckDB longer than their rows.
        return held.combine_chunks()

    def _read(self, filed: Filed) -> pa.Table:
        declared = TABLES[self._table]
        rows = reading.completed(declared, reading.read(filed.file)).cast(declared.schema)
        return rows.filter(_amiss(rows)) if self._table == "sweeps" else rows


def _amiss(sweeps: pa.Table) -> Any:
    import pyarrow.compute as pc

    gone = pc.greater(pc.fill_null(pc.list_value_length(sweeps.column("gone")), 0), 0)
    return pc.or_(pc.equal(sweeps.column("status"), "missed"), gone)


def _gap_rows(place: Place) -> _Rows:
    return _Rows(place, "stream_gaps")


def _gaps(place: Place) -> pa.Table:
    return place.own(_gap_rows).look()


def _slot_rows(place: Place) -> _Rows:
    return _Rows(place, "sweeps")


def _slots(place: Place) -> pa.Table:
    return place.own(_slot_rows).look()


def tables(place: Place) -> tuple[dict[str, pa.Table], bool]:
    """`stream_gaps` and `sweeps` by name, and whether they are known by now; they are empty until they were looked at."""
    try:
        found = [place.seen(look, every_s=_EVERY_S).value for look in (_gaps, _slots)]
    except NotYet:
        return {name: TABLES[name].schema.empty_table() for name in _NAMES}, False
    return dict(zip(_NAMES, found, strict=True)), True
