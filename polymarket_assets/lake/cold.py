"""The cold part of a lake: where closed hours lie that were moved away, and how readers find them.

A moved folder keeps its manifest in the lake; that says `cold`, and its files lie under the same path below the
root that `_cold.json` names. So a lake is read whole without a setting, and one file is edited when that disk is
mounted elsewhere.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from polymarket_assets.lake import layout, objects
from polymarket_assets.lake.errors import BrokenManifest, ColdAway, ColdElsewhere
from polymarket_assets.lake.manifests import Manifest
from polymarket_assets.lake.storage import LocalStore
from polymarket_assets.lake.writing import Lake


class _Cold(msgspec.Struct, frozen=True):
    """The content of `_cold.json`."""

    root: str


def store(lake: Lake) -> LocalStore | None:
    """The cold part of a lake; None where nothing was ever moved. Raises `BrokenManifest`."""
    root = _root(lake)
    return None if root is None else LocalStore(root)


def located(lake: Lake, folder: str, manifest: Manifest) -> list[str]:
    """The locations of the files that a manifest names.

    Raises:
        ColdAway: they were moved, and where they were moved to is not there now.
    """
    if not manifest.cold:
        return [lake.store.uri(f"{folder}/{file.name}") for file in manifest.files]
    away = require(lake, folder)
    return [away.uri(f"{folder}/{file.name}") for file in manifest.files]


def require(lake: Lake, folder: str) -> LocalStore:
    """The cold part, of which a folder is wanted that was moved there. Raises `ColdAway` where it is not there now."""
    root = _root(lake)
    if root is None:
        raise ColdAway(f"{folder} was moved to cold storage and {lake.root}/{layout.COLD_FILE} is gone: restore it, it names the place")  # fmt: skip
    if not Path(root).is_dir():
        raise ColdAway(f"{folder} lies in cold storage at {root}, which is not there: mount it, or name its new place in {lake.root}/{layout.COLD_FILE}")  # fmt: skip
    return LocalStore(root)


def settle(lake: Lake, root: str) -> LocalStore:
    """The cold part at `root`, made known to readers at its first use.

    Raises:
        ColdElsewhere: it cannot lie there, or hours were moved to another place before.
        LakeUnwritable: it could not be made known.
    """
    _require_apart(lake, root)
    known = _root(lake)
    if known is None:
        Path(root).mkdir(parents=True, exist_ok=True)
        lake.store.write_bytes(layout.COLD_FILE, msgspec.json.encode(_Cold(str(Path(root).absolute()))))
    elif Path(known) != Path(root).absolute():
        raise ColdElsewhere(f"COLD_ROOT names {root} and hours of this lake were moved to {known}: move them along and name the new place in {lake.root}/{layout.COLD_FILE}")  # fmt: skip
    elif not Path(known).is_dir():
        raise ColdAway(f"COLD_ROOT names {known}, which is not there: mount it; nothing was moved")
    return LocalStore(root)


def _require_apart(lake: Lake, root: str) -> None:
    if objects.is_object(root):
        raise ColdElsewhere(f"COLD_ROOT={root}: object stores are not supported yet, name a folder")
    if objects.is_object(lake.root):
        return
    hot, away = Path(lake.root).absolute(), Path(root).absolute()
    if hot == away or hot in away.parents or away in hot.parents:
        raise ColdElsewhere(f"COLD_ROOT={root} and the lake at {hot} lie one in the other: name a folder beside it, on another disk")  # fmt: skip


def _root(lake: Lake) -> str | None:
    content = lake.store.read_bytes(layout.COLD_FILE)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=_Cold).root
    except msgspec.MsgspecError as e:
        raise BrokenManifest(f"{lake.root}/{layout.COLD_FILE}", content.decode(errors="replace"), f"{e}; it names the folder of the cold hours as root") from e  # fmt: skip
