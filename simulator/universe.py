"""Everything there is to trade: what is over when we start, what is open, and what keeps appearing.

Names of dice are counted from the start, so the same seed gives the same questions, ids, paths and endings relative to it.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from simulator.chance import dice
from simulator.edge import EDGE_LOGIT
from simulator.kinds import Life, Maker
from simulator.market import GAME, RACE, Event, Market
from simulator.profiles import DAY_S, HOUR_S, Profile, Series, Standing

GAME_S = 2 * HOUR_S
# The longest life of a brief market; such markets are already about when we start.
BRIEFEST_S, LONGEST_BRIEF_S = 60.0, 240.0
# Waits between brief events, as parts of the mean.
UNEVEN = (0.4, 1.6)
# A past window of five minutes; its listing opened this long before.
PAST_WINDOW_S, PAST_WINDOW_LEAD_S = 300.0, 18 * HOUR_S
# Days from the end of what was decided early to its deadline.
DECIDED_EARLY_D = (10.0, 60.0)


@dataclass(order=True)
class _Due:
    at: float
    order: int
    make: Callable[[], Event | None] = field(compare=False)


class Universe:
    """All events and markets so far, and the queue of those to come."""

    def __init__(self, seed: int, profile: Profile, start: float, edge_logit: float = EDGE_LOGIT) -> None:
        self.seed, self.profile, self.start = seed, profile, start
        self._maker = Maker(seed, edge_logit, profile.overpaid_logit)
        self._queue: list[_Due] = []
        self._order = itertools.count()
        self.events: list[Event] = []
        self.markets: dict[str, Market] = {}
        self.by_token: dict[str, tuple[Market, int]] = {}
        self.by_condition: dict[str, Market] = {}
        for event in itertools.chain(self._past(), self._standing(), self._windows_open()):
            self._add(event)
        self._plan_brief()
        list(self.appear(start))

    @property
    def next_at(self) -> float:
        """When the next event appears."""
        return self._queue[0].at

    def appear(self, now: float) -> Iterator[Event]:
        """The events that appear until `now`."""
        while self._queue[0].at <= now:
            event = heapq.heappop(self._queue).make()
            if event is not None:
                self._add(event)
                yield event

    def _later(self, at: float, make: Callable[[], Event | None]) -> None:
        heapq.heappush(self._queue, _Due(at, next(self._order), make))

    def _add(self, event: Event) -> None:
        self.events.append(event)
        for market in event.markets:
            self.markets[market.id] = market
            self.by_condition[market.condition_id] = market
            self.by_condition[market.gamma_condition] = market
            self.by_token.update({token: (market, side) for side, token in enumerate(market.tokens)})

    # --- what keeps appearing -------------------------------------------------------------------------

    def _plan_brief(self) -> None:
        """The first of the endless row of brief events, early enough for the oldest to be about at the start."""
        self._brief_dice = dice(self.seed, "brief")
        self._later(self.start - LONGEST_BRIEF_S, lambda: self._brief(0, self.start - LONGEST_BRIEF_S))

    def _brief(self, n: int, at: float) -> Event | None:
        following = at + self._brief_dice.uniform(*UNEVEN) * self.profile.brief_every_s
        self._later(following, lambda: self._brief(n + 1, following))
        roll = dice(self.seed, "brief", n)
        life = Life(at, float(round(at + roll.uniform(BRIEFEST_S, LONGEST_BRIEF_S))), brief=True)
        if life.ends_at <= self.start + 10:
            return None
        return self._make_brief(f"b{n}", roll, life)

    def _make_brief(self, name: str, roll: random.Random, life: Life) -> Event:
        kind = roll.random()
        if kind < 0.12:
            return self._maker.race(name, life, roll.choice((3, 3, 4)))
        if kind < 0.24:
            return self._maker.game(name, float(round(life.ends_at - GAME_S)), life, 1)
        return self._maker.standalone(name, [life] * roll.choice((1, 1, 1, 2)))

    def _standing(self) -> Iterator[Event]:
        places = [place for place in self.profile.standing for _ in range(place.count)]
        for slot, place in enumerate(places):
            yield self._stand(slot, place, 0, self.start)

    def _stand(self, slot: int, place: Standing, generation: int, now: float) -> Event:
        roll = dice(self.seed, "standing", slot, generation)
        left = roll.uniform(place.from_h, place.to_h) * HOUR_S
        # At the start they are in the middle of their lives; those that follow are new.
        age = min(roll.uniform(0.5, 8) * DAY_S, left * roll.uniform(0.5, 4)) if generation == 0 else 0.0
        life = Life(now - age, float(round(now + left)))
        event = self._make(place.kind, f"s{slot}.{generation}", life, place.markets, roll)
        after = max(market.ending.closed_at for market in event.markets if not market.placeholder) + 5
        self._later(after, lambda: self._stand(slot, place, generation + 1, after))
        return event

    def _make(self, kind: str, name: str, life: Life, markets: int, roll: random.Random) -> Event:
        if kind == RACE:
            return self._maker.race(name, life, markets, augmented=markets >= 5)
        if kind == GAME:
            return self._maker.game(name, float(round(life.ends_at - GAME_S)), life, markets)
        return self._maker.standalone(name, [life])

    def _windows_open(self) -> Iterator[Event]:
        for series in self.profile.series:
            base = self.start // series.window_s * series.window_s
            k = 0
            while base + k * series.window_s - series.lead_s <= self.start:
                yield self._window(series, k, base)
                k += 1
            self._plan_window(series, k, base)

    def _plan_window(self, series: Series, k: int, base: float) -> None:
        def make() -> Event:
            self._plan_window(series, k + 1, base)
            return self._window(series, k, base)

        self._later(base + k * series.window_s - series.lead_s, make)

    def _window(self, series: Series, k: int, base: float) -> Event:
        opens = base + k * series.window_s
        brief = series.window_s <= LONGEST_BRIEF_S
        life = Life(opens - series.lead_s, opens + series.window_s, brief=brief)
        return self._maker.window(f"w{series.asset}{series.duration}.{k}", series.asset, series.duration, opens, life)  # fmt: skip

    # --- what is over ---------------------------------------------------------------------------------

    def _past(self) -> Iterator[Event]:
        today = self.start // DAY_S * DAY_S
        for back in range(self.profile.past_days, 0, -1):
            yield from self._past_day(f"d{back}", today - back * DAY_S)

    def _past_day(self, name: str, day: float) -> Iterator[Event]:
        roll, profile = dice(self.seed, "past", name), self.profile
        for n in range(profile.past_standalone):
            lives = [self._past_life(roll, day) for _ in range(roll.choice((1, 1, 2, 3)))]
            early = dice(self.seed, "early", name, n)
            if early.random() < profile.past_early:
                lives = [replace(life, end_date=life.ends_at + early.uniform(*DECIDED_EARLY_D) * DAY_S) for life in lives]  # fmt: skip
            yield self._maker.standalone(f"{name}s{n}", lives)
        for n in range(profile.past_races):
            yield self._maker.race(f"{name}r{n}", self._past_life(roll, day), roll.choice((3, 4, 5)))
        for n in range(profile.past_games):
            life = self._past_life(roll, day)
            yield self._maker.game(f"{name}g{n}", float(round(life.ends_at - GAME_S)), life, roll.choice((1, 2, 3)))  # fmt: skip
        for n in range(profile.past_windows):
            yield self._past_window(f"{name}w{n}", roll, day, n)

    def _past_window(self, name: str, roll: random.Random, day: float, n: int) -> Event:
        asset = ("btc", "eth", "sol", "xrp")[n % 4]
        opens = day + roll.randrange(int(DAY_S / PAST_WINDOW_S) - 1) * PAST_WINDOW_S
        ends = opens + PAST_WINDOW_S
        life = Life(opens - PAST_WINDOW_LEAD_S, ends, ends + roll.uniform(15, 60))
        return self._maker.window(name, asset, "5m", opens, life)

    def _past_life(self, roll: random.Random, day: float) -> Life:
        """A life that closed on a day: ended up to three hours before, mostly when it was scheduled."""
        closed = day + roll.uniform(60, DAY_S - 60)
        ends = float(round(closed - roll.uniform(0.3, 3) * HOUR_S))
        moved = roll.choices([0.0, roll.uniform(0, 20), -roll.uniform(0, 4)], [0.6, 0.25, 0.15])[0]
        scheduled = float(round((ends + moved * HOUR_S) / 60) * 60)
        return Life(ends - roll.uniform(*self.profile.past_life_d) * DAY_S, ends, closed, end_date=scheduled)
