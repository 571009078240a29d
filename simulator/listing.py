"""Lists of the catalogue: filters, order and key-set cursors over rows as they are on the wire (PROTOCOL 2.1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from multidict import MultiMapping

from simulator.errors import Invalid

Row = dict[str, Any]

MOST_ROWS, USUAL_ROWS, MOST_OFFSET, MOST_IDS = 100, 20, 2_000, 100
# What a list says of an offset beyond its ceiling.
TOO_LARGE = "offset too large, use /markets/keyset for deeper pagination"
ORDERS = ("volume24hr", "volumeNum", "liquidityNum", "endDate", "startDate", "id", "closedTime", "competitive", "spread", "lastTradePrice", "bestBid", "bestAsk", "volume", "liquidity", "createdAt", "updatedAt")  # fmt: skip
NUMERIC_TEXT = ("id", "volume", "liquidity")
_SECRET = b"cursors are the venue's own"


@dataclass(frozen=True)
class Entry:
    """A row to filter by, and what of it goes out: the row itself or its recorded bytes."""

    row: Row
    wire: Any
    tags: tuple[Row, ...] = ()


def among(name: str) -> Callable[[Row, frozenset[str]], bool]:
    return lambda row, values: str(row.get(name)) in values


def _in_list(name: str) -> Callable[[Row, frozenset[str]], bool]:
    def holds(row: Row, values: frozenset[str]) -> bool:
        held = row.get(name) or ()
        held = msgspec.json.decode(held) if isinstance(held, str) else held
        return any(token in values for token in held)

    return holds


def _condition(row: Row, values: frozenset[str]) -> bool:
    """Either spelling of a v2 id finds its row."""
    said = str(row.get("conditionId", ""))
    return said in values or (len(said) == 64 and f"{said}00" in values)


# Repeated parameters and what they must match.
ARRAYS: dict[str, Callable[[Row, frozenset[str]], bool]] = {
    "id": among("id"),
    "slug": among("slug"),
    "condition_ids": _condition,
    "question_ids": among("questionID"),
    "clob_token_ids": _in_list("clobTokenIds"),
    "position_ids": _in_list("positionIds"),
    "sports_market_types": among("sportsMarketType"),
    "game_id": among("gameId"),
    "uma_resolution_status": among("umaResolutionStatus"),
}
NUMBERS = {"liquidity_num": "liquidityNum", "volume_num": "volumeNum", "liquidity": "liquidity", "volume": "volume"}  # fmt: skip
DATES = {"start_date": "startDate", "end_date": "endDate"}


def closed_wanted(query: MultiMapping[str]) -> bool:
    """Only open rows unless asked otherwise."""
    return query.get("closed", "false").lower() == "true"


def keep(entries: Iterable[Entry], query: MultiMapping[str]) -> list[Entry]:
    """The rows that match every filter; unknown parameters, and arrays in brackets or with commas, are ignored. Raises `Invalid`."""
    tests = [*_array_tests(query), *_bounds(query)]
    tag = query.get("tag_id")
    if tag is not None and not tag.isdigit():
        raise Invalid("tag_id must be numeric")
    kept = [entry for entry in entries if all(test(entry.row) for test in tests)]
    return kept if tag is None else [e for e in kept if any(str(t["id"]) == tag for t in e.tags)]


def _array_tests(query: MultiMapping[str]) -> Iterable[Callable[[Row], bool]]:
    for name, holds in ARRAYS.items():
        values = frozenset(value for value in query.getall(name, []) if "," not in value)
        if len(values) > MOST_IDS:
            raise Invalid(f"{name}: at most {MOST_IDS} values")
        if values:
            yield lambda row, holds=holds, values=values: holds(row, values)  # type: ignore[misc]


def _bounds(query: MultiMapping[str]) -> Iterable[Callable[[Row], bool]]:
    forms: list[tuple[dict[str, str], Callable[[Any], float]]] = [(NUMBERS, float), (DATES, _instant)]
    for names, read in forms:
        for name, key in names.items():
            for end, sign in (("min", 1), ("max", -1)):
                given = query.get(f"{name}_{end}")
                if given is not None:
                    yield _bound(key, _read(read, given, f"{name}_{end}"), sign, read)


def _bound(key: str, limit: float, sign: int, read: Callable[[Any], float]) -> Callable[[Row], bool]:
    def holds(row: Row) -> bool:
        value = row.get(key, 0 if read is float else None)
        return value is not None and sign * read(value) >= sign * limit

    return holds


def _read(read: Callable[[Any], float], given: str, name: str) -> float:
    try:
        return read(given)
    except ValueError as e:
        raise Invalid(f"{name} is invalid") from e


@lru_cache(1 << 16)
def _instant(text: str) -> float:
    moment = datetime.fromisoformat(text.replace(" 00:00", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


# --- order and pages ----------------------------------------------------------------------------------


def limit(query: MultiMapping[str], most: int = MOST_ROWS) -> int:
    """Rows of a page; larger is silently clamped. Raises `Invalid`."""
    try:
        return max(1, min(int(query.get("limit", USUAL_ROWS)), most))
    except ValueError as e:
        raise Invalid("limit is invalid") from e


@dataclass(frozen=True)
class Order:
    """By which keys, and which way."""

    names: tuple[str, ...]
    ascending: bool

    @classmethod
    def of(cls, query: MultiMapping[str]) -> Order:
        """Raises `Invalid`."""
        said = query.get("order")
        names = tuple(said.split(",")) if said else ()
        for name in names:
            if name not in ORDERS:
                raise Invalid(f"order: {name} is not a field")
        ascending = query.get("ascending", "true").lower() != "false" or not names
        return cls((*names, "id") if "id" not in names else names, ascending)

    def key(self, row: Row) -> tuple[tuple[bool, Any], ...]:
        return tuple(_comparable(name, row.get(name)) for name in self.names)

    def sort(self, entries: list[Entry]) -> list[Entry]:
        return sorted(entries, key=lambda entry: self.key(entry.row), reverse=not self.ascending)

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.names}{self.ascending}".encode()).hexdigest()


def _comparable(name: str, value: Any) -> tuple[bool, Any]:
    if value is None:
        return (False, 0)
    return (True, float(value) if name in NUMERIC_TEXT else value)


def page(kind: str, entries: list[Entry], query: MultiMapping[str]) -> tuple[list[Entry], str | None]:
    """One page after the cursor, and the next cursor (None on the last). Raises `Invalid`."""
    order, most = Order.of(query), limit(query)
    rows = order.sort(entries)
    cursor = query.get("after_cursor")
    if cursor:
        after = _open(cursor, kind, order)
        rows = [entry for entry in rows if _is_after(order.key(entry.row), after, order.ascending)]
    found = rows[:most]
    return found, (_seal(kind, order, found[-1].row) if len(rows) > most else None)


def _is_after(key: Any, after: Any, ascending: bool) -> bool:
    return bool(key > after if ascending else key < after)


def _seal(kind: str, order: Order, row: Row) -> str:
    keys = [{"t": "string", "v": row.get(name)} for name in order.names]
    said = msgspec.json.encode({"v": 1, "k": kind, "oh": order.digest, "keys": keys})
    return base64.urlsafe_b64encode(_sign(said) + said).rstrip(b"=").decode()


def _open(cursor: str, kind: str, order: Order) -> tuple[tuple[bool, Any], ...]:
    try:
        sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError as e:
        raise Invalid("invalid cursor") from e
    mark, said = sealed[:32], sealed[32:]
    if not hmac.compare_digest(mark, _sign(said)):
        raise Invalid("invalid cursor")
    told = msgspec.json.decode(said)
    if told["k"] != kind or told["oh"] != order.digest:
        raise Invalid("cursor does not belong to this query")
    return tuple(_comparable(n, key["v"]) for n, key in zip(order.names, told["keys"], strict=True))


def _sign(said: bytes) -> bytes:
    return hmac.digest(_SECRET, said, "sha256")
