"""What can go wrong with an import: always before the first write."""

from __future__ import annotations

from collections.abc import Sequence

from polymarket_assets.venue.errors import Refused


class UnknownForm(Refused):
    """No file that was given has a form we know."""


class BadDataset(Refused):
    """Files of a known form do not hold what the form promises; `reasons` names everything found."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        listed = "\n".join(f"  - {reason}" for reason in self.reasons)
        super().__init__(f"nothing was imported, the lake is as it was:\n{listed}")
