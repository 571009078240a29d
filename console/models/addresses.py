"""Where a market, a model, a table and a run are shown."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def of_market(market_id: str) -> str:
    """The page of a market."""
    return f"/market/{quote(market_id, safe='')}"


def of_version(name: str) -> str:
    """The page of a model by its name in `predictions`."""
    return f"/models?{urlencode({'version': name.rpartition('/')[2]})}"


def of_rows(table: str, **where: str) -> str:
    """The rows of a table, of one value of a column."""
    asked = [("where", f"{column}:=:{value}") for column, value in where.items()]
    return f"/table/{table}{'?' + urlencode(asked) if asked else ''}"
