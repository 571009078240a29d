"""Whether files hold what their form promises: every reason against them, before a row is taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from polymarket_assets.history_import.forms.declare import Column, File, Form

if TYPE_CHECKING:
    import duckdb

# The type of a column that is empty in every row: whether it may be is asked of its values.
ONLY_NULLS = '"NULL"'


def reasons(connection: duckdb.DuckDBPyConnection, form: Form) -> list[str]:
    """Everything that speaks against the files behind the views of a form; empty where nothing does."""
    return [
        f"{form.name} {file.role}: {reason}" for file in form.files for reason in _of_file(connection, file)
    ]


def _of_file(connection: duckdb.DuckDBPyConnection, file: File) -> Iterator[str]:
    types = {name: kind for name, kind, *_ in connection.execute(f"describe {file.role}").fetchall()}
    structural = list(_structure(file, types))
    yield from structural
    if not structural:
        yield from _content(connection, file)


def _structure(file: File, types: dict[str, str]) -> Iterator[str]:
    """Columns that are missing or of another type."""
    missing = [column.name for column in file.columns if column.name not in types]
    if missing:
        yield f"the columns {', '.join(missing)} are missing"
    for column in file.columns:
        held = types.get(column.name)
        if held is not None and held.split("(")[0] not in {*column.kind.types, ONLY_NULLS}:
            yield f"{column.name} should be {column.kind.name} and is {held}"


def _content(connection: duckdb.DuckDBPyConnection, file: File) -> Iterator[str]:
    """Values that cannot be, counted in one pass over the file, with one of them as example."""
    key = ", ".join(f'"{name}"' for name in file.key)
    counts = [f"count(*) - count(distinct ({key}))"]
    counts += [part for column in file.columns for part in _counted(column)]
    total, repeated, *found = _one(connection, f"select count(*), {', '.join(counts)} from {file.role}")
    if not total:
        yield "it holds no rows"
    if repeated:
        yield f"{repeated:,} rows repeat a key ({', '.join(file.key)})"
    for n, column in enumerate(file.columns):
        empty, wrong, example = found[3 * n : 3 * n + 3]
        if empty and not column.nullable:
            yield f"{empty:,} values of {column.name} are missing"
        if wrong:
            yield f"{wrong:,} values of {column.name} {column.kind.says} (such as {example})"


def _counted(column: Column) -> tuple[str, str, str]:
    name = f'"{column.name}"'
    wrong = f"{name} is not null and ({column.kind.wrong.format(c=name)})"
    return (
        f"count(*) filter (where {name} is null)",
        f"count(*) filter (where {wrong})",
        f"any_value({name}) filter (where {wrong})",
    )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    (row,) = connection.execute(query).fetchall()
    return row
