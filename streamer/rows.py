"""Rows that wait to be published.

Changes of books are nearly all there is, so they wait as packed records of fixed width: a tenth of the
memory and a twentieth of the work of one Python tuple each. Everything else waits as tuples in the order of
its table's columns.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

TABLES = ("trades_raw", "book_changes", "market_events", "rejects", "stream_gaps")
Row = tuple[Any, ...]

# received_at, venue_at, sequence, size, price, epoch, market, connection, row, is a whole book, is a bid.
CHANGE = struct.Struct("<qqqqiiihh??")
_FIELDS = (
    ("received_at", "<i8"),
    ("venue_at", "<i8"),
    ("sequence", "<i8"),
    ("size_e6", "<i8"),
    ("price_e6", "<i4"),
    ("epoch", "<i4"),
    ("market", "<i4"),
    ("connection", "<i2"),
    ("row", "<i2"),
    ("is_book", "?"),
    ("is_bid", "?"),
)
# Where the venue gave no instant.
NO_INSTANT = -1


class Rows:
    """The rows of one segment of a session, by table. `markets` gives the market ids that changes name by number."""

    def __init__(self, session_id: str, markets: list[str]) -> None:
        self.session_id = session_id
        self.markets = markets
        self.changes = bytearray()
        self.others: dict[str, list[Row]] = {table: [] for table in TABLES if table != "book_changes"}

    def __len__(self) -> int:
        return len(self.changes) // CHANGE.size + sum(map(len, self.others.values()))

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        return {table: self.count(table) for table in TABLES}

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return len(self.changes) // CHANGE.size if table == "book_changes" else len(self.others[table])

    def arrow(self, table: str) -> pa.Table:
        """The rows of a table in its schema.

        Raises:
            SchemaMismatch: a value does not fit its column.
        """
        import pyarrow as pa

        from polymarket_assets.lake.errors import SchemaMismatch
        from polymarket_assets.lake.schemas import TABLES as DECLARED

        schema = DECLARED[table].schema
        try:
            columns = self._changes() if table == "book_changes" else _columns(schema, self.others[table])
            return pa.Table.from_arrays(columns, schema=schema)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as e:
            raise SchemaMismatch(f"{table}: {e}") from e

    def _changes(self) -> list[pa.Array]:
        import numpy as np
        import pyarrow as pa

        from polymarket_assets.lake.schemas import TABLES as DECLARED

        packed = np.frombuffer(bytes(self.changes), np.dtype(list(_FIELDS)))
        given = {
            "session_id": pa.repeat(self.session_id, len(packed)),
            "venue_at": _instants(packed["venue_at"]),
            "market_id": pa.array(self.markets, pa.string()).take(pa.array(packed["market"])),
            "kind": pa.array(["change", "book"]).take(pa.array(packed["is_book"].astype("i1"))),
        }
        schema = DECLARED["book_changes"].schema
        return [
            given[field.name] if field.name in given else pa.array(packed[field.name]).cast(field.type)
            for field in schema
        ]


def _instants(microseconds: np.ndarray) -> pa.Array:
    import pyarrow as pa

    found = pa.array(microseconds, mask=microseconds == NO_INSTANT)
    return found.cast(pa.timestamp("us", "UTC"))


def _columns(schema: pa.Schema, rows: list[Row]) -> list[pa.Array]:
    import pyarrow as pa

    if not rows:
        return [pa.array([], field.type) for field in schema]
    columns = zip(*rows, strict=True)
    return [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
