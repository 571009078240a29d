"""What can go wrong with the lake, on the same tree as the venue's errors: again, or not."""

from __future__ import annotations

from polymarket_assets.venue.errors import MalformedPayload, Refused, Unavailable


class LakeUnwritable(Unavailable):
    """No space, no permission, a read-only disk: nothing half-written is left, the write can be repeated."""


class NewerLake(Refused):
    """The lake was written by a newer version of the platform."""


class SchemaMismatch(Refused):
    """Rows do not have the form their table declares."""


class BrokenManifest(MalformedPayload):
    """A manifest could not be read."""
