"""Decisions on steps: which version asks for what, which gates hold, and where aliases point afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from polymarket_assets.learning.evaluation.claims import Gate
from polymarket_assets.learning.registered import (
    CHAMPION,
    GIVEN_UP,
    PREVIOUS,
    SHADOW,
    SHADOW_SINCE,
    TO_THE_MINUTE,
)
from polymarket_assets.learning.tracking.registry import Registry, Version


@dataclass(frozen=True)
class Decision:
    """One step of one version: what was asked, the gates, and the aliases that move (None: taken away)."""

    version: Version
    asked: str
    gates: tuple[Gate, ...]
    moves: dict[str, str | None] = field(default_factory=dict)
    # How the claim is worded, where it is granted.
    worded: str = ""
    # What the version is tagged with before aliases move, so that a crash between them is seen by the next review.
    tags: dict[str, str] = field(default_factory=dict)
    # What it is called when a gate does not hold.
    otherwise: str = "refused"

    @property
    def is_granted(self) -> bool:
        """Whether every gate holds."""
        return all(gate.is_held for gate in self.gates)

    @property
    def said(self) -> str:
        """One sentence: what was decided, and the first reason where it was not."""
        if self.is_granted:
            worded = f": {self.worded}" if self.worded else ""
            return f"{self.version.name}: {self.asked}: granted, all {len(self.gates)} gates hold{worded}"
        return f"{self.version.name}: {self.asked}: {self.otherwise}: {_missed(self.gates)}"

    def table(self) -> str:
        """The gates as a Markdown table."""
        lines = [f"| {'✓' if gate.is_held else '✗'} | {gate.name} | {gate.told} |" for gate in self.gates]
        return "\n".join([f"**{self.said}**", "", "| | gate | found |", "|---|---|---|", *lines])


def _missed(gates: tuple[Gate, ...]) -> str:
    """The first gate that does not hold, with what was found, and how many more there are; empty where all hold."""
    missed = [gate for gate in gates if not gate.is_held]
    more = f", and {len(missed) - 1} more" if len(missed) > 1 else ""
    return f"{missed[0].name}: {missed[0].told}{more}" if missed else ""


def to_wait(challenger: Version, shadow: Gate) -> Decision:
    """A challenger that is not asked while a shadow has its time."""
    return Decision(challenger, "challenger to shadow", (shadow,), otherwise="waits")


def to_shadow(challenger: Version, gates: tuple[Gate, ...], now: datetime, *, roi_low: float | None = None) -> Decision:  # fmt: skip
    """A challenger that may be watched live; `roi_low` is the lower end of what its backtest returned on a dollar, None: it bought nothing."""
    worded = "forecast skill, and profitable" if roi_low is not None and roi_low > 0 else "forecast skill, not profitable"  # fmt: skip
    return Decision(challenger, "challenger to shadow", gates, {SHADOW: challenger.number}, worded, {SHADOW_SINCE: f"{now:{TO_THE_MINUTE}}"})  # fmt: skip


def to_champion(shadow: Version, champion: Version | None, gates: tuple[Gate, ...]) -> Decision:
    """A shadow that may be followed; the champion before it is kept for a return."""
    former = {PREVIOUS: champion.number} if champion else {}
    return Decision(shadow, "shadow to champion", gates, {**former, CHAMPION: shadow.number, SHADOW: None})  # fmt: skip


def to_stay(champion: Version, price: Version, gates: tuple[Gate, ...], now: datetime) -> Decision:
    """A champion that may stay: where a gate does not hold, the price is followed instead, and the champion is given up for good."""
    moves: dict[str, str | None] = {PREVIOUS: champion.number, CHAMPION: price.number}
    tags = {GIVEN_UP: champion.tags.get(GIVEN_UP, f"{now:{TO_THE_MINUTE}}: {_missed(gates)}")}
    return Decision(champion, "champion to stay", gates, moves, tags=tags)


def carried_out(decision: Decision, registry: Registry) -> bool:
    """Move the aliases of what was granted, or of a champion that may not stay; whether any moved."""
    is_due = decision.is_granted != (decision.asked == "champion to stay")
    if is_due:
        registry.tag(decision.version, decision.tags)
        for alias, number in decision.moves.items():
            registry.point(alias, number)
    return is_due
