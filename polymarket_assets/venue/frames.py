"""Messages of the market socket to frames: the streamer's hot path.

One message is one frame or an array of them, of any type. The forms of 2024 and 2025 are read too, and
`buys`/`sells` for the sides of a book. A type nobody told us of becomes a `LifecycleFrame` with its payload
verbatim. A message of which nothing can be read raises `MalformedPayload`; of an array, what cannot be read is an
`UnreadableFrame` and spoils nothing.

Decoding is typed and strict, numbers are text as the venue writes them; only a message that fails so is read
once more with JSON numbers for text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from polymarket_assets.venue import ids
from polymarket_assets.venue.density import require_sparse
from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets.venue.instants import microseconds, milliseconds
from polymarket_assets.venue.numbers import price_e6, size_e6
from polymarket_assets.venue.parse.clob import levels
from polymarket_assets.venue.parse.reading import evidence
from polymarket_assets.venue.records import (
    Book,
    BookFrame,
    Frame,
    LevelChange,
    LifecycleFrame,
    PriceChangeFrame,
    TickSizeFrame,
    TradeFrame,
    UnreadableFrame,
)

# A dump has a book for each of a hundred tokens at the most.
MOST_PARTS = 10_000
# A book of both sides' widest grids with numbers for text; what reads any form takes thirty times as much.
LOOSE_BYTES = 1_000_000
# Answers to our PING, and the empty text some sockets open with.
_NOT_JSON = frozenset({b"PONG", b"pong", b""})
Side = Literal["BUY", "SELL", "buy", "sell"]
_IS_BID: dict[Side, bool] = {"BUY": True, "SELL": False, "buy": True, "sell": False}


class _Wire(msgspec.Struct, tag_field="event_type"):
    market: str
    timestamp: str


class _Level(msgspec.Struct):
    price: str
    size: str


class _Book(_Wire, tag="book"):
    asset_id: str
    hash: str = ""
    bids: list[_Level] | None = None
    asks: list[_Level] | None = None
    buys: list[_Level] | None = None
    sells: list[_Level] | None = None
    tick_size: str | None = None
    min_order_size: str | None = None
    neg_risk: bool | None = None
    last_trade_price: str | None = None
    version: str | None = None


class _Change(msgspec.Struct, gc=False):
    """One level; of the older forms the token (and then the hash) stands outside."""

    price: str
    size: str
    side: Side
    asset_id: str = ""
    hash: str = ""


class _PriceChange(_Wire, tag="price_change"):
    price_changes: list[_Change] | None = None
    changes: list[_Change] | None = None
    asset_id: str = ""
    hash: str = ""
    price: str = ""
    size: str = ""
    side: Side | None = None


class _Trade(_Wire, tag="last_trade_price"):
    asset_id: str
    price: str
    size: str
    side: Side
    transaction_hash: str | None = None


class _TickSize(_Wire, tag="tick_size_change"):
    asset_id: str
    old_tick_size: str
    new_tick_size: str


class _Told(msgspec.Struct):
    """Any other message: what identifies it, the rest stays as it came."""

    event_type: str
    market: str | None = None
    timestamp: str | int | None = None


class _BestBidAsk(msgspec.Struct, tag_field="event_type", tag="best_bid_ask"):
    """Known to be nothing else; named so that so frequent a type is decoded at once."""

    market: str
    timestamp: str


_Known = _Book | _PriceChange | _Trade | _TickSize | _BestBidAsk
_KNOWN = msgspec.json.Decoder(_Known)
_TOLD = msgspec.json.Decoder(_Told)
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_LOOSE = msgspec.json.Decoder(float_hook=str)
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)
_READ = ("book", "price_change", "last_trade_price", "tick_size_change", "best_bid_ask")


def parse(text: str | bytes) -> list[Frame]:
    """The frames of one socket message; none for PONG.

    Raises:
        MalformedPayload: the message could not be read; it is the evidence.
    """
    try:
        message = (text.encode() if isinstance(text, str) else text).strip()
        if message in _NOT_JSON:
            return []
        if message[:1] == b"[":
            require_sparse(message)
            return _array(_ARRAY.decode(message))
        return [_frame(message)]
    except _UNREADABLE as e:
        raise MalformedPayload("socket message", evidence(text), str(e)) from e


def _array(parts: list[msgspec.Raw]) -> list[Frame]:
    """The frames of an array; one that cannot be read spoils none of the others. Raises where there are no others."""
    if len(parts) > MOST_PARTS:
        raise ValueError(f"{len(parts)} parts")
    found: list[Frame] = []
    first: Exception | None = None
    for raw in parts:
        try:
            found.append(_frame(bytes(raw)))
        except _UNREADABLE as e:
            first = first or e
            found.append(UnreadableFrame(payload=bytes(raw).decode(errors="replace"), why=str(e)))
    if first is not None and all(type(frame) is UnreadableFrame for frame in found):
        raise first
    return found


def _frame(raw: bytes) -> Frame:
    try:
        wire = _KNOWN.decode(raw)
    except msgspec.ValidationError:
        return _rare(raw)
    return _MAKERS[type(wire)](wire, raw)


def _rare(raw: bytes) -> Frame:
    """A type that is not among the known, or a known one with numbers where text is agreed."""
    told = _TOLD.decode(raw)
    if told.event_type not in _READ:
        return _told(told.event_type, told.market, str(told.timestamp or ""), raw)
    if len(raw) > LOOSE_BYTES:
        raise ValueError(f"{len(raw)} bytes of another form than agreed")
    wire = msgspec.convert(_as_text(_LOOSE.decode(raw)), _Known)
    return _MAKERS[type(wire)](wire, raw)


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _book(wire: _Book, _raw: bytes) -> Frame:
    bids = wire.bids if wire.bids is not None else wire.buys
    asks = wire.asks if wire.asks is not None else wire.sells
    if bids is None or asks is None:
        raise ValueError("a book without its sides")
    return BookFrame(
        book=Book(
            condition_id=ids.condition_id(wire.market),
            token_id=ids.token_id(wire.asset_id),
            venue_at=milliseconds(wire.timestamp),
            hash=wire.hash,
            bids=levels(((at.price, at.size) for at in bids), best_highest=True),
            asks=levels(((at.price, at.size) for at in asks), best_highest=False),
            tick_e6=price_e6(wire.tick_size) if wire.tick_size else None,
            min_size_e6=size_e6(wire.min_order_size) if wire.min_order_size else None,
            neg_risk=wire.neg_risk,
            last_trade_e6=price_e6(wire.last_trade_price) if wire.last_trade_price else None,
            version=wire.version,
        )
    )


def _price_change(wire: _PriceChange, _raw: bytes) -> Frame:
    changes = wire.price_changes
    if changes is None:
        changes = wire.changes if wire.changes is not None else [_flat(wire)]
    return PriceChangeFrame(
        ids.condition_id(wire.market),
        microseconds(wire.timestamp),
        [
            LevelChange(
                ids.token_id(each.asset_id or wire.asset_id),
                _IS_BID[each.side],
                price_e6(each.price),
                size_e6(each.size),
                each.hash or wire.hash,
            )
            for each in changes
        ],
    )


def _flat(wire: _PriceChange) -> _Change:
    """The form of 2024: one level, spelled out in the message itself."""
    if wire.side is None:
        raise ValueError("a price change without its levels")
    return _Change(wire.price, wire.size, wire.side)


def _trade(wire: _Trade, _raw: bytes) -> Frame:
    return TradeFrame(
        condition_id=ids.condition_id(wire.market),
        token_id=ids.token_id(wire.asset_id),
        is_buy=_IS_BID[wire.side],
        price_e6=price_e6(wire.price),
        size_e6=size_e6(wire.size),
        venue_at=milliseconds(wire.timestamp),
        tx_hash=ids.tx_hash(wire.transaction_hash) if wire.transaction_hash else None,
    )


def _tick_size(wire: _TickSize, _raw: bytes) -> Frame:
    return TickSizeFrame(
        condition_id=ids.condition_id(wire.market),
        token_id=ids.token_id(wire.asset_id),
        venue_at=milliseconds(wire.timestamp),
        old_tick_e6=price_e6(wire.old_tick_size),
        new_tick_e6=price_e6(wire.new_tick_size),
    )


def _best_bid_ask(wire: _BestBidAsk, raw: bytes) -> Frame:
    return _told("best_bid_ask", wire.market, wire.timestamp, raw)


def _told(kind: str, market: str | None, timestamp: str, raw: bytes) -> Frame:
    return LifecycleFrame(
        kind=kind,
        condition_id=ids.condition_id(market) if market else None,
        venue_at=milliseconds(timestamp) if timestamp else None,
        payload=raw.decode(),
    )


_MAKERS: dict[type, Callable[[Any, bytes], Frame]] = {
    _Book: _book,
    _PriceChange: _price_change,
    _Trade: _trade,
    _TickSize: _tick_size,
    _BestBidAsk: _best_bid_ask,
}
