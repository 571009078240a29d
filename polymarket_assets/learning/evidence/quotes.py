"""Prices of a market in the form all sources share, and which of them an instant sees."""

from __future__ import annotations

from polymarket_assets.learning.features import price

# Of the mid whose log-odds are counted in millionths, whatever the tick.
_HALF_TICK = price.FINEST_TICK / 2


def quoted(rows: str) -> str:
    """SQL: prices with their mid, twice it in millionths, and its log-odds in millionths."""
    return f"""
        select *, round(mid * 2e6)::integer as mid_e6x2, round(1e6 * {price.logit("mid", str(_HALF_TICK))})::integer as logit_u
        from (select *, {price.mid("bid", "ask", "shown_price")} as mid from {rows})
    """


def placed(first: int, last: int) -> str:
    """SQL: the newest price at each instant of markets `first` to `last`, where it still stands; `n` numbers the rows of features."""
    return f"select row_number() over (order by m, as_of_us) as n, * from ({_PLACED}) where m between {first} and {last}"


_PLACED = """
    select i.m, i.life, i.as_of_us, i.horizon_h, q.at_us as quoted_us, q.spacing_us, q.stands_us, q.mid_e6x2, q.logit_u
    from instants i asof join quoted q on i.m = q.m and i.as_of_us >= q.at_us
    where i.as_of_us - q.at_us <= q.stands_us
"""
