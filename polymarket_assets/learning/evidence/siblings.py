"""The markets of a set at the instants of its rows: which were listed, which had a price, and what the prices add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polymarket_assets.learning.evidence.moves import US

if TYPE_CHECKING:
    import duckdb

_HOUR_US = 3_600 * US


def make(connection: duckdb.DuckDBPyConnection) -> None:
    """Temp table `among`, by market and instant; a market without a set, or alone in it, has no row."""
    connection.execute(f"create or replace temp table members as {_MEMBERS}")
    connection.execute(f"create or replace temp table priced as {_priced(0, 'bid, ask, mid_e6x2')}")
    connection.execute(f"create or replace temp table priced_before as {_priced(_HOUR_US, 'mid_e6x2')}")
    connection.execute(f"create or replace temp table among as {_AMONG}")


_MEMBERS = """
    with asked as (select distinct l.set_no, p.as_of_us from placed p join lives l using (life) where l.set_no is not null),
    sets as (select set_no from lives semi join asked using (set_no) group by set_no having count(distinct m) > 1)
    select asked.set_no, asked.as_of_us, l.m from asked semi join sets using (set_no)
    join lives l on asked.set_no = l.set_no and asked.as_of_us >= l.known_from_us and asked.as_of_us < l.known_to_us
"""


def _priced(back_us: int, columns: str) -> str:
    return f"""
        select s.m, s.as_of_us, {columns} from (select distinct m, as_of_us from members) s
        asof join quoted q on s.m = q.m and s.as_of_us - {back_us} >= q.at_us where s.as_of_us - {back_us} - q.at_us <= q.stands_us
    """


_AMONG = """
    with held as (
        select e.set_no, e.as_of_us, e.m, p.m is not null as is_live, round(p.ask * 1e6)::integer as ask_e6, p.mid_e6x2, abs(p.mid_e6x2 - b.mid_e6x2) as moved
        from members e left join priced p on e.m = p.m and e.as_of_us = p.as_of_us left join priced_before b on e.m = b.m and e.as_of_us = b.as_of_us
    ), whole as (
        select set_no, as_of_us, count(*) as siblings, count(*) filter (is_live) as siblings_live,
            count(mid_e6x2) as sibling_mids, sum(mid_e6x2)::bigint as sibling_mid_e6x2, count(ask_e6) as sibling_asks, sum(ask_e6)::bigint as sibling_ask_e6,
            max(mid_e6x2, 2) as best, count(moved) as movers, sum(moved)::bigint as moved
        from held group by all
    )
    select m, h.as_of_us, w.* exclude (set_no, as_of_us, best, movers, moved),
        case when mid_e6x2 is not null then rank() over (partition by h.set_no, h.as_of_us order by mid_e6x2 desc nulls last) end as sibling_rank,
        case when mid_e6x2 = best[1] then best[2] else best[1] end as best_other_e6x2,
        case when movers > (h.moved is not null)::integer then w.moved - coalesce(h.moved, 0) end as others_moved_e6x2
    from held h join whole w on h.set_no = w.set_no and h.as_of_us = w.as_of_us
"""
