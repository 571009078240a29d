"""What a page can be asked for in vain."""

from __future__ import annotations

from polymarket_assets.venue.errors import Gone, Refused


class NotFound(Gone):
    """Nothing in the lake has this name."""


class Ambiguous(Refused):
    """Several things in the lake have this name."""
