"""How far the stream and the Data API agree about the trades that both have, and whether each trade stands once.

The stream tells the last price a taker touched, the Data API what the taker paid on average: within half a cent in
99.9 % (PROTOCOL 8.4). Sizes are the same. Where they differ more often, one of the feeds changed its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

from polymarket_assets.collecting import queries
from polymarket_assets.collecting.hearing import MATCHED_AT
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.lake.writing import Lake

# Half a cent, and a step of the venue's sizes.
PRICE_TOLERANCE_E6 = 5_000
SIZE_TOLERANCE_E6 = 10_000
# Ten times what is usual, among so many that one trade does not decide.
MOST_DIFFERING = 0.01
FEWEST_COMPARED = 100


@dataclass(frozen=True)
class Agreement:
    """Of the transactions that both feeds have: how many differ, and by how much at the most."""

    compared: int
    prices_differ: int
    sizes_differ: int
    largest_price_difference_c: float

    @property
    def holds(self) -> bool:
        """Whether no more differ than is usual; too few say nothing."""
        differing = max(self.prices_differ, self.sizes_differ)
        return self.compared < FEWEST_COMPARED or differing <= MOST_DIFFERING * self.compared


def agreement(lake: Lake, span: Span) -> Agreement:
    """Compare trades of source `both` with the messages of their transactions; those without a transaction are left out."""
    with queries.over(lake, trades=span, trades_raw=Span(span.start - HOUR, span.end + HOUR)) as connection:
        found = connection.execute(
            _COMPARED, {"price": PRICE_TOLERANCE_E6, "size": SIZE_TOLERANCE_E6}
        ).fetchall()
    ((compared, prices, sizes, largest),) = found
    return Agreement(compared, int(prices or 0), int(sizes or 0), float(largest or 0.0) / 1e4)


_COMPARED = """
with told as (
    select tx_hash, token_id, is_buy, sum(size_e6) as size, sum(price_e6::double * size_e6) / sum(size_e6) as price
    from trades where source = 'both' group by all
), copies as (
    select distinct tx_hash, token_id, is_buy, price_e6, size_e6 from trades_raw where tx_hash is not null
), heard as (
    select tx_hash, token_id, is_buy, sum(size_e6) as size, sum(price_e6::double * size_e6) / sum(size_e6) as price
    from copies group by all
)
select count(*), count(*) filter (abs(t.price - h.price) > $price), count(*) filter (abs(t.size - h.size) > $size),
    max(abs(t.price - h.price))
from told t join heard h using (tx_hash, token_id, is_buy)
"""


@dataclass(frozen=True)
class Standing:
    """Trades heard that no hour of `trades` holds, and trades of the hour that a neighbour holds too."""

    missing: int
    in_two_hours: int

    @property
    def holds(self) -> bool:
        """Whether each trade stands in exactly one hour."""
        return not (self.missing or self.in_two_hours)


def standing(lake: Lake, span: Span) -> Standing:
    """Look for what an hour heard in it and its neighbours; the Data API may have named another token of the market.

    Either figure becomes nothing when the hours are built again from the same lake.
    """
    around = Span(span.start - HOUR, span.end + HOUR)
    hour = {"start": span.start, "end": span.end}
    with queries.over(lake, trades=around, trades_raw=around) as connection:
        ((missing,),) = connection.execute(_MISSING, hour).fetchall()
        ((twice,),) = connection.execute(_TWICE, hour).fetchall()
    return Standing(missing, twice)


_MISSING = f"""
select count(*) from (
    select distinct market_id, tx_hash from trades_raw
    where tx_hash is not null and {MATCHED_AT} >= $start and {MATCHED_AT} < $end
    except select market_id, tx_hash from trades
)
"""

_TWICE = """
select count(*) from (
    select trade_id from trades group by all
    having bool_or(traded_at >= $start and traded_at < $end) and bool_or(not (traded_at >= $start and traded_at < $end))
)
"""
