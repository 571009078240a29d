"""The ledger of the truth: one JSON line for everything that was sent, listed and resolved. `docs/simulator.md` has the forms."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import msgspec

# Lines wait so long at most before they are on disk.
FLUSH_EVERY_S = 0.5


class Ledger:
    """Appends lines; without a file it only counts."""

    def __init__(self, file: Path | None) -> None:
        self._lines: list[str] = []
        self._out: TextIO | None = None
        self.counts: dict[str, int] = {}
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._out = file.open("a", encoding="utf-8")

    def write(self, kind: str, at: float | None = None, **fields: Any) -> None:
        """Add a line; `at` is now unless told."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self._out is None:
            return
        moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
        said = {"at": moment.isoformat(timespec="microseconds"), "kind": kind, **fields}
        self._lines.append(msgspec.json.encode(said).decode())

    def flush(self) -> None:
        """Write what waits; whole lines only."""
        if self._out is not None and self._lines:
            lines, self._lines = self._lines, []
            self._out.write("\n".join(lines) + "\n")
            self._out.flush()

    def close(self) -> None:
        self.flush()
        if self._out is not None:
            self._out.close()
            self._out = None
