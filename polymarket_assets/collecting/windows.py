"""A window: one run that samples every slot of a tier for some minutes, and accounts for each.

A slot is waited for; one that is past by less than an interval is swept at once and called late; one that is
past by more is missed, and the account says why. Nothing is back-dated. A slot that was taken keeps its
account whatever comes later, so windows may overlap and a failed run may be started again from its tick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from polymarket_assets.collecting import accounts, heartbeats, slots, sweeping
from polymarket_assets.collecting.accounts import LATE, MISSED, TAKEN, Account
from polymarket_assets.collecting.sweeping import Books, Listed
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.tiers import Tier
from polymarket_assets.venue.errors import Refused

# The list of markets is read this long before a slot, so that reading it never delays the slot.
LEAD = timedelta(seconds=5)

STARTED_LATE = "started late"
OVERRAN = "previous sweep overran"


class PastHour(Refused):
    """A live asset was asked for an hour that is over."""


class FutureHour(Refused):
    """A live asset was asked for an hour that has not begun."""


class OutsideHour(Refused):
    """A window was asked to start outside its partition's hour."""


class Venue(Protocol):
    """What a window needs of the venue."""

    @property
    def clob(self) -> Books: ...


@dataclass(frozen=True)
class WindowReport:
    """What a window did; `rows` were published to each of `orderbooks` and `snapshots`."""

    expected: int
    taken: int
    late: int
    missed: int
    # Most markets due in one slot.
    markets: int
    books: int
    rows: int
    received_bytes: int
    first: datetime | None
    last: datetime | None


def run_window(
    lake: Lake,
    venue: Venue,
    tier: Tier,
    settings: Settings,
    *,
    hour: datetime,
    start: datetime | None,
    window_s: float | None,
    run_id: str,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    on_slot: Callable[[Account], None] = lambda account: None,
) -> WindowReport:
    """Sample every slot of the window from `start` (None: now) on, for `window_s` (None: the tier's window).

    Raises:
        PastHour: the hour is over; its books are gone.
        FutureHour: the hour has not begun.
        OutsideHour: `start` lies in another hour.
        LakeUnwritable: rows could not be kept; slots already published stay.
    """
    began = clock()
    _refuse_other_hours(tier, hour, began)
    span = slots.window(tier, hour, _start(hour, start, began), window_s)
    pulse = heartbeats.Pulse(settings.state_dir, tier.name, run_id, clock)
    run = _Run(lake, venue, tier, settings, run_id, clock, sleep, began, Listed(lake), pulse)
    done = []
    with pulse.beating():
        run.listed.refresh(began)
        for slot_at in slots.grid(tier, span):
            account = run.slot(slot_at)
            on_slot(account)
            done.append(account)
    return _report(done)


def _refuse_other_hours(tier: Tier, hour: datetime, now: datetime) -> None:
    asked = Span.hour(hour)
    if asked.end <= now:
        raise PastHour(
            f"the hour {asked.start:%Y-%m-%d %H}:00 UTC is over and the venue keeps no past order books: "
            f"{tier.name} samples only the current hour; for the past materialize history_markets and history_prices"
        )
    if now < asked.start:
        raise FutureHour(
            f"the hour {asked.start:%Y-%m-%d %H}:00 UTC has not begun: {tier.name} samples only the current hour"
        )


def _start(hour: datetime, start: datetime | None, now: datetime) -> datetime:
    """The window's start: whole seconds, so that a slot names its part."""
    if start is None:
        return now.replace(microsecond=0)
    if start.tzinfo is None or start not in Span.hour(hour):
        raise OutsideHour(f"a window of {hour:%Y-%m-%d %H}:00 UTC cannot start at {start.isoformat()}")
    return start.replace(microsecond=0)


@dataclass
class _Run:
    """One run over one window."""

    lake: Lake
    venue: Venue
    tier: Tier
    settings: Settings
    run_id: str
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    began: datetime
    listed: Listed
    pulse: heartbeats.Pulse

    def slot(self, slot_at: datetime) -> Account:
        """Wait for a slot, take it or miss it, and account for it once."""
        self._wait(slot_at, slot_at - LEAD)
        self.listed.refresh(self.clock())
        self._wait(slot_at, slot_at)
        standing = accounts.read(self.lake, self.tier, slot_at)
        if standing is not None and standing.status in (TAKEN, LATE):
            return standing
        account = self._take(slot_at)
        accounts.publish(self.lake, account)
        return account

    def _take(self, slot_at: datetime) -> Account:
        if self.clock() - slot_at < self.tier.every:
            return sweeping.sweep(
                self.lake,
                self.venue.clob,
                self.tier,
                slot_at,
                self.listed,
                cap=self.settings.max_markets(self.tier.name),
                run_id=self.run_id,
                clock=self.clock,
            )
        reason = STARTED_LATE if slot_at < self.began else OVERRAN
        return Account(self.tier.name, slot_at, MISSED, self.run_id, reason)

    def _wait(self, slot_at: datetime, until: datetime) -> None:
        """Wait, showing signs of life."""
        while True:
            self.pulse.step(slot_at)
            left = (until - self.clock()).total_seconds()
            if left <= 0:
                return
            self.sleep(min(left, heartbeats.EVERY_S))


def _report(done: list[Account]) -> WindowReport:
    def count(status: str) -> int:
        return sum(account.status == status for account in done)

    books = sum(account.books for account in done)
    return WindowReport(
        expected=len(done),
        taken=count(TAKEN),
        late=count(LATE),
        missed=count(MISSED),
        markets=max((account.markets for account in done), default=0),
        books=books,
        rows=books,
        received_bytes=sum(account.bytes for account in done),
        first=min((account.slot_at for account in done), default=None),
        last=max((account.slot_at for account in done), default=None),
    )
