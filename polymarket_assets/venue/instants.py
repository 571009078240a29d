"""Instants of the wire, in all their spellings, as aware UTC datetimes. Everything here raises `ValueError`.

RFC 3339 with any number of decimals; `2024-02-12 02:30:33+00` with a blank and a short offset; Unix seconds
and milliseconds as numbers or text. Words (`NOW()`, `November 5, 2024`) are no instants.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Until the year 2100: beyond it a number is in another unit.
LAST_S = 4_102_444_800
# Frames of one burst share their timestamp.
_MILLISECONDS_KEPT = 1024


def instant(text: str | None) -> datetime | None:
    """A written instant; None where it is missing or empty. Without an offset it is UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as e:
        raise ValueError(f"{text[:40]!r} is not an instant") from e


def unix_s(value: object) -> datetime:
    """Unix seconds."""
    return datetime.fromtimestamp(_whole(value, LAST_S), UTC)


def unix_ms(value: object) -> datetime:
    """Unix milliseconds."""
    return milliseconds(value) if isinstance(value, str) else _milliseconds(value)


@lru_cache(_MILLISECONDS_KEPT)
def milliseconds(text: str) -> datetime:
    """Unix milliseconds as text: the form of every socket frame."""
    return _milliseconds(text)


@lru_cache(_MILLISECONDS_KEPT)
def microseconds(text: str) -> int:
    """Unix milliseconds as text, in microseconds since the epoch."""
    return _whole(text, LAST_S * 1000) * 1000


def _milliseconds(value: object) -> datetime:
    return EPOCH + timedelta(milliseconds=_whole(value, LAST_S * 1000))


def _whole(value: object, most: int) -> int:
    if type(value) is int and 0 <= value <= most:
        return value
    if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.isdecimal():
        value = int(value)
        if value <= most:
            return value
    raise ValueError(f"{str(value)[:40]!r} is not a Unix time")
