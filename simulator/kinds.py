"""How each kind of event is made: stand-alone questions, races (negRisk), up/down windows, games."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import NormalDist
from typing import Any

import numpy as np

from simulator import endings, wording
from simulator.chance import dice, digest, many
from simulator.edge import EDGE_LOGIT
from simulator.endings import Ending
from simulator.market import GAME, RACE, SERIES, STANDALONE, Event, Market, Topic
from simulator.paths import Information, Path

FIRST_MARKET_ID, FIRST_EVENT_ID = 5_400_000, 1_140_000
# Of all markets, how many are of the newer generation; and of the older ones, how many carry both kinds of ids.
OF_V2, WITH_BOTH_IDS = 0.25, 0.1
# A path's cells: a second each while we watch, up to so many; past lives need fewer.
MOST_CELLS, PAST_CELLS, RACE_CELLS = 4096, 1024, 512
PLACEHOLDER_LIFE_S = 30 * 86_400.0
HALF = 0.5
YES_NO = ("Yes", "No")
# So often a parent also has a market that is traded elsewhere.
BOOKLESS = 0.15
# Most news on a question comes late: in the last tenth of its life comes a half of what comes evenly.
LATE = (0.9, 0.5)
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Life:
    """When a market is listed, when its last information is out, and when it closed if that is past already."""

    listed_at: float
    ends_at: float
    closed_at: float | None = None
    end_date: float | None = None
    brief: bool = False

    @property
    def past(self) -> bool:
        return self.closed_at is not None


@dataclass
class Maker:
    """Makes events, each from dice of its own name; numbers rows as they come."""

    seed: int
    edge_logit: float = EDGE_LOGIT
    overpaid_logit: float = 0.0
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(FIRST_MARKET_ID))
    _events: itertools.count[int] = field(default_factory=lambda: itertools.count(FIRST_EVENT_ID))

    def standalone(self, name: str, lives: list[Life]) -> Event:
        """Questions of their own under one parent; each has a path of its own."""
        roll = dice(self.seed, name)
        asked = [self._question(roll, life) for life in lives]
        topic, title = asked[0][0], asked[0][1]
        event = self._event(STANDALONE, title, wording.slug(title, name), topic, lives)
        for i, (life, (_, question, deadline)) in enumerate(zip(lives, asked, strict=True)):
            path = self._path(name, i, life, (_x0(_prior(roll, deadline)),))
            self._market(event, roll, life, question, path, by_deadline=deadline, place=i, name=f"{name}/{i}")
        if roll.random() < BOOKLESS:
            _, question, _ = self._question(roll, lives[0])
            path = self._path(name, "bookless", lives[0], (0.0,))
            self._market(event, roll, lives[0], question, path, has_book=False, place=9, name=f"{name}/9")
        return event

    def race(self, name: str, life: Life, legs: int, *, augmented: bool = False) -> Event:
        """A negRisk event: exactly one leg ends YES."""
        roll = dice(self.seed, name)
        place, n = roll.choice(wording.PLACES), roll.randint(2, 99)
        date = wording.minute(life.ends_at) if life.brief else wording.day(life.ends_at)
        title = f"Who wins seat {n} of {place} on {date}?"
        event = self._event(RACE, title, wording.slug(title, name), wording.POLITICS, [life])
        event.neg_risk_id = f"0x{digest(self.seed, name, 'race').hex()[:62]}00"
        event.augmented = augmented
        x0 = tuple(roll.gauss(0, 1.0) for _ in range(legs))
        path = self._path(name, "race", life, x0)
        for leg, person in enumerate(roll.sample(wording.PEOPLE, legs)):
            question = f"Will {person} win seat {n} of {place} on {date}?"
            self._market(event, roll, life, question, path, leg=leg, place=leg, name=f"{name}/{leg}", group=person)  # fmt: skip
        if augmented:
            self._market(event, roll, life, f"Will Person X win seat {n} of {place} on {date}?", path, place=legs, name=f"{name}/x", group="Person X", placeholder=True)  # fmt: skip
        return event

    def window(self, name: str, asset: str, duration: str, opens_at: float, life: Life) -> Event:
        """One window of an up/down series; the window lies on the wall clock's grid."""
        roll = dice(self.seed, name)
        coin = wording.ASSETS[asset]
        span = f"{wording.minute(opens_at)[:-4]}-{datetime.fromtimestamp(life.ends_at, UTC):%H:%M} UTC"
        title = f"{coin} Up or Down - {span}"
        event = self._event(SERIES, title, f"{asset}-updown-{duration}-{int(opens_at)}", wording.CRYPTO, [life])  # fmt: skip
        event.series = (str(10_000 + zlib_number(asset + duration)), f"{asset}-up-or-down-{duration}", f"{asset.upper()} Up or Down {duration}")  # fmt: skip
        event.recurrence, event.starts_at = duration, opens_at
        event.resolution_source = f"https://data.chain.link/streams/{asset}-usd-twap-60s-streams"
        path = self._path(name, 0, life, (0.0,), pivot=(opens_at, 0.02))
        self._market(event, roll, life, title, path, outcomes=("Up", "Down"), name=f"{name}/0", crypto=(asset, duration), slug=event.slug)  # fmt: skip
        return event

    def game(self, name: str, starts_at: float, life: Life, markets: int) -> Event:
        """A game: listed before, traded until it is over, with an end date hours before it starts."""
        roll = dice(self.seed, name)
        topic = roll.choice((wording.SOCCER, wording.NBA, wording.TENNIS))
        home, away = (f"{place} {roll.choice(wording.CLUBS)}" for place in roll.sample(wording.PLACES, 2))
        date = f"{datetime.fromtimestamp(starts_at, UTC):%Y-%m-%d}"
        title = f"{home} vs. {away}"
        event = self._event(GAME, title, wording.slug(f"{topic.tags[1][2]} {title}", date), topic, [life])
        event.slug = f"{event.slug}-{wording.slug(name)}"
        event.starts_at, event.game_id = starts_at, 1_400_000 + roll.randrange(90_000)
        rows = [("moneyline", title, (home, away), None), ("totals", f"{title}: O/U {roll.randint(2, 60)}.5", ("Over", "Under"), HALF), ("spreads", f"Spread: {home} (-1.5)", (home, away), -1.5)]  # fmt: skip
        for i, (kind, question, outcomes, line) in enumerate(rows[:markets]):
            # One that was under way when it was listed has no quiet time before.
            pivot = (starts_at, 0.15) if starts_at > life.listed_at else None
            path = self._path(name, i, life, (_x0(_prior(roll, False)),), pivot=pivot)
            self._market(event, roll, life, question, path, outcomes=outcomes, name=f"{name}/{i}", place=i, sports=kind, line=line)  # fmt: skip
        return event

    # --- parts ---------------------------------------------------------------------------------------

    def _question(self, roll: random.Random, life: Life) -> tuple[Topic, str, bool]:
        deadline = roll.random() < HALF
        topic, question = wording.standalone(
            roll, life.end_date or life.ends_at, deadline=deadline, brief=life.brief
        )
        return topic, question, deadline

    def _event(self, kind: str, title: str, slug: str, topic: Topic, lives: list[Life]) -> Event:
        listed = min(life.listed_at for life in lives)
        end = max(life.end_date or life.ends_at for life in lives)
        return Event(str(next(self._events)), kind, slug, title, wording.description(title), topic, listed - _ahead(lives[0]), listed, end)  # fmt: skip

    def _path(self, name: str, part: object, life: Life, x0: tuple[float, ...], pivot: tuple[float, float] | None = None) -> Path:  # fmt: skip
        roll = dice(self.seed, name, part, "jumps")
        span = life.ends_at - life.listed_at
        jumps = tuple((life.listed_at + roll.uniform(0.05, 0.95) * span, roll.uniform(0.05, 0.15)) for _ in range(roll.choice((0, 1, 1, 2))))  # fmt: skip
        at, share = pivot or (life.listed_at + LATE[0] * span, LATE[1])
        information = Information(life.listed_at, life.ends_at, at, share, jumps)
        most = RACE_CELLS if len(x0) > 1 else (PAST_CELLS if life.past else MOST_CELLS)
        cells = max(8, min(most, math.ceil(span)))
        return Path(information, np.array(x0), cells, many(self.seed, name, part, "path"))

    def _market(self, event: Event, roll: random.Random, life: Life, question: str, path: Path, *, name: str, leg: int = 0, by_deadline: bool = False, place: int = 0, group: str = "", outcomes: tuple[str, str] = YES_NO, has_book: bool = True, placeholder: bool = False, sports: str | None = None, line: float | None = None, crypto: tuple[str, str] | None = None, slug: str | None = None) -> None:  # fmt: skip
        thin = roll.random() < 0.12
        number = str(next(self._numbers))
        end_date = _end_date(life, event, roll)
        event.end_date = end_date if end_date is not None else event.end_date
        market = Market(
            event=event, id=number, outcomes=outcomes, slug=slug or wording.slug(question, number),
            question=question, description=wording.description(question), created_at=event.created_at, listed_at=life.listed_at,
            ends_at=life.ends_at, end_date=end_date, ending=self._ending(event, life, path.wins(leg), roll, placeholder),
            path=path, leg=leg, by_deadline=by_deadline, edge=self._edge(outcomes, by_deadline), tick=1 if roll.random() < 0.2 else 10,
            half_spread=roll.choice((0.4, 0.5, 0.7, 1.0)) * (4 if thin else 1), depth=math.exp(roll.gauss(5, 0.6)) / (5 if thin else 1),
            levels=4 if thin else roll.randint(10, 16), pace=_pace(life, roll), group_title=group, group_place=str(place),
            sports_type=sports, line=line, crypto=crypto, has_book=has_book, placeholder=placeholder, **self._ids(event, name, place),
        )  # fmt: skip
        event.markets.append(market)

    def _edge(self, outcomes: tuple[str, str], by_deadline: bool) -> float:
        """By how many logits the price lies above the truth."""
        return self.edge_logit * by_deadline + self.overpaid_logit * (outcomes == YES_NO)

    def _ending(self, event: Event, life: Life, yes: bool, roll: random.Random, placeholder: bool) -> Ending:
        if placeholder:
            return Ending(endings.NO, life.ends_at + PLACEHOLDER_LIFE_S)
        if life.closed_at is None:
            return endings.quick(life.ends_at, yes, roll, may_halve=event.kind in (STANDALONE, GAME))
        if event.kind == SERIES:
            return Ending(endings.YES if yes else endings.NO, life.closed_at)
        return endings.slow(life.ends_at, life.closed_at, yes, roll, may_halve=event.kind in (STANDALONE, GAME))  # fmt: skip

    def _ids(self, event: Event, name: str, place: int) -> dict[str, Any]:
        version = "v2" if dice(self.seed, name, "version").random() < OF_V2 else "v1"
        condition = digest(self.seed, name, "condition").hex()
        question = event.neg_risk_id[2:64] + f"{place:02x}" if event.neg_risk_id else digest(self.seed, name, "question").hex()  # fmt: skip
        first = int.from_bytes(digest(self.seed, name, "position", size=31), "big") & ~0xFF
        pair = (str(first), str(first + 1))
        if version == "v2":
            return {"version": version, "condition_id": f"0x{condition[:62]}00", "question_id": f"0x{question}", "tokens": pair, "position_ids": pair}  # fmt: skip
        tokens = tuple(str(int.from_bytes(digest(self.seed, name, "token", i), "big")) for i in (0, 1))
        both = pair if dice(self.seed, name, "both").random() < WITH_BOTH_IDS else None
        return {"version": version, "condition_id": f"0x{condition}", "question_id": f"0x{question}", "tokens": tokens, "position_ids": both}  # fmt: skip


def zlib_number(text: str) -> int:
    """A small number that belongs to a text."""
    return sum(i * ord(c) for i, c in enumerate(text, 1)) % 900


def _prior(roll: random.Random, deadline: bool) -> float:
    """The probability at listing; what is asked to happen by a date mostly does not."""
    return 1 / (1 + math.exp(-roll.gauss(-0.6 if deadline else 0.0, 1.0)))


def _x0(p: float) -> float:
    return _NORMAL.inv_cdf(p)


def _ahead(life: Life) -> float:
    """Rows are created a little before they trade."""
    return 1.0 if life.brief else 600.0


def _end_date(life: Life, event: Event, roll: random.Random) -> float | None:
    """The schedule: exact for windows and brief markets, hours before a game starts, otherwise near the end."""
    if event.kind == GAME and event.starts_at is not None:
        return event.starts_at - round(roll.uniform(3, 8)) * 3600
    return life.end_date if life.end_date is not None else life.ends_at


def _pace(life: Life, roll: random.Random) -> float:
    return math.exp(roll.gauss(1.2 if life.brief else -0.7, 0.5))
