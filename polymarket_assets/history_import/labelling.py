"""How imported markets ended, into `resolutions`: a version only where it says something new.

A market the venue itself settled keeps that settlement; an import that disagrees is counted, not written.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from polymarket_assets.lake import reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake, conform

if TYPE_CHECKING:
    import duckdb

SETTLED = "('final', 'split', 'annulled')"


@dataclass(frozen=True)
class Labelled:
    """What became of the ends of one source, in markets."""

    states: dict[str, int]
    # Why markets have no label, and how many.
    unlabelled: dict[str, int]
    written: int
    unchanged: int
    # Settled by another source: in accord with this one or where it is not sure, and against it.
    settled_elsewhere: int
    contradicted: int


def label(lake: Lake, connection: duckdb.DuckDBPyConnection, source: str, *, now: datetime) -> Labelled:
    """Write a version for each end of `taken_ends` that is news, all in one file.

    Raises:
        LakeUnwritable: nothing was written.
    """
    reading.add_view(connection, "resolutions", reading.files(lake, "resolutions"))
    connection.execute(f"create or replace temp table judged as {_JUDGED}", {"source": source})
    rows = connection.sql(_VERSIONS, params={"source": source, "now": now}).to_arrow_table()
    if rows.num_rows:
        lake.publish(
            "resolutions",
            conform(TABLES["resolutions"], rows),
            part=f"import-{source}-{_named(rows)}",
            at=now,
        )
    fates = _counted(connection, "fate")
    return Labelled(
        states=_counted(connection, "state"),
        unlabelled=_counted(connection, "reason", "label is null"),
        written=rows.num_rows,
        unchanged=fates.get("known", 0),
        settled_elsewhere=fates.get("settled_elsewhere", 0),
        contradicted=fates.get("contradicted", 0),
    )


def _named(rows: pa.Table) -> str:
    """A name of the versions in it: other versions of the same instant never replace them."""
    versions = zip(rows.column("market_id").to_pylist(), rows.column("version").to_pylist(), strict=True)
    return hashlib.sha256(
        "\n".join(f"{market_id} {version}" for market_id, version in versions).encode()
    ).hexdigest()[:12]


def _counted(connection: duckdb.DuckDBPyConnection, column: str, which: str = "true") -> dict[str, int]:
    return dict(
        connection.execute(
            f"select {column}, count(*) from judged where {which} group by 1 order by 1"
        ).fetchall()
    )


# What this source said last counts as said, whatever others said since: two sources that know nothing would otherwise
# take turns for ever.
_JUDGED = f"""
    with theirs as (
        select market_id, version, source, state, label, was_disputed from resolutions semi join taken_ends using (market_id)
    ), newest as (
        from theirs qualify row_number() over (partition by market_id order by version desc) = 1
    ), own as (
        from theirs where source = $source qualify row_number() over (partition by market_id order by version desc) = 1
    )
    select e.*, coalesce(n.version, 0) + 1 as version, coalesce(n.was_disputed, false) as was_disputed,
        case when o.state = e.state and o.label is not distinct from e.label then 'known'
             when n.source = $source or n.state is null or n.state not in {SETTLED} then 'news'
             when e.state in {SETTLED} and (n.state <> e.state or n.label is distinct from e.label) then 'contradicted'
             else 'settled_elsewhere' end as fate
    from taken_ends e left join newest n using (market_id) left join own o using (market_id)
"""

_VERSIONS = """
    select market_id, version, $now::timestamptz as seen_at, state, label, payouts_e6, to_json(evidence)::varchar as evidence,
        reason, was_disputed, null::timestamptz as resolved_at, null::timestamptz as decided_seen_at, label_seen_at,
        $source as source, null::varchar as rule,
        resolution_source::varchar as resolution_source, twap_s::integer as twap_s
    from judged join (select market_id, resolution_source, twap_s from taken_markets) using (market_id) where fate = 'news' order by market_id
"""
