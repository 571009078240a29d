"""The grid of a tier: which instants a window samples. Pure functions of a tier and a span.

Slots lie at `start + tier.offset + k · tier.every`, as long as they lie before the window's end; a window
never reaches across its hour, because an hour is what a partition files.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from polymarket_assets.lake.spans import Span
from polymarket_assets.tiers import Tier


def window(tier: Tier, hour: datetime, start: datetime, window_s: float | None) -> Span:
    """What a window run covers: `window_s` seconds (None: the tier's own window) from `start`, cut at the hour's end."""
    length = tier.window if window_s is None else timedelta(seconds=window_s)
    end = min(start + length, Span.hour(hour).end)
    return Span(start, max(start, end))


def grid(tier: Tier, span: Span) -> list[datetime]:
    """The slots of a window, in order."""
    first = span.start + tier.offset
    if first >= span.end:
        return []
    last = (span.end - first - timedelta.resolution) // tier.every
    return [first + k * tier.every for k in range(last + 1)]


def hour_grid(tier: Tier, hour: datetime) -> list[datetime]:
    """Every slot that the tier's schedules sample in an hour, in order."""
    windows = range(timedelta(hours=1) // tier.window)
    return [at for k in windows for at in grid(tier, window(tier, hour, hour + k * tier.window, None))]
