"""Files of a checked dataset to rows: what is taken, what is left out, and why.

Nothing is written here. A form's queries become the temporary tables `taken_markets`, `taken_prices` and
`taken_ends`; rows at or after the close of their market are never prices.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from polymarket_assets.history_import.finding import Dataset
from polymarket_assets.history_import.forms.declare import Form
from polymarket_assets.lake.schemas import TABLES

if TYPE_CHECKING:
    import duckdb

# Beyond this DuckDB spills to disk: an import runs beside a recorder on a small machine.
MEMORY = "1GB"

# Reason -> when a price row is left out; the first that holds.
_NO_PRICE: tuple[tuple[str, str], ...] = (
    ("its market is not in the file", "m.market_id is null"),
    ("its market is left out", "m.left_out is not null"),
    ("at or after the close", "p.priced_at >= m.closed_at or p.known_at >= m.closed_at"),
    ("before the market was listed", "p.priced_at < m.listed_at"),
)


@contextmanager
def opened(dataset: Dataset) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection in UTC with one view per file of the dataset."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"set TimeZone = 'UTC'; set memory_limit = '{MEMORY}'")
        for role, paths in dataset.files.items():
            listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
            connection.execute(
                f"create view {role} as select * from read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
            )
        yield connection


def take(connection: duckdb.DuckDBPyConnection, form: Form, *, now: datetime) -> dict[tuple[str, str], int]:
    """Fill the temporary tables of rows; returns how many rows were left out, by table and reason."""
    connection.execute(f"create temp table all_markets as {_markets(form)}", {"now": now})
    connection.execute(f"create temp table all_prices as {_prices(form)}", {"now": now})
    for table in ("markets", "prices"):
        names = ", ".join(f'"{name}"' for name in TABLES[f"history_{table}"].names)
        connection.execute(
            f"create temp view taken_{table} as select {names} from all_{table} where left_out is null"
        )
    connection.execute(
        f"create temp table taken_ends as select * from ({form.ends}) semi join taken_markets using (market_id)"
    )
    return {
        (f"history_{table}", reason): count
        for table in ("markets", "prices")
        for reason, count in connection.execute(
            f"select left_out, count(*) from all_{table} where left_out is not null group by 1 order by 1"
        ).fetchall()
    }


def _markets(form: Form) -> str:
    """The form's query in the columns of `history_markets`: what it does not know is null."""
    given = f"""
        select *, closed_at::date as close_day, $now::timestamptz as received_at, '{form.name}' as source
        from ({form.markets})
    """
    absent = ", ".join(
        f"null as {column.name}" for column in TABLES["history_markets"].columns if column.nullable
    )
    return f"select * from (select {absent} limit 0) union all by name ({given})"


def _prices(form: Form) -> str:
    why = " ".join(f"when {holds} then '{reason}'" for reason, holds in _NO_PRICE)
    return f"""
        select p.*, m.close_day, $now::timestamptz as received_at, '{form.name}' as source,
            case {why} end as left_out
        from ({form.prices}) p left join all_markets m using (market_id)
    """
