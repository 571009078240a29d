"""A row of features, group by group."""

from __future__ import annotations

from datetime import datetime

from polymarket_assets_tests.learning.slowly import book, flow, market, price
from polymarket_assets_tests.learning.slowly.held import Held
from polymarket_assets_tests.learning.slowly.plain import Row, log1p, us


class Slow(Held):
    """A recorded lake whose rows of features are computed one after the other."""

    def features(self, market_id: str, as_of: datetime) -> Row | None:
        t = us(as_of)
        assert t is not None
        version, quote = self.version(market_id, t), self.quote(market_id, t)
        if version is None or quote is None:
            return None
        found = price.price(version, quote)
        found |= price.moves(self, market_id, quote, t)
        found |= book.book(self, market_id, quote, t)
        found |= flow.flow(self, market_id, version, quote, t)
        found |= market.market(self, market_id, version, quote, as_of)
        found |= market.event(self, version, found, t)
        change, hours = quote["volume_change_usd"], quote["volume_change_h"]
        found |= {
            "log_vol_24h": log1p(quote["volume_24h_usd"]),
            "listed_flow": log1p(max(change, 0) / hours)
            if hours and hours >= 1 / 60 and change is not None
            else None,
            "tier": quote["tier"],
        }
        return found  # fmt: skip
