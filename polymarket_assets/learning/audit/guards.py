"""The guards: each asks one question of a lake and says what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from polymarket_assets.learning.audit import of_features, of_fitting, of_rows
from polymarket_assets.learning.audit.audited import Audit, Finding


@dataclass(frozen=True)
class Guard:
    """A question, and the leaks of ML.md 2.5 it is for."""

    name: str
    leaks: str
    ask: Callable[[Audit], Finding]


GUARDS: tuple[Guard, ...] = (
    Guard("cut at the instant", "L2 L3 L7 L10 L11", of_features.truncation), Guard("later and absurd rows", "L2 L3 L10", of_features.later_rows), Guard("stored is what live code computes", "L13", of_features.parity),
    Guard("only what may be read", "L7", of_features.allowed), Guard("one value in one source", "L13", of_features.constant), Guard("each market once", "L8", of_rows.once), Guard("before the result", "L6", of_rows.undecided),
    Guard("by the scheduled end", "L5 L5b", of_rows.scheduled), Guard("weights of the time", "L4", of_rows.weighed), Guard("nothing fitted on later weeks", "L12", of_fitting.fitted), Guard("groups apart", "L1 L9", of_rows.apart), Guard("every row has a fate", "L14", of_rows.counted),
)  # fmt: skip
