"""Axes: the ways in which rows are cut into slices, each a column and what its values are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.evaluation.sample import Mask, reals
from polymarket_assets.learning.horizons import HORIZONS
from polymarket_assets.learning.out_of_fold import PRICE

NOT_KNOWN = "not known"


class Axis(Protocol):
    """One way to cut rows into slices."""

    @property
    def name(self) -> str:
        """How people call it."""

    @property
    def column(self) -> str:
        """The column it reads."""

    def masks(self, table: pa.Table) -> Iterator[tuple[str, Mask]]:
        """Names of slices and which rows they hold."""


@dataclass(frozen=True)
class Words:
    """A slice for each value of a column."""

    name: str
    column: str

    def masks(self, table: pa.Table) -> Iterator[tuple[str, Mask]]:
        """In the order of the words."""
        column = table.column(self.column)
        for word in sorted(column.unique().drop_null().to_pylist()):
            yield str(word), _mask(pc.equal(column, word))
        yield NOT_KNOWN, _mask(pc.is_null(column))


@dataclass(frozen=True)
class Flags:
    """A slice for true and one for false."""

    name: str
    column: str
    yes: str
    no: str

    def masks(self, table: pa.Table) -> Iterator[tuple[str, Mask]]:
        """True first."""
        column = table.column(self.column)
        yield self.yes, _mask(column)
        yield self.no, _mask(pc.invert(column))
        yield NOT_KNOWN, _mask(pc.is_null(column))


@dataclass(frozen=True)
class Bands:
    """Slices of low <= value < high; they may overlap."""

    name: str
    column: str
    bands: tuple[tuple[str, float, float], ...]

    def masks(self, table: pa.Table) -> Iterator[tuple[str, Mask]]:
        """In the order of the bands."""
        values = reals(table, self.column)
        for name, low, high in self.bands:
            yield name, (low <= values) & (values < high)
        yield NOT_KNOWN, np.isnan(values)


_INF = float("inf")
AXES: tuple[Axis, ...] = (
    Bands("price", PRICE, (
        ("5–95 c", 0.05, 0.95), ("under 5 c", 0.0, 0.05), ("5–20 c", 0.05, 0.2), ("20–40 c", 0.2, 0.4), ("40–60 c", 0.4, 0.6),
        ("60–80 c", 0.6, 0.8), ("80–95 c", 0.8, 0.95), ("from 95 c", 0.95, _INF),
    )),
    Bands("horizon", "horizon_h", HORIZONS),
    Words("category", "category"),
    Words("tier", "tier"),
    Flags("set", "neg_risk", "negRisk", "stands alone"),
    Flags("outcomes", "yesno_labels", "Yes/No", "named"),
    Bands("spread", "spread_c", (("under 1.5 c", -_INF, 1.5), ("1.5–3.5 c", 1.5, 3.5), ("3.5–10.5 c", 3.5, 10.5), ("over 10.5 c", 10.5, _INF))),
    Flags("dispute", "was_disputed", "disputed", "without disputed"),
    Words("source", "source"),
)  # fmt: skip


def _mask(column: pa.ChunkedArray) -> Mask:
    found: Mask = column.fill_null(False).to_numpy().astype(bool)
    return found
