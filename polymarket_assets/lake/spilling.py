"""Where DuckDB puts what its memory does not hold: below `STATE_DIR`, a disk, where `/tmp` may be memory and the working folder read-only.

Each connection has a folder of its own, since DuckDB gives its files the same names in all; it makes the folder when it
needs it and removes it when it is closed. What a process that died leaves is forgotten after a day.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

# No query takes longer: runs are ended after an hour, and a person's import of years takes some.
LEFT_AFTER = timedelta(days=1)
_PREFIX = "duckdb-"


def folder() -> str:
    """A folder that is not there yet, for one connection."""
    return str(_base() / f"{_PREFIX}{uuid4().hex}")


def forget(*, now: datetime) -> int:
    """Remove what processes that died left; returns how many folders went."""
    left = [one for one in _base().glob(f"{_PREFIX}*") if now - _written_at(one, now) > LEFT_AFTER]
    for one in left:
        shutil.rmtree(one, ignore_errors=True)
    return len(left)


def _base() -> Path:
    """`STATE_DIR`, or the system's temporary folder where it may not be written."""
    from polymarket_assets.settings import load

    state = load().state_dir
    return state if state is not None and os.access(state, os.W_OK) else Path(tempfile.gettempdir())


def _written_at(path: Path, now: datetime) -> datetime:
    """When files came or went last; now, of one that goes meanwhile."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return now
