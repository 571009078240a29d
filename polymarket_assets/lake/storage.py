"""The one interface through which files of a lake are written, listed and removed.

`LocalStore` is a folder, `object_storage.ObjectStore` an object store. A write is a whole file
or none: in a folder a draft beside the target, fsync, rename, fsync of the folder.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from polymarket_assets.lake.errors import DamagedFile, LakeUnwritable

# Errors of the operating system that a person can mend: the same write may succeed later.
_NOT_NOW = {errno.ENOSPC: "no space is left", errno.EDQUOT: "the quota is used up", errno.EROFS: "it is read-only",
            errno.EACCES: "writing is not permitted", errno.EPERM: "writing is not permitted", errno.EIO: "the disk reports an error",
            errno.ENOENT: "its folder cannot be made", errno.ENOTDIR: "a file stands where a folder belongs",
            errno.EEXIST: "a file stands where a folder belongs"}  # fmt: skip

# zstd's default: level 3 costs a tenth of the highest and comes within a few percent.
_COMPRESSION_LEVEL = 3

# A draft that was not touched for this long is of a process that died: no write takes nearly as long.
DRAFT_KEPT_S = 3600.0
_SCRATCH = ".scratch"
_CHUNK_BYTES = 8 * 1024 * 1024

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Stored:
    """A published file that is named after its content."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Space:
    """Bytes of the disk that a store lies on: all there are, and those still free for us."""

    total: int
    free: int


class Store(Protocol):
    """Files by path relative to the root of a lake."""

    def each(self, act: Callable[[Item], Answer], items: Iterable[Item]) -> Iterable[Answer]:
        """`act` on every item, in their order: at the same time where asking this store is waiting."""

    def write_table(self, path: str, rows: pa.Table) -> int:
        """Publish rows as one Parquet file, whole or not at all; returns its bytes. Raises `LakeUnwritable`."""

    def write_pieces(
        self,
        path: str,
        schema: pa.Schema,
        pieces: Iterable[pa.Table],
        options: Mapping[str, Any],
        group_rows: int,
    ) -> tuple[int, int]:
        """Publish tables that follow one another as one file, whole or not at all; returns its rows and bytes.

        Raises `LakeUnwritable`.
        """

    def write_groups(
        self,
        folder: str,
        prefix: str,
        schema: pa.Schema,
        groups: Iterable[pa.Table],
        options: Mapping[str, Any],
    ) -> Stored:
        """Publish tables as the row groups of one file, whole or not at all, without holding more than one.

        The file is named by prefix and checksum, so the same content replaces itself. Raises `LakeUnwritable`.
        """

    def write_bytes(self, path: str, content: bytes) -> None:
        """Publish a small file, whole or not at all. Raises `LakeUnwritable`."""

    def read_bytes(self, path: str) -> bytes | None:
        """A small file, or None where there is none."""

    def list(self, prefix: str) -> list[str]:
        """Every file below a folder, sorted; empty where there is none."""

    def any(self, prefix: str) -> bool:
        """Whether there is a file below a folder; the newest dates are looked at first, and none after the first found."""

    def below(self, prefix: str) -> Sequence[str]:
        """The names of the folders that lie in a folder; empty where there is none. What lies in them is not asked for."""

    def sizes(self, prefix: str) -> dict[str, int]:
        """Every file below a folder with its bytes, sorted; a file that goes meanwhile is left out."""

    def reading(self, path: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """A file to be read from its beginning. Raises `FileNotFoundError`."""

    def stands(self) -> bool:
        """Whether anything is there: a folder, or any file in an object store."""

    def space(self) -> Space | None:
        """The disk that new files go to; None: it has no end."""

    def remove(self, path: str) -> None:
        """Remove a file; a file that is not there is removed already. Raises `LakeUnwritable`."""

    def remove_emptied(self, folder: str) -> None:
        """Remove a dated folder that holds no file any more, and those above it that held nothing else."""

    def alone(self, name: str) -> contextlib.AbstractContextManager[bool]:
        """Whether nobody else holds this name now; held until left, or until the process ends, however it ends."""

    def uri(self, path: str) -> str:
        """The location under which DuckDB, pyarrow and polars open a path."""

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """A local folder of one's own for intermediate files, gone afterwards. Raises `LakeUnwritable`."""

    def remove_drafts(self, folder: str) -> int:
        """Remove what processes that died left in a folder, and their scratch; returns how many files went.

        Raises `LakeUnwritable`.
        """


class LocalStore:
    """A lake in a folder; other folders are written by it too, and `called` what they are when they cannot be."""

    def __init__(self, root: Path | str, called: str = "the lake") -> None:
        self.root = Path(root).absolute()
        self._called = called

    def each(self, act: Callable[[Item], Answer], items: Iterable[Item]) -> Iterable[Answer]:
        """See `Store`; a disk does not keep one waiting."""
        return map(act, items)

    def write_table(self, path: str, rows: pa.Table) -> int:
        """See `Store`; readers never meet a half-written file."""
        with self._draft(path) as draft:
            pq.write_table(rows, draft, compression="zstd", compression_level=_COMPRESSION_LEVEL)
            return self._publish(draft, path)

    def write_pieces(
        self, path: str, schema: pa.Schema, pieces: Iterable[pa.Table], options: Mapping[str, Any], group_rows: int
    ) -> tuple[int, int]:  # fmt: skip
        """See `Store`; one piece is held at a time."""
        rows = 0
        with self._draft(path) as draft:
            with pq.ParquetWriter(draft, schema, **options) as writer:
                for piece in pieces:
                    writer.write_table(piece, row_group_size=group_rows)
                    rows += piece.num_rows
            return rows, self._publish(draft, path)

    def write_groups(
        self, folder: str, prefix: str, schema: pa.Schema, groups: Iterable[pa.Table], options: Mapping[str, Any]
    ) -> Stored:  # fmt: skip
        """See `Store`."""

        def write(draft: Path) -> None:
            with pq.ParquetWriter(draft, schema, **options) as writer:
                for group in groups:
                    writer.write_table(group, row_group_size=group.num_rows)

        return self.write_file(folder, prefix, "parquet", write)

    def write_file(self, folder: str, prefix: str, suffix: str, write: Callable[[Path], None]) -> Stored:
        """Publish what `write` puts into a draft, whole or not at all, named by prefix and checksum. Raises `LakeUnwritable`."""
        with self._draft(f"{folder}/{prefix}") as draft:
            write(draft)
            digest = _digest(draft)
            name = f"{prefix}-{digest[:16]}.{suffix}"
            return Stored(name, self._publish(draft, f"{folder}/{name}"), digest)

    def write_bytes(self, path: str, content: bytes) -> None:
        """See `Store`."""
        with self._draft(path) as draft:
            draft.write_bytes(content)
            self._publish(draft, path)

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

    def any(self, prefix: str) -> bool:
        """See `Store`; drafts are not files yet."""
        for _, folders, names in os.walk(self.root / prefix):
            if not all(name.startswith(".") for name in names):
                return True
            folders.sort(reverse=True)
        return False

    def below(self, prefix: str) -> Sequence[str]:
        """See `Store`."""
        try:
            with os.scandir(self.root / prefix) as found:
                return [entry.name for entry in found if entry.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def sizes(self, prefix: str) -> dict[str, int]:
        """See `Store`."""
        found: dict[str, int] = {}
        for path in self.list(prefix):
            with contextlib.suppress(FileNotFoundError):
                found[path] = (self.root / path).stat().st_size
        return found

    def reading(self, path: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """See `Store`."""
        return (self.root / path).open("rb")

    def stands(self) -> bool:
        """See `Store`."""
        return self.root.exists()

    def copy_in(self, path: str, source: Store, sha256: str) -> int:
        """See `Store`."""
        with self._draft(path) as draft:
            with source.reading(path) as original, draft.open("wb") as copy:
                shutil.copyfileobj(original, copy, _CHUNK_BYTES)
            _sync(draft)
            if (copied := _digest(draft)) != sha256:
                raise DamagedFile(source.uri(path), f"its checksum was {sha256} when it was sealed and its copy has {copied}: restore it, nothing was moved")  # fmt: skip
            return self._publish(draft, path)

    def space(self) -> Space:
        """See `Store`; of a folder that is not there yet, the disk it will lie on."""
        standing = next(folder for folder in (self.root, *self.root.parents) if folder.exists())
        found = shutil.disk_usage(standing)
        return Space(found.total, found.free)

    def remove(self, path: str) -> None:
        """See `Store`."""
        with self._told(f"{path} was not removed"):
            (self.root / path).unlink(missing_ok=True)

    def remove_emptied(self, folder: str) -> None:
        """See `Store`; what else stands in a folder keeps it."""
        where = self.root / folder
        while where.name.startswith(("hour=", "date=")):
            try:
                where.rmdir()
            except OSError as e:
                if e.errno not in (errno.ENOTEMPTY, errno.ENOENT):
                    raise
                return
            where = where.parent

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """See `Store`; a lock of the operating system, for the processes of one host."""
        with self._told(f"the lock {name} was not taken"):
            self.root.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.root / f".{name}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            yield _locked(handle)
        finally:
            os.close(handle)

    def uri(self, path: str) -> str:
        """See `Store`."""
        return str(self.root / path)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """See `Store`; inside the lake, where there is room for what is to be written."""
        with self._told("its scratch folder was not made"):
            (self.root / _SCRATCH).mkdir(parents=True, exist_ok=True)
            folder = tempfile.TemporaryDirectory(dir=self.root / _SCRATCH, ignore_cleanup_errors=True)
        with folder as made:
            yield Path(made)

    def remove_drafts(self, folder: str) -> int:
        """See `Store`."""
        with self._told("what processes that died left behind was not removed"):
            removed = sum(_removed(file, file.unlink) for file in (self.root / folder).glob(".*.draft"))
            # Deepest first: what is made here for an object store lies in folders as in the lake.
            for where, folders, names in os.walk(self.root / _SCRATCH, topdown=False):
                removed += sum(_removed(file, file.unlink) for file in map(Path(where).joinpath, names))
                for emptied in map(Path(where).joinpath, folders):
                    _removed(emptied, emptied.rmdir)
        return removed

    @contextlib.contextmanager
    def _draft(self, path: str) -> Iterator[Path]:
        """A hidden file beside a target, gone afterwards unless it was published."""
        target = self.root / path
        draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
        try:
            with self._told(f"{target.name} was not published; nothing half-written remains"):
                target.parent.mkdir(parents=True, exist_ok=True)
                yield draft
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def _publish(self, draft: Path, path: str) -> int:
        """Put a whole draft in its place; returns its bytes."""
        size = draft.stat().st_size
        target = self.root / path
        _sync(draft)
        os.replace(draft, target)
        _sync(target.parent)
        return size

    @contextlib.contextmanager
    def _told(self, undone: str) -> Iterator[None]:
        """Errors of the operating system, in words and as `LakeUnwritable`."""
        try:
            yield
        except OSError as e:
            why = _NOT_NOW.get(e.errno or 0)
            if why is None:
                raise
            raise LakeUnwritable(f"{self._called} at {self.root} cannot be written: {why} ({undone})") from e


def _removed(path: Path, remove: Callable[[], None]) -> bool:
    """Whether something was left by a process that died, and is gone now."""
    try:
        if time.time() - path.stat().st_mtime <= DRAFT_KEPT_S:
            return False
        remove()
    except FileNotFoundError:
        return False
    except OSError as e:
        if e.errno != errno.ENOTEMPTY:
            raise
        return False
    return True


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Hand a file's content, or a folder's entries, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
