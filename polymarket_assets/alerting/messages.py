"""Messages: many changes of one kind in one, as Slack shows them, with links into the Dagster UI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec

from polymarket_assets.alerting.incidents import Change, Changed, Incident
from polymarket_assets.watching.findings import Event, Severity

# Lines of one message that are read; of the others how many there are.
MOST_LINES = 12
# Slack takes 3,000 characters in a section and 150 in a header.
SECTION, HEADER, LINE = 2_900, 150, 600
# Where each kind has a section of its name.
RUNBOOK = "docs/runbook.md"
_MARKS = {Change.RECOVERED: "✅", Severity.CRITICAL: "🔴", Severity.WARNING: "🟠"}
_EVENT = "🔵"
# What messages of events have in the place of a change.
EVENT = "event"


class Message(msgspec.Struct, kw_only=True):
    """A message to send: `about` are the keys it tells of, `change` is `event` where something only happened."""

    id: int
    at: datetime
    change: str
    kind: str
    title: str
    lines: list[str]
    about: list[str]
    # How often handing it over failed, and whether it is being handed over now.
    tries: int = 0
    is_sending: bool = False

    @property
    def text(self) -> str:
        """In plain words, for notifications and logs."""
        return "\n".join([self.title, *self.lines, f"{RUNBOOK}#{self.kind}"])

    def blocks(self) -> list[dict[str, Any]]:
        """As Slack's Block Kit has it."""
        body = "\n".join(f"• {line}" for line in self.lines)
        if len(body) > SECTION:
            body = body[:SECTION].rpartition("\n")[0] + "\n…"
        return [
            {"type": "header", "text": {"type": "plain_text", "text": self.title[:HEADER]}},
            *([{"type": "section", "text": {"type": "mrkdwn", "text": body}}] if self.lines else []),
            {"type": "context", "elements": [{"type": "mrkdwn", "text": f"{self.at:%Y-%m-%d %H:%M:%S} UTC · `{self.kind}` · {RUNBOOK}#{self.kind}"}]},
        ]  # fmt: skip


def of_changes(changes: Iterable[Changed], first_id: int, now: datetime, base: str) -> Iterator[Message]:
    """One message for each kind and change, in the order of what is worst."""
    ordered = sorted(changes, key=lambda one: (list(Change).index(one[0]), one[1].kind, one[1].key))
    for number, ((change, kind), group) in enumerate(groupby(ordered, key=lambda one: (one[0], one[1].kind))):
        incidents = [incident for _, incident in group]
        yield Message(
            id=first_id + number, at=now, change=change, kind=kind, title=_title(change, kind, incidents),
            lines=_cut([_line(change, incident, now, base) for incident in incidents]),
            about=[incident.key for incident in incidents],
        )  # fmt: skip


def of_events(events: Iterable[Event], first_id: int, now: datetime, base: str) -> Iterator[Message]:
    """One message for each kind."""
    ordered = sorted(events, key=lambda event: event.kind)
    for number, (kind, group) in enumerate(groupby(ordered, key=lambda event: event.kind)):
        told = list(group)
        count = f" ({len(told)})" if len(told) > 1 else ""
        yield Message(
            id=first_id + number, at=now, change=EVENT, kind=kind, title=f"{_EVENT} {_words(kind)}{count}",
            lines=_cut([_linked(event.text, event.link, base) for event in told]), about=[event.key for event in told],
        )  # fmt: skip


def lasting(span: timedelta) -> str:
    """A duration in its two largest units."""
    seconds = int(span.total_seconds())
    parts = [(seconds // 86_400, "d"), (seconds // 3_600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]  # fmt: skip
    first = next((n for n, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"


def _title(change: Change, kind: str, incidents: list[Incident]) -> str:
    worst = max((incident.severity for incident in incidents), key=lambda severity: severity.rank)
    mark = _MARKS[Change.RECOVERED] if change is Change.RECOVERED else _MARKS[worst]
    count = f" ({len(incidents)})" if len(incidents) > 1 else ""
    said = {Change.OPENED: "", Change.WORSE: ": worse", Change.REMINDED: ": still", Change.RECOVERED: ": over"}[change]  # fmt: skip
    return f"{mark} {_words(kind)}{said}{count}"


def _line(change: Change, incident: Incident, now: datetime, base: str) -> str:
    if change is Change.RECOVERED:
        return _linked(f"`{incident.key}` lasted {lasting(incident.lasted)}, since {incident.since:%Y-%m-%d %H:%M:%S} UTC", incident.link, base)  # fmt: skip
    since = f"for {lasting(now - incident.since)}" if now - incident.since >= timedelta(minutes=1) else ""
    again = (
        f"for the {_ordinal(incident.times)} time" if change is Change.OPENED and incident.times > 1 else ""
    )
    added = ", ".join(filter(None, (since, again)))
    return _linked(f"{incident.text} ({added})" if added else incident.text, incident.link, base)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _linked(text: str, link: str | None, base: str) -> str:
    shown = text[:LINE].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{shown} <{base.rstrip('/')}{link}|open>" if link else shown


def _words(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def _cut(lines: list[str]) -> list[str]:
    more = len(lines) - MOST_LINES
    return lines if more <= 0 else [*lines[:MOST_LINES], f"and {more} more"]
