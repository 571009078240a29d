"""`python -m console.database.answering`: one query, in a process of its own that may be killed; a question on stdin, an answer on stdout.

The process opens the files of the tables that are named, and then no other: DuckDB's door is shut and locked before it is
given the query. It may write no file, take no more memory and no more time of the processor than is said here.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

    from polymarket_assets.lake.spans import Span

# What DuckDB may hold; and all the process may name, its libraries and stacks included: a value alone can be of gigabytes.
MEMORY = "384MB"
MOST_MEMORY_BYTES = 2 * 1024 * 1024 * 1024
# Above what the parent waits for: should that be gone, the process ends all the same.
_MOST_CPU_S = 40
MOST_RESULT_BYTES = 8 * 1024 * 1024
_AT_ONCE = 256
_THREADS = 2


def main() -> int:
    """Answers with `{"columns", "rows", "truncated"}` or `{"kind", "said"}`."""
    _bound()
    asked = json.load(sys.stdin)
    json.dump(_answered(asked), sys.stdout, separators=(",", ":"))
    return 0


def _bound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answered(asked: dict[str, Any]) -> dict[str, Any]:
    import duckdb

    from polymarket_assets.venue.errors import PolymarketError, Unavailable

    try:
        return _asked(asked)
    except PolymarketError as e:
        return {"kind": "unavailable" if isinstance(e, Unavailable) else "refused", "said": str(e)}
    except (MemoryError, duckdb.OutOfMemoryException):
        return {"kind": "refused", "said": f"the query needs more than the {MEMORY} of memory it may have: read less, or a shorter span"}  # fmt: skip
    except RecursionError:
        return {"kind": "refused", "said": "the query is nested too deeply"}
    except (duckdb.Error, ValueError, OverflowError) as e:
        return {"kind": "refused", "said": _said(asked["sql"], e)}


def _asked(asked: dict[str, Any]) -> dict[str, Any]:
    from console.database import gate
    from polymarket_assets.lake import opening
    from polymarket_assets.lake.writing import Lake

    lake = Lake(asked["root"])
    with opening.connected(memory_limit=MEMORY, threads=_THREADS, python_enable_replacements=False, temp_directory="") as connection:  # fmt: skip
        files = _views(connection, lake, gate.tables(connection, asked["sql"]), _span(asked))
        _shut(connection, files)
        return _rows(connection, asked["sql"], int(asked["limit"]))


def _span(asked: dict[str, Any]) -> Span | None:
    from polymarket_assets.lake.spans import Span

    bounds = asked["from"], asked["to"]
    return Span(*map(datetime.fromisoformat, bounds)) if all(bounds) else None


def _views(
    connection: duckdb.DuckDBPyConnection, lake: Any, names: list[str], span: Span | None
) -> list[str]:
    """A view for each table; returns their files."""
    from polymarket_assets.lake import reading

    found = {name: reading.files(lake, name, span) for name in names}
    for name, files in found.items():
        reading.add_view(connection, name, files)
    return [file for files in found.values() for file in files]


def _shut(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    """From here on no other file, nothing written, no network, no extension, and no way to say otherwise."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    _lock(connection, files)


def _lock(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    connection.execute(f"set allowed_paths = [{listed}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set errors_as_json = true")
    connection.execute("set lock_configuration = true")


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, limit: int) -> dict[str, Any]:
    from console.database.plain import plain

    began = time.perf_counter()
    connection.execute(sql)
    columns = [{"name": str(name), "type": str(type_)} for name, type_, *_ in connection.description or ()]
    rows: list[list[Any]] = []
    size = 0
    while fetched := connection.fetchmany(_AT_ONCE):
        for values in fetched:
            row = [plain(value) for value in values]
            size += len(json.dumps(row))
            if len(rows) >= limit or size > MOST_RESULT_BYTES:
                return {"columns": columns, "rows": rows, "truncated": True, "ms": _ms(began)}
            rows.append(row)
    return {"columns": columns, "rows": rows, "truncated": False, "ms": _ms(began)}


def _ms(began: float) -> float:
    return round(1000 * (time.perf_counter() - began), 1)


def _said(sql: str, error: Exception) -> str:
    """What DuckDB says, in one sentence, with where."""
    from console.database import gate

    text = str(error)
    try:
        told = json.loads(text[text.index("{") :])
    except ValueError:
        return re.split(r"\n\s*LINE |\n\n", text)[0].replace("\n", " ")
    return (
        f"{str(told.get('exception_message', text)).splitlines()[0]}{gate.where(sql, told.get('position'))}"
    )


if __name__ == "__main__":
    sys.exit(main())
