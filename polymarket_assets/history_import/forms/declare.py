"""The words in which a form is declared: its files with their columns, and the queries that turn them into rows.

Queries run in DuckDB, in UTC, over one view per file named after its role (`markets`, `prices`, …).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What a column holds: the DuckDB types it may have, and which of its values are wrong."""

    name: str
    types: frozenset[str]
    # SQL over {c}; true for a value that cannot be.
    wrong: str
    says: str


_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})  # fmt: skip
_NUMBERS = _WHOLE | {"FLOAT", "DOUBLE", "DECIMAL"}
_INSTANTS = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "DATE"})  # fmt: skip

TEXT = Kind("text", frozenset({"VARCHAR"}), "trim({c}) = ''", "are empty")
FLAG = Kind("a flag", _WHOLE | {"BOOLEAN"}, "{c}::integer not in (0, 1)", "are neither true nor false")
PRICE = Kind(
    "a price", _NUMBERS, "not ({c} between 0 and 1)", "lie outside 0 … 1: prices are dollars a share, not cents"
)  # fmt: skip
INSTANT = Kind("an instant", _INSTANTS | {"VARCHAR"}, "try_cast({c} as timestamp) is null", "are no instants")
# 2017 … 2100; milliseconds since 1970 lie far beyond.
UNIX_S = Kind(
    "unix seconds", _NUMBERS, "not ({c} between 1483228800 and 4102444800)", "are not seconds since 1970"
)


@dataclass(frozen=True)
class Column:
    """A column a form reads; every other column of the file is left alone."""

    name: str
    kind: Kind
    nullable: bool = False


@dataclass(frozen=True)
class File:
    """A file of a form: the view it becomes, the columns that make it recognisable, all that are read, and its key."""

    role: str
    signature: frozenset[str]
    columns: tuple[Column, ...]
    key: tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """A dataset we know: its files, and three queries.

    `markets` gives the columns of `history_markets` it knows (the rest is null) and `left_out`: why a market is not
    taken, null where it is. `prices` gives `market_id at known_at price_e6 bid_e6 ask_e6 fidelity_s`. `ends` gives the
    columns of `resolutions` it knows, `evidence` as a struct. `name` is the `source` of every row.
    """

    name: str
    holds: str
    files: tuple[File, ...]
    markets: str
    prices: str
    ends: str


def e6(price: str) -> str:
    """SQL: dollars a share as millionths."""
    return f"round({price} * 1e6)::integer"


def payouts(won: str) -> str:
    """SQL: what a share of each of two outcomes pays, given whether the first won."""
    return f"case when {won} then [1000000, 0] else [0, 1000000] end::bigint[]"
