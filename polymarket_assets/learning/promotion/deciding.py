"""Decisions on steps: which version asks for what, which gates hold, and where aliases point afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

from polymarket_assets.learning.evaluation.claims import Gate
from polymarket_assets.learning.tracking.registry import CHAMPION, PREVIOUS, SHADOW, Registry, Version


@dataclass(frozen=True)
class Decision:
    """One step of one version: what was asked, the gates, and the aliases that move (None: taken away)."""

    version: str
    asked: str
    gates: tuple[Gate, ...]
    moves: dict[str, str | None] = field(default_factory=dict)
    # How the claim is worded, where it is granted.
    worded: str = ""

    @property
    def is_granted(self) -> bool:
        """Whether every gate holds."""
        return all(gate.is_held for gate in self.gates)

    @property
    def said(self) -> str:
        """One sentence: what was decided, and the first reason where it was not."""
        if self.is_granted:
            worded = f": {self.worded}" if self.worded else ""
            return f"{self.version}: {self.asked}: granted, all {len(self.gates)} gates hold{worded}"
        missed = [gate for gate in self.gates if not gate.is_held]
        more = f", and {len(missed) - 1} more" if len(missed) > 1 else ""
        return f"{self.version}: {self.asked}: refused: {missed[0].name}: {missed[0].told}{more}"

    def table(self) -> str:
        """The gates as a Markdown table."""
        lines = [f"| {'✓' if gate.is_held else '✗'} | {gate.name} | {gate.told} |" for gate in self.gates]
        return "\n".join([f"**{self.said}**", "", "| | gate | found |", "|---|---|---|", *lines])


def to_shadow(challenger: Version, gates: tuple[Gate, ...], *, roi_low: float | None = None) -> Decision:
    """A challenger that may be watched live; `roi_low` is the lower end of what its backtest returned on a dollar, None: it bought nothing."""
    worded = "forecast skill, and profitable" if roi_low is not None and roi_low > 0 else "forecast skill, not profitable"  # fmt: skip
    return Decision(challenger.name, "challenger to shadow", gates, {SHADOW: challenger.number}, worded)


def to_champion(shadow: Version, champion: Version | None, gates: tuple[Gate, ...]) -> Decision:
    """A shadow that may be followed; the champion before it is kept for a return."""
    former = {PREVIOUS: champion.number} if champion else {}
    return Decision(shadow.name, "shadow to champion", gates, {**former, CHAMPION: shadow.number, SHADOW: None})  # fmt: skip


def to_stay(champion: Version, price: Version, gates: tuple[Gate, ...]) -> Decision:
    """A champion that may stay: where a gate does not hold, the price is followed instead."""
    return Decision(champion.name, "champion to stay", gates, {PREVIOUS: champion.number, CHAMPION: price.number})  # fmt: skip


def carried_out(decision: Decision, registry: Registry) -> bool:
    """Move the aliases of what was granted, or of a champion that may not stay; whether any moved."""
    is_due = decision.is_granted != (decision.asked == "champion to stay")
    if is_due:
        for alias, number in decision.moves.items():
            registry.point(alias, number)
    return is_due
