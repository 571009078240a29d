"""The files of an object store as DuckDB asks for them: its own extension for that has to be fetched from elsewhere.

DuckDB opens a file for its columns and again for its rows, and asks for its size and date each time: one request
answers all of that here, and a small file is fetched once for a connection.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import pyarrow as pa
from fsspec import AbstractFileSystem

from polymarket_assets.lake import objects

# Of a connection: what its last queries read, and small beside what DuckDB itself holds.
HELD_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class _Seen:
    """A file as it was when it was opened last."""

    size: int
    version: int


class ObjectFiles(AbstractFileSystem):  # type: ignore[misc]
    """What DuckDB's `register_filesystem` takes; for reading only, and without patterns: a lake never globs."""

    protocol = "s3"
    # One for each connection: what it holds goes with it.
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._held: OrderedDict[str, pa.Buffer] = OrderedDict()
        self._seen: dict[str, _Seen] = {}

    def open(self, path: str, mode: str = "rb", **_: Any) -> pa.NativeFile:
        """A file; DuckDB closes it."""
        with self._lock:
            held = self._held.get(path)
        if held is not None:
            return pa.BufferReader(held)
        file = objects.opened_untold(path)
        with self._lock:
            if file.size() <= objects.WHOLE_BYTES:
                content = file.read_buffer()
                self._hold(path, content)
                self._seen[path] = _Seen(content.size, crc32(content))
                return pa.BufferReader(content)
            self._seen[path] = _Seen(file.size(), crc32(file.metadata().get("ETag", b"")))
        return file

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Name, type and bytes; asked for right after opening."""
        return {"name": path, "type": "file", "size": self._seen_of(path).size}

    def modified(self, path: str) -> datetime:
        """What DuckDB tells versions of a file by, to know whether to believe what it holds of one: here, a number of its content."""
        return datetime.fromtimestamp(self._seen_of(path).version, UTC)

    def glob(self, path: str, **_: Any) -> list[str]:
        """The path itself, unasked: whether it is there shows when it is opened."""
        return [path]

    def exists(self, path: str, **_: Any) -> bool:
        """As `glob`."""
        return True

    def _seen_of(self, path: str) -> _Seen:
        if path not in self._seen:
            self.open(path).close()
        return self._seen[path]

    def _hold(self, path: str, content: pa.Buffer) -> None:
        self._held[path] = content
        while sum(buffer.size for buffer in self._held.values()) > HELD_BYTES:
            self._held.popitem(last=False)
