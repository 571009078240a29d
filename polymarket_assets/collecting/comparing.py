"""How far the stream and the Data API agree about the trades that both have.

The stream tells the last price a taker touched, the Data API what the taker paid on average: within half a cent in
99.9 % (PROTOCOL 8.4). Sizes are the same. Where they differ more often, one of the feeds changed its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

from polymarket_assets.collecting import queries
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
        ).fetchone()
    assert found is not None
    compared, prices, sizes, largest = found
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
