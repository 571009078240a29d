"""Signs of life of window runs, in `STATE_DIR/heartbeats/<tier>`, for whoever watches over them.

Operating state, never data: a heartbeat that cannot be written is logged, and collection goes on.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)


class Heartbeat(msgspec.Struct, frozen=True):
    """The last sign of life of a tier's window run."""

    run_id: str
    at: datetime
    # The slot the run waits for or sweeps.
    slot_at: datetime


def path_of(state_dir: Path, tier: str) -> Path:
    """Where the heartbeat of a tier lies."""
    return state_dir / "heartbeats" / tier


def beat(state_dir: Path | None, tier: str, heartbeat: Heartbeat) -> None:
    """Leave a sign of life, whole or not at all; without a state folder nothing is left."""
    if state_dir is None:
        return
    target = path_of(state_dir, tier)
    draft = target.with_name(f".{tier}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(msgspec.json.encode(heartbeat))
        os.replace(draft, target)
    except OSError as e:
        log.warning("the heartbeat of %s could not be written: %s", tier, e)


def read(state_dir: Path, tier: str) -> Heartbeat | None:
    """The last heartbeat of a tier; None where there never was one."""
    try:
        return msgspec.json.decode(path_of(state_dir, tier).read_bytes(), type=Heartbeat)
    except FileNotFoundError:
        return None
