"""Arithmetic that the words of features use; what is not there stays so."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.venue.instants import EPOCH

S = 1_000_000
Row = dict[str, Any]


def us(at: datetime | None) -> int | None:
    return None if at is None else (at - EPOCH) // timedelta(microseconds=1)


def logit(p: float | None, half: float) -> float | None:
    if p is None:
        return None
    p = max(half, min(1 - half, p))
    return math.log(p / (1 - p))


def middle(bid: float | None, ask: float | None) -> float | None:
    return (bid + ask) / 2 if bid is not None and ask is not None and 0 <= ask - bid <= 0.10 + 1e-6 else None


def log1p(x: float | None) -> float | None:
    return None if x is None else math.log(1 + max(x, 0))


def signed_log(hours: float | None) -> float | None:
    return None if hours is None else (hours > 0) * 2 * math.log(1 + abs(hours)) - math.log(1 + abs(hours))
