"""Delivery: whether what is told arrives, from the state that the sensor leaves.

It is no source of the sensor's: what says that messages do not arrive would be one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from polymarket_assets.alerting import outbox
from polymarket_assets.alerting.outbox import State
from polymarket_assets.watching.findings import Figure, Finding, Severity, Told, Watched

# Slack is away for minutes now and then; at the pause that tries grow to, this is one of them.
LATE_AFTER = timedelta(minutes=15)
# That something was dropped is known to whoever looks within a day.
DROPPED_WITHIN = timedelta(days=1)


def look(watched: Watched) -> Iterator[Told]:
    """Nothing is to be said where nothing is remembered. Raises `MalformedPayload` where the state cannot be read."""
    folder = watched.settings.state_dir
    state = outbox.peek(folder) if folder is not None else None
    if state is None:
        return
    yield from figures(state, watched.now)
    yield from _undelivered(state, watched.now)


def figures(state: State, now: datetime) -> Iterator[Figure]:
    """Of what was told, for whoever watches the watcher."""
    oldest = _oldest(state)
    yield Figure("alerts_waiting", "Messages that are still to be sent.", len(state.waiting))
    yield Figure("alerts_oldest_waiting_seconds", "How long the oldest of them has waited.", (now - oldest).total_seconds() if oldest else 0.0)  # fmt: skip
    yield Figure("alerts_dropped_total", "Messages that went because too many waited.", state.dropped)
    yield Figure("alerts_maybe_lost_total", "Messages of which it is not known whether they arrived.", state.maybe_lost)  # fmt: skip


def _undelivered(state: State, now: datetime) -> Iterator[Finding]:
    oldest, dropped_at = _oldest(state), state.dropped_at
    late = oldest is not None and now - oldest > LATE_AFTER
    dropped = dropped_at is not None and now - dropped_at < DROPPED_WITHIN
    if not (late or dropped):
        return
    since = min(at for at in (oldest if late else None, dropped_at if dropped else None) if at is not None)
    said = [f"{len(state.waiting)} messages wait" if late else "", f"{state.dropped} were dropped so far" if dropped else ""]  # fmt: skip
    why = f" ({state.why})" if late and state.why else ""
    yield Finding("alerts_undelivered", Severity.CRITICAL, since, f"alerts do not arrive: {', '.join(filter(None, said))}{why}")  # fmt: skip


def _oldest(state: State) -> datetime | None:
    return min((message.at for message in state.waiting), default=None)
