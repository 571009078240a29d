"""Judgements of real sources: what one model over all of them is worth in each, and what a model of that source alone is.

A plan over all sources seals the last fifth of all weeks, which holds some sources whole. So each source is sealed by its own plan: the
last fifth of its own weeks stays closed, nothing where it spans under eight. Two models of a source are judged on the rows that both
were asked about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from polymarket_assets.learning import evaluation, splits
from polymarket_assets.learning.errors import NothingToJudge
from polymarket_assets.learning.evaluation import Evaluation
from polymarket_assets.learning.evaluation.claims import SUSPICIOUS_SKILL
from polymarket_assets.learning.explained import Explained
from polymarket_assets.learning.out_of_fold import PRICE
from polymarket_assets.learning.splits import LEAST_GROUPS
from polymarket_assets.learning.training import Trained
from polymarket_assets.venue.instants import EPOCH

# Which real event a market belongs to, by the ids that datasets have for it.
INDEX = "resolved_index.parquet"
_IDS = ("condition_id", "token_id", "market_key")
OVER_ALL, ALONE = "over all", "alone"
KEY = ["market_id", "as_of"]


@dataclass(frozen=True)
class Source:
    """A source of the training set, when it speaks, what of it is sealed, and whether groups follow its events.

    `events`: keys of events of the dataset; `torn`: those whose markets stand in several groups; `joined`: groups of several.
    """

    name: str
    rows: int
    groups: int
    first_at: datetime
    last_at: datetime
    sealed_from: datetime | None
    events: int
    torn: int
    joined: int


@dataclass(frozen=True)
class Judgement:
    """What a model is worth on a source; without an evaluation `why` says why not. `sealed`: rows nobody looked at."""

    source: str
    called: str
    evaluation: Evaluation | None
    explained: Explained
    kappa: float
    sealed: int = 0
    left_out: int = 0
    why: str = ""

    @property
    def is_telling(self) -> bool:
        """Whether there are groups enough for an interval to mean anything."""
        return self.evaluation is not None and self.evaluation.overall.groups >= LEAST_GROUPS

    @property
    def is_suspicious(self) -> bool:
        """Whether it is too good to be true; of a few groups nothing is."""
        return self.evaluation is not None and self.is_telling and self.evaluation.overall.suspicious

    @property
    def too_good(self) -> list[str]:
        """Baselines that gain more over the price than anybody honest ever did: that is not said of the model, but of the data."""
        if self.evaluation is None or not self.is_telling:
            return []
        against = self.evaluation.overall.against.values()
        gains = {
            one.baseline: 1 - one.brier / self.evaluation.overall.against[PRICE].brier for one in against
        }
        return [
            one.baseline
            for one in against
            if gains[one.baseline] > SUSPICIOUS_SKILL and one.gain.wider.high < 0
        ]


def sources(rows: pa.Table, datasets: Path) -> list[Source]:
    """The sources of a training set, in order of time."""
    events = _events(datasets / INDEX)
    names = rows.column("source").unique().to_pylist()
    found = [_source(name, rows.filter(pc.equal(rows.column("source"), name)), events) for name in names]
    return sorted(found, key=lambda source: source.first_at)


def sealed_by_source(out_of_fold: pa.Table, rows: pa.Table) -> pa.Table:
    """Out-of-fold rows, each sealed by the plan of its own source."""
    source, at = out_of_fold.column("source"), out_of_fold.column("as_of").cast(pa.int64())
    held = pa.array([False] * out_of_fold.num_rows)
    for name in rows.column("source").unique().to_pylist():
        planned = splits.plan(rows.filter(pc.equal(rows.column("source"), name)))
        held = pc.or_(held, pc.and_(pc.equal(source, name), pc.greater_equal(at, planned.sealed_from_us)))
    return out_of_fold.set_column(out_of_fold.column_names.index("is_sealed"), "is_sealed", held)


def judged(source: str, called: str, part: pa.Table, by: Trained, left_out: int = 0) -> Judgement:
    """Of the open rows of a part."""
    found, why = None, ""
    try:
        found = evaluation.evaluate(part)
    except NothingToJudge as e:
        why = str(e) if part.num_rows else "no row lies after a cut with enough before it"
    sealed = int(pc.sum(part.column("is_sealed")).as_py() or 0)
    return Judgement(
        source, called, found, by.explained, by.correction.shrinkage.kappa, sealed, left_out, why
    )


def on_shared_rows(
    over_all: Judgement, part: pa.Table, by: Trained, alone: Trained | str | None
) -> Iterator[Judgement]:
    """The model over all and the one alone, on what both were asked; where there is none alone, over all as it was judged."""
    if not isinstance(alone, Trained):
        yield over_all
        if alone:
            yield Judgement(over_all.source, ALONE, None, Explained(), 0.0, why=alone)
        return
    for called, one, other, model in (
        (OVER_ALL, part, alone.out_of_fold, by),
        (ALONE, alone.out_of_fold, part, alone),
    ):
        shared = one.join(other.select(KEY), KEY, join_type="left semi").sort_by([(name, "ascending") for name in KEY])  # fmt: skip
        yield judged(over_all.source, called, shared, model, one.num_rows - shared.num_rows)


def _source(name: str, rows: pa.Table, events: dict[str, str]) -> Source:
    instants = rows.column("as_of")
    sealed = splits.plan(rows).sealed_from_us
    of_event: dict[str, set[str]] = defaultdict(set)
    of_group: dict[str, set[str]] = defaultdict(set)
    for market_id, group_id in zip(*(rows.column(n).to_pylist() for n in ("market_id", "group_id")), strict=True):  # fmt: skip
        if event := events.get(market_id.split(":", 1)[1]):
            of_event[event].add(group_id)
            of_group[group_id].add(event)
    return Source(
        name,
        rows.num_rows,
        len(rows.column("group_id").unique()),
        pc.min(instants).as_py(),
        pc.max(instants).as_py(),
        None if sealed == splits.NEVER else EPOCH + timedelta(microseconds=sealed),
        len(of_event),
        sum(len(groups) > 1 for groups in of_event.values()),
        sum(len(keys) > 1 for keys in of_group.values()),
    )


def _events(index: Path) -> dict[str, str]:
    """The event of each market, by every id it has; empty where there is no index."""
    if not index.exists():
        return {}
    rows = pq.read_table(index, columns=["event_key", *_IDS]).to_pylist()
    return {row[name]: row["event_key"] for row in rows for name in _IDS if row[name]}
