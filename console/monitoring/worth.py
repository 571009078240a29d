"""What recorded hours are worth: how completely markets were sampled, whether snapshots are sound, how sure the sides of trades are, and labels a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from console.kept import Seen
from console.monitoring import lakes
from console.place import Place
from polymarket_assets.lake.spans import DAY, HOUR, Span, hour_of

EVERY_S = 120.0
# A month of days shows a week that lacks them.
_LABEL_DAYS = 30


@dataclass(frozen=True)
class HourWorth:
    """Markets of a tier in an hour: the mean share of their slots that has a snapshot, and of their snapshots that has both sides."""

    hour_at: datetime
    tier: str
    markets: int
    completeness: float | None
    two_sided: float | None


@dataclass(frozen=True)
class Sound:
    """Snapshots of a tier in the last whole hour; duplicates and impossible prices must be 0."""

    tier: str
    hour_at: datetime
    rows: int
    markets: int
    duplicate_keys: int
    impossible_prices: int


@dataclass(frozen=True)
class Signs:
    """Rows of `features` of the last day: of how many something was heard, and their mean `sign_quality`, 0 … 1."""

    tier: str
    rows: int
    heard: int
    sign_quality: float | None


@dataclass(frozen=True)
class LabelDay:
    """Markets that got their label on a day, by where it is from."""

    day: date
    source: str
    ones: int
    zeros: int


@dataclass(frozen=True)
class LabelLine:
    """Markets that one line of the rule judged alike; `example` is the reason of one of them."""

    source: str
    state: str
    rule: str
    markets: int
    ones: int
    zeros: int
    example: str


@dataclass(frozen=True)
class Labels:
    """Labels of the last thirty days, and every market that has a resolution, by line of the rule."""

    days: tuple[LabelDay, ...]
    census: tuple[LabelLine, ...]


def hours(place: Place) -> Seen[list[HourWorth]]:
    """The last day, the newest first. All of these raise `NotYet`, and `Refused` where there is no lake to look at."""
    return place.seen(_look_at_hours, every_s=EVERY_S)


def sound(place: Place) -> Seen[list[Sound]]:
    """The last whole hour, tier by tier."""
    return place.seen(_look_at_snapshots, every_s=EVERY_S)


def signs(place: Place) -> Seen[list[Signs]]:
    """The last day, tier by tier."""
    return place.seen(_look_at_signs, every_s=EVERY_S)


def labels(place: Place) -> Seen[Labels]:
    """How markets ended."""
    return place.seen(_look_at_labels, every_s=EVERY_S)


def _look_at_hours(place: Place) -> list[HourWorth]:
    now = place.clock()
    with lakes.over(place.lake(), market_hours=Span(hour_of(now) - DAY, now)) as connection:
        rows = connection.execute(
            "select hour_at, tier, count(*), avg(completeness), avg(two_sided) from market_hours group by all order by hour_at desc, tier"
        ).fetchall()  # fmt: skip
    return [HourWorth(*row) for row in rows]


def _look_at_snapshots(place: Place) -> list[Sound]:
    from polymarket_assets.collecting import quality
    from polymarket_assets.tiers import TIERS

    lake, hour = place.lake(), hour_of(place.clock()) - HOUR
    found = ((tier, quality.snapshots(lake, tier, hour)) for tier in TIERS)
    return [Sound(tier.name, hour, one.rows, one.markets, one.duplicate_keys, one.impossible_prices) for tier, one in found if one.rows]  # fmt: skip


def _look_at_signs(place: Place) -> list[Signs]:
    now = place.clock()
    with lakes.over(place.lake(), features=Span(now - DAY, now)) as connection:
        rows = connection.execute(
            "select coalesce(tier, 'history') as of, count(*), count(sign_quality), avg(sign_quality) from features group by all order by of"
        ).fetchall()  # fmt: skip
    return [Signs(*row) for row in rows]


def _look_at_labels(place: Place) -> Labels:
    from polymarket_assets.collecting import label_census

    lake, now = place.lake(), place.clock()
    with lakes.over(lake, resolutions=None) as connection:
        days = connection.execute(_LABELS, [now - _LABEL_DAYS * DAY, now]).fetchall()
    census = tuple(LabelLine(one.source, one.state, one.rule, one.markets, one.ones, one.zeros, one.example) for one in label_census.census(lake, now=now))  # fmt: skip
    return Labels(tuple(LabelDay(*row) for row in days), census)


_LABELS = """
with labelled as (
    select market_id, source, min(label_seen_at)::date as day, arg_max(label, version) as label from resolutions
    where label is not null group by all having min(label_seen_at) >= ? and min(label_seen_at) <= ?
)
select day, source, count(*) filter (label = 1), count(*) filter (label = 0) from labelled group by all order by day desc, source
"""
