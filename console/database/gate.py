"""What SQL may ask: one SELECT, of tables of the lake and of its own common table expressions, without a function that reaches further.

DuckDB's own parser says what is asked (`json_serialize_sql`, which takes SELECTs only); everything in its answer that is
not known to be harmless is refused. This is the first wall. The second is DuckDB's: by then its connection opens the
files of the named tables and nothing else, and cannot be told otherwise (`answering`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.venue.errors import Refused

if TYPE_CHECKING:
    import duckdb

MOST_CHARACTERS = 20_000
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
# What follows `from`; `show`, `describe` and `pivot` are no such thing.
_FROM = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY"})
TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series", "json_each", "json_tree"})
# Of the others, those that tell of the process, wait, or write.
REFUSED_FUNCTIONS = frozenset({
    "current_setting", "getvariable", "getenv", "current_query", "in_search_path", "sleep_ms", "write_log", "parse_duckdb_log_message",
    "nextval", "currval", "setval", "which_secret", "stats", "query", "query_table", "current_connection_id", "current_query_id",
    "current_transaction_id", "txid_current", "json_execute_serialized_sql", "json_serialize_plan", "current_database", "current_schemas",
})  # fmt: skip
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def tables(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    """The tables of the lake that a SELECT names. Raises `Refused`, with what is wrong in a sentence."""
    if len(sql) > MOST_CHARACTERS:
        raise Refused(f"a query has {MOST_CHARACTERS:,} characters at the most")
    if "\0" in sql:
        raise Refused("a query has no null characters")
    ((text,),) = connection.execute("select json_serialize_sql(?)", [sql]).fetchall()
    return sorted(set(_named(_statement(_read(text), sql), frozenset())))


def _read(text: str) -> Mapping[str, Any]:
    try:
        read: Mapping[str, Any] = json.loads(text)
    except RecursionError as e:
        raise Refused("the query is nested too deeply") from e
    return read


def _statement(read: Mapping[str, Any], sql: str) -> Any:
    if read["error"]:
        if read.get("error_type") == "parser":
            raise Refused(f"{read['error_message']}{where(sql, read.get('position'))}")
        raise Refused("one SELECT can be asked here, and nothing else")
    if len(read["statements"]) != 1:
        raise Refused(f"one SELECT can be asked at a time; these are {len(read['statements'])} statements")
    return read["statements"][0]["node"]


def where(sql: str, position: object) -> str:
    """A position in a query in words; empty where it is not known."""
    if position is None or not str(position).isdigit():
        return ""
    before = sql.encode()[: int(str(position))].decode(errors="replace")
    return f" (line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))})"


def _named(node: Any, known: frozenset[str]) -> Iterator[str]:
    """Tables below a node; `known` are the common table expressions that stand there."""
    if isinstance(node, list):
        for one in node:
            yield from _named(one, known)
    elif isinstance(node, dict):
        known |= _expressions(node)
        _refuse_node(node)
        if node.get("type") == "BASE_TABLE":
            yield from _table(node, known)
        for value in node.values():
            yield from _named(value, known)


def _expressions(node: Mapping[str, Any]) -> frozenset[str]:
    """The common table expressions that a node begins."""
    found = {one["key"] for one in (node.get("cte_map") or {}).get("map", ())}
    found |= {node["cte_name"]} if node.get("cte_name") else set()
    if odd := [name for name in found if not _IDENTIFIER.fullmatch(name)]:
        raise Refused(
            f"a common table expression cannot be named {odd[0][:60]!r} here: letters, digits and _ only"
        )
    return frozenset(name.lower() for name in found)


def _refuse_node(node: Mapping[str, Any]) -> None:
    kind = node.get("type")
    if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _NODES:
        raise Refused("one SELECT can be asked here, and nothing that writes")
    if (("sample" in node and "from_table" not in node) or kind == "SHOW_REF") and kind not in _FROM:
        raise Refused("tables, subqueries and joins can stand after FROM here, and nothing else; a table's columns are at /api/database/tables")  # fmt: skip
    if kind == "TABLE_FUNCTION" and _function(node.get("function")) not in TABLE_FUNCTIONS:
        raise Refused(f"{_function(node.get('function'))[:60]!r} cannot stand after FROM here; {', '.join(sorted(TABLE_FUNCTIONS))} and tables can")  # fmt: skip
    if "function_name" in node and _function(node) in REFUSED_FUNCTIONS:
        raise Refused(f"the function {_function(node)} cannot be used here")


def _function(node: Any) -> str:
    return str(node.get("function_name", "")).lower() if isinstance(node, dict) else ""


def _table(node: Mapping[str, Any], known: frozenset[str]) -> Iterator[str]:
    name = str(node["table_name"])
    if node.get("schema_name") or node.get("catalog_name") or node.get("at_clause"):
        raise Refused(f"{name[:60]!r} is named with more than its name: tables of the lake have no schema, and no versions")  # fmt: skip
    if name.lower() in known:
        return
    if name.lower() not in TABLES:
        raise Refused(f"there is no table {name[:60]!r}; tables are {', '.join(TABLES)}")
    yield name.lower()
