"""Records of the catalogue as rows of `markets` and `history_markets`."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from polymarket_assets.lake.schemas.catalogue import LISTED
from polymarket_assets.tiers import T0, tier_of
from polymarket_assets.venue import lifecycle
from polymarket_assets.venue.records import FeeSchedule, Market

VENUE = "polymarket"

_FIELDS = tuple(column.name for column in LISTED if column.name not in ("venue", "fee_schedule"))


def market_row(market: Market, received_at: datetime) -> dict[str, Any]:
    """A row of `markets` as listed at `received_at`."""
    close = lifecycle.effective_close(market)
    phase = lifecycle.phase(market, close, received_at)
    return {
        **_listed(market),
        "received_at": received_at,
        "phase": phase,
        "tier": _tier(phase, close.at, received_at),
        "effective_close": close.at,
        "end_source": close.source,
        "accepting_orders": market.accepting_orders,
    }


def history_row(
    market: Market, closed_at: datetime, close_day: date, received_at: datetime
) -> dict[str, Any]:
    """A row of `history_markets`: a market that closed at `closed_at`, without how."""
    close = lifecycle.effective_close(market)
    return {
        **_listed(market),
        "close_day": close_day,
        "received_at": received_at,
        "closed_at": closed_at,
        "effective_close": close.at,
        "end_source": close.source,
        "source": VENUE,
    }


def ends_within(market: Market, span: timedelta, now: datetime) -> bool:
    """Whether a market's effective close lies within `span` of `now`, on either side."""
    close = lifecycle.effective_close(market).at
    return close is not None and abs(close - now) <= span


def _tier(phase: str, close: datetime | None, at: datetime) -> str:
    if phase == "dead" or close is None:
        return T0.name
    return tier_of(close - at).name


def _listed(market: Market) -> dict[str, Any]:
    fields = {name: getattr(market, name) for name in _FIELDS}
    lists = {name: list(fields[name]) for name in ("outcomes", "token_ids", "tags")}
    return {
        "market_id": market.market_id,
        **fields,
        **lists,
        "venue": VENUE,
        "fee_schedule": _fees(market.fees),
    }


def _fees(fees: FeeSchedule | None) -> str | None:
    return None if fees is None else msgspec.json.encode(fees).decode()
