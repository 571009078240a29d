"""How far back a page of a market looks: choices of its address, counted from now, of a market that is over from its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.parts import Asked
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.report import subject
from polymarket_assets.report.subject import Subject

DEFAULT = "24h"
ALL = "all"
CHOICES: dict[str, timedelta | None] = {
    "1h": HOUR,
    "6h": 6 * HOUR,
    DEFAULT: 24 * HOUR,
    "7d": timedelta(days=7),
    ALL: None,
}


@dataclass(frozen=True)
class Look:
    """The hours whose files are read (None: nothing was recorded), and from when on rows are shown."""

    hours: Span | None
    since: datetime | None


def asked(given: Asked) -> str:
    """The choice of an address; what is none of them is the default."""
    chosen = given.given.get("span", DEFAULT)
    return chosen if chosen in CHOICES else DEFAULT


def look(found: Sequence[Subject], choice: str, now: datetime) -> Look:
    """What is looked at of some markets; `all` is what `subject.window` says, fifteen days at the most."""
    hours, back = subject.window(found, None, None, now), CHOICES[choice]
    if hours is None or back is None:
        return Look(hours, None)
    since = max(hours.start, min(now, hours.end) - back)
    return Look(Span(since, hours.end), since)
