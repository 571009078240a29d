"""From relations of evidence to rows of `features`: every declared feature by its expression, in the declared order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from polymarket_assets.lake import TABLES
from polymarket_assets.lake.writing import conform
from polymarket_assets.learning.evidence import books, impact, listening, moves, siblings, trades
from polymarket_assets.learning.evidence.quotes import Instants, Prices
from polymarket_assets.learning.evidence.series import Columns, Whole, whole
from polymarket_assets.learning.features.catalogue import FEATURES

if TYPE_CHECKING:
    import duckdb

# Rows of features computed together take half a gigabyte, with all they are made of.
ROWS_AT_ONCE = 150_000
# Of these blocks read from a copy in memory; one block alone reads what there is.
LARGE = ("quoted", "booked", "dealt")
# Threads share a table by its batches.
_A_THREAD = 10_000


def computed(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The `features` rows of the relations in `connection` (see the package), in order of market and instant."""
    return pa.concat_tables([TABLES["features"].schema.empty_table(), *pieces(connection)])


def pieces(connection: duckdb.DuckDBPyConnection) -> Iterator[pa.Table]:
    """The same in tables of some hundred thousand rows, which is what they take in memory.

    Numbers of markets are in the order of their ids.
    """
    connection.execute(f"create temp table versions as {_VERSIONS}")
    blocks = list(_blocks(connection))
    kept = "_kept" if len(blocks) > 1 else ""
    for name in LARGE if kept else ():
        connection.execute(f"create temp table {name}{kept} as from {name}")
    with ThreadPoolExecutor(1) as beside:
        for first, last in blocks:
            yield _expressed(connection, pa.table(_evidence(connection, first, last, kept, beside)))


def _expressed(connection: duckdb.DuckDBPyConnection, evidence: pa.Table) -> pa.Table:
    """Every declared feature by its expression over evidence and versions of markets."""
    connection.register("evidence", pa.Table.from_batches(evidence.to_batches(_A_THREAD), evidence.schema))
    found = connection.sql(_COMPUTED).to_arrow_table()
    connection.unregister("evidence")
    # Threads mix the order; sorting in DuckDB takes longer than computing the features.
    found = found.take(pa.array(np.argsort(found.column("n").to_numpy())))
    return conform(TABLES["features"], found.drop_columns(["n"]))


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


def _evidence(
    connection: duckdb.DuckDBPyConnection, first: int, last: int, kept: str, beside: Executor
) -> Columns:
    """All that expressions are made of, but for what versions of markets tell, of each instant of markets `first` to `last`."""

    def read(name: str, where: str = f"m between {first} and {last}") -> pa.Table:
        return connection.sql(f"from {name}{kept if name in LARGE else ''} where {where}").to_arrow_table()

    # The other core meanwhile reads prices.
    dealing = beside.submit(trades.Trades.over, read("dealt"))
    connection.execute(f"create or replace temp table members as {siblings.members(first, last)}")
    held = [read("quoted")]
    if read("members", elsewhere := f"m not between {first} and {last}").num_rows:
        held.append(read("quoted", f"m in (select m from members where {elsewhere})"))
    prices = Prices.of(pa.concat_tables(held))
    at = Instants.of(read("instants"), prices)
    dealt = dealing.result()
    listened = listening.listened(
        at,
        prices,
        read("heard"),
        _alive(connection),
        read("deaf", f"m is null or m between {first} and {last}"),
        _began(connection, at),
    )
    return {
        "n": pa.array(np.arange(at.market.size)), "life": pa.array(at.life), "as_of_us": pa.array(at.as_of_us), "horizon_h": pa.array(at.horizon_h), "quoted_us": pa.array(at.quoted_us),
        **{name: prices.held.column(name).take(pa.array(at.price)) for name in _QUOTED},
        **moves.moves(at, prices), **books.books(at, books.Books.of(read("booked"))), **trades.flow(at, dealt, listened),
        **impact.impact(at, prices, dealt, listened.is_whole("24h")), **siblings.siblings(at, siblings.Members.of(read("members", "true"), prices)),
    }  # fmt: skip


def _alive(connection: duckdb.DuckDBPyConnection) -> Whole:
    return whole(connection.sql("from alive order by first_us").to_arrow_table(), "first_us")


def _began(connection: duckdb.DuckDBPyConnection, at: Instants) -> Whole:
    """When each instant's market was listed; not known: ever."""
    lives = connection.sql(
        "select life, epoch_us(first_known_at) as began_us from lives order by life"
    ).to_arrow_table()
    return whole(lives, "began_us")[np.searchsorted(whole(lives, "life"), at.life)]


# Of the newest price, as it is.
_QUOTED = (
    "bid", "ask", "shown_price", "last_trade", "mid_e6x2", "logit_u", "tick_usd", "taker_rate", "liquidity_usd", "volume_usd", "volume_24h_usd",
    "volume_change_usd", "volume_change_h", "tier_then", "fresh_us",
)  # fmt: skip
_OF_VERSIONS = [feature for feature in FEATURES if feature.back == "–"]
_FEATURES = ", ".join(feature.name if feature in _OF_VERSIONS else f"{feature.sql} as {feature.name}" for feature in FEATURES)  # fmt: skip

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
_KNOWN = """
    select e.* exclude (life, tick_usd, taker_rate), make_timestamptz(as_of_us) as as_of, l.* exclude (life, m, taker_rate, tick_usd),
        coalesce(e.tick_usd, l.tick_usd) as tick_usd, coalesce(e.taker_rate, l.taker_rate) as taker_rate
    from evidence e join versions l using (life)
"""
_COMPUTED = f"select n, {_IDENTITY}, {_FEATURES} from ({_KNOWN})"
