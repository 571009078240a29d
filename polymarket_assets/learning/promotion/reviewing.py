"""A review: every version that an alias names is asked for its evidence, and every step it may take is decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import drift, evaluation, tracking, training_set, trials
from polymarket_assets.learning.audit.audited import Audit
from polymarket_assets.learning.errors import NothingToJudge
from polymarket_assets.learning.evaluation import Evaluation, Interval
from polymarket_assets.learning.evaluation.claims import Gate
from polymarket_assets.learning.live import outcomes
from polymarket_assets.learning.out_of_fold import MODEL
from polymarket_assets.learning.promotion import auditing, comparing, deciding, gates
from polymarket_assets.learning.promotion.deciding import Decision
from polymarket_assets.learning.splits import LEAST_GROUPS
from polymarket_assets.learning.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    GIVEN_UP,
    SHADOW,
    Registry,
    Version,
)

# A champion is watched over so long, a shadow over all it said; recent features are those of a week.
WATCHED, RECENT, EVER = timedelta(weeks=2), timedelta(weeks=1), timedelta(days=365)
# Features whose drift alone gives a champion up: those its splits rest on most.
TOP = 10


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
class Review:
    """The lake, the registry and the instant of a review; `streamed`: tiers that are listened to."""

    lake: Lake
    registry: Registry
    tracking_uri: str
    now: datetime
    streamed: tuple[str, ...]

    def decisions(self) -> Iterator[Decision]:
        """Each step that some version may take; one that is granted is carried out before the next is looked at."""
        self._mend()
        for step in (self._staying, self._shadow, self._challenger):
            if found := step():
                deciding.carried_out(found, self.registry)
                yield found

    def _mend(self) -> None:
        """Finish what a crash cut off: a shadow that became champion is no shadow any more."""
        shadow, champion = self.registry.at(SHADOW), self.registry.at(CHAMPION)
        if shadow and champion and shadow.number == champion.number:
            self.registry.point(SHADOW, None)

    def _candidate(self, alias: str) -> Version | None:
        """The version of an alias that may ask for a step: none that was given up."""
        found = self.registry.at(alias)
        return found if found and GIVEN_UP not in found.tags else None

    def _staying(self) -> Decision | None:
        champion = self.registry.at(CHAMPION)
        price = self.registry.held_price()
        if champion is None or champion.says_the_price or price is None:
            return None
        return deciding.to_stay(champion, price, self._worn(champion), self.now)

    def _worn(self, champion: Version) -> tuple[Gate, ...]:
        """The gates of a champion; one that was given up when a crash came does not hold."""
        if told := champion.tags.get(GIVEN_UP):
            return (gates.not_given_up(told),)
        explained = tracking.load_explained(champion.run_id, self.tracking_uri)
        return gates.of_staying(self._live(champion, WATCHED), self.drifted(champion), list(explained.gains)[:TOP])  # fmt: skip

    def _shadow(self) -> Decision | None:
        shadow, champion = self._candidate(SHADOW), self.registry.at(CHAMPION)
        if shadow is None:
            return None
        asked = gates.of_shadow(self._live(shadow, EVER), self._expected(shadow))
        return deciding.to_champion(shadow, champion, asked)

    def _challenger(self) -> Decision | None:
        challenger = self._candidate(CHALLENGER)
        followed = [self.registry.at(alias) for alias in (SHADOW, CHAMPION)]
        if challenger is None or any(one and one.number == challenger.number for one in followed):
            return None
        if watched := self._watched(followed[0]):
            return deciding.to_wait(challenger, watched)
        rows, champion = self._out_of_fold(challenger), followed[1]
        compared = None if champion is None or champion.says_the_price else self.compared(rows, champion)
        claimed = self._claimed(challenger, rows)
        asked = gates.of_claim(claimed, compared, self._audited(challenger), trials.openings(self.lake))
        return deciding.to_shadow(challenger, asked, self.now, roi_low=self.registry.metric(challenger, "backtest/roi_low"))  # fmt: skip

    def _watched(self, shadow: Version | None) -> Gate | None:
        """Why no challenger is asked: each week brings a new one, and a shadow would never have its weeks live. It has them from its
        first stored prediction on; None where they are over."""
        if shadow is None or GIVEN_UP in shadow.tags:
            return None
        spoke = outcomes.first(self.lake, shadow.name, since=self.now - EVER, now=self.now)
        since = spoke or shadow.shadow_since
        until = since + gates.WATCHED_FOR if since else self.now
        return gates.of_watching(shadow.name, until) if self.now < until else None

    def _claimed(self, version: Version, rows: pa.Table) -> Evaluation:
        """The judgement a claim rests on: of sealed weeks, whose opening is stored; of open ones where none is sealed yet."""
        if not pc.any(rows.column("is_sealed")).as_py():
            return evaluation.evaluate(rows)
        trials.publish_opening(self.lake, version.run_id, self.now)
        return evaluation.evaluate(rows, sealed=True)

    def compared(self, rows: pa.Table, champion: Version) -> Gate:
        """Out-of-fold rows of a challenger against what the champion said of the same sealed rows."""
        both = comparing.in_common(rows, self.said(champion))
        groups = len(both.column("group_id").unique())
        is_enough = groups >= LEAST_GROUPS
        return gates.of_comparison(groups, evaluation.judge_predictions(both).overall.log_loss_gain if is_enough else None)  # fmt: skip

    def said(self, version: Version) -> pa.Table:
        """What a version says of rows it had not seen: out of fold, and itself of groups in the training set that began after its data ended."""
        told, before = self._out_of_fold(version).select(comparing.SAID), version.learnt_before
        later = comparing.begun_since(training_set.read(self.lake), before) if before else None
        if not later:
            return told
        probability = pa.array(self.registry.correction(version).probabilities(later.to_pandas()))
        return pa.concat_tables([told, later.select(comparing.KEY).append_column(MODEL, probability).cast(told.schema)])  # fmt: skip

    def followed(self) -> Version | None:
        """The champion; while that says the price, the challenger."""
        champion = self.registry.at(CHAMPION)
        return champion if champion and not champion.says_the_price else self.registry.at(CHALLENGER)

    def gap(self, version: Version) -> Gap | None:
        """What a version gains over the price live and out of fold; None where nothing live is decided, or nothing like it lies out of fold."""
        live, expected = self._live(version, EVER), self._expected(version)
        return Gap(live.overall.log_loss_gain, expected) if live and expected else None

    def drifted(self, version: Version) -> list[drift.Drifted]:
        """The features of the last week, as far as they were recorded, against those a version learnt from."""
        span = Span(self.now - RECENT, self.now)
        recent = reading.rows(self.lake, "features", span)
        recorded = recent.filter(pc.equal(recent.column("source"), "recorded"))
        return drift.compared(tracking.load_profiles(version.run_id, self.tracking_uri), recorded)

    def _live(self, version: Version, back: timedelta) -> Evaluation | None:
        rows = outcomes.decided(self.lake, version.name, since=self.now - back, now=self.now)
        try:
            return evaluation.judge_predictions(rows)
        except NothingToJudge:
            return None

    def _expected(self, version: Version) -> Interval | None:
        """What a version gains over the price on out-of-fold rows like those it is asked about live; None: there are none."""
        rows = comparing.as_live(self._out_of_fold(version))
        return evaluation.evaluate(rows).overall.log_loss_gain if rows.num_rows else None

    def _out_of_fold(self, version: Version) -> pa.Table:
        return tracking.load_out_of_fold(version.run_id, self.tracking_uri)

    def _audited(self, version: Version) -> Gate:
        return auditing.audited(version, self.registry, lambda: Audit(self.lake, self.now, auditing.ROWS, streamed=self.streamed))  # fmt: skip
