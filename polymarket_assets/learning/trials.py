"""The count of everything that was tried: the more, the better the best of it looks by chance (ML.md 4.4)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, timedelta

from polymarket_assets.lake import TABLES, reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.training import Trained
from polymarket_assets.learning.training.capacity import Capacity
from polymarket_assets.learning.training.searching import Trial
from polymarket_assets.venue.instants import EPOCH

MODEL, SEALED = "model", "sealed"
# Weeks that were opened are no shape of trees.
_OPENED = "{}"


def of(trained: Trained) -> tuple[tuple[int | None, Trial], ...]:
    """What a training tried: every shape it searched through, and at least the one its model has."""
    if any(cut is None for cut, _ in trained.trials):
        return trained.trials
    shape = Capacity(**{field.name: trained.params[field.name] for field in fields(Capacity)})
    return (*trained.trials, (None, Trial(0, shape, None, "complete")))


def publish(lake: Lake, run_id: str, tried: Iterable[tuple[int | None, Trial]], now: datetime) -> int:
    """Store the trials of a training, each by the cut it was made for (None: the model); how many there are."""
    rows = [
        {
            "run_id": run_id,
            "made_for": MODEL if cut is None else (EPOCH + timedelta(microseconds=cut)).isoformat(),
            "number": trial.number,
            "tried_at": now,
            "what": json.dumps(trial.capacity.told()),
            "loss": trial.loss,
            "state": trial.state,
        }
        for cut, trial in tried
    ]
    if rows:
        lake.publish_rows("trials", rows, part=run_id, at=now.date())
    return len(rows)


def publish_opening(lake: Lake, run_id: str, now: datetime) -> None:
    """Store that the sealed weeks of a run were looked at: the next look at them is worth less."""
    row = {
        "run_id": run_id,
        "made_for": SEALED,
        "number": 0,
        "tried_at": now,
        "what": _OPENED,
        "state": "complete",
    }
    lake.publish_rows("trials", [row], part=f"{run_id}-{SEALED}", at=now.date())


def counted(lake: Lake) -> int:
    """Everything that was ever tried on this lake; what is looked at again is not tried again."""
    return len(_tried(lake))


def openings(lake: Lake) -> int:
    """How many models had their sealed weeks opened."""
    return sum(made_for == SEALED for _, made_for, _ in _tried(lake))


def _tried(lake: Lake) -> set[tuple[str, str, int]]:
    rows = reading.rows(lake, "trials").select(TABLES["trials"].key).to_pylist()
    return {(row["run_id"], row["made_for"], row["number"]) for row in rows}
