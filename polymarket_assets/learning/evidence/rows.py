"""From relations of evidence to rows of `features`: every declared feature by its expression, in the declared order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from polymarket_assets.lake import TABLES
from polymarket_assets.lake.writing import conform
from polymarket_assets.learning.evidence import books, moves, quotes, siblings, trades
from polymarket_assets.learning.features.catalogue import FEATURES
from polymarket_assets.learning.features.flow import KYLE_STEP_S
from polymarket_assets.learning.features.volatility import GRIDS_S, WINDOWS_S

if TYPE_CHECKING:
    import duckdb

# Rows of features computed together take half a gigabyte, with all they are made of.
ROWS_AT_ONCE = 150_000


def computed(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The `features` rows of the relations in `connection` (see the package), in order of market and instant."""
    return pa.concat_tables([TABLES["features"].schema.empty_table(), *pieces(connection)])


def pieces(connection: duckdb.DuckDBPyConnection) -> Iterator[pa.Table]:
    """The same in tables of some hundred thousand rows, which is what they take in memory.

    Numbers of markets are in the order of their ids.
    """
    connection.execute(f"create temp table versions as {_VERSIONS}")
    for first, last in _blocks(connection):
        connection.execute(f"create or replace temp table placed as {quotes.placed(first, last)}")
        dealt = trades.take(connection)
        moves.make(connection)
        books.make(connection)
        trades.make(connection, dealt)
        siblings.make(connection)
        found = connection.sql(f"select n, {_IDENTITY}, {_COMPUTED} from ({_KNOWN})").to_arrow_table()
        yield conform(TABLES["features"], _in_order(found).drop_columns(["n"]))


def _blocks(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, int]]:
    """Markets from … to, by number, whose instants are computed together."""
    first, held = None, 0
    for market, count in connection.execute("select m, count(*) from instants group by m order by m").fetchall():  # fmt: skip
        if first is not None and held + count > ROWS_AT_ONCE:
            yield first, market - 1
            first, held = None, 0
        first, held = market if first is None else first, held + count
    if first is not None:
        yield first, market


def _in_order(found: pa.Table) -> pa.Table:
    """By `n`: joins mostly keep it, and sorting ninety columns takes longer than computing them."""
    numbers = found.column("n").to_numpy()
    return found if (np.diff(numbers) > 0).all() else found.take(pa.array(np.argsort(numbers)))


_OF_VERSIONS = [feature for feature in FEATURES if feature.back == "–"]
_COMPUTED = ", ".join(feature.name if feature in _OF_VERSIONS else f"{feature.sql} as {feature.name}" for feature in FEATURES)  # fmt: skip

# Own ids only, the widest first, so that a partition gives the same rows whatever stands in others: the venue puts a
# negRisk set into one event, and bet types of one game into several. `training_set` joins what shares either.
_GROUP = """coalesce('game:' || game_id, 'neg_risk:' || neg_risk_id, 'event:' || event_id, 'market:' || market_id)"""

# What is the same at all instants of a version is computed once for each.
_VERSIONS = f"""
    select * exclude (event_id), coalesce(event_id, market_id) as event_id, {_GROUP} as group_id, {", ".join(f"{feature.sql} as {feature.name}" for feature in _OF_VERSIONS)}
    from lives
"""
_IDENTITY = """
    market_id, as_of, source, event_id, group_id, scheduled_end, horizon_h,
    (1 + (as_of_us - quoted_us <= fresh_us)::integer) / 2.0 as coverage,
    case when booked_us is not null then case when trades_24h is not null then list_concat(sources, [book_source, trade_source]) else list_append(sources, book_source) end
        else case when trades_24h is not null then list_append(sources, trade_source) else sources end end as sources
"""

_US = moves.US
_KNOWN = f"""
    select p.n, p.as_of_us, make_timestamptz(p.as_of_us) as as_of, p.horizon_h, p.quoted_us, l.* exclude (life, m, taker_rate, tick_usd),
        q.* exclude (m, at_us, mid, tick_usd, taker_rate, is_listened), coalesce(q.tick_usd, l.tick_usd) as tick_usd, coalesce(q.taker_rate, l.taker_rate) as taker_rate,
        {", ".join(f"lag_{name}.logit_u as logit_u_{name}" for name in WINDOWS_S)},
        day.* exclude (m, quoted_us, is_listened, since_us), {", ".join(f"step_{name}.squares as squares_{name}" for name in GRIDS_S)},
        case when trades_24h is not null then impact_24h end as impact_24h, signed_squares_24h, book.* exclude (m), flow_of_book.* exclude (m, booked_us),
        flow.* exclude (n, m), among.* exclude (m, as_of_us, siblings, siblings_live),
        coalesce(among.siblings, 1) as siblings, coalesce(among.siblings_live, 1) as siblings_live
    from placed p
    join versions l using (life)
    join quoted q on p.m = q.m and p.quoted_us = q.at_us
    {" ".join(f"left join lag_{name} on p.m = lag_{name}.m and p.quoted_us = lag_{name}.quoted_us" for name in WINDOWS_S)}
    left join day on p.m = day.m and p.quoted_us = day.quoted_us
    {" ".join(f"left join step_{name} on p.m = step_{name}.m and p.as_of_us // {step_s * _US} = step_{name}.step" for name, (_, step_s) in GRIDS_S.items())}
    left join impact on p.m = impact.m and p.as_of_us // {KYLE_STEP_S * _US} = impact.step
    left join book_seen on p.n = book_seen.n
    left join book on book_seen.m = book.m and book_seen.booked_us = book.booked_us
    left join flow_of_book on book_seen.m = flow_of_book.m and book_seen.booked_us = flow_of_book.booked_us
    left join flow on p.n = flow.n
    left join among on p.m = among.m and p.as_of_us = among.as_of_us
"""
