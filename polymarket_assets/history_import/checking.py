"""Whether files hold what their form promises: every reason against them, before a row is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.history_import.forms.declare import UNIX, Column, File, Form, Kind, Levels

if TYPE_CHECKING:
    import duckdb

# The type of a column that is empty in every row: whether it may be is asked of its values.
ONLY_NULLS = '"NULL"'
# A value is shown as far as it helps to find it.
LONGEST_EXAMPLE = 80
# Books looked at together.
BATCH_ROWS = 100_000


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
    plain = [column for column in file.columns if not isinstance(column.kind, Levels)]
    counts = [part for column in plain for part in _counted(column)]
    counts += [f"count(*) filter (where {wrong})" for wrong, _ in file.never]
    total, *found = _one(connection, f"select {', '.join(['count(*)', *counts])} from {file.role}")
    if not total:
        yield "it holds no rows"
        return
    yield from _repeated(connection, file, total)
    for n, column in enumerate(plain):
        yield from _of_column(column, total, *found[4 * n : 4 * n + 4])
    for count, (_, says) in zip(found[4 * len(plain) :], file.never, strict=True):
        if count:
            yield f"{count:,} rows {says}"
    yield from _of_levels(connection, file, [column for column in file.columns if column not in plain])


@dataclass
class _Found:
    """What speaks against the levels of a column, counted."""

    empty: int = 0
    wrong: int = 0
    unsorted: int = 0


def _of_levels(connection: duckdb.DuckDBPyConnection, file: File, columns: Sequence[Column]) -> Iterator[str]:
    """Levels one by one, as arrays: in SQL, whether they lie in order would take a sort of every list."""
    if not columns:
        return
    found = {column.name: _Found() for column in columns}
    names = ", ".join(f'"{name}"' for name in found)
    for batch in connection.sql(f"select {names} from {file.role}").to_arrow_reader(BATCH_ROWS):
        for side, column in zip(batch.columns, columns, strict=True):
            _look(side, column.kind, found[column.name])
    for column in columns:
        yield from _against(column, found[column.name])


def _look(side: pa.Array, kind: Kind, found: _Found) -> None:
    assert isinstance(kind, Levels)
    levels = side.flatten()
    prices, sizes = (
        pc.struct_field(levels, name).to_numpy(zero_copy_only=False) for name in ("price", "size")
    )
    found.empty += side.null_count
    found.wrong += len(levels) - int(np.count_nonzero((prices >= 0) & (prices <= kind.most) & (sizes >= 0)))
    found.unsorted += _unsorted(side, prices, kind.best)


def _against(column: Column, found: _Found) -> Iterator[str]:
    kind = column.kind
    assert isinstance(kind, Levels)
    if found.empty and not column.nullable:
        yield f"{found.empty:,} values of {column.name} are missing"
    if found.wrong:
        yield f"{found.wrong:,} levels of {column.name} {kind.says}"
    if found.unsorted:
        yield f"{found.unsorted:,} levels of {column.name} lie behind a worse one: the {kind.best} price comes first, or the mapping says best_first: false"


def _unsorted(side: pa.Array, prices: Any, best: str | None) -> int:
    """How many levels are better than the one before them in their book."""
    if best is None or len(prices) < 2:
        return 0
    step = np.diff(prices)
    better = step > 0 if best == "highest" else step < 0
    starts = np.cumsum(pc.fill_null(pc.list_value_length(side), 0).to_numpy(zero_copy_only=False))[:-1]
    starts = starts[(starts > 0) & (starts < len(prices))]
    better[starts - 1] = False
    return int(np.count_nonzero(better))


def _repeated(connection: duckdb.DuckDBPyConnection, file: File, total: int) -> Iterator[str]:
    """Rows of one key, found by the hash of it: of as many rows as a file may have, keys themselves would fill memory."""
    if file.key:
        key = ", ".join(f'"{name}"' for name in file.key)
        (distinct,) = _one(connection, f"select count(distinct hash({key})) from {file.role}")
        if distinct < total:
            yield f"{total - distinct:,} rows repeat a key ({', '.join(file.key)})"


def _of_column(
    column: Column, total: int, empty: int, wrong: int, example: object, whole: bool | None
) -> Iterator[str]:
    if empty and not column.nullable:
        yield f"{empty:,} values of {column.name} are missing"
    if wrong:
        mixed = (
            "; the others are: the column mixes units"
            if column.kind in UNIX and wrong + empty < total
            else ""
        )
        yield f"{wrong:,} values of {column.name} {column.kind.says} (such as {str(example)[:LONGEST_EXAMPLE]}){mixed}"
    elif whole:
        yield f"the values of {column.name} {column.kind.whole_says}"


def _counted(column: Column) -> tuple[str, str, str, str]:
    name = f'"{column.name}"'
    wrong = f"{name} is not null and ({column.kind.wrong.format(c=name)})"
    return (
        f"count(*) filter (where {name} is null)",
        f"count(*) filter (where {wrong})",
        f"any_value({name}) filter (where {wrong})",
        column.kind.whole.format(c=name),
    )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    (row,) = connection.execute(query).fetchall()
    return row


def unreadable() -> type[Exception]:
    """What DuckDB raises for a file that it cannot read."""
    import duckdb

    error: type[Exception] = duckdb.Error
    return error
