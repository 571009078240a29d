"""The newest book of each row, and what its levels add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polymarket_assets.learning.evidence.moves import US
from polymarket_assets.learning.features.book import MEAN_DISTANCE_C, WALK_USD
from polymarket_assets.learning.features.flow import OFI_BACK_S

if TYPE_CHECKING:
    import duckdb

_E6_A_CENT = 10_000
_DOLLARS_C, _SHARES_C = (1, 5), (2, 5)


def make(connection: duckdb.DuckDBPyConnection) -> None:
    """Temp tables `book_seen` (which book a row sees), `book` (what it adds up to) and `flow_of_book`; levels are read, never kept."""
    connection.execute(f"create or replace temp table tops as {_TOPS}")
    connection.execute(f"create or replace temp table book_seen as {_SEEN}")
    connection.execute(f"create or replace temp table book as {_BOOK}")
    connection.execute(f"create or replace temp table flow_of_book as {_FLOW}")


# Of several books received at once, the last.
_TOPS = """
    select m, at_us, max(tie) as tie, arg_max(bids[1], tie) as bid, arg_max(asks[1], tie) as ask from booked semi join placed using (m) group by m, at_us
"""

# As long as a price stands, a book does.
_SEEN = """
    select p.n, b.m, b.at_us as booked_us, b.tie from placed p asof join tops b on p.m = b.m and b.at_us <= p.as_of_us
    where p.as_of_us - b.at_us <= p.stands_us
"""


def _side(side: str) -> str:
    """What a side of each book adds up to, in whole millionths: sums of reals would differ with the order of threads."""
    within = "distance_e6 <= {}"
    near = f"filter ({within.format(MEAN_DISTANCE_C * _E6_A_CENT)})"
    return f"""
        select m, booked_us, sum(size_e6)::double / 1e6 as {side}_shares,
            {", ".join(f"sum(price_e6::hugeint * size_e6) filter ({within.format(c * _E6_A_CENT)})::double / 1e12 as {side}_usd_{c}c" for c in _DOLLARS_C)},
            {", ".join(f"sum(size_e6) filter ({within.format(c * _E6_A_CENT)})::double / 1e6 as {side}_shares_{c}c" for c in _SHARES_C)},
            sum(size_e6) filter (distance_e6 = 0)::double / 1e6 as {side}_shares_top,
            count(*) {near} as {side}_near_levels, (sum(distance_e6::hugeint * size_e6) {near})::double / {_E6_A_CENT} / nullif((sum(size_e6) {near})::double, 0) as {side}_mean_c,
            sum(round(1e6 * size_e6 * ln(greatest(size_e6, 1) / 1e6))::hugeint)::double / 1e12 as {side}_shares_ln
        from (
            select m, booked_us, best_e6, level.price_e6, level.size_e6, abs(level.price_e6 - best_e6) as distance_e6
            from (select m, booked_us, {side}s[1].price_e6 as best_e6, unnest({side}s) as level from levels)
        ) group by m, booked_us
    """


def _largest(side: str) -> str:
    """What lists tell sooner than groups: the best level, the first of the largest, and how many there are."""
    levels, sizes = f"{side}s", f"[l.size_e6 for l in {side}s]"
    return f"""
        {levels}[1].price_e6 / 1e4 as {side}_best_c, len({levels}) as {side}_levels, list_max({sizes}) / 1e6 as {side}_wall_shares,
        {levels}[list_position({sizes}, list_max({sizes}))].price_e6 / 1e4 as {side}_wall_c
    """


# Shares had for so many dollars, from the best ask up; null where there is less on offer.
_WALKED = f"""
    case when len(asks) > 0 and len(bids) > 0 then list_reduce(
        [{{'usd': l.price_e6 / 1e6 * (l.size_e6 / 1e6), 'shares': l.size_e6 / 1e6}} for l in asks],
        lambda had, l: {{
            'usd': least(had.usd + l.usd, {WALK_USD}::double),
            'shares': had.shares + case when had.usd + l.usd <= {WALK_USD} then l.shares else l.shares * ({WALK_USD} - had.usd) / l.usd end
        }}, {{'usd': 0::double, 'shares': 0::double}}
    ) end
"""

_BOOK = f"""
    with levels as materialized (
        select b.m, b.at_us as booked_us, bids, asks from booked b semi join book_seen s on b.m = s.m and b.at_us = s.booked_us and b.tie = s.tie
    ), walks as (
        select m, booked_us, {_largest("bid")}, {_largest("ask")}, {_WALKED} as walked from levels
    )
    select w.* exclude (walked), b.* exclude (m, booked_us, bid_shares_ln), a.* exclude (m, booked_us, ask_shares_ln), case when walked.usd >= {WALK_USD} then walked.shares end as walked_shares,
        coalesce(bid_shares, 0) + coalesce(ask_shares, 0) as level_shares, coalesce(bid_shares_ln, 0) + coalesce(ask_shares_ln, 0) as level_shares_ln
    from walks w left join ({_side("bid")}) b using (m, booked_us) left join ({_side("ask")}) a using (m, booked_us)
"""

# Cont, Kukanov and Stoikov: what was added to the best bid and taken from the best ask, from book to book. The first book of a window
# tells of no change within it; a one-sided book between leaves none.
_FLOW = f"""
    with best as (
        select m, at_us, bid.price_e6 as bid_e6, ask.price_e6 as ask_e6, bid.size_e6 as bid_size, ask.size_e6 as ask_size from tops
    ), changes as (
        select m, at_us, bid_size + ask_size as both_size,
            case when bid_e6 >= lag(bid_e6) over life then bid_size else 0 end - case when bid_e6 <= lag(bid_e6) over life then lag(bid_size) over life else 0 end
            - case when ask_e6 <= lag(ask_e6) over life then ask_size else 0 end + case when ask_e6 >= lag(ask_e6) over life then lag(ask_size) over life else 0 end as change
        from best window life as (partition by m order by at_us)
    )
    select m, at_us as booked_us, count(*) over back as books_15m,
        case when count(both_size) over back = count(*) over back then sum(change) over back - coalesce(first_value(change) over back, 0) end as ofi_e6_15m,
        sum(both_size) over back / 2 as top_e6_15m
    from changes window back as (partition by m order by at_us range between {OFI_BACK_S * US - 1} preceding and current row)
"""
