"""Between which values of one column a page lies: that column alone is read of all rows, whole rows only of those between."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from console.database import footers, values
from console.database.asked import Asked
from console.database.sources import Source

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Window:
    """The files that can hold the page, conditions on its rows with their parameters, and how many of these to pass over."""

    source: Source
    where: str
    values: tuple[Any, ...]
    offset: int


def window(
    cursor: duckdb.DuckDBPyConnection, of: Asked, source: Source, where: str, given: list[Any]
) -> Window:
    """Rows of one value may lie in any file and are told apart by their key, so that the ends belong to the window."""
    by = source.column(of.by)
    if by == values.ABSENT:
        return Window(source, "true", (), of.offset)
    way, least, most = ("desc", "min", "max") if of.descending else ("asc", "max", "min")
    inner = f"select {by} as v, filename as f from {source.named} where {where} order by v {way} nulls last limit {of.limit + 1} offset {of.offset}"
    sql = f"select count(*), count(v), {most}(v), {least}(v), list(distinct f) from ({inner})"
    ((count, known, first, last, names),) = cursor.execute(sql, [source.uris, *given]).fetchall()
    if count == 0 or known < count:
        return Window(source, "true", (), of.offset)
    before = _before(cursor, of, source, where, [*given, first]) if of.offset else 0
    ends = f"{by} {'<=' if of.descending else '>='} ? and {by} {'>=' if of.descending else '<='} ?"
    is_all = not of.offset and count <= of.limit
    if not is_all:
        source = _between(source, of, *sorted((first, last)))
        names = _names(cursor, source, f"{where} and {ends}", [*given, first, last])
    return Window(_of_files(source, names), ends, (first, last), of.offset - before)


def _names(cursor: duckdb.DuckDBPyConnection, source: Source, where: str, given: list[Any]) -> list[str]:
    """The files that have rows of the window, those of its ends included."""
    if len(source.files) == 1:
        return source.uris
    sql = f"select distinct filename from {source.named} where {where}"
    return [name for (name,) in cursor.execute(sql, [source.uris, *given]).fetchall()]


def _before(
    cursor: duckdb.DuckDBPyConnection, of: Asked, source: Source, where: str, given: list[Any]
) -> int:
    """Rows that come before every one of the window."""
    sql = f"select count(*) from {source.relation} where {where} and {source.column(of.by)} {'>' if of.descending else '<'} ?"
    ((count,),) = cursor.execute(sql, [source.uris, *given]).fetchall()
    return int(count)


def _of_files(source: Source, names: Collection[str]) -> Source:
    """The files that hold rows which were all found; every one where DuckDB names them otherwise than it was told."""
    files = tuple(file for file in source.files if file.uri in set(names))
    return replace(source, files=files) if len(files) == len(names) else source


def _between(source: Source, of: Asked, least: Any, most: Any) -> Source:
    """The files whose ends meet the window, as their footers say."""
    if not of.is_in_order:
        return source
    files = tuple(file for file in source.files if _meets(footers.footer(file, of.by), least, most))
    return replace(source, files=files) if files else source


def _meets(found: footers.Footer, least: Any, most: Any) -> bool:
    return found.first is None or found.last is None or (found.first <= most and least <= found.last)
