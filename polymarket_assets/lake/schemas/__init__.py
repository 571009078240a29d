"""Every table of the lake, declared once: columns with units, key, and how it is filed.

Writers enforce these, readers assert them, `docs/tables.md` and the checks are derived from them. A new
table is one entry in the module of its kind and its name below.
"""

from __future__ import annotations

from polymarket_assets.lake.schemas import catalogue, ends, learning, stream
from polymarket_assets.lake.schemas.declare import Column, Grain, Table

TABLES: dict[str, Table] = {
    table.name: table for module in (catalogue, stream, ends, learning) for table in module.TABLES
}

# Raised by one whenever a reader of the former form could misread the new one.
LAKE_FORMAT = 1

__all__ = ["LAKE_FORMAT", "TABLES", "Column", "Grain", "Table"]
