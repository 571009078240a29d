"""Rows of the Data API: snake_case of the second generation, camelCase of the first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import msgspec

from polymarket_assets.venue import ids
from polymarket_assets.venue.instants import instant, unix_s
from polymarket_assets.venue.numbers import price_e6, real, size_e6, text_of
from polymarket_assets.venue.parse.reading import Number, Row, decoder, read, unreadable
from polymarket_assets.venue.records import E6, PricePoint, ResolutionRow, Trade

# Stands for an outcome whose metadata the venue has not joined yet; the token id says which it is.
NOT_JOINED = 999
# No market has more outcomes.
OUTCOMES_AT_MOST = 127
# The venue spaces prices by days at the most; what is in another unit is no spacing.
LONGEST_RESOLUTION_S = 366 * 86_400
# Every price of a grid of thousandths, and halves of them.
_PRICES_KEPT = 4096
_SIDES = {"BUY": True, "SELL": False}


class _Trade(msgspec.Struct):
    condition_id: str
    token_id: str
    side: str
    price: Number
    size: Number
    timestamp: int | str
    transaction_hash: str
    outcome_index: int | None = None


class _TradeV1(msgspec.Struct, rename="camel"):
    condition_id: str
    token_id: str = msgspec.field(name="asset")
    side: str
    price: Number
    size: Number
    timestamp: int | str
    transaction_hash: str
    outcome_index: int | None = None


class _Point(msgspec.Struct):
    timestamp: int | str
    price: Number
    resolution_seconds: int


class _PointV1(msgspec.Struct):
    t: int | str
    p: Number


class _Resolution(msgspec.Struct):
    condition_id: str
    status: str
    was_disputed: bool | None = None
    payouts: list[int | str] | None = None
    resolved_at: str | int | None = None
    reporter: str | None = None
    market_type: str | None = None


class _EitherTrade(msgspec.Struct, rename="camel"):
    """Enough of a trade to know its generation."""

    condition_id: str | None = None


class _EitherPoint(msgspec.Struct):
    t: int | str | None = None


_TRADE = decoder(_Trade)
_TRADE_V1 = decoder(_TradeV1)
_POINT = decoder(_Point)
_POINTS = decoder(list[_Point])
_POINT_V1 = decoder(_PointV1)
_RESOLUTION = decoder(_Resolution)
_EITHER_TRADE = decoder(_EitherTrade)
_EITHER_POINT = decoder(_EitherPoint)


def trade(row: Row) -> Trade:
    """A row of `/v2/trades`, or of v1's `/trades` and `/activity`."""
    with unreadable("trade", row):
        wire = _wire_trade(row)
        return Trade(
            condition_id=ids.condition_id(wire.condition_id),
            token_id=ids.token_id(wire.token_id),
            outcome_index=_outcome(wire.outcome_index),
            is_buy=_is_buy(wire.side),
            price_e6=price_e6(text_of(wire.price)),
            size_e6=size_e6(text_of(wire.size)),
            traded_at=unix_s(wire.timestamp),
            tx_hash=ids.tx_hash(wire.transaction_hash),
        )


def _wire_trade(row: Row) -> _Trade | _TradeV1:
    """Of either generation; nearly all are of the second, so that one is tried first."""
    try:
        return read(_TRADE, row)
    except msgspec.ValidationError:
        of_v1 = read(_EITHER_TRADE, row).condition_id is not None
        return read(_TRADE_V1, row) if of_v1 else read(_TRADE, row)


def price_points(rows: Sequence[bytes], *, v1_resolution_s: int = 60) -> list[PricePoint]:
    """Points in the order of their rows: a market has thousands, so that they are read at once where all are of the second generation."""
    try:
        return [_plain_point(wire) for wire in _POINTS.decode(b"[" + b",".join(rows) + b"]")]
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError):
        return [price_point(row, v1_resolution_s=v1_resolution_s) for row in rows]


def _plain_point(wire: _Point) -> PricePoint:
    if not 0 <= wire.resolution_seconds <= LONGEST_RESOLUTION_S:
        raise ValueError(f"a resolution of {wire.resolution_seconds} s")
    return PricePoint(unix_s(wire.timestamp), _price(wire.price), wire.resolution_seconds)


def price_point(row: Row, *, v1_resolution_s: int = 60) -> PricePoint:
    """A point of a price history; v1 does not say its spacing, so the one that was asked for stands."""
    with unreadable("price point", row):
        if read(_EITHER_POINT, row).t is not None:
            old = read(_POINT_V1, row)
            return PricePoint(unix_s(old.t), _price(old.p), v1_resolution_s)
        return _plain_point(read(_POINT, row))


def resolution_row(row: Row) -> ResolutionRow:
    """A row of `/v2/resolutions`; payouts come in millionths of a dollar a share."""
    with unreadable("resolution", row):
        wire = read(_RESOLUTION, row)
        if not wire.status:
            raise ValueError("a resolution without a status")
        return ResolutionRow(
            condition_id=ids.condition_id(wire.condition_id),
            status=wire.status.lower(),
            was_disputed=bool(wire.was_disputed),
            payouts_e6=tuple(map(_payout, wire.payouts)) if wire.payouts else None,
            resolved_at=_written(wire.resolved_at),
            reporter=wire.reporter or None,
            market_type=wire.market_type or None,
        )


def _outcome(index: int | None) -> int | None:
    if index is None or index == NOT_JOINED:
        return None
    if not 0 <= index <= OUTCOMES_AT_MOST:
        raise ValueError(f"outcome index {index}")
    return index


def _is_buy(side: str) -> bool:
    try:
        return _SIDES[side.upper()]
    except KeyError as e:
        raise ValueError(f"side {side[:20]!r}") from e


def _price(value: Number) -> float:
    return _written_price(value) if isinstance(value, str) else _any_price(value)


@lru_cache(_PRICES_KEPT)
def _written_price(text: str) -> float:
    return _any_price(text)


def _any_price(value: Number) -> float:
    price = real(value)
    if price is None or not 0 <= price <= 1:
        raise ValueError(f"{value!r} is not a price between 0 and 1")
    return price


def _payout(value: int | str) -> int:
    if isinstance(value, str) and not (value.isascii() and value.isdecimal() and len(value) <= 7):
        raise ValueError(f"a payout of {value[:20]!r}")
    if not 0 <= int(value) <= E6:
        raise ValueError(f"a payout of {value}")
    return int(value)


def _written(value: str | int | None) -> datetime | None:
    """RFC 3339 on rows by condition, Unix seconds on rows by question."""
    if value is None or value == "":
        return None
    return unix_s(value) if isinstance(value, int) or value.isdecimal() else instant(value)
