"""The words in which tables are declared."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import pyarrow as pa

TEXT = pa.string()
FLAG = pa.bool_()
INT8 = pa.int8()
INT16 = pa.int16()
INT32 = pa.int32()
INT64 = pa.int64()
REAL = pa.float64()
INSTANT = pa.timestamp("us", tz="UTC")
DAY = pa.date32()
WORDS = pa.list_(pa.string())
HASH32 = pa.binary(32)
ID16 = pa.binary(16)
LEVELS = pa.list_(
    pa.struct(
        [pa.field("price_e6", pa.int32(), nullable=False), pa.field("size_e6", pa.int64(), nullable=False)]
    )
)


class Grain(Enum):
    """How the rows of a table are filed."""

    HOUR = "hour"  # <table>/[tier=tN/]date=YYYY-MM-DD/hour=HH/
    DAY = "day"  # <table>/date=YYYY-MM-DD/
    WHOLE = "whole"  # <table>/


@dataclass(frozen=True)
class Column:
    """A column: its Arrow type, what it holds with its unit, and whether it may be null."""

    name: str
    type: pa.DataType
    doc: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """A table: what one row is, its primary key, the column that files it, and its columns."""

    name: str
    row: str
    key: tuple[str, ...]
    filed_by: str | None
    columns: tuple[Column, ...]
    grain: Grain = Grain.HOUR
    tiered: bool = False
    schema: pa.Schema = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fields = [pa.field(c.name, c.type, c.nullable, {"doc": c.doc}) for c in self.columns]
        object.__setattr__(self, "schema", pa.schema(fields, {"table": self.name}))

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(column.name for column in self.columns)


def required(name: str, type_: pa.DataType, doc: str) -> Column:
    """A column that is never null."""
    return Column(name, type_, doc)


def optional(name: str, type_: pa.DataType, doc: str) -> Column:
    """A column that is null where the thing is not known or does not exist."""
    return Column(name, type_, doc, nullable=True)


def structs(*columns: Column) -> pa.DataType:
    """A list of rows within a row."""
    return pa.list_(pa.struct([pa.field(c.name, c.type, c.nullable) for c in columns]))


MARKET_ID = required("market_id", TEXT, "pm:0x<64 hex> | us:<slug> | <source>:<key>")
RECEIVED_AT = required(
    "received_at", INSTANT, "when it reached us: what was known as of an instant is decided by this alone"
)
