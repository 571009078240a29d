"""Looks of one source, minute after minute, as tests of alerting hand them over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from polymarket_assets.watching.asking import Looked
from polymarket_assets.watching.findings import Event, Finding, Severity

BEGAN = datetime(2026, 11, 2, 13, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    """So many minutes after the beginning."""
    return BEGAN + minutes * MINUTE


def finding(key: str = "tier_silent:t4", minutes: float = 0, severity: Severity = Severity.CRITICAL) -> Finding:  # fmt: skip
    """Something wrong since a minute."""
    return Finding(key, severity, at(minutes), f"{key} is wrong", "/jobs/x")


def looked(*findings: Finding, events: Iterable[Event] = (), source: str = "tiers", confirm: int = 3, unknown: str | None = None) -> Looked:  # fmt: skip
    """What a source said."""
    return Looked(source, findings, tuple(events), unknown=unknown, confirm=confirm)
