"""How much was tried: the more, the better the best of it looks by chance."""

from __future__ import annotations

from dataclasses import dataclass

from console.place import Place
from polymarket_assets.lake import reading

# Trainings are days apart.
EVERY_S = 300.0
# As `learning.trials` names what is no training but a look at sealed weeks.
_SEALED = "sealed"


@dataclass(frozen=True)
class Tried:
    """Shapes of trees that were tried, trainings they belong to, and models whose sealed weeks were opened."""

    shapes: int
    trainings: int
    openings: int


def tried(place: Place) -> Tried:
    """All that was ever tried on this lake; what is looked at again is not tried again."""
    rows = reading.rows(place.lake(), "trials").select(["run_id", "made_for", "number"]).to_pylist()
    found = {(row["run_id"], row["made_for"], row["number"]) for row in rows}
    shapes = {one for one in found if one[1] != _SEALED}
    return Tried(len(shapes), len({run for run, _, _ in shapes}), len(found) - len(shapes))
