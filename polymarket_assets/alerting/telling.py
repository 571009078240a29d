"""One look after another: what is due is asked, what changed goes to the outbox, and that is emptied as far as Slack takes it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from polymarket_assets.alerting import incidents, messages, outbox
from polymarket_assets.alerting.messages import EVENT, Message
from polymarket_assets.alerting.outbox import State
from polymarket_assets.alerting.slack import MOST_RETRY_S, Fate, Outcome, Send
from polymarket_assets.watching.asking import UNKNOWN_CONFIRM, Looked
from polymarket_assets.watching.findings import Source

log = logging.getLogger(__name__)

# Sent at one look: what Slack allows, and four seconds each at the worst.
MOST_SENT = 4
# How the pause grows while Slack does not take a message, and how far.
GROWS, MOST_PAUSE_S = 2.0, 900.0
# Far beyond it: a message is tried for weeks, and a power of its tries is no number any more.
MOST_GROWN = 10
# Slack is left alone for no longer: what is further ahead was written by a clock that was.
LEFT_ALONE = timedelta(seconds=max(MOST_RETRY_S, MOST_PAUSE_S))
# A tick is some seconds early or late: what is asked every minute is asked at every tick.
SLACK_S = 5.0

# Asks sources, and tells them the keys of what is open: what hovers about a threshold does not come and go.
Ask = Callable[[Sequence[Source], frozenset[str]], Iterable[Looked]]


@dataclass(frozen=True)
class Told:
    """What a look came to."""

    asked: int
    open: int
    made: int
    sent: int
    waiting: int
    state: State
    looks: tuple[Looked, ...] = ()

    def __str__(self) -> str:
        return f"{self.asked} sources asked, {self.open} incidents open, {self.made} messages made, {self.sent} sent, {self.waiting} wait"


def tell(
    folder: Path,
    sources: Sequence[Source],
    ask: Ask,
    send: Send,
    *,
    now: datetime,
    base: str,
    is_muted: Callable[[str], bool] = lambda key: False,
) -> Told:
    """One look. Raises `OSError` where the state cannot be written: then nothing was sent."""
    state = outbox.recovered(outbox.read(folder, now), now)
    due = [source for source in sources if is_due(source, state, now)]
    standing = frozenset(key for key, one in state.incidents.items() if one.is_open)
    looks = [_audible(one, is_muted) for one in ask(due, standing)]
    # What was muted since it was told has not recovered.
    state.incidents = {key: one for key, one in state.incidents.items() if not is_muted(key)}
    made = _made(state, looks, {source.name for source in sources}, now, base)
    outbox.add(state, made, now)
    outbox.write(folder, state)
    sent = _deliver(folder, state, send, now)
    still = sum(incident.is_open for incident in state.incidents.values())
    return Told(len(due), still, len(made), sent, len(state.waiting), state, tuple(looks))


def is_due(source: Source, state: State, now: datetime) -> bool:
    """At its pace, and at every tick while something of it is neither told nor over: a lost request is known for one within minutes."""
    asked = state.asked.get(source.name)
    if asked is None or now < asked or now - asked >= timedelta(seconds=source.every_s - SLACK_S):
        return True
    confirm = max(source.confirm, UNKNOWN_CONFIRM)
    return any(one.source == source.name and one.is_undecided(confirm) for one in state.incidents.values())


def _audible(looked: Looked, is_muted: Callable[[str], bool]) -> Looked:
    findings = tuple(one for one in looked.findings if not is_muted(one.key))
    return replace(looked, findings=findings, events=tuple(one for one in looked.events if not is_muted(one.key)))  # fmt: skip


def _made(state: State, looks: list[Looked], known: set[str], now: datetime, base: str) -> list[Message]:
    state.incidents, changes = incidents.step(state.incidents, looks, now)
    changes = outbox.overtaken(state, changes)
    # A source that is no more would leave its incidents open for ever.
    state.incidents = {key: one for key, one in state.incidents.items() if one.source in known}
    for looked in looks:
        state.asked[looked.source] = now
    fresh = outbox.news(state, [event for looked in looks for event in looked.events], now)
    told = list(messages.of_changes(changes, state.next_id, now, base))
    return told + list(messages.of_events(fresh, state.next_id + len(told), now, base))


def _deliver(folder: Path, state: State, send: Send, now: datetime) -> int:
    """Hand over what waits as far as it goes, incidents before what only happened, each in order; returns how many arrived."""
    sent = 0
    for message in sorted(state.waiting, key=lambda one: one.change == EVENT)[:MOST_SENT]:
        if state.left_until is not None and now < state.left_until <= now + LEFT_ALONE:
            break
        message.is_sending = True
        outbox.write(folder, state)
        outcome = send(message)
        _settle(state, message, outcome, now)
        outbox.write(folder, state)
        sent += outcome.fate is Fate.SENT
    return sent


def _settle(state: State, message: Message, outcome: Outcome, now: datetime) -> None:
    message.is_sending = False
    if outcome.fate is Fate.AGAIN:
        message.tries += 1
        grown = GROWS ** min(message.tries - 1, MOST_GROWN)
        pause = min(outcome.after_s * grown, max(MOST_PAUSE_S, outcome.after_s))
        state.left_until, state.why = now + timedelta(seconds=pause), outcome.why
        log.warning("%s: again in %.0f s", outcome.why, pause)
        return
    state.waiting.remove(message)
    state.left_until, state.why = None, ""
    if outcome.fate is Fate.SENT:
        state.sent += 1
        return
    log.error("%s: %s", outcome.why, message.text)
    if outcome.fate is Fate.MAYBE:
        state.maybe_lost += 1
        state.incidents = incidents.lost(state.incidents, message.about, now)
