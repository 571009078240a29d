"""What the last review of models decided, and why: the newest materialisation of the asset `promotion`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from console.monitoring import linking
from console.monitoring.asking import Asking
from console.place import Place
from polymarket_assets.watching import models

# It is made once a day.
EVERY_S = 60.0
_GATE = re.compile(r"\| (✓|✗) \| (.*?) \| (.*) \|")


@dataclass(frozen=True)
class Gate:
    """A condition of a step: whether it holds, and what was found."""

    is_held: bool
    name: str
    found: str


@dataclass(frozen=True)
class Decision:
    """A step that a version asked for, how it was answered, and why."""

    version: str
    asked: str
    answered: str
    why: str
    gates: tuple[Gate, ...]


@dataclass(frozen=True)
class Review:
    """The last review; `run` and `asset` are pages of Dagster."""

    at: datetime
    decisions: tuple[Decision, ...]
    run: str
    asset: str


def reviewed(place: Place) -> Review | None:
    """The last review; None: there was none. Raises `Unavailable` where Dagster's storage does not answer."""
    found = models.reviewed(place.own(Asking).watched())
    if found is None:
        return None
    gates = _gates(found.gates)
    decisions = (Decision(*models.parts(said), gates.get(said, ())) for said in found.decided)
    run, asset = (linking.dagster(place.settings, path) for path in (f"/runs/{found.run_id}", "/assets/promotion"))  # fmt: skip
    return Review(found.at, tuple(decisions), run, asset)


def _gates(told: str) -> dict[str, tuple[Gate, ...]]:
    """The gates of each decision by its sentence, out of the Markdown that Dagster shows."""
    found: dict[str, tuple[Gate, ...]] = {}
    said = ""
    for line in told.splitlines():
        if line.startswith("**") and line.endswith("**"):
            said = line.strip("*")
        elif gate := _GATE.fullmatch(line):
            found[said] = (*found.get(said, ()), Gate(gate[1] == "✓", gate[2], gate[3]))
    return found
