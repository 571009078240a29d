"""How prices moved up to the newest one: changes over windows, the day's range, pauses, and steps of the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polymarket_assets.learning.features.flow import KYLE_LEAST_STEPS, KYLE_STEP_S
from polymarket_assets.learning.features.volatility import DAY_S, GRIDS_S, LEAST_CHANGES, WINDOWS_S

if TYPE_CHECKING:
    import duckdb

US = 1_000_000
_HOUR_US, _DAY_US = 3_600 * US, DAY_S * US
# A longer pause is no pause of collection, and lies beyond what an hour looks back.
_LONGEST_PAUSE_US = 23 * _HOUR_US


def make(connection: duckdb.DuckDBPyConnection) -> None:
    """Temp tables of what prices did: `lag_<window>`, `day` (by row `n`), `step_<grid>` (by market and step of the clock)."""
    connection.execute(
        "create or replace temp table seen as select distinct m, quoted_us, spacing_us from placed"
    )
    for name, seconds in WINDOWS_S.items():
        connection.execute(f"create or replace temp table lag_{name} as {_lag(seconds * US)}")
    connection.execute(f"create or replace temp table day as {_DAY}")
    for name, (back_s, step_s) in GRIDS_S.items():
        connection.execute(f"create or replace temp table step_{name} as {_steps(back_s, step_s)}")
    connection.execute(f"create or replace temp table impact as {_IMPACT}")


def _lag(back_us: int) -> str:
    """Log-odds as long before the newest price as the window is, where a price stood then and prices are no farther apart."""
    return f"""
        select s.m, s.quoted_us, q.logit_u from seen s asof join quoted q on s.m = q.m and q.at_us <= s.quoted_us - {back_us}
        where s.quoted_us - {back_us} - q.at_us <= q.stands_us and s.spacing_us <= {back_us}
    """


# The first price of a window tells of no change within it. Listening began with the newest price before that nobody listened at,
# or with the day.
_DAY = f"""
    with followed as (
        select m, at_us, mid_e6x2, spacing_us, is_listened, case when mid_e6x2 is not null then coalesce(mid_e6x2 <> lag(mid_e6x2 ignore nulls) over life, false) end as has_moved,
            case when spacing_us > 0 and at_us - lag(at_us) over life <= {_LONGEST_PAUSE_US}
                then greatest(0, round((at_us - lag(at_us) over life) / nullif(lag(spacing_us) over life, 0))::integer - 1) end as missed
        from quoted semi join placed using (m) window life as (partition by m order by at_us)
    ), known as (
        select m, at_us as quoted_us, min(mid_e6x2) over day as lowest_e6x2, max(mid_e6x2) over day as highest_e6x2,
            greatest(min(at_us) filter (mid_e6x2 is not null) over day, max(at_us) filter (has_moved) over day) as moved_us,
            count(mid_e6x2) over day as prices_24h, count(mid_e6x2) over hour as prices_1h, count(*) filter (has_moved) over hour - coalesce(first_value(has_moved ignore nulls) over hour, false)::integer as moves_1h,
            case when spacing_us > 0 then coalesce(sum(missed) over hour, 0)::integer end as missed_1h,
            is_listened, coalesce(max(at_us) filter (not is_listened) over day, min(at_us) over day) as since_us
        from followed
        window day as (partition by m order by at_us range between {_DAY_US} preceding and current row),
            hour as (partition by m order by at_us range between {_HOUR_US - 1} preceding and current row)
    )
    select k.* from known k semi join seen s on k.m = s.m and k.quoted_us = s.quoted_us
"""


def _changes(step_us: int) -> str:
    """SQL: the last price of each step of the clock, and its change from the step before."""
    return f"""
        select m, step, logit_u - lag(logit_u) over life as change_u, lag(step) over life = step - 1 as follows
        from (
            select m, (at_us + {step_us - 1}) // {step_us} as step, arg_max(logit_u, at_us) as logit_u
            from quoted semi join placed using (m) where logit_u is not null group by all
        ) window life as (partition by m order by step)
    """


def _steps(back_s: int, step_s: int) -> str:
    return f"""
        with changes as ({_changes(step_s * US)})
        select m, step, case when count(change_u) filter (follows) over back >= {LEAST_CHANGES}
            then sum(change_u::bigint * change_u) filter (follows) over back end as squares
        from changes window back as (partition by m order by step range between {back_s // step_s - 1} preceding and current row)
    """


_STEP_US = KYLE_STEP_S * US

# Signed dollars of a step met the change of log-odds of the same step; trades at its very end belong to the next.
_IMPACT = f"""
    with flows as (
        select m, at_us // {_STEP_US} + 1 as step, sum(signed_e6)::bigint as signed_e6 from dealt_once group by all
    ), met as (
        select m, step, change_u, case when follows then signed_e6 end as signed_e6
        from ({_changes(_STEP_US)}) left join flows using (m, step)
    )
    select m, step, case when count(signed_e6) over back >= {KYLE_LEAST_STEPS} then sum(signed_e6::hugeint * change_u) over back end as impact_24h,
        sum(signed_e6::hugeint * signed_e6) over back as signed_squares_24h
    from met window back as (partition by m order by step range between {DAY_S // KYLE_STEP_S - 1} preceding and current row)
"""
