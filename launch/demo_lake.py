"""Where the lake of the demo lies: in a folder of its own or, where `LAKE_ROOT` is an object store, under a prefix of its own there.

What `LAKE_ROOT` names may be somebody's lake: nothing of it is written, and nothing but that prefix is emptied.
"""

from __future__ import annotations

import getpass
import hashlib
import socket
from pathlib import Path

from launch.home import PROJECT
from polymarket_assets.lake import TABLES, objects
from polymarket_assets.lake.object_storage import ObjectStore
from polymarket_assets.venue.errors import Refused

# No table's name; what is whose is told by what follows it.
PREFIX = "polymarket-assets-demo"


def root(lake_root: str | None, folder: Path) -> str:
    """The root of the demo's lake, by what `LAKE_ROOT` says: a folder that it names is left alone, and `folder` taken."""
    if lake_root is None or not objects.is_object(lake_root):
        return str(folder)
    return f"{lake_root.rstrip('/')}/{PREFIX}-{_whose()}"


def _whose() -> str:
    """A project of a user on a host, as so many characters: colleagues who share a `LAKE_ROOT` must not empty each other's demo."""
    said = f"{getpass.getuser()}@{socket.gethostname()}:{PROJECT}"
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def empty(root: str) -> None:
    """Remove the lake of the demo before from an object store; folders go with the rest of the demo's.

    Raises:
        Refused: something lies there that is no lake's, and is not ours to remove; nothing was removed.
        StoreUnavailable, StoreRefused, LakeUnwritable: the object store does not let us.
    """
    if not objects.is_object(root):
        return
    if foreign := [path for path in ObjectStore(root).all_names() if not _is_of_a_lake(path)]:
        raise Refused(f"{root}/{foreign[0]} is no file of a lake, and the demo would remove it: move it away, or name another LAKE_ROOT")  # fmt: skip
    objects.remove_below(root)


def _is_of_a_lake(path: str) -> bool:
    folder, is_nested, _ = path.partition("/")
    # No hidden file is a lake's in an object store: its drafts lie elsewhere.
    if path.rsplit("/", 1)[-1].startswith("."):
        return False
    return folder in TABLES if is_nested else folder.startswith("_")
