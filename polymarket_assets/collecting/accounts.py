"""The account of a slot: one row of `sweeps`, published in a file of its own.

The file is named by the slot, so accounting again replaces the row and a slot never has two.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from polymarket_assets.lake import layout, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import Tier

TAKEN, LATE, MISSED = "taken", "late", "missed"


@dataclass(frozen=True)
class Account:
    """A row of `sweeps`; see the table for units."""

    tier: str
    slot_at: datetime
    status: str
    run_id: str
    reason: str | None = None
    markets: int = 0
    books: int = 0
    omitted: int = 0
    unanswered: int = 0
    unasked: int = 0
    gone: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    mirrored: int = 0
    mirror_differs: tuple[str, ...] = ()
    left_out: int = 0
    requests: int = 0
    retries: int = 0
    throttled: int = 0
    waited_s: float = 0.0
    breaker: str | None = None
    bytes: int = 0
    latency_ms: float | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    def __str__(self) -> str:
        said = f"{self.slot_at:%H:%M:%S} {self.status}: {self.books} books of {self.markets} markets"
        return f"{said} ({self.reason})" if self.reason else said


def part_of(slot_at: datetime) -> str:
    """The part that a slot's rows are published as."""
    return f"{slot_at:%H%M%S}"


def publish(lake: Lake, account: Account) -> None:
    """Publish the account of a slot in place of an earlier one. Raises `LakeUnwritable`."""
    lake.publish_rows(
        "sweeps", [asdict(account)], part=part_of(account.slot_at), at=account.slot_at, tier=account.tier
    )


def read(lake: Lake, tier: Tier, slot_at: datetime) -> Account | None:
    """The account that a slot has by now; None where nobody accounted for it."""
    folder = layout.folder(TABLES["sweeps"], slot_at, tier.name)
    path = f"{folder}/{layout.part(part_of(slot_at))}"
    if path not in lake.store.list(folder):
        return None
    rows = reading.read(lake.store.uri(path)).to_pylist()
    # A file of before may lack columns; what it lacks is as if nothing had been said.
    said = {name: value for name, value in rows[0].items() if value is not None}
    lists = {name: tuple(said.get(name, ())) for name in ("gone", "unreadable", "mirror_differs")}
    return Account(**{**said, **lists})
