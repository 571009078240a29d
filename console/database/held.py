"""What the lake holds, table by table, kept in the background: of files that did not change nothing is read again."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from console.database import footers, shelf
from console.database.footers import Footer
from console.database.shelf import File
from console.kept import Seen
from console.parts import failed
from console.place import Place
from polymarket_assets.lake.schemas import TABLES, Table
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import PolymarketError

log = logging.getLogger(__name__)

# A look over 20,000 files of which none changed takes half a second.
EVERY_S = 30.0


@dataclass(frozen=True)
class Held:
    """What the lake holds of a table; `first` and `last` are of the column that files it. `problem`: why it could not be read."""

    name: str
    rows: int = 0
    files: int = 0
    bytes: int = 0
    first: datetime | date | None = None
    last: datetime | date | None = None
    problem: str | None = None


def seen(place: Place) -> Seen[list[Held]]:
    """Every declared table, empty ones too. Raises `NotYet`, and `Refused` where no lake is named."""
    return place.seen(_look, every_s=EVERY_S)


def _look(place: Place) -> list[Held]:
    lake = place.lake()
    return [_held(place, lake, table) for table in TABLES.values()]


def _held(place: Place, lake: Lake, table: Table) -> Held:
    try:
        files = [file for unit in shelf.of(place).units(lake, table) for file in unit.files]
        return _summed(table, files, [footers.footer(file, table.filed_by) for file in files])
    except FileNotFoundError:
        return Held(table.name, problem="a file went while it was looked at; it is looked at again by itself")
    except PolymarketError as e:
        log.info("%s was not read", table.name, exc_info=e)
        return Held(table.name, problem=failed(e, table.name).why)


def _summed(table: Table, files: list[File], found: Iterable[Footer]) -> Held:
    known = list(found)
    firsts, lasts = (
        [f.first for f in known if f.first is not None],
        [f.last for f in known if f.last is not None],
    )
    return Held(
        table.name, sum(f.rows for f in known), len(files), sum(file.bytes for file in files),
        min(firsts, default=None), max(lasts, default=None),
    )  # fmt: skip
