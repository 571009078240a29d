"""The one interface through which files of a lake are written, listed and removed.

`LocalStore` is a folder; an object store is a second implementation of `Store`. A write is a whole file
or none: draft beside the target, fsync, rename, fsync of the folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from polymarket_assets.lake.errors import LakeUnwritable

# Errors of the operating system that a person can mend: the same write may succeed later.
_NOT_NOW = {errno.ENOSPC: "no space is left", errno.EDQUOT: "the quota is used up", errno.EROFS: "it is read-only",
            errno.EACCES: "writing is not permitted", errno.EPERM: "writing is not permitted", errno.EIO: "the disk reports an error",
            errno.ENOENT: "its folder cannot be made", errno.ENOTDIR: "a file stands where a folder belongs",
            errno.EEXIST: "a file stands where a folder belongs"}  # fmt: skip

# zstd's default: level 3 costs a tenth of the highest and comes within a few percent.
_COMPRESSION_LEVEL = 3


class Store(Protocol):
    """Files by path relative to the root of a lake."""

    def write_table(self, path: str, rows: pa.Table) -> int:
        """Publish rows as one Parquet file, whole or not at all; returns its bytes. Raises `LakeUnwritable`."""

    def write_bytes(self, path: str, content: bytes) -> None:
        """Publish a small file, whole or not at all. Raises `LakeUnwritable`."""

    def read_bytes(self, path: str) -> bytes | None:
        """A small file, or None where there is none."""

    def list(self, prefix: str) -> list[str]:
        """Every file below a folder, sorted; empty where there is none."""

    def remove(self, path: str) -> None:
        """Remove a file; a file that is not there is removed already."""

    def uri(self, path: str) -> str:
        """The location under which DuckDB, pyarrow and polars open a path."""


class LocalStore:
    """A lake in a folder."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).absolute()

    def write_table(self, path: str, rows: pa.Table) -> int:
        """See `Store`; readers never meet a half-written file."""
        with self._published(path) as draft:
            pq.write_table(rows, draft, compression="zstd", compression_level=_COMPRESSION_LEVEL)
            return draft.stat().st_size

    def write_bytes(self, path: str, content: bytes) -> None:
        """See `Store`."""
        with self._published(path) as draft:
            draft.write_bytes(content)

    def read_bytes(self, path: str) -> bytes | None:
        """See `Store`."""
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def list(self, prefix: str) -> list[str]:
        """See `Store`; drafts are not files yet."""
        found = (
            os.path.relpath(os.path.join(folder, name), self.root)
            for folder, _, names in os.walk(self.root / prefix)
            for name in names
            if not name.startswith(".")
        )
        return sorted(found)

    def remove(self, path: str) -> None:
        """See `Store`."""
        (self.root / path).unlink(missing_ok=True)

    def uri(self, path: str) -> str:
        """See `Store`."""
        return str(self.root / path)

    @contextlib.contextmanager
    def _published(self, path: str) -> Iterator[Path]:
        target = self.root / path
        draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            yield draft
            _sync(draft)
            os.replace(draft, target)
            _sync(target.parent)
        except OSError as e:
            why = _NOT_NOW.get(e.errno or 0)
            if why is None:
                raise
            raise LakeUnwritable(
                f"the lake at {self.root} cannot be written: {why} ({target.name} was not published; nothing half-written remains)"
            ) from e
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Hand a file's content, or a folder's entries, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
