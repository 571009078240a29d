"""The outbox: what is known of incidents, what was told, and the messages that are still to be sent, in one file under `STATE_DIR`.

The file is written, whole or not, before anything is sent. A message is marked as being sent before it is handed over and
taken out afterwards: one that a crash finds marked may have arrived, and is not sent again.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from polymarket_assets.alerting import incidents
from polymarket_assets.alerting.incidents import Change, Changed, Incident
from polymarket_assets.alerting.messages import EVENT, Message
from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets.watching.findings import Event

log = logging.getLogger(__name__)

FILE = "alerts.json"
FORMAT = 1
# A day without Slack in which everything changes; beyond that the oldest go, and it is said how many.
MOST_WAITING = 200
# Messages that say once more what was said before.
_AGAIN = (Change.WORSE, Change.REMINDED)
# What happened is remembered longer than any source looks back.
REMEMBERED = timedelta(days=8)
MOST_REMEMBERED = 20_000


class State(msgspec.Struct, kw_only=True):
    """Everything that a restart must not forget."""

    began: datetime
    format: int = FORMAT
    incidents: dict[str, Incident] = {}
    # Keys of events and when they were last seen; those of kinds that tell of changes only are kept for ever.
    told: dict[str, datetime] = {}
    standing: list[str] = []
    # When each source was asked last.
    asked: dict[str, datetime] = {}
    waiting: list[Message] = []
    next_id: int = 1
    # Messages that went because there were too many, and that may have been lost in a crash.
    dropped: int = 0
    dropped_at: datetime | None = None
    maybe_lost: int = 0
    sent: int = 0
    # Slack is left alone until then, and why.
    left_until: datetime | None = None
    why: str = ""


def read(folder: Path, now: datetime) -> State:
    """The state of a folder; a new one where there is none. One that cannot be read is set aside."""
    path = folder / FILE
    try:
        return peek(folder) or State(began=now)
    except MalformedPayload as e:
        aside = path.with_suffix(f".{now:%Y%m%dT%H%M%S}.broken")
        os.replace(path, aside)
        log.error(
            "%s could not be read (%s): it is set aside as %s, and alerting begins anew", path, e, aside
        )
        return State(began=now)


def peek(folder: Path) -> State | None:
    """The state as somebody else left it; None where there is none. Raises `MalformedPayload`."""
    try:
        content = (folder / FILE).read_bytes()
        state = msgspec.json.decode(content, type=State)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as e:
        raise MalformedPayload(f"{FILE} of STATE_DIR", content, str(e)) from e
    if state.format > FORMAT:
        raise MalformedPayload(f"{FILE} of STATE_DIR", content, f"it has format {state.format}, this version reads up to {FORMAT}")  # fmt: skip
    return state


def write(folder: Path, state: State) -> None:
    """Whole or not at all. Raises `OSError` where it cannot be written; then nothing may be sent."""
    path = folder / FILE
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(state))
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def recovered(state: State, now: datetime) -> State:
    """After whatever ended the process: what was being sent is not sent again, and what is open of it is told again soon."""
    cut = [message for message in state.waiting if message.is_sending]
    for message in cut:
        log.warning(
            "whether this was sent before a crash is not known, it is not sent again: %s", message.title
        )
        state.incidents = incidents.lost(state.incidents, message.about, now)
    state.waiting = [message for message in state.waiting if not message.is_sending]
    state.maybe_lost += len(cut)
    # A clock that was ahead: what happens from now on is news.
    state.began = min(state.began, now)
    return state


def overtaken(state: State, changes: list[Changed]) -> list[Changed]:
    """Of what waits and of what is new, what is still worth telling: no reminder of what is told again, nothing of what began and ended unsent."""
    over = {incident.key for change, incident in changes if change is Change.RECOVERED}
    again = {incident.key for change, incident in changes if change is not Change.OPENED}
    unsent = {message.id: set(message.about) for message in state.waiting if message.change == Change.OPENED and over.issuperset(message.about)}  # fmt: skip
    old = {message.id for message in state.waiting if message.change in _AGAIN and again.issuperset(message.about)}  # fmt: skip
    for message in state.waiting:
        if message.id in unsent.keys() | old:
            log.warning("this is overtaken before it could be sent: %s", message.text)
    state.waiting = [message for message in state.waiting if message.id not in unsent.keys() | old]
    gone = set().union(*unsent.values())
    return [one for one in changes if one[1].key not in gone]


def add(state: State, messages: list[Message], now: datetime) -> None:
    """Messages at the end of the line; where it is too long, what only happened goes first, then the oldest.

    What is open of one that goes is told again soon, as a reminder.
    """
    state.waiting += messages
    state.next_id = max([state.next_id, *(message.id + 1 for message in messages)])
    while len(state.waiting) > MOST_WAITING:
        first = next((n for n, message in enumerate(state.waiting) if message.change == EVENT), 0)
        gone = state.waiting.pop(first)
        state.dropped, state.dropped_at = state.dropped + 1, now
        state.incidents = incidents.lost(state.incidents, gone.about, now)
        log.error("too many messages wait, this one is dropped: %s", gone.text)


def news(state: State, events: list[Event], now: datetime) -> list[Event]:
    """The events that were not told yet; they count as told from here on."""
    kinds = set(state.standing)
    fresh: dict[str, Event] = {}
    for event in events:
        is_new = event.key not in state.told and event.key not in fresh
        # What happened before anybody was to be told, or stood so when first looked at, is no news.
        if is_new and (event.kind in kinds if event.only_changes else event.at >= state.began):
            fresh[event.key] = event
        state.told[event.key] = now
    state.standing = sorted(kinds | {event.kind for event in events if event.only_changes})
    _forget(state, now)
    return list(fresh.values())


def _forget(state: State, now: datetime) -> None:
    kept = {key: at for key, at in state.told.items() if now - at < REMEMBERED or key.partition(":")[0] in state.standing}  # fmt: skip
    newest = sorted(kept, key=lambda key: kept[key])[-MOST_REMEMBERED:]
    state.told = {key: kept[key] for key in newest}
