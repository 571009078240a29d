"""What is under audit: a lake, rows of its features drawn at random, the training set it gives, and what a guard says of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import training_set
from polymarket_assets.learning.evidence.history import history
from polymarket_assets.learning.evidence.recorded import RECORDED, STREAMED, at_instants
from polymarket_assets.learning.features.catalogue import FEATURES

# A difference of this share is one of the last bit.
SAME = 1e-9


@dataclass(frozen=True)
class Finding:
    """What a guard found: whether all is well, None where there was nothing to look at, and a sentence."""

    good: bool | None
    said: str


@dataclass
class Audit:
    """A lake under audit: its feature rows, some of them drawn, and the training set it gives."""

    lake: Lake
    now: datetime
    count: int
    seed: int = 7
    streamed: tuple[str, ...] = STREAMED
    rows: pa.Table = field(init=False)
    drawn: list[dict[str, Any]] = field(init=False)
    built: training_set.TrainingSet = field(init=False)

    def __post_init__(self) -> None:
        self.rows = reading.rows(self.lake, "features")
        self.drawn = self._draw()
        self.built = training_set.build(self.lake, now=self.now)

    def _draw(self) -> list[dict[str, Any]]:
        """Rows of random instants: as many of what was recorded as of what was fetched, where there are."""
        dice, found = random.Random(self.seed), []
        is_recorded = pc.equal(self.rows.column("source"), RECORDED)
        for part in (self.rows.filter(is_recorded), self.rows.filter(pc.invert(is_recorded))):
            chosen = sorted(dice.sample(range(part.num_rows), min(self.count, part.num_rows)))
            found += part.take(pa.array(chosen, pa.int64())).to_pylist()
        return found

    def again(self, lake: Lake, row: dict[str, Any]) -> dict[str, Any] | None:
        """A row of features computed from another lake; None: there it has none."""
        market_id, as_of = row["market_id"], row["as_of"]
        if row["source"] == RECORDED:
            wanted = pa.table(
                {"market_id": [market_id], "as_of": pa.array([as_of], pa.timestamp("us", tz="UTC"))}
            )
            found = at_instants(lake, wanted, streamed=self.streamed)
        else:
            found = history(lake, as_of.date())
        same = [
            other for other in found.to_pylist() if (other["market_id"], other["as_of"]) == (market_id, as_of)
        ]
        return same[0] if same else None

    def compared(self, make: Callable[[Lake, dict[str, Any], Path], Lake]) -> Finding:
        """The drawn rows against the same rows of other lakes."""
        if not self.drawn:
            return Finding(None, "no rows of features")
        differing: list[str] = []
        for row in self.drawn:
            with TemporaryDirectory(prefix="leak-audit-") as folder:
                differing += differences(row, self.again(make(self.lake, row, Path(folder)), row))
        said = f"{len(self.drawn)} rows, {len(differing)} values differ" + (
            f", for example {differing[0]}" if differing else ""
        )
        return Finding(not differing, said)


def differences(row: dict[str, Any], other: dict[str, Any] | None) -> list[str]:
    """In words, where two rows of features differ."""
    where = f"{row['market_id'][:20]} at {row['as_of']:%Y-%m-%d %H:%M:%S}"
    if other is None:
        return [f"no row of {where}"]
    return [
        f"{f.name} of {where}: {row[f.name]} and {other[f.name]}"
        for f in FEATURES
        if not is_same(row[f.name], other[f.name])
    ]


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal; reals to a billionth, absolutely or of their size."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= SAME * max(1.0, abs(one), abs(other))
    return bool(one == other)
