"""Where everything lies in a lake. No other module joins strings into a location.

    <root>/_lake.json                                              the form it was written in
    <root>/_cold.json                                              where its cold part lies
    <root>/<table>/[tier=tN/]date=YYYY-MM-DD/hour=HH/part-*.parquet   hourly tables
    <root>/<table>/date=YYYY-MM-DD/part-*.parquet                     daily tables
    <root>/<table>/part-*.parquet                                     unpartitioned tables
    …/_manifest.json                                               what a closed folder holds
    …/merged-*.parquet                                             its compacted rows, read only through the manifest

Paths are relative to the root and use `/`, so that a folder and an object store look alike.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from polymarket_assets.lake.schemas import Grain, Table
from polymarket_assets.lake.spans import DAY, HOUR, Span

LAKE_FILE = "_lake.json"
COLD_FILE = "_cold.json"
MANIFEST = "_manifest.json"
MERGED = "merged"
_PART = re.compile(r"part-[A-Za-z0-9_.:-]+\.parquet")
_DATE = re.compile(r"date=(\d{4})-(\d{2})-(\d{2})")
_HOUR = re.compile(r"hour=(\d{2})")
_TIER = re.compile(r"/tier=(\w+)")


def table_folder(table: Table, tier: str | None = None) -> str:
    """The folder of a table, or of one of its tiers."""
    if tier is None:
        return table.name
    if not table.tiered:
        raise ValueError(f"{table.name} has no tiers")
    return f"{table.name}/tier={tier}"


def folder(table: Table, at: datetime | date | None = None, tier: str | None = None) -> str:
    """The folder that files what belongs to instant or day `at`.

    An hourly table asked with a plain date gives the day's folder: rows rebuilt by day lie there.
    """
    if table.tiered and tier is None:
        raise ValueError(f"{table.name} is filed by tier")
    base = table_folder(table, tier)
    if table.grain is Grain.WHOLE:
        return base
    if at is None:
        raise ValueError(f"{table.name} is filed by {table.filed_by}")
    if isinstance(at, datetime):
        at = at.astimezone(UTC)
    day = f"{base}/date={at:%Y-%m-%d}"
    if table.grain is Grain.DAY or not isinstance(at, datetime):
        return day
    return f"{day}/hour={at:%H}"


def part(name: str) -> str:
    """The file name of a part, `part-<name>.parquet`."""
    file = f"part-{name}.parquet"
    if not _PART.fullmatch(file):
        raise ValueError(f"{name!r} cannot name a part")
    return file


def is_part(path: str) -> bool:
    """Whether a path is a published part (and not a draft, a manifest or a merged file)."""
    return _PART.fullmatch(path.rsplit("/", 1)[-1]) is not None


def is_merged(path: str) -> bool:
    """Whether a path is a compacted file; it counts only where a manifest names it."""
    return path.rsplit("/", 1)[-1].startswith(f"{MERGED}-")


def tier_of(path: str) -> str | None:
    """The tier that a path's folders stand for; None for a table without tiers."""
    found = _TIER.search(path)
    return found.group(1) if found else None


def span_of(path: str) -> Span | None:
    """The span that a path's folders stand for; None for an unpartitioned table."""
    found = _DATE.search(path)
    if not found:
        return None
    year, month, day = map(int, found.groups())
    start = datetime(year, month, day, tzinfo=UTC)
    hour = _HOUR.search(path)
    if not hour:
        return Span(start, start + DAY)
    start += timedelta(hours=int(hour.group(1)))
    return Span(start, start + HOUR)
