"""What models said before the outcome was known, against what came: reliability, and the gain over the price week by week.

The rows are those of a review (`learning.live.outcomes`): one a market and hour, weighted so that a group counts about once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from console.models.versions import Figure
from console.place import Place
from polymarket_assets.lake import opening, reading
from polymarket_assets.lake.spans import Span

if TYPE_CHECKING:
    import duckdb

    from polymarket_assets.learning.evaluation.bins import Reliability
    from polymarket_assets.learning.evaluation.intervals import Interval
    from polymarket_assets.learning.evaluation.sample import Sample

# Outcomes come by the hour.
EVERY_S = 300.0
# Twelve weeks are a line, and what is older a review looks at.
LOOK_BACK = timedelta(weeks=12)
# Champion, shadow, challenger and those before them: those that spoke last are shown.
MODELS = 6


@dataclass(frozen=True)
class Bin:
    """Forecasts near `said`: the share that came true, their share of the weight, and effective groups."""

    said: float
    came: Figure
    share: float
    groups: float


@dataclass(frozen=True)
class Week:
    """A week: rows, groups, Brier skill over the price, and the gain in log loss over the price, nats a row."""

    began_at: datetime
    rows: int
    groups: int
    skill: float
    gain: Figure


@dataclass(frozen=True)
class Spoken:
    """A model's stored predictions; of those decided, `gain` in log loss over the price, nats, and its Brier skill."""

    model_version: str
    role: str | None
    first_at: datetime
    last_at: datetime
    predictions: int
    decided: int
    groups: int
    skill: float | None
    gain: Figure | None
    weeks: tuple[Week, ...]
    model_bins: tuple[Bin, ...]
    price_bins: tuple[Bin, ...]


def spoken(place: Place) -> tuple[Spoken, ...]:
    """The models that spoke in the last weeks, the newest first."""
    now = place.clock()
    since = now - LOOK_BACK
    with _connected(place, Span(since, now)) as connection:
        said = connection.execute(_SAID, {"since": since, "now": now, "most": MODELS}).fetchall()
        return tuple(_judged(connection, row, since, now) for row in said)


@contextmanager
def _connected(place: Place, span: Span) -> Iterator[duckdb.DuckDBPyConnection]:
    lake = place.lake()
    with opening.connected() as connection:
        for table in ("predictions", "resolutions"):
            reading.add_view(connection, table, reading.files(lake, table, span))
        yield connection


def _judged(connection: duckdb.DuckDBPyConnection, said: tuple[str, str | None, datetime, datetime, int], since: datetime, now: datetime) -> Spoken:  # fmt: skip
    from polymarket_assets.learning.evaluation.sample import sampled
    from polymarket_assets.learning.live import outcomes

    rows = outcomes.decided_of(connection, said[0], since=since, now=now)
    if not rows.num_rows:
        return Spoken(*said, 0, 0, None, None, (), (), ())
    sample = sampled(rows)
    skill, gain = _overall(sample)
    return Spoken(*said, len(sample.label), sample.groups, skill, gain, _weeks(sample), *_bins(sample))


def _overall(sample: Sample) -> tuple[float, Figure]:
    from polymarket_assets.learning.evaluation import losses, weeks
    from polymarket_assets.learning.out_of_fold import PRICE

    price = sample.forecasts[PRICE]
    briers = [float(sample.weight @ losses.brier(sample.label, q)) for q in (sample.probability, price)]
    gain = losses.log_loss(sample.label, price) - losses.log_loss(sample.label, sample.probability)
    return 1 - briers[0] / briers[1] if briers[1] else 0.0, _figure(weeks.mean(gain, sample.weight, sample.group))  # fmt: skip


def _weeks(sample: Sample) -> tuple[Week, ...]:
    from polymarket_assets.learning.evaluation import weeks
    from polymarket_assets.learning.out_of_fold import PRICE

    return tuple(
        Week(one.began_at, one.rows, one.groups, one.brier_skill, _figure(one.gain_over_price))
        for one in weeks.each(sample, PRICE)
    )


def _bins(sample: Sample) -> tuple[tuple[Bin, ...], tuple[Bin, ...]]:
    from polymarket_assets.learning.evaluation.bins import reliability
    from polymarket_assets.learning.out_of_fold import PRICE

    return _told(reliability(sample, sample.probability)), _told(reliability(sample, sample.forecasts[PRICE]))


def _told(found: Reliability) -> tuple[Bin, ...]:
    return tuple(Bin(one.predicted, _figure(one.observed), one.share, one.groups) for one in found.bins)


def _figure(found: Interval) -> Figure:
    """As JSON has it, which knows no infinity: of one group nothing is known."""
    from math import isfinite

    low, high = (end if isfinite(end) else None for end in (found.low, found.high))
    return Figure(found.value, low, high)


_SAID = """
    select model_version, arg_max(role, as_of), min(as_of), max(as_of) as last_at, count(*) from predictions
    where as_of >= $since and as_of <= $now group by model_version order by last_at desc, model_version limit $most
"""
