"""Spans of time, half-open and in UTC, and the hours and days in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def hour_of(at: datetime) -> datetime:
    """The start of the hour that `at` lies in."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(at: datetime | date) -> datetime:
    """The start of the UTC day that `at` lies in."""
    day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """From `start` up to, but without, `end`; both aware."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a span needs aware instants")

    @classmethod
    def hour(cls, at: datetime) -> Span:
        """The hour that `at` lies in."""
        return cls(hour_of(at), hour_of(at) + HOUR)

    @classmethod
    def day(cls, at: datetime | date) -> Span:
        """The UTC day that `at` lies in."""
        return cls(day_of(at), day_of(at) + DAY)

    def hours(self) -> Iterator[datetime]:
        """The starts of the hours that the span touches."""
        at = hour_of(self.start)
        while at < self.end:
            yield at
            at += HOUR

    def days(self) -> Iterator[date]:
        """The UTC days that the span touches."""
        at = day_of(self.start)
        while at < self.end:
            yield at.date()
            at += DAY

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end
