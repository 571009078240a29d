"""What is traded: events and their markets, as fixed at birth. What happens on them lives in `trading`."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator import edge
from simulator.endings import Ending
from simulator.paths import Path

STANDALONE, RACE, SERIES, GAME = "standalone", "race", "series", "game"


@dataclass(frozen=True)
class Topic:
    """What an event is about: its tags, and the fees of its kind of market (PROTOCOL section 10)."""

    name: str
    tags: tuple[tuple[str, str, str], ...]  # id, label, slug
    fee_type: str
    fee_rate: float
    rebate: float


@dataclass(eq=False)
class Event:
    """A parent of markets."""

    id: str
    kind: str
    slug: str
    title: str
    description: str
    topic: Topic
    created_at: float
    listed_at: float
    end_date: float
    resolution_source: str = ""
    neg_risk_id: str | None = None
    augmented: bool = False
    series: tuple[str, str, str] | None = None  # id, slug, title
    recurrence: str | None = None
    starts_at: float | None = None  # a game's start, a window's start
    game_id: int | None = None
    markets: list[Market] = field(default_factory=list)

    @property
    def neg_risk(self) -> bool:
        return self.neg_risk_id is not None


@dataclass(eq=False)
class Market:
    """One question with two outcomes."""

    event: Event
    id: str
    version: str
    condition_id: str  # 64 hex, as everywhere but in v2 rows of the catalogue
    question_id: str
    tokens: tuple[str, str]
    outcomes: tuple[str, str]
    slug: str
    question: str
    description: str
    created_at: float
    listed_at: float
    ends_at: float  # the last information is out
    end_date: float | None  # what the catalogue calls the end: a schedule
    ending: Ending
    path: Path
    leg: int
    by_deadline: bool  # the wording
    edge: float
    tick: int  # tick size at birth, in thousandths
    # Half-spread in ticks, shares at the best level, levels a side, trades a minute in quiet times.
    half_spread: float
    depth: float
    levels: int
    pace: float
    group_title: str = ""
    group_place: str = "0"
    sports_type: str | None = None
    line: float | None = None
    crypto: tuple[str, str] | None = None  # asset, duration
    position_ids: tuple[str, str] | None = None  # on v2 rows, and on some v1 rows beside the token ids
    has_book: bool = True
    placeholder: bool = False
    other_leg: bool = False

    @property
    def gamma_condition(self) -> str:
        """The condition id as the catalogue writes it: v2 ids are 31 bytes and are not padded there."""
        return self.condition_id[:64] if self.version == "v2" else self.condition_id

    def truth(self, now: float) -> float:
        """The true probability of the first outcome."""
        return self.path.one(self.leg, now)

    def mid(self, now: float) -> float:
        """The price that is quoted around."""
        return edge.quoted_one(self.truth(now), self.edge)

    def listed(self, now: float) -> bool:
        return now >= self.created_at

    def closed(self, now: float) -> bool:
        return not self.placeholder and self.ending.closed(now)

    def trades(self, now: float) -> bool:
        """Whether a book is served."""
        return self.has_book and not self.placeholder and self.listed_at <= now < self.ending.book_until
