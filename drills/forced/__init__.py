"""What people are told of, forced: one module for each part of the world that goes wrong, each with real parts in it.

A condition is a context in a place (`drills.alert_place`) that gives how to make it wrong and how to make it right again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from drills.alert_place import Place
from polymarket_assets.watching.findings import Severity


def _nothing() -> None:
    """What happened does not end."""


@dataclass
class Forced:
    """A condition in its place: how to make it wrong and right. For an event, `wrong` makes it happen once more."""

    wrong: Callable[[], None]
    right: Callable[[], None] = _nothing


Force = Callable[[Place], AbstractContextManager[Forced]]


@dataclass(frozen=True)
class Condition:
    """A row of the drill: what health must say while it lasts, at which level and with which words; no level where it only happens."""

    name: str
    kind: str
    source: str
    force: Force
    level: Severity | None
    reason: str

    @property
    def is_event(self) -> bool:
        """Whether it happens, and does not end."""
        return self.level is None
