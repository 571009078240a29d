"""Tiers: accounts of every slot as sampling leaves them, of one tier half of them lost or none at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

from drills.alert_place import MINUTE, Place
from drills.forced import Forced
from drills.forced.rows import listed
from polymarket_assets.collecting import accounts, slots
from polymarket_assets.collecting.accounts import MISSED, TAKEN, Account
from polymarket_assets.lake.spans import Span
from polymarket_assets.tiers import TIERS, Tier


@contextmanager
def silent(place: Place) -> Iterator[Forced]:
    """Nobody samples T4 for seven minutes; then somebody does again."""
    yield _forced(place, partial(_sampled, place, without="t4"), wrong_after=7 * MINUTE, right_after=0 * MINUTE)  # fmt: skip


@contextmanager
def poor(place: Place) -> Iterator[Forced]:
    """Every second slot of T4 is lost for five minutes, and longer."""
    yield _forced(place, partial(_sampled, place, lost="t4"), wrong_after=5 * MINUTE, right_after=5 * MINUTE)


def _forced(place: Place, hurt: Callable[[], None], *, wrong_after: timedelta, right_after: timedelta) -> Forced:  # fmt: skip
    listed(place)
    place.life = partial(_sampled, place)

    def turn(life: Callable[[], None], after: timedelta) -> None:
        place.life = life
        place.now += after

    return Forced(partial(turn, hurt, wrong_after), partial(turn, partial(_sampled, place), right_after))


def _sampled(place: Place, lost: str = "", without: str = "") -> None:
    """Accounts for every slot of late that has none yet: of one tier half of them lost, of another none at all."""
    for tier in TIERS:
        for at in _due(place, tier) if tier.name != without else ():
            is_lost = tier.name == lost and at.second in (10, 40)
            _account(place, tier, at, "forced" if is_lost else None)


def _due(place: Place, tier: Tier) -> list[datetime]:
    back = tier.every + 10 * MINUTE
    hours = Span(place.now - back, place.now + timedelta.resolution).hours()
    grid = [at for hour in hours for at in slots.hour_grid(tier, hour)]
    return [at for at in grid if place.now - back <= at <= place.now and (tier.name, at) not in place.accounted]  # fmt: skip


def _account(place: Place, tier: Tier, at: datetime, lost: str | None) -> None:
    place.accounted.add((tier.name, at))
    status = MISSED if lost else TAKEN
    accounts.publish(place.lake, Account(tier.name, at, status, "drill", lost, markets=5, books=5, started_at=at, finished_at=at))  # fmt: skip
