"""What a page can be asked for in vain."""

from __future__ import annotations

from polymarket_assets.venue.errors import Refused


class NotFound(Refused):
    """Nothing in the lake has this name."""


class Ambiguous(Refused):
    """Several things in the lake have this name."""
