"""What the address of a table's page says, and addresses of the same page asked otherwise: state lives there, so that it can be sent to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from console.database import asked as asking
from console.database.asked import MOST_OFFSET, MOST_ROWS
from console.parts import Asked
from polymarket_assets.lake.schemas import Table
from polymarket_assets.venue.errors import Refused

LIMIT = 50
_NAMES = ("from", "to", "sort", "descending", "limit", "offset")


def conditions(given: Mapping[str, str]) -> list[str]:
    """The conditions of an address, one a line, and the one that a form adds to them."""
    held = [line for line in given.get("where", "").splitlines() if line.strip()]
    column, op = given.get("column", ""), given.get("op", "")
    if not column or not op:
        return held
    added = f"{column}:{op}" if op in ("is_null", "not_null") else f"{column}:{op}:{given.get('value', '')}"
    return [*held, added]


def question(asked: Asked) -> asking.Asked:
    """The rows that an address asks for. Raises `Refused`, `Gone`."""
    given = asked.given
    return asking.asked(
        asked.of, since=given.get("from"), until=given.get("to"), where=conditions(given), sort=given.get("sort") or None,
        descending=given.get("descending", "true") != "false", limit=_whole(given, "limit", LIMIT, MOST_ROWS, 1),
        offset=_whole(given, "offset", 0, MOST_OFFSET, 0),
    )  # fmt: skip


def _whole(given: Mapping[str, str], name: str, default: int, most: int, least: int) -> int:
    text = given.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and least <= int(text[:12]) <= most):
        raise Refused(f"{name} is a whole number from {least} to {most:,}, and {text[:60]!r} is none")
    return int(text)


def other(asked: Asked, **changed: Any) -> str:
    """The address of the same page with parameters changed; None takes one away. `from` is written `from_`."""
    held = {name: asked.given[name] for name in _NAMES if asked.given.get(name)}
    if lines := conditions(asked.given):
        held["where"] = "\n".join(lines)
    held |= {name.rstrip("_"): _text(value) for name, value in changed.items() if value is not None}
    gone = {name.rstrip("_") for name, value in changed.items() if value is None}
    return _address(f"/table/{quote(asked.of, safe='')}", {name: text for name, text in held.items() if name not in gone})  # fmt: skip


def download(asked: Asked, format_: str) -> str:
    """The address of the same rows as a file."""
    of = question(asked)
    given = [(name, asked.given[name]) for name in ("from", "to") if asked.given.get(name)]
    return f"/api/database/tables/{of.table.name}/download?" + urlencode([("format", format_), *given, *(("where", line) for line in conditions(asked.given))])  # fmt: skip


def row(table: Table, values: Mapping[str, Any]) -> str:
    """The address of a row by its key, with the instant it is filed by, so that one file is read for it."""
    lines = [f"{name}:=:{_value(values[name])}" for name in table.key]
    given = {"where": "\n".join(lines)}
    if table.filed_by is not None and (at := values[table.filed_by]) is not None:
        given |= {"from": str(at), "to": _text(asking.after(_instant(str(at))))}
    return _address(f"/row/{table.name}", given)


def _instant(text: str) -> Any:
    from datetime import date

    from console.database.filters import instant

    return date.fromisoformat(text) if len(text) == len("2026-03-01") else instant(text)


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else _value(value)


def _address(path: str, given: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(given)}" if given else path
