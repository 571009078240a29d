"""A lake in an object store: every file is made whole on this machine and then sent, in one upload that is seen once it is completed.

A writer that dies in the middle leaves an upload that was never completed, which nobody sees and a rule of the bucket
clears away (`docs/lake.md`). The store knows neither locks nor folders: those that keep and seal run on one host and
lock each other out there, in `STATE_DIR`.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from polymarket_assets.lake import objects
from polymarket_assets.lake.errors import StoreRefused
from polymarket_assets.lake.storage import Answer, Item, LocalStore, Space, Store, Stored

# A store does not tell a bucket that is gone from a file that is not there: it is looked at again after so long.
_STANDS_FOR_S = 60.0
# A day of a table is 24 manifests, an answer takes 20 to 50 ms; the SDK keeps 25 connections.
_AT_ONCE = 16
_DRAFTS = "object-store"
# What is handed over of a file at a time: it may be larger than the memory that sealing is given. As large as pyarrow's parts,
# so that when one fails its stream holds no beginning of another, which it would still send.
_SLICE_BYTES = 10 * 1024 * 1024


class ObjectStore:
    """A lake at `s3://bucket/prefix`; see `objects` for the client. Raises `NoLake` where the address names none.

    Whoever makes files or takes locks needs `STATE_DIR` (`NotConfigured` without it), who reads does not: in a folder that any process
    guesses for itself, locks would keep nobody apart.
    """

    def __init__(self, root: str, called: str = "the lake") -> None:
        self.root = root.rstrip("/")
        self._base = objects.key(root)
        self._objects = objects.client()
        self._called = called
        self._stood_at: float | None = None

    @cached_property
    def _here(self) -> LocalStore:
        """What belongs to a lake and cannot lie in it: drafts, scratch and locks. Raises `NotConfigured` without `STATE_DIR`."""
        from polymarket_assets.settings import load

        name = re.sub(r"[^A-Za-z0-9._-]+", "-", self.root)
        return LocalStore(load().need_state_dir() / _DRAFTS / name, called=f"the folder for drafts of {self._called}")  # fmt: skip

    def each(self, act: Callable[[Item], Answer], items: Iterable[Item]) -> Iterable[Answer]:
        """See `Store`; so many at a time."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(act, items))

    def write_table(self, path: str, rows: pa.Table) -> int:
        """See `Store`."""
        with self._made_here() as here:
            return self._send(here, path, here.write_table(path, rows))

    def write_pieces(
        self, path: str, schema: pa.Schema, pieces: Iterable[pa.Table], options: Mapping[str, Any], group_rows: int
    ) -> tuple[int, int]:  # fmt: skip
        """See `Store`."""
        with self._made_here() as here:
            rows, size = here.write_pieces(path, schema, pieces, options, group_rows)
            return rows, self._send(here, path, size)

    def write_groups(
        self, folder: str, prefix: str, schema: pa.Schema, groups: Iterable[pa.Table], options: Mapping[str, Any]
    ) -> Stored:  # fmt: skip
        """See `Store`."""
        with self._made_here() as here:
            stored = here.write_groups(folder, prefix, schema, groups, options)
            self._send(here, f"{folder}/{stored.name}", stored.bytes)
            return stored

    def write_bytes(self, path: str, content: bytes) -> None:
        """See `Store`."""
        self._put(path, pa.py_buffer(content))

    def read_bytes(self, path: str) -> bytes | None:
        """See `Store`. Raises `StoreRefused`, `StoreUnavailable`: that nothing can be asked is not that nothing is there."""
        with objects.told(f"{self.uri(path)} was not read"):
            try:
                with self._objects.open_input_stream(self._at(path)) as file:
                    return cast(bytes, file.read())
            except FileNotFoundError:
                self._require_bucket()
                return None

    @contextlib.contextmanager
    def reading(self, path: str) -> Iterator[IO[bytes]]:
        """See `Store`."""
        with (
            objects.told(f"{self.uri(path)} was not read"),
            self._objects.open_input_stream(self._at(path)) as file,
        ):
            yield file

    def list(self, prefix: str) -> list[str]:
        """See `Store`; a request for every thousand files."""
        return list(self.sizes(prefix))

    def any(self, prefix: str) -> bool:
        """See `Store`; a request for every level of folders."""
        found = self._entries(prefix, recursive=False)
        if any(info.is_file and _counts(info.path) for info in found):
            return True
        folders = sorted((info.path for info in found if not info.is_file), reverse=True)
        return any(self.any(self._relative(folder)) for folder in folders)

    def below(self, prefix: str) -> Sequence[str]:
        """See `Store`; a request for every thousand."""
        found = self._entries(prefix, recursive=False)
        return [info.path.rstrip("/").rsplit("/", 1)[-1] for info in found if not info.is_file]

    def sizes(self, prefix: str) -> dict[str, int]:
        """See `Store`; a request for every thousand files."""
        found = self._entries(prefix, recursive=True)
        return {self._relative(info.path): info.size for info in found if info.is_file and _counts(info.path)}

    def all_names(self) -> Iterator[str]:
        """Every file with its path, also those that count for no lake: what `objects.remove_below` would remove."""
        return (self._relative(info.path) for info in self._entries("", recursive=True) if info.is_file)

    def stands(self) -> bool:
        """See `Store`."""
        return self.any("")

    def space(self) -> Space | None:
        """See `Store`: it has no end."""
        return None

    def remove(self, path: str) -> None:
        """See `Store`."""
        with objects.told(f"{path} was not removed", is_write=True), contextlib.suppress(FileNotFoundError):
            self._objects.delete_file(self._at(path))

    def remove_emptied(self, folder: str) -> None:
        """See `Store`: folders are names only, and one that is emptied may be filled while it is removed: it is left alone."""

    def alone(self, name: str) -> contextlib.AbstractContextManager[bool]:
        """See `Store`; among the processes of this host that share `STATE_DIR`."""
        return self._here.alone(name)

    def uri(self, path: str) -> str:
        """See `Store`."""
        return f"{self.root}/{path}"

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """See `Store`; in `STATE_DIR`."""
        return self._here.scratch()

    def remove_drafts(self, folder: str) -> int:
        """See `Store`."""
        return self._here.remove_drafts(folder)

    @contextlib.contextmanager
    def _made_here(self) -> Iterator[LocalStore]:
        with self._here.scratch() as folder:
            yield LocalStore(folder, called="the folder for drafts")

    def _send(self, here: LocalStore, path: str, size: int) -> int:
        """Upload what was made here; returns its bytes."""
        with pa.memory_map(here.uri(path)) as draft:
            self._put(path, draft.read_buffer())
        return size

    def _put(self, path: str, content: pa.Buffer) -> None:
        """One upload, in parts where it is large; in a thread of its own, since an interrupt would leave it in the middle."""
        with (
            objects.told(f"{path} was not published; nothing half-written can be seen", is_write=True),
            ThreadPoolExecutor(1) as apart,
        ):
            apart.submit(self._upload, path, content).result()

    def _upload(self, path: str, content: pa.Buffer) -> None:
        upload = self._objects.open_output_stream(self._at(path))
        try:
            for begin in range(0, content.size, _SLICE_BYTES):
                upload.write(content.slice(begin, min(_SLICE_BYTES, content.size - begin)))
                upload.flush()
            upload.close()
        except OSError:
            # The store's word: a stream that knows it never completes.
            raise
        except BaseException:
            _never_thrown_away(upload)
            raise

    def _entries(self, prefix: str, *, recursive: bool) -> Sequence[Any]:
        import pyarrow.fs as fs

        wanted = fs.FileSelector(self._at(prefix), allow_not_found=True, recursive=recursive)
        with objects.told(f"{self.uri(prefix)} was not listed"):
            found: Sequence[Any] = self._objects.get_file_info(wanted)
        if not found:
            self._require_bucket()
        return sorted(found, key=lambda info: info.path)

    def _require_bucket(self) -> None:
        """Raises `StoreRefused` where there is no bucket: the lake is not empty then, it is not there."""
        import pyarrow.fs as fs

        if self._stood_at is not None and time.monotonic() - self._stood_at < _STANDS_FOR_S:
            return
        bucket = self._base.split("/", 1)[0]
        with objects.told(f"the bucket {bucket} was not looked at"):
            (info,) = self._objects.get_file_info([bucket])
        if info.type == fs.FileType.NotFound:
            raise StoreRefused(f"the object store has no bucket {bucket}: make it, or name another in LAKE_ROOT (it is {self.root})")  # fmt: skip
        self._stood_at = time.monotonic()

    def _at(self, path: str) -> str:
        return f"{self._base}/{path}".rstrip("/")

    def _relative(self, path: str) -> str:
        return path[len(self._base) + 1 :]


def _never_thrown_away(upload: pa.NativeFile) -> None:
    """Keep a stream for good, also beyond the end of Python: pyarrow cannot abort it, and completes an upload whose stream goes."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(upload))


def _counts(path: str) -> bool:
    return not path.rsplit("/", 1)[-1].startswith(".")


def store_of(root: str | Path) -> Store:
    """The store for the root of a lake: a folder, or an address of an object store. Raises `NoLake`."""
    return ObjectStore(str(root)) if objects.is_object(root) else LocalStore(root)
