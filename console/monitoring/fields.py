"""Field completeness: of each column of `snapshots` that may be null, the share that is not, by tier and category."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.kept import Seen
from console.place import Place
from polymarket_assets.lake.spans import HOUR, Span, hour_of
from polymarket_assets.lake.writing import Lake

EVERY_S = 60.0
ALL = "all"


@dataclass(frozen=True)
class Filled:
    """Rows of a tier and a category (`all`: of every one) in an hour, and the share of them that fills each column, 0 … 1."""

    hour_at: datetime
    is_open: bool
    tier: str
    category: str
    rows: int
    columns: dict[str, float]
    # Columns of these that fewer rows fill than should, with the least share.
    below: dict[str, float]


class _Remembered:
    """What was counted of hours whose folders did not change since."""

    def __init__(self, _: Place) -> None:
        self.known: dict[str, tuple[dict[str, int], list[Filled]]] = {}


def filled(place: Place) -> Seen[list[Filled]]:
    """The open hour and the one before. Raises `NotYet`, `Refused` where there is no lake to look at."""
    return place.seen(_look, every_s=EVERY_S)


def _look(place: Place) -> list[Filled]:
    from polymarket_assets.lake import folders
    from polymarket_assets.lake.schemas import TABLES

    lake, here, known = place.lake(), hour_of(place.clock()), place.own(_Remembered).known
    found = list(folders.folders(lake, TABLES["snapshots"], Span(here - HOUR, here + HOUR)))
    for gone in set(known) - {folder.path for folder in found}:
        del known[gone]
    for folder in found:
        if folder.path not in known or known[folder.path][0] != folder.files:
            counted = list(_counted(lake, str(folder.tier), folder.span.start, is_open=folder.span.start == here))  # fmt: skip
            known[folder.path] = (folder.files, counted)
    return sorted((one for _, held in known.values() for one in held), key=lambda one: (one.hour_at, one.tier, one.category))  # fmt: skip


def _counted(lake: Lake, tier: str, hour: datetime, *, is_open: bool) -> Iterator[Filled]:
    from polymarket_assets.collecting import quality
    from polymarket_assets.tiers import BY_NAME

    shares = quality.filled(lake, BY_NAME[tier], hour)
    if not shares:
        return
    below = {(one.category, one.column): one.floor for one in quality.emptied(shares, BY_NAME[tier])}
    for category, rows, columns in _rows(shares):
        floors = {column: floor for (of, column), floor in below.items() if of == category}
        yield Filled(hour, is_open, tier, category, rows, columns, floors)


def _rows(shares: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, int, dict[str, float]]]:
    names = [name for name in shares[0] if name not in ("category_", "rows_")]
    total = sum(row["rows_"] for row in shares)
    yield ALL, total, {name: sum(row["rows_"] * row[name] for row in shares) / total for name in names}
    for row in shares:
        yield row["category_"], row["rows_"], {name: row[name] for name in names}
