"""Rows of the order-book service: books, and markets in their full and their compact form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter

import msgspec

from polymarket_assets.venue import ids
from polymarket_assets.venue.instants import unix_ms
from polymarket_assets.venue.numbers import (
    optional_size_e6,
    optional_text,
    price_e6,
    real,
    size_e6,
    text_of,
    tick_e6,
)
from polymarket_assets.venue.parse.reading import Number, Row, decoder, read, unreadable
from polymarket_assets.venue.records import Book, ClobMarket, ClobToken, FeeSchedule, Level


class _Level(msgspec.Struct):
    price: Number
    size: Number


class _Book(msgspec.Struct):
    market: str
    asset_id: str
    bids: list[_Level]
    asks: list[_Level]
    timestamp: str | int | None = None
    hash: str | None = None
    tick_size: Number = None
    min_order_size: Number = None
    neg_risk: bool | None = None
    last_trade_price: Number = None
    version: str | None = None


class _Token(msgspec.Struct):
    token_id: str
    outcome: str
    winner: bool | None = None


class _Full(msgspec.Struct):
    condition_id: str
    tokens: list[_Token]
    accepting_orders: bool | None = None
    closed: bool | None = None
    minimum_tick_size: Number = None
    minimum_order_size: Number = None
    neg_risk: bool | None = None
    version: str | None = None


class _CompactToken(msgspec.Struct):
    t: str
    o: str


class _CompactFees(msgspec.Struct):
    r: Number = None
    e: Number = None
    to: bool | None = None


class _Compact(msgspec.Struct):
    c: str
    t: list[_CompactToken]
    ao: bool | None = None
    mts: Number = None
    mos: Number = None
    nr: bool | None = None
    fd: _CompactFees | None = None
    v: str | None = None


class _Either(msgspec.Struct):
    """Enough of a market to know which of its two forms it has."""

    c: str | None = None


_BOOK = decoder(_Book)
_FULL = decoder(_Full)
_COMPACT = decoder(_Compact)
_EITHER = decoder(_Either)


def book(row: Row) -> Book:
    """A row of `/book` or `/books`; a never traded token's `last_trade_price` of `""` is None."""
    with unreadable("book", row):
        wire = read(_BOOK, row)
        last = optional_text(wire.last_trade_price)
        return Book(
            condition_id=ids.condition_id(wire.market),
            token_id=ids.token_id(wire.asset_id),
            venue_at=unix_ms(wire.timestamp) if wire.timestamp else None,
            hash=wire.hash or "",
            bids=levels(((text_of(at.price), text_of(at.size)) for at in wire.bids), best_highest=True),
            asks=levels(((text_of(at.price), text_of(at.size)) for at in wire.asks), best_highest=False),
            tick_e6=tick_e6(wire.tick_size),
            min_size_e6=optional_size_e6(wire.min_order_size),
            neg_risk=wire.neg_risk,
            last_trade_e6=None if last is None else price_e6(last),
            version=wire.version,
        )


def levels(pairs: Iterable[tuple[str, str]], *, best_highest: bool) -> tuple[Level, ...]:
    """A side of a book from (price, size) texts, best level first; a size of 0 is no level. Raises `ValueError`."""
    side = [(price_e6(price), size_e6(size)) for price, size in pairs]
    side.sort(key=itemgetter(0), reverse=best_highest)
    return tuple([Level(price, size) for price, size in side if size])


def midpoints(answer: Mapping[str, object], asked: Iterable[str]) -> dict[str, int]:
    """Midpoints in millionths by token, of those asked about that have a readable one between 0 and 1."""
    found = {}
    for token in asked:
        try:
            found[token] = price_e6(text_of(answer[token]))
        except (KeyError, ValueError):
            continue
    return found


def clob_market(row: Row) -> ClobMarket:
    """An answer of `/markets/{condition id}` or, compact, of `/clob-markets/{condition id}`."""
    with unreadable("order-book market", row):
        if read(_EITHER, row).c is not None:
            return _of_compact(read(_COMPACT, row))
        return _of_full(read(_FULL, row))


def _of_full(wire: _Full) -> ClobMarket:
    return ClobMarket(
        condition_id=ids.condition_id(wire.condition_id),
        tokens=tuple(
            ClobToken(ids.token_id(token.token_id), token.outcome, token.winner)
            for token in wire.tokens
            if token.token_id  # markets of 2023 that never had a book
        ),
        accepting_orders=wire.accepting_orders,
        closed=wire.closed,
        tick_e6=tick_e6(wire.minimum_tick_size),
        min_size_e6=optional_size_e6(wire.minimum_order_size),
        neg_risk=bool(wire.neg_risk),
        version=wire.version or "v1",
    )


def _of_compact(wire: _Compact) -> ClobMarket:
    return ClobMarket(
        condition_id=ids.condition_id(wire.c),
        tokens=tuple(ClobToken(ids.token_id(token.t), token.o) for token in wire.t),
        accepting_orders=wire.ao,
        tick_e6=tick_e6(wire.mts),
        min_size_e6=optional_size_e6(wire.mos),
        neg_risk=bool(wire.nr),
        fees=_fees(wire.fd),
        version=wire.v or "v1",
    )


def _fees(wire: _CompactFees | None) -> FeeSchedule | None:
    if wire is None:
        return None
    rate, exponent = real(wire.r), real(wire.e)
    if rate is None or exponent is None:
        return None
    return FeeSchedule(rate, exponent, wire.to is not False)
