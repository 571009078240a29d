"""Manifests: what a closed folder holds. Where one stands, the files it names count, and parts it does not know yet."""

from __future__ import annotations

from datetime import datetime

import msgspec

from polymarket_assets.lake.errors import BrokenManifest
from polymarket_assets.lake.layout import MANIFEST
from polymarket_assets.lake.storage import Store

# One that is replaced while an object store is asked for it comes cut off where the former ended, and no JSON that is cut off can
# be read. A manifest is replaced minutes apart, so the next answer is whole.
_ATTEMPTS = 3


class ManifestFile(msgspec.Struct, frozen=True):
    """One file of a closed folder."""

    name: str
    rows: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a closed folder holds, and up to when everything heard is in it."""

    table: str
    sealed_at: datetime
    files: tuple[ManifestFile, ...]
    # Every part and merged file that the files replace: removed some minutes later, when no reader can still hold
    # their names. The names stay, so that a part published once more is known to be in the files.
    superseded: tuple[str, ...] = ()
    rows: int = 0
    first: datetime | None = None
    last: datetime | None = None
    # Everything received before this instant is in the files.
    through: datetime | None = None
    gaps: int = 0
    # The files lie in the cold part of the lake, under the same path.
    cold: bool = False
    # Its days are over: it holds nothing, and goes when what it superseded is gone.
    retired: bool = False


def read(store: Store, folder: str) -> Manifest | None:
    """The manifest of a folder; None while it is open.

    Raises:
        BrokenManifest: it is there and cannot be read.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        content = store.read_bytes(f"{folder}/{MANIFEST}")
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=Manifest)
        except msgspec.MsgspecError as e:
            if attempt == _ATTEMPTS:
                raise BrokenManifest(f"manifest of {folder}", content.decode(errors="replace"), str(e)) from e
    return None


def write(store: Store, folder: str, manifest: Manifest) -> None:
    """Publish a manifest: from here on its files stand for everything it supersedes."""
    store.write_bytes(f"{folder}/{MANIFEST}", msgspec.json.format(msgspec.json.encode(manifest), indent=1))
