"""Files of a checked dataset to rows: what is taken, what is left out, and why.

Nothing is written here. A form's queries become the temporary tables `all_markets` and `taken_ends` and, for as much as
memory may not hold, the views `taken_markets`, `taken_prices`, `taken_books` and `taken_trades` in the columns of their
tables; rows at or after the close of their market are never among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from polymarket_assets.history_import import density
from polymarket_assets.history_import.errors import BadDataset
from polymarket_assets.history_import.finding import Dataset
from polymarket_assets.history_import.forms.declare import WORDS, File, Form
from polymarket_assets.lake import opening
from polymarket_assets.lake.schemas import TABLES, Table
from polymarket_assets.lake.schemas.declare import HASH32, LEVELS

if TYPE_CHECKING:
    import duckdb

# Beyond this DuckDB spills to disk: an import runs beside a recorder on a small machine.
MEMORY = "1GB"

# The instant of a row, by what is taken; it may not lie at or after the close.
INSTANTS = {"prices": "priced_at", "books": "booked_at", "trades": "traded_at"}
# Reason -> when a row is left out; the first that holds, after what the form itself says.
_LEFT_OUT: tuple[tuple[str, str], ...] = (
    ("its market is not in the file", "m.market_id is null"),
    ("its market is left out", "m.left_out is not null"),
    ("at or after the close", "{at} >= m.closed_at or {known} >= m.closed_at"),
    ("before the market was listed", "{at} < m.listed_at"),
)

_SQL: tuple[tuple[pa.DataType, str], ...] = (
    (pa.string(), "varchar"), (pa.bool_(), "boolean"), (pa.int8(), "tinyint"), (pa.int32(), "integer"), (pa.int64(), "bigint"),
    (pa.float64(), "double"), (pa.timestamp("us", tz="UTC"), "timestamptz"), (pa.date32(), "date"), (HASH32, "blob"),
    (pa.list_(pa.string()), "varchar[]"), (LEVELS, "struct(price_e6 integer, size_e6 bigint)[]"),
)  # fmt: skip


@contextmanager
def opened(dataset: Dataset) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection in UTC with one view per file of the dataset.

    Raises:
        BadDataset: a text is so long that no row of it may be looked at.
        duckdb.Error: a file cannot be read.
    """
    with opening.connected(memory_limit=MEMORY) as connection:
        connection.execute("set preserve_insertion_order = false")
        for file in dataset.form.files:
            paths = dataset.files[file.role]
            if long := list(density.long_texts(connection, file, paths)):
                raise BadDataset([f"{dataset.form.name} {file.role}: {reason}" for reason in long])
            relation = _relation(connection, file, paths)
            rows = f"select distinct {_read(connection, file, relation)}" if file.repeats else "select *"
            connection.execute(f"create view {file.role} as {rows} from {relation}")
        yield connection


def _relation(connection: duckdb.DuckDBPyConnection, file: File, paths: list[Path]) -> str:
    """The files as DuckDB reads them; of text, ids stay text, whatever they look like."""
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    if not density.is_text(paths[0]):
        numbered = "" if file.key else ", file_row_number = true"
        return f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true{numbered})"
    read = f"read_csv([{listed}], sample_size = -1, union_by_name = true"
    there = {name for name, *_ in connection.execute(f"describe select * from {read})").fetchall()}
    words = [column.name for column in file.columns if column.kind in WORDS and column.name in there]
    types = ", ".join("'" + name.replace("'", "''") + "': 'VARCHAR'" for name in words)
    return f"{read}, types = {{{types}}})" if types else f"{read})"


def _read(connection: duckdb.DuckDBPyConnection, file: File, relation: str) -> str:
    there = {name for name, *_ in connection.execute(f"describe select * from {relation}").fetchall()}
    return ", ".join(f'"{column.name}"' for column in file.columns if column.name in there)


def take_markets(connection: duckdb.DuckDBPyConnection, form: Form, *, now: datetime) -> None:
    """Fill `all_markets` and `taken_ends`, and name the views of everything else."""
    if form.prepare is not None:
        form.prepare(connection)
    connection.execute(f"create temp table all_markets as {_markets(form)}", {"now": now})
    _taken(connection, "markets")
    for name, query in form.series.items():
        connection.execute(f"create temp view given_{name} as {query}")
        connection.execute(f"create temp view all_{name} as {_series(form, name, now)}")
        _taken(connection, name)
    if form.ends is not None:
        connection.execute(
            f"create temp table taken_ends as select * from ({form.ends}) semi join taken_markets using (market_id)"
        )


def columns(table: Table) -> str:
    """SQL: the columns of a table in its types."""
    return ", ".join(f'"{field.name}"::{sql(field.type)} as "{field.name}"' for field in table.schema)


def sql(type_: pa.DataType) -> str:
    """What DuckDB calls a type of a table."""
    return next(name for known, name in _SQL if known == type_)


def _taken(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    connection.execute(
        f"create temp view taken_{name} as select {columns(TABLES[f'history_{name}'])} from all_{name} where left_out is null"
    )


def _markets(form: Form) -> str:
    """The form's query in the columns of `history_markets`: what it does not know is null."""
    given = f"""
        select *, closed_at::date as close_day, $now::timestamptz as received_at, '{form.name}' as source
        from ({form.markets})
    """
    absent = ", ".join(
        f"null::{sql(column.type)} as {column.name}"
        for column in TABLES["history_markets"].columns
        if column.nullable
    )
    return f"select * from (select {absent}, null::varchar as series_left_out limit 0) union all by name ({given})"


def _series(form: Form, name: str, now: datetime) -> str:
    """Prices, books or trades beside their markets, each with why it is not taken."""
    instant = f"g.{INSTANTS[name]}"
    known = instant if name == "trades" else "g.known_at"
    why = " ".join(
        f"when {holds.format(at=instant, known=known)} then '{reason}'" for reason, holds in _LEFT_OUT
    )
    return f"""
        select g.* exclude (left_out), m.close_day, '{now.isoformat()}'::timestamptz as received_at, '{form.name}' as source,
            coalesce(g.left_out, m.series_left_out, case {why} end) as left_out
        from given_{name} g left join all_markets m using (market_id)
    """
