"""The stream: what each streamer says of itself, and whether its trades reach the lake while the market trades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from datetime import datetime, timedelta

from polymarket_assets.collecting import queries
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.shards import Shard
from polymarket_assets.venue.errors import MalformedPayload, Unavailable
from polymarket_assets.watching import streamers
from polymarket_assets.watching.findings import Figure, Finding, Severity, Told, Watched
from polymarket_assets.watching.streamers import Said

# Parts are published every minute: rows younger than this were written by a streamer that lives, wherever it runs.
ALIVE_WITHIN = timedelta(minutes=2)
# A part may be a minute behind what was heard.
PUBLISHED = timedelta(minutes=1)
# So many markets whose last trade changed are a market that trades; one may be a late answer.
LEAST_TRADED = 3
# What is told as not heard is over when so much more is.
MARGIN_PCT = 2.0


def look(watched: Watched) -> Iterator[Told]:
    """Raises `Unavailable` where a streamer lives that cannot be asked from here, `MalformedPayload` where something else answers."""
    said = streamers.asked(watched.settings)
    for one in said:
        if one.why is None:
            yield from _well(watched, one)
    yield from _trades(watched)
    if silent := [one for one in said if one.why is not None]:
        yield from _silent(watched, silent, {one.shard for one in said if one.shard is not None})


def _well(watched: Watched, one: Said) -> Iterator[Told]:
    yield _up(one, 1)
    critical, coverage = one.pages["critical"], one.pages["coverage"]
    reasons = "; ".join(str(reason) for reason in critical.get("reasons", []))
    if reasons:
        yield Finding(f"stream_critical{one.which}", Severity.CRITICAL, watched.now, f"{_called(one)} says: {reasons[:1_000]}")  # fmt: skip
    if "tiers" in coverage:
        yield from _covered(watched, one, coverage["tiers"])


def _silent(watched: Watched, silent: Sequence[Said], known: Set[Shard]) -> Iterator[Told]:
    """Those that do not answer are dead, unless a shard that no other is writes to the lake all the same."""
    heard = {shard: at for shard, at in _heard(watched.lake, watched.now).items() if shard not in known}
    writing = sorted(str(shard) for shard, at in heard.items() if watched.now - at <= ALIVE_WITHIN)
    for one in silent:
        if isinstance(one.why, MalformedPayload):
            raise one.why
        if writing:
            raise Unavailable(f"a streamer records ({', '.join(writing)}), and its status is not to be had from here: {one.why}")  # fmt: skip
        yield _up(one, 0)
        last = max(heard.values(), default=None)
        told = f", what {_missing(known)} heard last is of {last:%H:%M:%S} UTC" if last else ""
        yield Finding(f"stream_dead{one.which}", Severity.CRITICAL, last or watched.now, f"{one.why}{told}")


def _missing(known: Set[Shard]) -> str:
    """Who does not answer, as far as those tell that do."""
    shards = {Shard(n, one.count) for one in known for n in range(one.count)} - known
    return " and ".join(f"shard {shard}" for shard in sorted(shards, key=str)) or "it"


def _called(one: Said) -> str:
    return f"the streamer at {one.name}" if one.which else "the streamer"


def _up(one: Said, value: int) -> Figure:
    return Figure("stream_up", "1 while the streamer answers.", value, {"streamer": one.name})


def _covered(watched: Watched, one: Said, tiers: dict[str, dict[str, int]]) -> Iterator[Told]:
    """Of all markets that a streamer should hear, by tier."""
    shard, sockets = str(one.shard or ""), one.pages["health"].get("sockets", {})
    for tier, counted in sorted(tiers.items()):
        should, have = counted["should_be"], counted["heard"]
        if not should:
            continue
        pct = 100 * have / should
        yield Figure("stream_coverage_ratio", "Share of a tier's markets that is heard.", pct / 100, {"tier": tier, "streamer": one.name, "shard": shard})  # fmt: skip
        key = f"stream_coverage:{tier}{one.which}"
        if pct < _least(watched, key):
            text = f"{have} of {should} markets of {tier.upper()} are heard ({pct:.0f} %) by {_called(one)}, {sockets.get('open')} sockets are open"
            yield Finding(key, Severity.WARNING, watched.now, text)


def _least(watched: Watched, key: str) -> float:
    """The percentage that must be heard; halfway to all of it at the most."""
    wanted = watched.settings.alert_coverage_pct
    return wanted + min(watched.margin(key, MARGIN_PCT), (100 - wanted) / 2)


def _trades(watched: Watched) -> Iterator[Told]:
    """None in the lake for minutes while last trades of sampled books change."""
    within = timedelta(minutes=watched.settings.alert_trades_min)
    lake, now = watched.lake, watched.now
    if not lake.store.any("trades_raw"):
        return
    last = _last_trade(lake, now, within + PUBLISHED)
    if last is not None and now - last <= within + PUBLISHED:
        return
    traded = _traded(lake, Span(now - within - PUBLISHED, now + timedelta.resolution), watched.settings.stream_tiers)  # fmt: skip
    if traded >= LEAST_TRADED:
        since = last or now - within - PUBLISHED
        # Further back than the hour before nobody looks: there is none since then, and perhaps for longer.
        at_least = "" if last else " at least"
        text = f"no trade was heard since {since:%H:%M} UTC{at_least}, though {traded} markets of streamed tiers traded meanwhile"
        yield Finding("stream_no_trades", Severity.CRITICAL, since, text)


def _last_trade(lake: Lake, now: datetime, back: timedelta) -> datetime | None:
    """When a trade was heard last, not before `back`; the hour before is looked at too."""
    with queries.over(lake, trades_raw=Span(now - back, now + timedelta.resolution)) as connection:
        found = connection.execute("select max(received_at) from trades_raw").fetchone()
    return found[0] if found else None


def _heard(lake: Lake, now: datetime) -> dict[Shard, datetime]:
    """When each shard heard a change last, of those that did within the hour or the one before."""
    with queries.over(lake, book_changes=Span(now - HOUR, now + timedelta.resolution)) as connection:
        rows = connection.execute("select session_id, max(received_at) from book_changes group by all order by 2").fetchall()  # fmt: skip
    return {Shard.of_session(session): at for session, at in rows}


def _traded(lake: Lake, span: Span, tiers: tuple[str, ...]) -> int:
    """Markets whose last trade, as their sampled book tells it, changed within a span."""
    with queries.over(lake, snapshots=span) as connection:
        found = connection.execute(
            "select count(*) from (select market_id from snapshots where slot_at >= $start and slot_at < $end and list_contains($tiers, tier) "
            "group by market_id having count(distinct last_trade) > 1)",
            {"start": span.start, "end": span.end, "tiers": list(tiers)},
        ).fetchone()  # fmt: skip
    return int(found[0]) if found else 0
