"""How a market is known to have ended: the versions of `resolutions`, out of the days that can have them."""

from __future__ import annotations

from console.markets import slices
from console.place import Place
from polymarket_assets.lake.spans import DAY, HOUR, Span
from polymarket_assets.report import ends
from polymarket_assets.report.ends import Version
from polymarket_assets.report.subject import Subject


def versions(place: Place, found: Subject) -> list[Version]:
    """Oldest first; of a market that is known from history alone, all of the lake is asked. Raises `LakeError`."""
    return all_versions(place, [found]).get(found.market_id, [])


def all_versions(place: Place, found: list[Subject]) -> dict[str, list[Version]]:
    """The same of several markets, by id."""
    ids = [s.market_id for s in found]
    firsts = [s.recorded_at[0] if s.recorded_at else None for s in found]
    if not ids or any(first is None for first in firsts):
        return ends.versions(place.lake(), ids) if ids else {}
    span = Span(min(f for f in firsts if f) - DAY, place.clock() + HOUR)
    rows = slices.rows(place, "resolutions", ids, span).to_pylist()
    return ends.told(sorted(rows, key=lambda row: (row["market_id"], row["version"])))
