"""The tiers: slots of the grid against their accounts, for the last hour and day, and why some were missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.kept import Seen
from console.place import Place
from polymarket_assets.lake.spans import DAY, HOUR, Span, hour_of
from polymarket_assets.lake.writing import Lake

EVERY_S = 15.0
_HOURS = 24
# A sweep gives up after four minutes, and accounts for its slot then.
_SETTLED = timedelta(minutes=5)
_COLUMNS = ("slot_at", "status", "reason", "markets", "unanswered", "unasked")


@dataclass(frozen=True)
class Account:
    """A slot's account, as far as it is shown."""

    slot_at: datetime
    status: str
    reason: str | None
    markets: int
    lost: int


@dataclass(frozen=True)
class Tally:
    """Slots of a span: `expected` by the grid since the first account, and what became of them.

    `success_pct` is of the markets that were due in them, 0 … 100: a slot that was lost lost all of its own; None: nothing was due.
    """

    expected: int
    taken: int
    late: int
    missed: int
    unaccounted: int
    success_pct: float | None


@dataclass(frozen=True)
class SampledTier:
    """A tier: how often, when it was sampled last, how many markets then, and the tallies of the last hour and day."""

    tier: str
    every_s: float
    last_at: datetime | None
    markets: int | None
    hour: Tally
    day: Tally


@dataclass(frozen=True)
class Missed:
    """Slots of a tier in an hour that were missed or late for one reason; `at` is the newest."""

    tier: str
    status: str
    reason: str
    slots: int
    at: datetime


@dataclass(frozen=True)
class SampledHour:
    """An hour of a tier."""

    tier: str
    hour_at: datetime
    tally: Tally


@dataclass(frozen=True)
class Sampled:
    """Every tier, what was missed in the last day (the newest first), and the last day hour by hour (the newest first)."""

    tiers: tuple[SampledTier, ...]
    missed: tuple[Missed, ...]
    hours: tuple[SampledHour, ...]


class _Remembered:
    """Accounts of hours whose folders did not change since they were read."""

    def __init__(self, _: Place) -> None:
        self.known: dict[str, tuple[dict[str, int], tuple[Account, ...]]] = {}


def sampled(place: Place) -> Seen[Sampled]:
    """What became of the slots. Raises `NotYet`, `Refused` where there is no lake to look at."""
    return place.seen(_look, every_s=EVERY_S)


def _look(place: Place) -> Sampled:
    from polymarket_assets.tiers import TIERS

    now = place.clock()
    accounts = _accounts(place.lake(), now, place.own(_Remembered).known)
    first = min((one.slot_at for held in accounts.values() for one in held), default=None)
    told = [_tier(tier, accounts.get(tier.name, ()), first, now) for tier in TIERS]
    missed = [one for tier, held in accounts.items() for one in _missed(tier, held)]
    hours = [one for tier in TIERS for one in _by_hour(tier, accounts.get(tier.name, ()), first, now)]
    newest = sorted(missed, key=lambda one: one.at, reverse=True)
    return Sampled(tuple(told), tuple(newest), tuple(sorted(hours, key=lambda one: (one.hour_at, one.tier), reverse=True)))  # fmt: skip


def _accounts(lake: Lake, now: datetime, known: dict[str, Any]) -> dict[str, list[Account]]:
    """The accounts of the last day by tier, in order; an hour that did not change is not read again."""
    from polymarket_assets.lake import folders
    from polymarket_assets.lake.schemas import TABLES

    span = Span(hour_of(now) - _HOURS * HOUR, hour_of(now) + HOUR)
    found = {folder.path: folder for folder in folders.folders(lake, TABLES["sweeps"], span)}
    for gone in set(known) - set(found):
        del known[gone]
    held: dict[str, list[Account]] = {}
    for path, folder in found.items():
        if path not in known or known[path][0] != folder.files:
            accounts = sorted(_read(lake, path, list(folder.files)), key=lambda one: one.slot_at)
            known[path] = (folder.files, tuple(accounts))
        held.setdefault(folder.tier or "", []).extend(known[path][1])
    return {tier: [one for one in rows if now - DAY <= one.slot_at <= now] for tier, rows in held.items()}


def _read(lake: Lake, path: str, names: Sequence[str]) -> Iterator[Account]:
    from polymarket_assets.lake import reading
    from polymarket_assets.lake.schemas import TABLES

    for file in reading.current(lake, path, [f"{path}/{name}" for name in names]):
        rows = reading.completed(TABLES["sweeps"], reading.read(file, _COLUMNS)).select(_COLUMNS)
        for slot_at, status, reason, markets, unanswered, unasked in zip(*(column.to_pylist() for column in rows.columns), strict=True):  # fmt: skip
            yield Account(slot_at, status, reason, markets, (unanswered or 0) + (unasked or 0))


def _tier(tier: Any, held: Sequence[Account], first: datetime | None, now: datetime) -> SampledTier:
    taken = [one for one in held if one.status != "missed"]
    last = taken[-1] if taken else None
    hour, day = (_tally(tier, held, Span(now - back, now + timedelta.resolution), first, now) for back in (HOUR, DAY))  # fmt: skip
    return SampledTier(tier.name, tier.every.total_seconds(), last.slot_at if last else None, last.markets if last else None, hour, day)  # fmt: skip


def _by_hour(tier: Any, held: Sequence[Account], first: datetime | None, now: datetime) -> Iterator[SampledHour]:  # fmt: skip
    hours = range(_HOURS)
    for start in (hour_of(now) - n * HOUR for n in hours):
        tally = _tally(tier, held, Span(start, start + HOUR), first, now)
        if tally.expected:
            yield SampledHour(tier.name, start, tally)


def _tally(tier: Any, held: Sequence[Account], span: Span, first: datetime | None, now: datetime) -> Tally:
    """The slots of a span; nothing is due before the first account of any tier, nor of what may still be under way."""
    by_slot = {one.slot_at: one for one in held if one.slot_at in span}
    grid = _due(tier, span, first, now, max(by_slot, default=None))
    of: Mapping[str, int] = Counter(by_slot[at].status for at in grid if at in by_slot)
    extra = [one for at, one in by_slot.items() if at not in set(grid)]
    of = Counter(of) + Counter(one.status for one in extra)
    lost = sum(at not in by_slot for at in grid)
    answered = [_answered(one) for one in by_slot.values()]
    success = 100 * sum(answered) / (len(answered) + lost) if answered or lost else None
    return Tally(len(grid) + len(extra), of.get("taken", 0), of.get("late", 0), of.get("missed", 0), lost, success)  # fmt: skip


def _due(tier: Any, span: Span, first: datetime | None, now: datetime, last: datetime | None) -> list[datetime]:  # fmt: skip
    from polymarket_assets.collecting import slots

    if first is None:
        return []
    settled = max(last or first, now - _SETTLED)
    grid = (at for hour in span.hours() for at in slots.hour_grid(tier, hour))
    return [at for at in grid if at in span and first <= at <= min(settled, now)]


def _answered(one: Account) -> float:
    if one.status == "missed":
        return 0.0
    return 1 - one.lost / one.markets if one.markets else 1.0


def _missed(tier: str, held: Iterable[Account]) -> Iterator[Missed]:
    groups: dict[tuple[datetime, str, str], list[Account]] = {}
    for one in held:
        if one.status != "taken":
            groups.setdefault((hour_of(one.slot_at), one.status, one.reason or "no reason is told"), []).append(one)  # fmt: skip
    for (_, status, reason), rows in groups.items():
        yield Missed(tier, status, reason, len(rows), rows[-1].slot_at)
