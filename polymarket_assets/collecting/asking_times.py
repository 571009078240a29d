"""When a market is asked about: as soon as something happens to it, and ever more seldom after that. Pure.

Nothing is remembered of single markets. Each has instants at which it is due, counted from what is known of it; a run asks
about those that are due from where the last one stopped until now. Who is late by some minutes, because a run failed or what
happened came to the lake late, is asked at the next step: at most as late again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from polymarket_assets.venue.errors import Refused

# The sensor looks as often: asking sooner would be the same look.
FIRST = timedelta(minutes=5)
# A label is at most half a day late, however long an oracle takes; a proposal stands two hours, a vote days.
LONGEST = timedelta(hours=12)
# What nothing happened to for so long stays as it is: some are stuck for ever, the longest votes take a week.
ASKED_FOR = timedelta(days=30)
# A settled market is looked at again: an hour after, because the catalogue's answers are cached; until a week, because a
# dispute that reaches a vote takes four to six days.
RECHECKS = (
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
)


def _doubling() -> tuple[timedelta, ...]:
    steps = [timedelta(0), FIRST]
    while steps[-1] <= LONGEST:
        steps.append(2 * steps[-1])
    return tuple(steps)


# After something happened: at once, then after 5, 10, 20, … minutes, each as long after as it took so far …
STEPS = _doubling()
# … until that would be longer than `LONGEST`, which is how it goes on.


@dataclass(frozen=True, order=True)
class Through:
    """How far was asked: about all that were due before this instant, and of those due at it the markets before this one."""

    at: datetime
    market_id: str = ""

    def __str__(self) -> str:
        return f"{self.at.isoformat()} {self.market_id}".rstrip()


def through(text: str) -> Through:
    """`str` of a `Through`, read. Raises `Refused`."""
    at, _, market_id = text.partition(" ")
    read: datetime | None
    try:
        read = datetime.fromisoformat(at)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise Refused(f"{text!r} does not say until when was asked: leave it out to ask about everything")
    return Through(read, market_id)


@dataclass(frozen=True)
class Life:
    """What is known to have happened to a market, and when it was settled, if it was."""

    events: tuple[datetime, ...]
    settled_at: datetime | None = None


def due_at(life: Life, now: datetime) -> datetime | None:
    """The last instant until `now` at which a market was to be asked about; None: there was none, or it is left as it is."""
    if life.settled_at is not None:
        return max((at for at in _rechecks(life.settled_at) if at <= now), default=None)
    if not life.events or max(life.events) + ASKED_FOR < now:
        return None
    return max((_last(event, now) for event in life.events if event <= now), default=None)


def next_at(life: Life, now: datetime) -> datetime | None:
    """The first instant after `now` at which a market is to be asked about; None: never any more."""
    if life.settled_at is not None:
        return min((at for at in _rechecks(life.settled_at) if at > now), default=None)
    if not life.events or max(life.events) + ASKED_FOR < now:
        return None
    return min(event if event > now else _last(event, now) + _pause(event, now) for event in life.events)


def _rechecks(settled_at: datetime) -> list[datetime]:
    return [settled_at + after for after in RECHECKS]


def _last(event: datetime, now: datetime) -> datetime:
    """The last step until `now` of what happened before it."""
    passed = now - event
    if passed < STEPS[-1]:
        return event + max(step for step in STEPS if step <= passed)
    return event + STEPS[-1] + LONGEST * ((passed - STEPS[-1]) // LONGEST)


def _pause(event: datetime, now: datetime) -> timedelta:
    """From that step to the next."""
    passed = now - event
    if passed >= STEPS[-1]:
        return LONGEST
    following = next(n for n, step in enumerate(STEPS) if step > passed)
    return STEPS[following] - STEPS[following - 1]
