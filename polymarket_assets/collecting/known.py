"""What is known of the markets at an instant: their newest rows of `markets`, with only time moved on."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.collecting import queries
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import T0, T1, TIERS

# What is known is read from this many days of `markets`: the lookahead of 14 days and one to spare.
KNOWN_FOR = timedelta(days=15)


def newest_markets(lake: Lake, *, now: datetime) -> pa.Table:
    """The newest `markets` row of each market that is to be collected, with `tier` and `phase` as of `now`.

    Reads the files of the last `KNOWN_FOR`, about 1.5 ms each: two or three seconds at a part every fifteen minutes.
    """
    return brought_up(still_open(known_markets(lake, now=now)), now)


def still_open(rows: pa.Table) -> pa.Table:
    """`markets` rows without those that the venue closed, or that the settings leave out by now."""
    left_out = pc.fill_null(rows.column("is_left_out"), False)
    return rows.filter(pc.and_not(pc.not_equal(rows.column("phase"), "closed"), left_out))


def replaced(rows: pa.Table, newer: pa.Table) -> pa.Table:
    """`markets` rows, one per market, with those replaced that have a newer one."""
    kept = rows.filter(
        pc.invert(pc.is_in(rows.column("market_id"), newer.column("market_id").combine_chunks()))
    )
    return pa.concat_tables([kept, newer]).combine_chunks()


def known_markets(lake: Lake, *, now: datetime, since: timedelta = KNOWN_FOR) -> pa.Table:
    """The newest `markets` row of each market received in the time `since` before `now`, closed ones too, as stored."""
    schema = TABLES["markets"].schema
    with queries.over(lake, markets=Span(now - since, now + timedelta.resolution)) as connection:
        rows = connection.sql(_NEWEST, params={"now": now}).to_arrow_table()
    return rows.select(schema.names).cast(schema)


_NEWEST = """
select * from markets where received_at <= $now
qualify row_number() over (partition by market_id order by received_at desc) = 1
"""


def brought_up(rows: pa.Table, at: datetime) -> pa.Table:
    """`markets` rows with `phase` and `tier` as of `at`: only time passes, nothing else is assumed."""
    return _set(_set(rows, "phase", _phases(rows, at)), "tier", _tiers(rows, at))


def _set(rows: pa.Table, name: str, values: pa.ChunkedArray | pa.Array) -> pa.Table:
    index = rows.schema.get_field_index(name)
    return rows.set_column(index, rows.schema.field(name), values)


def _phases(rows: pa.Table, at: datetime) -> pa.ChunkedArray:
    """Phases as of `at`; what the venue said (`closed`, `dead`) no clock changes."""
    phase = rows.column("phase")
    instant = pa.scalar(at, pa.timestamp("us", tz="UTC"))
    moves = pc.invert(pc.is_in(phase, pa.array(["closed", "dead"])))
    past = pc.fill_null(pc.less_equal(rows.column("effective_close"), instant), False)
    # As `venue.lifecycle.phase`: the start of a game counts for games only, it also stands on other rows.
    is_game = pc.equal(rows.column("end_source"), "game")
    starts = pc.if_else(is_game, rows.column("game_start_at"), rows.column("window_start_at"))
    begun = pc.fill_null(pc.less_equal(starts, instant), False)
    live = pc.if_else(pc.and_(begun, pc.equal(phase, "scheduled")), "live", phase)
    return pc.if_else(pc.and_(moves, past), "overdue", pc.if_else(moves, live, phase))


def _tiers(rows: pa.Table, at: datetime) -> pa.ChunkedArray:
    """Tiers as of `at` by what is left to the effective close; the overdue and quiet in T1, the dead and those without an end in the slowest."""
    left = pc.subtract(rows.column("effective_close"), pa.scalar(at, pa.timestamp("us", tz="UTC")))
    tier = pa.chunked_array([pa.array([TIERS[-1].name] * rows.num_rows, pa.string())])
    for candidate in reversed(TIERS[:-1]):
        beyond = pc.greater(left, pa.scalar(candidate.beyond, pa.duration("us")))
        tier = pc.if_else(pc.fill_null(beyond, False), candidate.name, tier)
    waits = pc.and_(pc.equal(rows.column("phase"), "overdue"), pc.fill_null(rows.column("is_quiet"), False))
    tier = pc.if_else(waits, T1.name, tier)
    slowest = pc.or_(pc.equal(rows.column("phase"), "dead"), pc.is_null(rows.column("effective_close")))
    return pc.if_else(slowest, T0.name, tier)
