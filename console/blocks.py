"""What stands in a part of a page, as data: tiles, facts, a table, a chart, or why there is nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

Level = Literal["plain", "good", "warning", "critical"]


@dataclass(frozen=True)
class Link:
    """A text that leads somewhere: a path of the console, or an address of Dagster or MLflow."""

    text: str
    href: str


@dataclass(frozen=True)
class Badge:
    """A word whose colour says how good it is."""

    text: str
    level: Level = "plain"


# An instant is shown in UTC, with the reader's own time on hover; None as a dash.
Cell = str | int | float | datetime | date | Link | Badge | None


@dataclass(frozen=True)
class Tile:
    """One figure with its name; `note` is what to know of it."""

    name: str
    value: Cell
    note: str = ""
    level: Level = "plain"
    href: str = ""


@dataclass(frozen=True)
class Tiles:
    """Figures beside one another."""

    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Facts:
    """Names with what they are."""

    pairs: Sequence[tuple[str, Cell]]


@dataclass(frozen=True)
class Grid:
    """A table; a heading may be a link that sorts. `sentences` are columns of words that may wrap."""

    headings: Sequence[str | Link]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    sentences: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Chart:
    """A chart of Vega-Lite, its data within, and what it shows in words."""

    name: str
    spec: Mapping[str, Any]
    said: str = ""


@dataclass(frozen=True)
class Note:
    """A sentence or several; `level` colours them."""

    text: str
    level: Level = "plain"


@dataclass(frozen=True)
class Empty:
    """Nothing is here: why, and what changes that."""

    why: str
    command: str = ""


@dataclass(frozen=True)
class Failed:
    """This part could not be made; the others were. `soon`: it is being looked at for the first time, and there in a moment."""

    why: str
    again: bool = True
    soon: bool = False


@dataclass(frozen=True)
class Custom:
    """A template of its own, for what no other block is."""

    template: str
    given: Mapping[str, Any] = field(default_factory=dict)


Block = Tiles | Facts | Grid | Chart | Note | Empty | Failed | Custom
