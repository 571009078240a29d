"""From relations of evidence to rows of `features`: every declared feature by its expression, in the declared order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from polymarket_assets.lake import TABLES
from polymarket_assets.lake.writing import conform
from polymarket_assets.learning.evidence import blocks
from polymarket_assets.learning.features.catalogue import FEATURES

if TYPE_CHECKING:
    import duckdb

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
    for block in blocks.divided(connection):
        evidence = pa.table(blocks.evidence(block))
        if evidence.num_rows:
            yield _expressed(connection, evidence)


def _expressed(connection: duckdb.DuckDBPyConnection, evidence: pa.Table) -> pa.Table:
    """Every declared feature by its expression over evidence and versions of markets."""
    connection.register("evidence", pa.Table.from_batches(evidence.to_batches(_A_THREAD), evidence.schema))
    found = connection.sql(_COMPUTED).to_arrow_table()
    connection.unregister("evidence")
    # Threads mix the order; sorting in DuckDB takes longer than computing the features.
    found = found.take(pa.array(np.argsort(found.column("n").to_numpy())))
    return conform(TABLES["features"], found.drop_columns(["n"]))


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
