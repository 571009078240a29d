"""How a row is read: typed, tolerant of unknown keys, exact in its numbers, and with one way to fail."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec

from polymarket_assets.venue.errors import MalformedPayload

Wire = TypeVar("Wire")

# A number that the wire writes as text, as a JSON number, or both: its text is kept (see `venue.numbers`).
Number = Any
# What `read` takes: a decoded object, or its JSON.
Row = object
# Rows of one answer: no page the venue serves has a tenth of that, a fortnight of prices by the minute half.
MOST_ROWS = 50_000
Rows = Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MOST_ROWS)]
# Made once: a union written where it is tested is made for every row. What lists are cut into comes first.
_JSON = (msgspec.Raw, str, bytes, bytearray, memoryview)


def decoder(wire: type[Wire]) -> msgspec.json.Decoder[Wire]:
    """A decoder that keeps the text of untyped floats."""
    return msgspec.json.Decoder(wire, float_hook=str)


def read(form: msgspec.json.Decoder[Wire], row: Row) -> Wire:
    """A row in its wire form. Raises msgspec's errors, to be told by `unreadable`."""
    if isinstance(row, _JSON):
        return form.decode(row)
    return msgspec.convert(row, form.type)


class unreadable:  # noqa: N801 - read as a word, like `suppress`; a generator would cost a third of reading a trade
    """Whatever is wrong with a row becomes `MalformedPayload` with the row as evidence."""

    __slots__ = ("kind", "row")

    def __init__(self, kind: str, row: Row) -> None:
        self.kind, self.row = kind, row

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, e: BaseException | None, __: object) -> None:
        if isinstance(e, (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)):
            raise MalformedPayload(self.kind, evidence(self.row), str(e)) from e


def evidence(row: Row) -> str:
    """The beginning of a row as text, whatever it is."""
    if isinstance(row, str):
        return row
    if isinstance(row, bytes | bytearray | memoryview | msgspec.Raw):
        return bytes(row).decode(errors="replace")
    try:
        return msgspec.json.encode(row).decode(errors="replace")
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        return f"a {type(row).__name__} that cannot be shown"
