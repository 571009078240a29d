"""Partitions: the hours and days by which assets are filed, shared by import so that jobs never mix two.

Anything finer than an hour lives in file names and columns; markets are rows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

# Before the platform existed nothing was recorded; hours start here.
FIRST_HOUR = "2026-01-01-00:00"
# The venue's price history reaches back to this day.
FIRST_DAY = "2022-11-18"

# end_offset=1: the last key is the hour still open, the one that is being collected.
HOUR = dg.HourlyPartitionsDefinition(start_date=FIRST_HOUR, timezone="UTC", end_offset=1)
DAY = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone="UTC")


def hour_key(at: datetime) -> str:
    """The partition key of the hour that `at` lies in."""
    return at.astimezone(UTC).strftime("%Y-%m-%d-%H:00")


def day_key(at: datetime) -> str:
    """The partition key of the day that `at` lies in."""
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def hour_before(at: datetime) -> str:
    """The partition key of the hour that closed last before `at`."""
    return hour_key(at - timedelta(hours=1))


def day_before(at: datetime) -> str:
    """The partition key of the day that closed last before `at`."""
    return day_key(at - timedelta(days=1))


def utc_now() -> datetime:
    """The clock that assets hand to the domain."""
    return datetime.now(UTC)
