"""The stream: what the streamer says of itself, and whether its trades reach the lake while the market trades."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.collecting import queries
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import MalformedPayload, Unavailable
from polymarket_assets.watching.findings import Figure, Finding, Severity, Told, Watched

# Parts are published every minute: rows younger than this were written by a streamer that lives, wherever it runs.
ALIVE_WITHIN = timedelta(minutes=2)
# A part may be a minute behind what was heard.
PUBLISHED = timedelta(minutes=1)
# So many markets whose last trade changed are a market that trades; one may be a late answer.
LEAST_TRADED = 3


def look(watched: Watched) -> Iterator[Told]:
    """Raises `Unavailable` where a streamer lives that cannot be asked from here, in another container for example."""
    yield from _trades(watched)
    try:
        health, critical, coverage = (_page(watched, name) for name in ("health", "critical", "coverage"))
    except Unavailable as e:
        yield from _silent(watched, e)
        return
    yield Figure("stream_up", "1 while the streamer answers.", 1)
    reasons = [str(reason) for reason in critical.get("reasons", [])]
    if reasons:
        yield Finding("stream_critical", Severity.CRITICAL, watched.now, "the streamer says: " + "; ".join(reasons)[:1_000])  # fmt: skip
    if "tiers" in coverage:
        yield from _covered(watched, health, coverage["tiers"])


def _page(watched: Watched, name: str) -> dict[str, Any]:
    """A page of the streamer; one that says that its loop does not turn too."""
    from streamer import status

    said = status.ask(watched.settings.stream_status_port, f"/{name}")
    try:
        return dict(json.loads(said))
    except ValueError as e:
        raise MalformedPayload(f"page {name} of the streamer", said, str(e)) from e


def _silent(watched: Watched, e: Unavailable) -> Iterator[Told]:
    heard = _last(watched.lake, watched.now)
    if heard is not None and watched.now - heard <= ALIVE_WITHIN:
        raise Unavailable(f"a streamer records, and its status is not to be had from here: {e}") from e
    yield Figure("stream_up", "1 while the streamer answers.", 0)
    last = f", what it heard last is of {heard:%H:%M:%S} UTC" if heard else ""
    yield Finding("stream_dead", Severity.CRITICAL, heard or watched.now, f"{e}{last}")


def _covered(watched: Watched, health: dict[str, Any], tiers: dict[str, dict[str, int]]) -> Iterator[Told]:
    """Of all markets that should be heard, by tier."""
    for tier, counted in sorted(tiers.items()):
        should, have = counted["should_be"], counted["heard"]
        if not should:
            continue
        pct = 100 * have / should
        yield Figure("stream_coverage_ratio", "Share of a tier's markets that is heard.", pct / 100, {"tier": tier})  # fmt: skip
        if pct < watched.settings.alert_coverage_pct:
            text = f"{have} of {should} markets of {tier.upper()} are heard ({pct:.0f} %), {health.get('sockets', {}).get('open')} sockets are open"
            yield Finding(f"stream_coverage:{tier}", Severity.WARNING, watched.now, text)


def _trades(watched: Watched) -> Iterator[Told]:
    """None in the lake for minutes while last trades of sampled books change."""
    within = timedelta(minutes=watched.settings.alert_trades_min)
    lake, now = watched.lake, watched.now
    if not lake.store.any("trades_raw"):
        return
    last = _last(lake, now, "trades_raw", within + PUBLISHED)
    if last is not None and now - last <= within + PUBLISHED:
        return
    traded = _traded(lake, Span(now - within - PUBLISHED, now + timedelta.resolution), watched.settings.stream_tiers)  # fmt: skip
    if traded >= LEAST_TRADED:
        since = last or now - within - PUBLISHED
        text = f"no trade was heard since {since:%H:%M} UTC, though {traded} markets of streamed tiers traded meanwhile"
        yield Finding("stream_no_trades", Severity.CRITICAL, since, text)


def _last(lake: Lake, now: datetime, table: str = "book_changes", back: timedelta = ALIVE_WITHIN) -> datetime | None:  # fmt: skip
    """When something was heard last, not before `back`; the hour before is looked at too."""
    span = Span(now - back, now + timedelta.resolution)
    with queries.over(lake, **{table: span}) as connection:
        found = connection.execute(f"select max(received_at) from {table}").fetchone()
    return found[0] if found else None


def _traded(lake: Lake, span: Span, tiers: tuple[str, ...]) -> int:
    """Markets whose last trade, as their sampled book tells it, changed within a span."""
    with queries.over(lake, snapshots=span) as connection:
        found = connection.execute(
            "select count(*) from (select market_id from snapshots where slot_at >= $start and slot_at < $end and list_contains($tiers, tier) "
            "group by market_id having count(distinct last_trade) > 1)",
            {"start": span.start, "end": span.end, "tiers": list(tiers)},
        ).fetchone()  # fmt: skip
    return int(found[0]) if found else 0
