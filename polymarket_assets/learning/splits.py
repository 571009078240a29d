"""Walk-forward folds: train on groups that are wholly over before a cut, test on what was decided after it (ML.md 2.4).

A group is trained on only when its last instant, its last scheduled end and its last label all lie before
the cut minus the embargo, and nothing of it is still open; its rows then cannot stand on the test side. Windows expand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Instants = npt.NDArray[np.int64]  # microseconds since 1970, UTC
NEVER = np.iinfo(np.int64).max
_WEEK_US = int(timedelta(days=7) / timedelta(microseconds=1))

# From this span on one cut a week, as models are retrained in production.
WEEKLY_FROM = timedelta(weeks=8)
# Two hours of challenge and the days a dispute takes.
EMBARGO = timedelta(days=3)
# Shorter data are cut at quantiles of time, with the embargo shortened in proportion.
CUTS_OF_SHORT_DATA = 4
# The last of weekly cuts are sealed: nobody looks at them before a claim is made (ML.md 2.4).
SEALED = 0.2
# Below this an interval over groups has no meaning.
LEAST_GROUPS = 40
# Inner folds, of the train side of a cut: what is fitted before them is close to all there is, and each has something to test.
INNER = (0.4, 0.6, 0.8)


@dataclass(frozen=True)
class Plan:
    """Where to cut, and how long before a cut a group must be over."""

    cuts: tuple[int, ...]  # microseconds since 1970, ascending
    embargo_us: int
    # The first cut whose test side is sealed.
    sealed_from_us: int = NEVER


@dataclass(frozen=True)
class Fold:
    """Row numbers of both sides of one cut."""

    number: int
    cut_us: int
    train: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]
    is_sealed: bool = False


def plan(
    rows: pa.Table,
    *,
    cuts: int = CUTS_OF_SHORT_DATA,
    embargo: timedelta = EMBARGO,
    weekly_from: timedelta = WEEKLY_FROM,
) -> Plan:
    """Weekly cuts where the rows span `weekly_from` or more, the last of them sealed; else `cuts` of them at quantiles."""
    first, last = _span(rows)
    if last - first >= _us(weekly_from):
        weekly = tuple(range(first + _WEEK_US, last + 1, _WEEK_US))
        return Plan(weekly, _us(embargo), weekly[-max(1, round(SEALED * len(weekly)))])
    return at_quantiles(rows, np.arange(1, cuts + 1) / (cuts + 1), embargo=embargo, whole=weekly_from)


def inner(rows: pa.Table) -> Plan:
    """Cuts inside the train side of a cut."""
    return at_quantiles(rows, np.array(INNER))


def at_quantiles(
    rows: pa.Table,
    shares: npt.NDArray[np.float64],
    *,
    embargo: timedelta = EMBARGO,
    whole: timedelta = WEEKLY_FROM,
) -> Plan:
    """Cuts at these quantiles of the groups' first instants; the embargo is whole from a span of `whole` on."""
    if not rows.num_rows:
        return Plan((), _us(embargo))
    first, last = _span(rows)
    firsts = _per_group(rows, -_instants(rows, "as_of"))[0] * -1
    found = np.unique(np.quantile(firsts, shares).astype(np.int64))
    return Plan(
        tuple(int(cut) for cut in found), min(_us(embargo), _us(embargo) * (last - first) // _us(whole))
    )


def folds(rows: pa.Table, planned: Plan) -> Iterator[Fold]:
    """The folds of a plan that have rows on both sides, in order of time."""
    at = _instants(rows, "as_of")
    over, group = _per_group(rows, _over(rows))
    for number, cut in enumerate(planned.cuts):
        until = planned.cuts[number + 1] if number + 1 < len(planned.cuts) else NEVER
        train = np.flatnonzero(over[group] < cut - planned.embargo_us)
        test = np.flatnonzero((at >= cut) & (at < until))
        if train.size and test.size:
            yield Fold(number, cut, train, test, cut >= planned.sealed_from_us)


def closed(rows: pa.Table, planned: Plan) -> npt.NDArray[np.int64]:
    """The train side of a cut at the newest label: what a model that goes into production learns from, as those before it did."""
    if not rows.num_rows:
        return np.zeros(0, np.int64)
    over, group = _per_group(rows, _over(rows))
    return np.flatnonzero(over[group] <= _instants(rows, "label_seen_at").max() - planned.embargo_us)


def _over(rows: pa.Table) -> Instants:
    """When each row's question was over for good: the last of its instant, its scheduled end, its label, all of its group and nearly all of its week; open: never."""
    ends = rows.column("scheduled_end")
    scheduled = _instants(rows.set_column(0, "end", pc.coalesce(ends, rows.column("as_of"))), "end")
    group = pc.fill_null(rows.column("group_over_at").cast(pa.int64()), NEVER).to_numpy()
    week = pc.fill_null(rows.column("week_complete_at").cast(pa.int64()), 0).to_numpy()
    known: Instants = np.maximum.reduce(
        [_instants(rows, "as_of"), _instants(rows, "label_seen_at"), scheduled, group, week]
    )
    return known


def _per_group(rows: pa.Table, values: Instants) -> tuple[Instants, npt.NDArray[np.int64]]:
    """The largest value of each group, and each row's group by number."""
    _, group = np.unique(rows.column("group_id").to_numpy(zero_copy_only=False), return_inverse=True)
    largest = np.full(int(group.max()) + 1 if group.size else 0, np.iinfo(np.int64).min)
    np.maximum.at(largest, group, values)
    return largest, group


def _span(rows: pa.Table) -> tuple[int, int]:
    """The first and last instant; without rows, one instant."""
    at = _instants(rows, "as_of")
    return (int(at.min()), int(at.max())) if at.size else (0, 0)


def _us(time: timedelta) -> int:
    return time // timedelta(microseconds=1)


def _instants(rows: pa.Table, name: str) -> Instants:
    found: Any = rows.column(name).cast(pa.int64()).to_numpy()
    return np.asarray(found, dtype=np.int64)
