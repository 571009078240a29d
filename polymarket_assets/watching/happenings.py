"""What happened in the market: edges, large orders, how many markets resolved, and the day in figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.collecting import queries
from polymarket_assets.lake.spans import DAY, Span, day_of
from polymarket_assets.watching.findings import Event, Told, Watched

# Orders of an hour are known when it is over and built; a later build of it comes within hours.
WHALES_BACK = timedelta(hours=6)
# The largest few at a look; smaller ones of the same six hours are told by later looks as larger ones pass out of them, or never.
MOST_WHALES, MOST_EDGES = 20, 20
# The last hour of a day is sealed, built and looked over by then.
DAY_KNOWN_AFTER = timedelta(minutes=30)


def edges(watched: Watched) -> Iterator[Told]:
    """Offers below what a model believes; each market, side and model once a day: an edge comes and goes by the minute."""
    from polymarket_assets.learning import paper

    lake, now = watched.lake, watched.now
    if not lake.store.any("predictions"):
        return
    for edge in paper.edges(lake, now=now, least=watched.settings.alert_edge_c / 100)[:MOST_EDGES]:
        key = f"edge:{edge.model_version}/{edge.market_id}/{edge.outcome_index}/{now:%Y-%m-%d}"
        yield Event(key, now, str(edge), "/assets/paper_portfolio")


def whales(watched: Watched) -> Iterator[Told]:
    """Orders of at least `ALERT_WHALE_USD`, the largest first."""
    span = Span(watched.now - WHALES_BACK, watched.now + timedelta.resolution)
    with queries.over(watched.lake, whale_events=span) as connection:
        found = _rows(connection, _WHALES, {"start": span.start, "least": watched.settings.alert_whale_usd * 1e6, "most": MOST_WHALES})  # fmt: skip
    for row in found:
        side = "bought" if row["is_buy"] else "sold"
        depth = f", {row['depth_share']:.0%} of the depth before it" if row["depth_share"] is not None else ""
        text = f"{row['market_id']}: ${row['usd_e6'] / 1e6:,.0f} {side} of outcome {row['outcome_index']} at {row['price']:.3f}{depth}, {row['traded_at']:%H:%M:%S} UTC"
        yield Event(f"whale:{row['event_id']}", row["traded_at"], text, "/assets/whale_events")


_WHALES = "select * from whale_events where traded_at >= $start and usd_e6 >= $least order by usd_e6 desc limit $most"  # fmt: skip


def days(watched: Watched) -> Iterator[Told]:
    """Yesterday, once it is known."""
    end = day_of(watched.now)
    if watched.now - end < DAY_KNOWN_AFTER:
        return
    day = end - DAY
    named = f"{day:%Y-%m-%d}"
    yield Event(f"resolved:{named}", end, _resolved(watched, day), "/assets/resolutions")
    yield Event(f"digest:{named}", end, _digest(watched, day), "/overview/activity/timeline")


def _resolved(watched: Watched, day: datetime) -> str:
    with queries.over(watched.lake, resolutions=Span(day, day + DAY)) as connection:
        (row,) = _rows(connection, _ENDS, {})
    return f"{day:%Y-%m-%d}: {row['labelled']:,} markets were seen to resolve with a label ({row['won']:,} YES), {row['without']:,} without one, {row['disputed']:,} are disputed"


_ENDS = """
select count(distinct market_id) filter (state = 'final') as labelled, count(distinct market_id) filter (state = 'final' and label = 1) as won,
  count(distinct market_id) filter (state in ('split', 'annulled', 'ambiguous')) as without, count(distinct market_id) filter (state = 'disputed') as disputed
from resolutions where source = 'polymarket'
"""


def _digest(watched: Watched, day: datetime) -> str:
    span = Span(day, day + DAY)
    tables = dict.fromkeys(("sweeps", "trades", "whale_events", "stream_gaps", "predictions"), span)
    with queries.over(watched.lake, **tables) as connection:
        slots = _rows(connection, _SLOTS, {})
        (counted,) = _rows(connection, _COUNTS, {})
    sampled = "; ".join(f"{row['tier'].upper()} {row['taken']:,} of {row['slots']:,} slots" for row in slots)
    counts = ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in counted.items())
    return f"{day:%Y-%m-%d}: {sampled or 'no slot was accounted for'}. {counts}."


_SLOTS = "select tier, count(*) as slots, count(*) filter (status <> 'missed') as taken from sweeps group by tier order by tier"  # fmt: skip
_COUNTS = """
select (select count(*) from trades) as trades, (select count(*) from whale_events) as large_orders,
  (select count(*) from stream_gaps) as gaps_of_the_stream, (select count(*) from predictions) as predictions
"""


def _rows(connection: Any, sql: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    found = connection.execute(sql, given)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
