"""Files of a table as a relation of DuckDB, the columns that they lack as null; every value that was given is a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from console.database import asked as asking
from console.database import filters, footers, values
from console.database.asked import Asked
from console.database.shelf import File
from polymarket_assets.lake.errors import SchemaMismatch
from polymarket_assets.lake.schemas import Table


@dataclass(frozen=True)
class Source:
    """The files, and which columns any of them has."""

    table: Table
    files: tuple[File, ...]
    names: frozenset[str]
    is_alike: bool

    @property
    def uris(self) -> list[str]:
        """The first parameter of what is asked of `relation`."""
        return [file.uri for file in self.files]

    @property
    def relation(self) -> str:
        """SQL of the rows."""
        return f"read_parquet(?, {self._options})"

    @property
    def named(self) -> str:
        """SQL of the rows with `filename`, the file that each is of."""
        return f"read_parquet(?, {self._options}, filename = true)"

    @property
    def _options(self) -> str:
        return f"hive_partitioning = false, union_by_name = {'false' if self.is_alike else 'true'}"

    def column(self, name: str | None) -> str:
        """SQL of a declared column."""
        return f'"{name}"' if name in self.names else values.ABSENT

    def row(self) -> str:
        """SQL of a row as JSON."""
        return values.row(self.table, self.column)

    def where(self, of: Asked) -> tuple[str, list[Any]]:
        """SQL of what is asked for, and its parameters."""
        span, bounds = asking.conditions(of)
        terms, given = filters.terms(of.filters, self.column)
        return " and ".join([span, *terms]), [*bounds, *given]


def of(table: Table, files: Sequence[File]) -> Source | None:
    """None where there are no files. Raises `SchemaMismatch` where they have columns that this version does not know, or lack required ones."""
    forms = {footers.footer(file, table.filed_by).names for file in files}
    if not forms:
        return None
    known = frozenset().union(*forms)
    required = {column.name for column in table.columns if not column.nullable}
    if differing := (known - set(table.names)) | {name for form in forms for name in required - form}:
        raise SchemaMismatch(f"the files of {table.name} are not as this version knows them: columns {sorted(differing)} differ; update the platform, or name another LAKE_ROOT")  # fmt: skip
    return Source(table, tuple(files), known, len(forms) == 1)
