"""Instants in the forms of the wire; inside they are Unix seconds."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(at: float, decimals: int = 0) -> str:
    """`2026-10-05T23:15:00Z`, with up to six decimals where the venue has them."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f" if decimals else "%Y-%m-%dT%H:%M:%S") + "Z"


def blank_form(at: float) -> str:
    """`2026-10-05 23:15:00+00`: a blank, no T, a short offset."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S+00")


def day_of(at: float) -> str:
    return rfc3339(at)[:10]
