"""Rows of a suite: figures that are measured together, with what was wanted of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Hears what is being done.
Tell = Callable[[str], None]


class Failed(Exception):
    """A measurement could not be made; the message says why."""


@dataclass(frozen=True)
class Row:
    """A figure: what was measured, what was wanted of it, and how it stands to what was measured beside it."""

    name: str
    value: float
    unit: str
    wanted: float | None = None
    # Whether more is better.
    more: bool = True
    ratio: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it is what was wanted; None: nothing was."""
        if self.wanted is None:
            return None
        return self.value >= self.wanted if self.more else self.value <= self.wanted
