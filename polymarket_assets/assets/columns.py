"""Columns of the tables that assets write, in words, as Dagster's catalogue shows them."""

import dagster as dg

from polymarket_assets.lake import TABLES
from polymarket_assets.lake.schemas import Table

# Assets that fill the table of another.
_TABLE_OF = {"history_features": "features"}


def with_columns(spec: dg.AssetSpec) -> dg.AssetSpec:
    """The same asset, with the columns of its table; without one, as it is."""
    name = spec.key.path[0]
    if (table := TABLES.get(_TABLE_OF.get(name, name))) is None:
        return spec
    return spec.merge_attributes(
        metadata={
            "dagster/table_name": table.name,
            "dagster/column_schema": dg.MetadataValue.table_schema(_schema(table)),
        }
    )


def _schema(table: Table) -> dg.TableSchema:
    return dg.TableSchema([
        dg.TableColumn(column.name, str(column.type), column.doc, dg.TableColumnConstraints(nullable=column.nullable, unique=table.key == (column.name,)))
        for column in table.columns
    ])  # fmt: skip
