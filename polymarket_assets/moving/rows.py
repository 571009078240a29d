"""Rows of one table from one database to another, as they are."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

# Rows of a kilobyte or several, read and written at once.
AT_ONCE = 1_000


def copy(tables: Iterable[sa.Table], old: sa.Connection, new: sa.Connection) -> dict[str, int]:
    """Copy tables in their order; returns the rows of those that had any. One that the old database lacks is left out."""
    known = set(sa.inspect(old).get_table_names())
    counted = {table.name: _copied(table, old, new) for table in tables if table.name in known}
    return {name: rows for name, rows in counted.items() if rows}


def any_in(tables: Iterable[sa.Table], connection: sa.Connection) -> bool:
    """Whether one of these tables holds a row."""
    return any(connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() for table in tables)  # fmt: skip


def _copied(table: sa.Table, old: sa.Connection, new: sa.Connection) -> int:
    there = {column["name"] for column in sa.inspect(old).get_columns(table.name)}
    columns = [column for column in table.columns if column.name in there]
    read, copied = old.execution_options(yield_per=AT_ONCE).execute(sa.select(*columns)), 0
    for some in read.mappings().partitions(AT_ONCE):
        new.execute(sa.insert(table), [dict(row) for row in some])
        copied += len(some)
    if copied:
        _count_on(table, new)
    return copied


def _count_on(table: sa.Table, new: sa.Connection) -> None:
    """Where a database counts rows by a sequence, the next number follows the last that was copied."""
    numbered = table.autoincrement_column
    if numbered is None or new.dialect.name != "postgresql":
        return
    sequence = sa.func.pg_get_serial_sequence(table.name, numbered.name)
    new.execute(sa.select(sa.func.setval(sequence, sa.select(sa.func.max(numbered)).scalar_subquery())))
