"""What Dagster's catalogue shows of an asset beside its code: the columns of its table in words, and its page in the console."""

from typing import Any

import dagster as dg

from polymarket_assets import console_links
from polymarket_assets.lake import TABLES
from polymarket_assets.lake.schemas import Table
from polymarket_assets.settings import NotConfigured

# Assets that fill the table of another.
_TABLE_OF = {"history_features": "features"}
# Assets that the console's page of the models is about.
_OF_MODELS = ("model", "evaluation", "promotion", "paper_portfolio")
CONSOLE = "console"


def with_columns(spec: dg.AssetSpec) -> dg.AssetSpec:
    """The same asset, with the columns of its table and a link to it; without a table, as it is or with a link to the models."""
    name = spec.key.path[0]
    table = TABLES.get(_TABLE_OF.get(name, name))
    if table is None and name not in _OF_MODELS:
        return spec
    return spec.merge_attributes(metadata={**_linked(table), **(_told(table) if table else {})})


def _told(table: Table) -> dict[str, Any]:
    return {
        "dagster/table_name": table.name,
        "dagster/column_schema": dg.MetadataValue.table_schema(_schema(table)),
    }


def _linked(table: Table | None) -> dict[str, Any]:
    """The page in the console; nothing where settings are malformed, which every run says."""
    try:
        page = console_links.of_table(table.name) if table else console_links.of_models()
    except NotConfigured:
        return {}
    return {CONSOLE: dg.MetadataValue.url(page)}


def _schema(table: Table) -> dg.TableSchema:
    return dg.TableSchema([
        dg.TableColumn(column.name, str(column.type), column.doc, dg.TableColumnConstraints(nullable=column.nullable, unique=table.key == (column.name,)))
        for column in table.columns
    ])  # fmt: skip
