"""Tables and columns in words: types, units, what a column holds, and the asset of Dagster that fills a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from polymarket_assets.lake import documenting
from polymarket_assets.lake.schemas import Column, Table
from polymarket_assets.settings import Settings

# The last word of a name.
_UNITS = {
    "usd_e6": "millionths of a dollar", "e6": "millionths", "usd": "dollars", "c": "cents", "s": "seconds", "ms": "milliseconds",
    "h": "hours", "pct": "percent",
}  # fmt: skip
_UNIT = re.compile(r"(?:^|_)(usd_e6|e6|usd|c|s|ms|h|pct)$")
# Tables that no asset has the name of, by the one whose runs write them; the others are their own.
_ASSETS: Mapping[str, str] = {
    "orderbooks": "orderbooks/t4", "snapshots": "snapshots/t4", "sweeps": "snapshots/t4", "trade_hours": "trades", "rejects": "trades_raw",
    "history_books": "", "trials": "model", "paper_orders": "paper_portfolio", "paper_positions": "paper_portfolio", "paper_accounts": "paper_portfolio",
}  # fmt: skip


@dataclass(frozen=True)
class ColumnSaid:
    """A column: its type and unit in words, what it holds, and whether it may be null, which is not known or not there."""

    name: str
    type: str
    unit: str
    said: str
    nullable: bool


@dataclass(frozen=True)
class Form:
    """What a table declares: `row` says what one row is, `filed_by` the column that files it (null: it is filed whole)."""

    name: str
    row: str
    key: tuple[str, ...]
    filed_by: str | None
    grain: str
    asset: str | None
    columns: list[ColumnSaid]


def form(table: Table, settings: Settings) -> Form:
    """A table in words."""
    return Form(table.name, table.row, table.key, table.filed_by, table.grain.value, asset(table, settings), columns(table))  # fmt: skip


def columns(table: Table) -> list[ColumnSaid]:
    """Every column in its order."""
    return [ColumnSaid(c.name, documenting.type_in_words(c.type), unit(c), c.doc, c.nullable) for c in table.columns]  # fmt: skip


def unit(column: Column) -> str:
    """What numbers of a column count, where its name says so; instants are UTC."""
    if pa.types.is_timestamp(column.type):
        return "UTC"
    found = _UNIT.search(column.name) if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) else None  # fmt: skip
    return _UNITS[found.group(1)] if found else ""


def asset_key(table: str) -> str:
    """The asset that fills a table, as Dagster's addresses name it; empty where none does."""
    return _ASSETS.get(table, table)


def asset(table: Table, settings: Settings) -> str | None:
    """The address of that asset in Dagster."""
    base = settings.dagster_url or f"http://127.0.0.1:{settings.dagster_port}"
    key = asset_key(table.name)
    return f"{base.rstrip('/')}/assets/{key}" if key else None
