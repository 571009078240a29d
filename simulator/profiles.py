"""How large a universe is: rows of data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.market import GAME, RACE, STANDALONE

HOUR_S, DAY_S = 3600.0, 86_400.0


@dataclass(frozen=True)
class Standing:
    """Places of events that are open for long; a place whose event closed gets a new one."""

    count: int
    kind: str
    from_h: float
    to_h: float
    markets: int = 1


@dataclass(frozen=True)
class Series:
    """Up/down windows of one asset, listed so long before they open."""

    asset: str
    duration: str
    window_s: int
    lead_s: float


@dataclass(frozen=True)
class Profile:
    """What is open, what comes and goes, and what is over already."""

    name: str
    standing: tuple[Standing, ...]
    series: tuple[Series, ...]
    # An event that lives one to four minutes appears so often on average.
    brief_every_s: float
    # Of each of the full UTC days before today (`past_days`): events by kind.
    past_standalone: int
    past_races: int
    past_games: int
    past_windows: int
    # Frames a second that all markets together send to one who listens to all; None: as lively as their kind.
    rate: float | None = None
    past_days: int = 3
    # Of stand-alone events of the past: such a share was decided weeks before its deadline.
    past_early: float = 0.0
    # Markets of the past were listed so many days before they ended.
    past_life_d: tuple[float, float] = (1.0, 12.0)
    # Takers overpay for YES: prices of Yes/No markets lie so many logits above the truth.
    overpaid_logit: float = 0.0


DEMO = Profile(
    "demo",
    (
        Standing(7, STANDALONE, 50, 280),
        Standing(1, RACE, 60, 200, 5),
        Standing(5, STANDALONE, 13, 47),
        Standing(1, RACE, 14, 40, 4),
        Standing(1, GAME, 15, 40, 2),
        Standing(5, STANDALONE, 4.2, 11.5),
        Standing(1, RACE, 5, 10, 3),
        Standing(1, GAME, 4.5, 10, 2),
        Standing(5, STANDALONE, 1.1, 3.8),
        Standing(2, GAME, 1.2, 3.5, 1),
        Standing(4, STANDALONE, 0.12, 0.9),
        Standing(2, GAME, 0.1, 0.8, 1),
    ),
    (
        Series("btc", "1m", 60, 60),
        Series("eth", "2m", 120, 60),
        Series("btc", "5m", 300, 600),
        Series("eth", "5m", 300, 600),
        Series("sol", "15m", 900, 900),
        Series("btc", "4h", 14_400, 14_400),
    ),
    brief_every_s=15.0,
    past_standalone=48,
    past_races=8,
    past_games=9,
    past_windows=18,
)

# The same with something to learn, and to trade on paper: takers overpay for YES, markets of the past lived for hours, so that many are
# over before others begin, and brief ones come often enough for what is bought to be paid while somebody waits.
LESSON = replace(
    DEMO, name="lesson", brief_every_s=8.0, past_standalone=120, past_life_d=(0.1, 0.7), overpaid_logit=0.6
)

SMALL = Profile(
    "small",
    (
        Standing(2, STANDALONE, 50, 280),
        Standing(1, RACE, 14, 40, 3),
        Standing(2, STANDALONE, 4.2, 11.5),
        Standing(1, GAME, 1.2, 3.5, 2),
        Standing(1, STANDALONE, 0.12, 0.9),
    ),
    (Series("btc", "1m", 60, 60),),
    brief_every_s=15.0,
    past_standalone=8,
    past_races=2,
    past_games=2,
    past_windows=3,
)

# As many markets as fill two sockets, and a rate that recorders are drilled at.
BUSY = Profile(
    "busy",
    (
        Standing(180, STANDALONE, 13, 280),
        Standing(12, RACE, 14, 200, 5),
        Standing(30, GAME, 4.5, 40, 2),
        Standing(20, STANDALONE, 1.1, 3.8),
        Standing(10, STANDALONE, 0.2, 0.9),
    ),
    (
        Series("btc", "1m", 60, 60),
        Series("btc", "5m", 300, 600),
        Series("sol", "15m", 900, 900),
    ),
    brief_every_s=12.0,
    past_standalone=8,
    past_races=2,
    past_games=2,
    past_windows=3,
    rate=2_000.0,
)

# Markets as five tiers have them at full size, each staying in its tier for an hour; some cross, end and come all the time.
TIERED = Profile(
    "tiers",
    (
        Standing(1_600, STANDALONE, 52, 280),
        Standing(2_000, STANDALONE, 13.5, 46),
        Standing(1_000, STANDALONE, 5.5, 11.5),
        Standing(400, STANDALONE, 2.2, 3.8),
        Standing(570, STANDALONE, 0.2, 0.95),
    ),
    (
        Series("btc", "5m", 300, 600),
        Series("eth", "5m", 300, 600),
        Series("sol", "15m", 900, 900),
    ),
    brief_every_s=6.0,
    past_standalone=8,
    past_races=2,
    past_games=2,
    past_windows=3,
    rate=1_000.0,
)


# What is over: a fortnight of closed markets, of which some closed long before their deadline; hardly anything is open.
PAST = Profile(
    "past",
    (Standing(1, STANDALONE, 50, 280),),
    (),
    brief_every_s=30.0,
    past_standalone=36,
    past_races=5,
    past_games=6,
    past_windows=20,
    past_days=15,
    past_early=0.16,
)


def times(profile: Profile, factor: float) -> Profile:
    """The same with so many times as many places. Raises `ValueError` where that is no number of times."""
    if factor <= 0:
        raise ValueError(f"--times {factor:g} is no number of times: give one above 0")
    places = tuple(replace(place, count=round(place.count * factor)) for place in profile.standing)
    return replace(profile, standing=places)


PROFILES = {profile.name: profile for profile in (DEMO, LESSON, SMALL, BUSY, TIERED, PAST)}
