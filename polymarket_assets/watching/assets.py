"""Assets: which were not made for longer than their cadence, by the newest materialisation of any partition.

Tiers have a source of their own, which looks at slots and not at runs; what is made on demand has no cadence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from polymarket_assets.watching import switches
from polymarket_assets.watching.findings import Figure, Finding, Severity, Told, Watched, instant


@dataclass(frozen=True)
class Cadence:
    """How old the newest materialisation of an asset may be, and what starts the next; twice the pace and a queue's length."""

    asset: str
    patience: timedelta
    # The schedule or sensor that starts it: one that a person switched off is not stood in for.
    by: str
    # Made only where this asset was.
    after: str | None = None


def _hours(count: float) -> timedelta:
    return timedelta(hours=count)


CADENCES: tuple[Cadence, ...] = (
    Cadence("markets", _hours(0.5), "discovery"),
    Cadence("trades", _hours(2.5), "closed_hour"),
    Cadence("whale_events", _hours(2.5), "closed_hour"),
    Cadence("market_hours", _hours(2.5), "hour_features"),
    Cadence("features", _hours(2.5), "hour_features"),
    Cadence("kept_hours", _hours(3), "keeping"),
    Cadence("trades_raw", _hours(2.5), "sealed_hours", after="trades_raw"),
    Cadence("history_markets", _hours(27), "closed_day"),
    Cadence("history_prices", _hours(27), "closed_day"),
    Cadence("history_features", _hours(27), "day_features"),
    Cadence("census", _hours(27), "census_day"),
    Cadence("promotion", _hours(27), "following", after="model"),
    Cadence("predictions", _hours(1), "windows_over", after="model"),
    Cadence("paper_portfolio", _hours(1), "windows_over", after="model"),
    # Asked for once a month at least.
    Cadence("model", timedelta(days=35), "enough_to_learn", after="model"),
)


def look(watched: Watched) -> Iterator[Told]:
    """What was never made is due from when the instance had its first run."""
    made = _made(watched)
    began, stopped = _began(watched), _stopped(watched)
    for cadence in CADENCES:
        at = made.get(cadence.asset)
        if at is not None:
            yield Figure("asset_age_seconds", "Since an asset was made last.", (watched.now - at).total_seconds(), {"asset": cadence.asset})  # fmt: skip
        if cadence.by in stopped or (cadence.after and cadence.after not in made):
            continue
        last = at or began
        if last is not None and watched.now - last > cadence.patience:
            when = f"since {at:%Y-%m-%d %H:%M} UTC" if at else "ever"
            text = f"{cadence.asset} was not made {when}: `{cadence.by}` starts it"
            yield Finding(f"asset_stale:{cadence.asset}", Severity.WARNING, last + cadence.patience, text, f"/assets/{cadence.asset}")  # fmt: skip


def _made(watched: Watched) -> dict[str, datetime]:
    import dagster as dg

    keys = sorted({dg.AssetKey(name) for c in CADENCES for name in (c.asset, c.after) if name})
    records = watched.dagster.get_asset_records(keys)
    entries = [record.asset_entry for record in records]
    return {e.asset_key.to_user_string(): instant(e.last_materialization_record.timestamp) for e in entries if e.last_materialization_record}  # fmt: skip


def _began(watched: Watched) -> datetime | None:
    first = watched.dagster.get_run_records(limit=1, ascending=True)
    return first[0].create_timestamp.replace(tzinfo=UTC) if first else None


def _stopped(watched: Watched) -> frozenset[str]:
    """What a person switched off; where a person starts the windows, what follows them comes when it does."""
    by_hand = frozenset() if watched.settings.watch_windows else frozenset({"windows_over"})
    return switches.stopped(watched) | by_hand
