"""Findings: what speaks for a version and against it, live, out of fold, beside the champion, and in what it is asked with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import drift, evaluation, tracking, training_set
from polymarket_assets.learning.errors import NothingToJudge
from polymarket_assets.learning.evaluation import Evaluation, Interval
from polymarket_assets.learning.evaluation.claims import Gate
from polymarket_assets.learning.live import outcomes
from polymarket_assets.learning.out_of_fold import MODEL
from polymarket_assets.learning.promotion import comparing, gates
from polymarket_assets.learning.splits import LEAST_GROUPS
from polymarket_assets.learning.tracking.registry import Registry, Version

# A shadow is watched over all it said; recent features are those of a week.
RECENT, EVER = timedelta(weeks=1), timedelta(days=365)


@dataclass(frozen=True)
class Gap:
    """The log-loss gain over the price of stored predictions and of out-of-fold rows like them, nats."""

    live: Interval
    out_of_fold: Interval

    @property
    def is_explained(self) -> bool:
        """Whether both intervals together allow for the difference."""
        return gates.agree(self.live, self.out_of_fold)

    @property
    def said(self) -> str:
        """In words."""
        return f"gains {gates.nats(self.live)} live, {gates.nats(self.out_of_fold)} out of fold"


@dataclass(frozen=True)
class Findings:
    """The lake, the registry and the instant at which versions are asked about."""

    lake: Lake
    registry: Registry
    tracking_uri: str
    now: datetime

    def compared(self, rows: pa.Table, champion: Version) -> Gate:
        """Out-of-fold rows of a challenger against what the champion said of the same sealed rows."""
        both = comparing.in_common(rows, self.said(champion))
        groups = len(both.column("group_id").unique())
        is_enough = groups >= LEAST_GROUPS
        return gates.of_comparison(groups, evaluation.judge_predictions(both).overall.log_loss_gain if is_enough else None)  # fmt: skip

    def said(self, version: Version) -> pa.Table:
        """What a version says of rows it had not seen: out of fold, and itself of groups in the training set that began after its data ended."""
        told, before = self.out_of_fold(version).select(comparing.SAID), version.learnt_before
        later = comparing.begun_since(training_set.read(self.lake), before) if before else None
        if not later:
            return told
        probability = pa.array(self.registry.correction(version).probabilities(later.to_pandas()))
        return pa.concat_tables([told, later.select(comparing.KEY).append_column(MODEL, probability).cast(told.schema)])  # fmt: skip

    def gap(self, version: Version) -> Gap | None:
        """What a version gains over the price live and out of fold; None where nothing live is decided, or nothing like it lies out of fold."""
        live, expected = self.live(version, EVER), self.expected(version)
        return Gap(live.overall.log_loss_gain, expected) if live and expected else None

    def drifted(self, version: Version) -> list[drift.Drifted]:
        """The features that a version uses, as they were recorded in the last week, against those it learnt from; nothing where
        that cannot be told (`drift.untold`)."""
        then = tracking.load_profiles(version.run_id, self.tracking_uri)
        gains = tracking.load_explained(version.run_id, self.tracking_uri).gains
        used = {name: profile for name, profile in then.items() if gains.get(name, 0.0) > 0}
        return drift.compared(used, reading.rows(self.lake, "features", Span(self.now - RECENT, self.now)))

    def untold(self, version: Version) -> str:
        """Why `drifted` tells nothing of a version."""
        return drift.untold(tracking.load_profiles(version.run_id, self.tracking_uri))

    def live(self, version: Version, back: timedelta) -> Evaluation | None:
        """The judgement of what a version said so long before now; None: nothing of it is decided."""
        rows = outcomes.decided(self.lake, version.name, since=self.now - back, now=self.now)
        try:
            return evaluation.judge_predictions(rows)
        except NothingToJudge:
            return None

    def expected(self, version: Version) -> Interval | None:
        """What a version gains over the price on out-of-fold rows like those it is asked about live; None: there are none."""
        rows = comparing.as_live(self.out_of_fold(version))
        return evaluation.evaluate(rows).overall.log_loss_gain if rows.num_rows else None

    def out_of_fold(self, version: Version) -> pa.Table:
        """The out-of-fold rows of the training a version came from."""
        return tracking.load_out_of_fold(version.run_id, self.tracking_uri)
