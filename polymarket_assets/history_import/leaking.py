"""Whether prices tell the outcome: a column of results taken for prices, or settlements standing among them.

Real prices before a close come near to 0 and 1 and do not reach them: in none of the forms we know is one exactly 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from polymarket_assets.history_import.forms.declare import Form

if TYPE_CHECKING:
    import duckdb

# So many markets with a label tell something; fewer may have ended as priced by chance.
LEAST_MARKETS = 3
# A share of all labelled rows, or of the markets' last rows, that no market's prices reach by themselves.
MOST_SHARE = 0.9

_COUNTED = """
    with priced as (
        select market_id, priced_at, price_e6, priced_at >= m.closed_at as is_late, e.label,
            price_e6 = e.label * 1000000 as is_label
        from all_prices p join all_markets m using (market_id) join taken_ends e using (market_id)
        where e.label is not null and price_e6 is not null
    ), last as (
        select market_id, arg_max(is_label, priced_at) as is_label from priced where not is_late group by market_id
    )
    select count(distinct market_id), count(*), count(*) filter (where is_label), count(*) filter (where is_late),
        (select count(*) from last), (select count(*) from last where is_label) from priced
"""


# A share of rows that are exactly 0 or 1 before the close: a tenth of them is no price, whichever way round it tells.
MOST_EXACT = 0.1
LEAST_EXACT = 3
_BOUND = "in (0, 1000000)"
_EXACT = {
    "prices": f"""
        select count(*), count(*) filter (where price_e6 {_BOUND} or bid_e6 {_BOUND} or ask_e6 {_BOUND})
        from all_prices join all_markets using (market_id) where priced_at < closed_at
    """,
    "trades": f"""
        select count(*), count(*) filter (where price_e6 {_BOUND})
        from all_trades join all_markets using (market_id) where traded_at < closed_at
    """,
}


def reasons(connection: duckdb.DuckDBPyConnection, form: Form) -> Iterator[str]:
    """What speaks against prices and trades whose markets are taken."""
    found = list(_of_ends(connection, form))
    yield from found
    if not found:
        yield from _exact(connection, form)


def _exact(connection: duckdb.DuckDBPyConnection, form: Form) -> Iterator[str]:
    for name, query in _EXACT.items():
        if name in form.series:
            ((rows, exact),) = connection.execute(query).fetchall()
            if exact >= max(LEAST_EXACT, MOST_EXACT * rows):
                yield f"{form.name} {name}: {exact:,} of {rows:,} before the close are exactly 0 or 1: outcomes stand among them"


def _of_ends(connection: duckdb.DuckDBPyConnection, form: Form) -> Iterator[str]:
    """Nothing where the form has no prices or no ends."""
    if "prices" not in form.series or form.ends is None:
        return
    (counts,) = connection.execute(_COUNTED).fetchall()
    markets, rows, labels, late, last, last_labels = counts
    if markets < LEAST_MARKETS:
        return
    if labels >= MOST_SHARE * rows:
        yield f"{form.name} prices: {labels:,} of {rows:,} prices equal the outcome of their market: an outcome is no price"
    elif late >= MOST_SHARE * rows:
        yield f"{form.name} prices: {late:,} of {rows:,} prices lie at or after the close of their market: the close is not what it says, or the times are not"
    elif last and last_labels >= MOST_SHARE * last:
        yield f"{form.name} prices: in {last_labels:,} of {last:,} markets the last price before the close equals the outcome: settlements stand among the prices, or the close is too late"
