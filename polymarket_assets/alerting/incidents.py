"""Incidents: a state machine over findings, by their keys. Pure: what is found and the clock are handed in.

A finding opens an incident when it was there at as many looks as its source asks for, k of the last 2k - 1, and closes it
when it was absent at `CLOSE_AFTER` looks running. Only looks of its own source count, and one at which that could not be
asked counts neither way. After a recovery the same key is not told again before a pause is over, which doubles each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from polymarket_assets.watching.asking import Looked
from polymarket_assets.watching.findings import Finding, Severity, kind_of

# One look at which it is not found may be luck.
CLOSE_AFTER = 2
# What comes and goes within minutes is one trouble, not ten: the pause doubles with each opening within a day of the last recovery.
COOLDOWN, MOST_COOLDOWN = timedelta(minutes=15), timedelta(hours=4)
AGAIN_WITHIN = timedelta(days=1)
# Of each look whether it was found, as `recent` has it.
_FOUND, _ABSENT = "x", "."
# An incident that nobody ended is told again: a critical one twice in a working day.
REMINDED = {Severity.CRITICAL: timedelta(hours=6), Severity.WARNING: timedelta(hours=24)}
# Of a message that may have been lost, what is still open is told again so soon.
LOST_AGAIN = timedelta(minutes=10)


class Change(StrEnum):
    """What a message is about."""

    OPENED = "opened"
    WORSE = "worse"
    REMINDED = "reminded"
    RECOVERED = "recovered"


class Incident(msgspec.Struct, kw_only=True):
    """A key that is, or was a moment ago, among the findings."""

    key: str
    source: str
    severity: Severity
    since: datetime
    text: str
    link: str | None = None
    until: datetime | None = None
    # Looks running at which it was found, and at which it was not.
    seen: int = 0
    missed: int = 0
    # The last looks, and how often it was told since it was gone for a day.
    recent: str = ""
    times: int = 0
    gone_at: datetime | None = None
    # The worst severity that was told; None while it is not open.
    told: Severity | None = None
    remind_at: datetime | None = None
    recovered_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether people were told of it, and not of its end."""
        return self.told is not None

    def is_undecided(self, confirm: int) -> bool:
        """Whether the next look may open or close it."""
        if self.is_open:
            return self.missed > 0
        return _FOUND in self.recent[-(2 * confirm - 2) :] and self.recent.count(_FOUND) < confirm

    @property
    def pause(self) -> timedelta:
        """For how long after its recovery it is not told again."""
        return min(COOLDOWN * (1 << min(max(self.times - 1, 0), 10)), MOST_COOLDOWN)

    @property
    def kind(self) -> str:
        """What messages are grouped by."""
        return kind_of(self.key)

    @property
    def lasted(self) -> timedelta:
        """From its beginning to the first look at which it was gone."""
        return max(timedelta(), (self.gone_at or self.since) - self.since)


Changed = tuple[Change, Incident]


def step(
    held: Mapping[str, Incident], looks: Iterable[Looked], now: datetime
) -> tuple[dict[str, Incident], list[Changed]]:
    """The incidents after some looks, and what is to be told; what was held is not changed."""
    after = {key: msgspec.structs.replace(incident) for key, incident in held.items()}
    changes: list[Changed] = []
    for looked in looks:
        found = {finding.key: finding for finding in looked.findings}
        for finding in found.values():
            incident = after.setdefault(finding.key, _new(finding, looked.source))
            changes += _seen(incident, finding, looked.confirm, now)
        for incident in list(after.values()):
            if (
                incident.source == looked.source
                and incident.key not in found
                and _concludes(looked, incident)
            ):
                if incident.until is not None and now >= incident.until:
                    # It is only too old to be looked for: nothing is known of an end, and nothing told.
                    del after[incident.key]
                    continue
                changes += _missed(incident, looked.confirm, now)
                if not incident.is_open and _is_over(incident, now):
                    del after[incident.key]
    return after, changes


def lost(held: Mapping[str, Incident], keys: Iterable[str], now: datetime) -> dict[str, Incident]:
    """The incidents after a message about these keys may have been lost: what is open is told again soon."""
    again = set(keys)
    soon = now + LOST_AGAIN
    return {
        key: msgspec.structs.replace(one, remind_at=min(one.remind_at or soon, soon)) if key in again and one.is_open else one
        for key, one in held.items()
    }  # fmt: skip


def _new(finding: Finding, source: str) -> Incident:
    return Incident(key=finding.key, source=source, severity=finding.severity, since=finding.since, text=finding.text)  # fmt: skip


def _concludes(looked: Looked, incident: Incident) -> bool:
    """Whether a look says that an incident is not there: one of a source that could not be asked says nothing."""
    return looked.unknown is None or kind_of(incident.key) == "unknown"


def _seen(incident: Incident, finding: Finding, confirm: int, now: datetime) -> Iterator[Changed]:
    if not incident.is_open and incident.seen == 0:
        incident.since = finding.since
    incident.since = min(incident.since, finding.since)
    incident.severity, incident.text, incident.link = finding.severity, finding.text, finding.link
    incident.until = finding.until
    incident.seen, incident.missed, incident.gone_at = incident.seen + 1, 0, None
    incident.recent = _marked(incident, _FOUND, confirm)
    if not incident.is_open:
        if incident.recent.count(_FOUND) >= confirm and not _is_cooling(incident, now):
            incident.times = incident.times + 1 if _is_remembered(incident, now) else 1
            incident.told, incident.recovered_at = incident.severity, None
            incident.remind_at = now + REMINDED[incident.severity]
            yield Change.OPENED, msgspec.structs.replace(incident)
    elif incident.told is not None and incident.severity.rank > incident.told.rank:
        incident.told, incident.remind_at = incident.severity, now + REMINDED[incident.severity]
        yield Change.WORSE, msgspec.structs.replace(incident)
    elif incident.remind_at is not None and not now < incident.remind_at <= now + REMINDED[incident.severity]:
        # Also where it is further ahead than it was ever set: a clock was.
        incident.remind_at = now + REMINDED[incident.severity]
        yield Change.REMINDED, msgspec.structs.replace(incident)


def _missed(incident: Incident, confirm: int, now: datetime) -> Iterator[Changed]:
    incident.seen, incident.missed = 0, incident.missed + 1
    incident.recent = _marked(incident, _ABSENT, confirm)
    incident.gone_at = incident.gone_at or now
    if incident.is_open and incident.missed >= CLOSE_AFTER:
        incident.told, incident.remind_at, incident.recovered_at, incident.recent = None, None, now, ""
        yield Change.RECOVERED, msgspec.structs.replace(incident)


def _is_cooling(incident: Incident, now: datetime) -> bool:
    return incident.recovered_at is not None and timedelta() <= now - incident.recovered_at < incident.pause


def _is_remembered(incident: Incident, now: datetime) -> bool:
    return incident.recovered_at is not None and timedelta() <= now - incident.recovered_at < AGAIN_WITHIN


def _marked(incident: Incident, mark: str, confirm: int) -> str:
    return (incident.recent + mark)[-(2 * confirm - 1) :]


def _is_over(incident: Incident, now: datetime) -> bool:
    """Whether nothing of it needs to be remembered: it never opened, or recovered long enough ago."""
    return _FOUND not in incident.recent and not _is_remembered(incident, now)
