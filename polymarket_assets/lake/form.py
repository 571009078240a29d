"""The form of sealed files: what they are sorted by, and how each column is encoded.

Measured on an hour of the venue's mix (`python -m benchmarks.sealed_bytes`): sorted by market, instants and
counters shrink to the differences of neighbours, a market's price grid and the round lots of sizes to the
numbers of a dictionary; zstd 9 takes 2 % less than 3 for twice the time, 15 another 4 % for four times more. Of
books and snapshots (`python -m benchmarks.kept_bytes`): without dictionaries for levels and reals 15 and 17 % less;
splitting bytes, or differences of levels, take more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from polymarket_assets.lake.schemas.declare import LEVELS, Table

# A market's rows together, in order of time: a reader of one market opens a few pages of the file. The rest of
# the key follows, so that the order of rows never depends on the files they came in.
_BY_MARKET = ("market_id", "received_at", "session_id", "connection", "sequence")
_ORDERS = {
    "book_changes": (*_BY_MARKET, "row"),
    "trades_raw": _BY_MARKET,
    "trades": ("market_id", "traded_at", "trade_id"),
}

# Few enough that a market is found without much else, enough that a dictionary is worth its bytes.
_GROUP_ROWS = 500_000
# Of trades, which are asked for by market more often than whole: a market of 200,000 an hour in a tenth of the time, for a
# hundredth more bytes.
_TRADES_GROUP_ROWS = 20_000
# A message can be several kilobytes.
_VERBATIM_GROUP_ROWS = 20_000
# A book is two lists of some sixty levels: 1.5 kB.
_BOOK_GROUP_ROWS = 20_000
# A snapshot is some seventy numbers: half a kilobyte, held several times over while a group is written.
_WIDE, _WIDE_GROUP_ROWS = 40, 50_000
# Texts that are never the same twice.
_VERBATIM = frozenset({"payload"})
# Whole amounts repeat (a grid of prices, round lots), and jump too far for differences to be small.
_AMOUNTS = frozenset({"price_e6", "size_e6"})
# How Parquet names what lies in a list.
_NESTED = ".list.element."
# The sizes of a row group are too many for the usual megabyte.
_DICTIONARY_BYTES = 8 * 1024 * 1024
_LEVEL = 9


def order(table: Table) -> tuple[str, ...]:
    """The columns a sealed file is sorted by; they tell any two rows apart."""
    return _ORDERS.get(table.name, table.key)


def group_rows(table: Table) -> int:
    """The rows of one row group."""
    if _VERBATIM & set(table.names):
        return _VERBATIM_GROUP_ROWS
    if table.name == "trades":
        return _TRADES_GROUP_ROWS
    if any(field.type == LEVELS for field in table.schema):
        return _BOOK_GROUP_ROWS
    return _WIDE_GROUP_ROWS if len(table.names) > _WIDE else _GROUP_ROWS


def ids(table: Table) -> list[str]:
    """Columns of texts that repeat."""
    return [
        field.name for field in table.schema if pa.types.is_string(field.type) and field.name not in _VERBATIM
    ]


def options(table: Table) -> dict[str, Any]:
    """What `pyarrow.parquet.ParquetWriter` is given for a sealed file of this table."""
    leaves = [leaf for field in table.schema for leaf in _leaves(field, field.name)]
    differences = [path for path, type_ in leaves if _is_counted(path, type_)]
    dictionaries = [path for path, type_ in leaves if path not in differences and _repeats(path, type_)]
    return {
        "compression": "zstd",
        "compression_level": _LEVEL,
        "data_page_version": "2.0",
        "use_dictionary": dictionaries,
        "dictionary_pagesize_limit": _DICTIONARY_BYTES,
        "column_encoding": dict.fromkeys(differences, "DELTA_BINARY_PACKED"),
        "write_page_index": True,
        "sorting_columns": pq.SortingColumn.from_ordering(table.schema, [(name, "ascending") for name in order(table)]),
    }  # fmt: skip


def _leaves(field: pa.Field, path: str) -> Iterator[tuple[str, pa.DataType]]:
    """The columns of the file that a field becomes, by the path Parquet gives them."""
    if pa.types.is_list(field.type):
        yield from _leaves(field.type.value_field, f"{path}.list.element")
    elif pa.types.is_struct(field.type):
        for child in field.type:
            yield from _leaves(child, f"{path}.{child.name}")
    else:
        yield path, field.type


def _is_counted(path: str, type_: pa.DataType) -> bool:
    """Whether neighbours are close: instants, numbers of order, indices."""
    return (pa.types.is_timestamp(type_) or pa.types.is_integer(type_)) and path.rsplit(".", 1)[
        -1
    ] not in _AMOUNTS


def _repeats(path: str, type_: pa.DataType) -> bool:
    """Whether a dictionary is worth its bytes; levels of books and derived numbers are left to zstd, which finds what
    stayed since the slot before as long as it lies byte by byte as it did."""
    if path in _VERBATIM or pa.types.is_boolean(type_) or pa.types.is_fixed_size_binary(type_):
        return False
    return not pa.types.is_floating(type_) and not (_NESTED in path and pa.types.is_integer(type_))
