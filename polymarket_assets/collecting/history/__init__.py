"""The past as it can still be fetched: the markets that closed on a UTC day, their prices and their trades until then."""

from polymarket_assets.collecting.history.closed_days import PART, DayNotOver, MarketsMissing
from polymarket_assets.collecting.history.markets import (
    ENDED_AFTER,
    ENDED_BEFORE,
    LEAST_VOLUME_USD,
    MarketsReport,
    fetch_markets,
)
from polymarket_assets.collecting.history.prices import PricesReport, fetch_prices
from polymarket_assets.collecting.history.trades import TradesReport, fetch_trades

__all__ = [
    "ENDED_AFTER",
    "ENDED_BEFORE",
    "LEAST_VOLUME_USD",
    "PART",
    "DayNotOver",
    "MarketsMissing",
    "MarketsReport",
    "PricesReport",
    "TradesReport",
    "fetch_markets",
    "fetch_prices",
    "fetch_trades",
]
