"""What can go wrong with the lake, on the same tree as the venue's errors: again, or not."""

from __future__ import annotations

from polymarket_assets.venue.errors import MalformedPayload, Refused, Unavailable


class LakeError(Exception):
    """Base of everything the lake can do to us."""


class LakeUnwritable(LakeError, Unavailable):
    """No space, no permission, a read-only disk: nothing half-written is left, the write can be repeated."""


class NewerLake(LakeError, Refused):
    """The lake was written by a newer version of the platform."""


class NoLake(LakeError, Refused):
    """There is no lake where one is to be read."""


class NoSuchTable(LakeError, Refused):
    """A name that is no table's."""


class StoreUnavailable(LakeError, Unavailable):
    """The object store of a lake does not answer now, or not as it should."""


class StoreRefused(LakeError, Refused):
    """The object store of a lake refuses what is asked: no bucket, no credentials for it."""


class DamagedFile(LakeError, MalformedPayload):
    """A file of the lake is no whole Parquet file."""


class SchemaMismatch(LakeError, Refused):
    """Rows do not have the form their table declares."""


class BrokenManifest(LakeError, MalformedPayload):
    """A manifest could not be read."""


class RowsDiffer(LakeError, MalformedPayload):
    """A merged file does not hold the rows of its parts: it was not named, the parts count as before."""


class ColdAway(LakeError, Unavailable):
    """Hours of the lake lie in cold storage, and that is not there now."""


class ColdElsewhere(LakeError, Refused):
    """Cold storage can be no place of the kind that was named, or lies somewhere else already."""


class SpanDoesNotFit(LakeError, Refused):
    """What is to be exported is bounded in a way that its table does not know."""


class NotAnExport(LakeError, Refused):
    """The folder of an export holds something else."""


class LakeBusy(LakeError, Unavailable):
    """Another process is at work on what one process may do at a time."""
