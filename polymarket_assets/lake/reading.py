"""Reading the lake: which files hold a table's rows, and a DuckDB connection with a view per table.

Never glob: a closed hour is what its manifest names and what was published after it, an open one the parts
published so far. Files that a manifest supersedes stay for 15 minutes, so a list got here can be opened for
that long.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from polymarket_assets.lake import cold, layout, manifests, objects, opening
from polymarket_assets.lake.errors import DamagedFile, NoSuchTable, SchemaMismatch
from polymarket_assets.lake.schemas import TABLES, Table
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake

if TYPE_CHECKING:
    import duckdb


def files(lake: Lake, table: str, span: Span | None = None, *, tier: str | None = None) -> list[str]:
    """The locations of the files that hold a table's rows of a span (None: all), in order of time.

    Raises:
        NoSuchTable: no table has this name.
        ColdAway: hours of the span were moved to cold storage, and that is not there now.
    """
    if table not in TABLES:
        raise NoSuchTable(f"there is no table {table!r}; tables are {', '.join(TABLES)}")
    return list(_located(lake, TABLES[table], span, tier))


def rows(lake: Lake, table: str, span: Span | None = None, *, tier: str | None = None) -> pa.Table:
    """The rows themselves, as one Arrow table of the declared schema.

    The span selects files: rows at its edges are as filed, to the hour or day.

    Raises:
        SchemaMismatch: a file does not have the declared columns.
    """
    found = files(lake, table, span, tier=tier)
    declared = TABLES[table]
    return pa.concat_tables([declared.schema.empty_table(), *(_read(declared, file) for file in found)])


def connect(lake: Lake, span: Span | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection in memory, in UTC, with one view per table; a table without rows is an empty view.

    What an object store says to its queries later comes as an error of DuckDB: see `connected`.

    Raises:
        DamagedFile: a file is no whole Parquet file.
        StoreUnavailable, StoreRefused: the object store does not give its files.
        SchemaMismatch: the files of a table do not have the declared columns.
    """
    connection = opening.connection()
    _add_views(connection, lake, span)
    return connection


@contextlib.contextmanager
def connected(lake: Lake, span: Span | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same for a `with` statement, closed afterwards.

    Raises:
        StoreUnavailable, StoreRefused: the object store failed a query, now or later.
        DamagedFile, SchemaMismatch: as `connect`.
    """
    with opening.connected() as connection:
        _add_views(connection, lake, span)
        yield connection


def _add_views(connection: duckdb.DuckDBPyConnection, lake: Lake, span: Span | None) -> None:
    for table in TABLES.values():
        add_view(connection, table.name, files(lake, table.name, span))


def add_view(connection: duckdb.DuckDBPyConnection, name: str, found: list[str]) -> None:
    """A view of a table's rows in these files: for readers whose tables need different spans.

    Raises:
        DamagedFile: a file is no whole Parquet file.
        SchemaMismatch: the files together do not have the declared columns.
    """
    import duckdb

    table = TABLES[name]
    if not found:
        empty = f"_empty_{table.name}"
        connection.register(empty, table.schema.empty_table())
        connection.execute(f"create temp view {table.name} as select * from {empty}")
        return
    try:
        connection.execute(f"create temp view {table.name} as select * from {_relation(found)}")
        if not _is_whole(connection, table):
            form = f"_form_{table.name}"
            connection.register(form, table.schema.empty_table())
            connection.execute(
                f"create or replace temp view {table.name} as select * from {form} union all by name select * from {_relation(found)}"
            )
    except duckdb.Error as e:
        opening.raise_told(e)
        if not isinstance(e, duckdb.InvalidInputException):
            raise
        for file in found:
            footer(file)
        raise DamagedFile(f"a file of {table.name}", str(e)) from e


def _relation(files: list[str]) -> str:
    """Files united by name: a column that some of them lack is null in their rows."""
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"


def _is_whole(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Whether a view has every column in its place, also where its first file is older than one. Raises `SchemaMismatch`."""
    found = [row[0] for row in connection.execute(f"describe {table.name}").fetchall()]
    if differing := _differing(table, set(found)):
        raise SchemaMismatch(
            f"the files of {table.name} are not as this version knows them: columns {differing} differ; update the platform, or name another LAKE_ROOT"
        )
    return found == list(table.names)


def _differing(table: Table, found: set[str]) -> list[str]:
    """Columns that this version does not know, and required ones that are not there; files of before may lack others."""
    required = {column.name for column in table.columns if not column.nullable}
    return sorted((found - set(table.names)) | (required - found))


def _located(lake: Lake, table: Table, span: Span | None, tier: str | None) -> Iterator[str]:
    by_folder: dict[str, list[str]] = defaultdict(list)
    for listed in lake.store.each(lake.store.list, _prefixes(table, span, tier)):
        for path in listed:
            by_folder[str(Path(path).parent)].append(path)
    folders = sorted(filter(lambda f: _touches(f, span), by_folder), key=lambda f: f.split("/date=")[-1])
    for found in lake.store.each(lambda folder: current(lake, folder, by_folder[folder]), folders):
        yield from found


def _prefixes(table: Table, span: Span | None, tier: str | None) -> list[str]:
    """The folders to list: a bounded span lists its days only."""
    base = layout.table_folder(table, tier)
    if span is None or table.filed_by is None:
        return [base]
    if table.tiered and tier is None:
        from polymarket_assets.tiers import TIERS

        return [prefix for t in TIERS for prefix in _prefixes(table, span, t.name)]
    return [f"{base}/date={day:%Y-%m-%d}" for day in span.days()]


def _touches(folder: str, span: Span | None) -> bool:
    held = layout.span_of(folder)
    return span is None or held is None or (held.start < span.end and span.start < held.end)


def current(lake: Lake, folder: str, listed: list[str]) -> list[str]:
    """The files of one folder that count now: those its manifest names, and parts that came after it.

    The manifest is read after the folder was listed, also where none was listed: one that came in between supersedes
    parts of the list.
    """
    parts = [path for path in listed if layout.is_part(path)]
    manifest = manifests.read(lake.store, folder)
    if manifest is None:
        return [lake.store.uri(path) for path in parts]
    merged = set(manifest.superseded)
    late = [lake.store.uri(path) for path in parts if path.rsplit("/", 1)[-1] not in merged]
    return [*cold.located(lake, folder, manifest), *late]


def footer(file: str, **options: Any) -> pq.ParquetFile:
    """A file of the lake, opened as far as its footer; `options` are pyarrow's. Raises `DamagedFile`."""
    with damage_told(file):
        return opening.parquet(file, **options)


@contextlib.contextmanager
def damage_told(what: str) -> Iterator[None]:
    """What pyarrow cannot read as `DamagedFile`; it tells some of it as an error of the operating system without a number."""
    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as e:
        if (said := objects.in_words(e, f"{what} was not read")) is not None:
            raise said from e
        if isinstance(e, OSError) and e.errno is not None:
            raise
        raise DamagedFile(what, f"{e}; restore it, or move it away without its rows") from e


def require_declared(table: Table, file: str) -> pq.ParquetFile:
    """A file of the lake, opened as far as its footer. Raises `DamagedFile`, `SchemaMismatch`."""
    found = footer(file)
    if differing := _differing(table, set(found.schema_arrow.names)):
        raise SchemaMismatch(
            f"{file} does not hold {table.name} as this version knows it: columns {differing} differ"
        )
    return found


def completed(table: Table, rows: pa.Table, dictionaries: Sequence[str] = ()) -> pa.Table:
    """Rows with nulls in the columns that their file lacks, in the declared order; types are as they were.

    A column of `dictionaries` is added as pyarrow reads it as one.
    """
    for name in table.names:
        if name not in rows.column_names:
            type_ = table.schema.field(name).type
            type_ = pa.dictionary(pa.int32(), type_) if name in dictionaries else type_
            rows = rows.append_column(name, pa.nulls(rows.num_rows, type_))
    return rows.select(list(table.names))


def read(file: str, columns: Sequence[str] | None = None, *, dictionaries: Sequence[str] = ()) -> pa.Table:
    """The rows of a file of the lake as they are, of columns (None: all) those that it has; of `dictionaries` each value once.

    Raises:
        DamagedFile: it is no whole Parquet file.
        StoreUnavailable, StoreRefused: the object store does not give it, or not all of it.
    """
    opened = footer(file, read_dictionary=list(dictionaries))
    with damage_told(file):
        return opened.read(columns=None if columns is None else list(columns))


def _read(table: Table, file: str) -> pa.Table:
    opened = require_declared(table, file)
    with damage_told(file):
        rows = opened.read()
    return completed(table, rows).cast(table.schema)
