"""Books and metadata to snapshot rows, for all markets of a slot in one DuckDB query.

What a book does not say is null: no bid, no ask and therefore no mid, never an infinity and never the last
price in the place of a mid. Sums run over integers of millionths and are exact before they become dollars.
"""

from __future__ import annotations

import pyarrow as pa

from polymarket_assets.lake import opening
from polymarket_assets.lake.schemas import TABLES

# Distances from the best price within which depth is summed, in cents, by the name they have in columns.
WITHIN_C = {"1c": 1, "2c": 2, "5c": 5, "10c": 10}
# Levels farther than this from the best say little about where the price is.
MEAN_DISTANCE_C = 10
_E6_A_CENT = 10_000


def snapshots(books: pa.Table, markets: pa.Table) -> pa.Table:
    """Rows of `snapshots` for rows of `orderbooks` (levels best first) and of `markets` (tier and phase as of the slot).

    A book whose market is not among `markets` has no snapshot.
    """
    schema = TABLES["snapshots"].schema
    with opening.connected() as connection:
        connection.register("books", books)
        connection.register("markets", markets)
        found = connection.sql(_QUERY).to_arrow_table()
    return found.select(schema.names).cast(schema)


def _side(side: str) -> str:
    """Aggregates of one side of every book: one row per book that has that side."""
    depths = "".join(
        f"""
        sum(price_e6::hugeint * size_e6) filter (distance_e6 <= {cents * _E6_A_CENT})::double / 1e12 as {side}_depth_{name}_usd,
        sum(size_e6) filter (distance_e6 <= {cents * _E6_A_CENT})::double / 1e6 as {side}_shares_{name},"""
        for name, cents in WITHIN_C.items()
    )
    near = f"filter (distance_e6 <= {MEAN_DISTANCE_C * _E6_A_CENT})"
    return f"""
    {side}_levels_of as (
        select market_id, level.price_e6, level.size_e6, abs(level.price_e6 - best_e6) as distance_e6
        from (select market_id, {side}s[1].price_e6 as best_e6, unnest({side}s) as level from books)
    ),
    {side}_side as (
        select
            market_id,
            count(*)::integer as {side}_levels,
            sum(size_e6)::double / 1e6 as {side}_shares,
            sum(price_e6::hugeint * size_e6)::double / 1e12 as {side}_usd,{depths}
            (sum(distance_e6::hugeint * size_e6) {near})::double / nullif(sum(size_e6) {near}, 0)::double / {_E6_A_CENT} as {side}_mean_distance_c,
            arg_max(price_e6, (size_e6, -distance_e6)) / 1e6 as {side}_wall_price,
            max(size_e6) / 1e6 as {side}_wall_size,
            max(size_e6) / nullif(sum(size_e6), 0)::double as {side}_wall_share
        from {side}_levels_of group by market_id
    )"""


def _imbalance(name: str, bid: str, ask: str) -> str:
    return f"({bid} - {ask}) / nullif({bid} + {ask}, 0) as {name}"


_OF_SIDES = ",\n        ".join(
    column
    for side in ("bid", "ask")
    for column in (
        *(f"{side}_depth_{name}_usd" for name in WITHIN_C),
        f"{side}_wall_price",
        f"{side}_wall_size",
        f"{side}_wall_share",
        f"coalesce({side}_levels, 0) as {side}_levels",
        f"coalesce({side}_shares, 0) as {side}_shares",
        f"coalesce({side}_usd, 0) as {side}_usd",
        f"{side}_mean_distance_c",
    )
)
_IMBALANCES = ",\n        ".join(
    (
        _imbalance("imbalance_top", "best_bid_size", "best_ask_size"),
        *(_imbalance(f"imbalance_{name}", f"bid_shares_{name}", f"ask_shares_{name}") for name in WITHIN_C),
    )
)


def _apart(later: str, earlier: str, seconds: int) -> str:
    """The span between two instants in units of `seconds`."""
    return f"(epoch_us({later}) - epoch_us({earlier})) / {seconds}e6"


_HOUR_S, _SECOND_S = 3600, 1

_QUERY = f"""
with {_side("bid")}, {_side("ask")},
top as (
    select
        *,
        bids[1].price_e6 / 1e6 as best_bid,
        asks[1].price_e6 / 1e6 as best_ask,
        bids[1].size_e6 / 1e6 as best_bid_size,
        asks[1].size_e6 / 1e6 as best_ask_size,
        (bids[1].price_e6 + asks[1].price_e6) / 2e6 as mid,
        last_trade_e6 / 1e6 as last_trade
    from books
)
select
    b.market_id, b.slot_at, b.received_at, b.venue_at, m.tier, m.phase, b.token_id,
    m.event_id, m.neg_risk_id, m.neg_risk, m.category,
    best_bid, best_ask, best_bid_size, best_ask_size, mid,
    (best_bid * best_ask_size + best_ask * best_bid_size) / nullif(best_bid_size + best_ask_size, 0) as microprice,
    (asks[1].price_e6 - bids[1].price_e6) / 1e6 as spread,
    last_trade,
    (last_trade - mid) * 100 as last_trade_distance_c,
    {_OF_SIDES},
    {_IMBALANCES},
    (mid - bid_wall_price) * 100 as bid_wall_distance_c,
    (ask_wall_price - mid) * 100 as ask_wall_distance_c,
    best_bid is null or best_ask is null as is_one_sided,
    coalesce(best_bid >= best_ask, false) as is_crossed,
    m.volume_usd, m.volume_24h_usd, m.liquidity_usd,
    m.volume_usd - m.volume_before_usd as volume_change_usd,
    case when m.volume_usd is not null and m.volume_before_usd is not null then {_apart("m.received_at", "m.volume_before_at", _HOUR_S)} end as volume_change_h,
    coalesce(b.tick_e6, m.tick_e6) / 1e6 as tick,
    (m.fee_schedule ->> '$.rate')::double as fee_rate,
    m.effective_close,
    {_apart("m.effective_close", "b.slot_at", _HOUR_S)} as hours_to_end,
    {_apart("b.slot_at", "m.listed_at", _HOUR_S)} as age_h,
    {_apart("coalesce(m.game_start_at, m.window_start_at)", "b.slot_at", _HOUR_S)} as hours_to_start,
    {_apart("b.received_at", "b.venue_at", _SECOND_S)} as book_age_s,
    {_apart("b.received_at", "m.received_at", _SECOND_S)} as listing_age_s,
    b.hash
from top b
join markets m using (market_id)
left join bid_side using (market_id)
left join ask_side using (market_id)
order by market_id
"""
