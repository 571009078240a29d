"""How the price that decides an up/down market is measured: at an instant, or averaged over the seconds before it.

The venue changed it in August 2026 (PROTOCOL section 13): what a label means differs before and after. Rows since then
say it themselves; older ones only name the stream of prices that decides, whose name tells an average too.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

# Averages came on this day, over 30 s, and a week later over 60 s. Before it, a stream's single price decided.
AVERAGED_FROM = datetime(2026, 8, 7, tzinfo=UTC)
# Nothing is averaged over more than a day; what says so is not understood.
LONGEST_S = 86_400
_STREAM = re.compile(r"data\.chain\.link/streams/[a-z0-9-]+", re.IGNORECASE)
_AVERAGED = re.compile(r"-twap-(\d{1,5})s\b", re.IGNORECASE)


class Config(msgspec.Struct, rename="camel"):
    """`cryptoMarketConfig`, as far as it says how a price is measured; odd values make nothing unreadable."""

    twap_enabled: Any = None
    twap_lookback_seconds: Any = None


def twap_s(config: Config | None, source: str | None, end: datetime | None) -> int | None:
    """Seconds that the deciding price is averaged over; 0: a single price; None: no such market, or not known."""
    said = _configured(config)
    return _streamed(source or "", end) if said is None else said


def _configured(config: Config | None) -> int | None:
    if config is None or not isinstance(config.twap_enabled, bool):
        return None
    if not config.twap_enabled:
        return 0
    seconds = config.twap_lookback_seconds
    return seconds if type(seconds) is int and 0 < seconds <= LONGEST_S else None


def _streamed(source: str, end: datetime | None) -> int | None:
    """By the name of the stream; one that names no average was a single price only before there were averages."""
    stream = _STREAM.search(source)
    if stream is None:
        return None
    averaged = _AVERAGED.search(stream.group())
    if averaged is not None:
        return int(averaged.group(1))
    return 0 if end is not None and end < AVERAGED_FROM else None
