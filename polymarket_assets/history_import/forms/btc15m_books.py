"""`btc15m_books`: five levels of both books of four fifteen-minute markets, several rows a second; no outcomes.

Rows come faster than their clock ticks. The last row of an instant counts, and was known when the clock ticked again. The
other token's book is the mirror of this one's and is not kept.
"""

from __future__ import annotations

from polymarket_assets.history_import.forms.declare import PRICE, SIZE, TEXT, UNIX_MS, Column, File, Form, e6

DEPTH = 5
# After the last row of a market the clock would have ticked within so long.
TICK_MS = 1000


def _level(side: str, n: int) -> tuple[str, str]:
    return f"{side}_px_up_{n}", f"{side}_sz_up_{n}"


BOOKS = File(
    "books",
    frozenset({"ts_ms", "condition_id", "window_end_ms", "bid_px_up_1", "ask_px_up_1"}),
    (
        Column("ts_ms", UNIX_MS),
        Column("market_slug", TEXT),
        Column("condition_id", TEXT),
        Column("token_id_up", TEXT),
        Column("token_id_down", TEXT),
        Column("window_start_ms", UNIX_MS),
        Column("window_end_ms", UNIX_MS),
        *(
            Column(name, kind, nullable=True)
            for side in ("bid", "ask")
            for n in range(1, DEPTH + 1)
            for name, kind in zip(_level(side, n), (PRICE, SIZE), strict=True)
        ),
    ),
    key=(),
)


def _levels(side: str) -> str:
    """The levels of a side that are there, best first as the file has them."""
    listed = ", ".join(
        f"{{'price_e6': {e6(price)}, 'size_e6': round({size} * 1e6)::bigint}}"
        for price, size in (_level(side, n) for n in range(1, DEPTH + 1))
    )
    return f"list_filter([{listed}], lambda l: l.price_e6 is not null and l.size_e6 > 0)"


FORM = Form(
    name="btc15m_books",
    holds="five-level books of fifteen-minute up-or-down markets: btc15m_books_5lvl",
    files=(BOOKS,),
    markets="""
        select distinct 'pm:' || condition_id as market_id, to_timestamp(window_end_ms / 1000) as closed_at,
            closed_at as effective_close, 'series' as end_source, closed_at as scheduled_end, 'polymarket' as venue, condition_id,
            market_slug as slug, ['Up', 'Down'] as outcomes, [token_id_up, token_id_down] as token_ids, false as neg_risk,
            'crypto' as category, ['bitcoin'] as tags, to_timestamp(window_start_ms / 1000) as window_start_at, null::varchar as left_out
        from books
    """,
    books=f"""
        select 'pm:' || condition_id as market_id, make_timestamptz(ts_ms * 1000) as booked_at,
            make_timestamptz(coalesce(later, ts_ms + {TICK_MS}) * 1000) as known_at, {_levels("bid")} as bids, {_levels("ask")} as asks,
            {e6("bid_px_up_1")} as bid_e6, {e6("ask_px_up_1")} as ask_e6, {2 * DEPTH} as levels,
            case when not is_last then 'another book of its instant came later' end as left_out
        from (
            select *, row_number() over (partition by condition_id, ts_ms order by file_row_number desc) = 1 as is_last,
                min(ts_ms) over (
                    partition by condition_id order by ts_ms range between 1 following and unbounded following
                ) as later
            from books
        )
    """,
)
