"""A review: every version that an alias names is asked for its evidence, and every step it may take is decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning import evaluation, tracking, trials
from polymarket_assets.learning.audit.audited import Audit
from polymarket_assets.learning.evaluation import Evaluation
from polymarket_assets.learning.evaluation.claims import Gate
from polymarket_assets.learning.live import outcomes
from polymarket_assets.learning.promotion import auditing, deciding, gates
from polymarket_assets.learning.promotion.deciding import Decision
from polymarket_assets.learning.promotion.finding import EVER, Findings
from polymarket_assets.learning.registered import CHALLENGER, CHAMPION, GIVEN_UP, SHADOW
from polymarket_assets.learning.tracking.registry import Version

# A champion is watched over so long.
WATCHED = timedelta(weeks=2)
# Features whose drift alone gives a champion up: those its splits rest on most.
TOP = 10


@dataclass(frozen=True)
class Review(Findings):
    """What is found of versions, and what follows; `streamed`: tiers that are listened to."""

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
        drifted, top = self.drifted(champion), list(explained.gains)[:TOP]
        return gates.of_staying(self.live(champion, WATCHED), drifted, top, "" if drifted else self.untold(champion))  # fmt: skip

    def _shadow(self) -> Decision | None:
        shadow, champion = self._candidate(SHADOW), self.registry.at(CHAMPION)
        if shadow is None:
            return None
        asked = gates.of_shadow(self.live(shadow, EVER), self.expected(shadow))
        return deciding.to_champion(shadow, champion, asked)

    def _challenger(self) -> Decision | None:
        challenger = self._candidate(CHALLENGER)
        followed = [self.registry.at(alias) for alias in (SHADOW, CHAMPION)]
        if challenger is None or any(one and one.number == challenger.number for one in followed):
            return None
        if watched := self._watched(followed[0]):
            return deciding.to_wait(challenger, watched)
        rows, champion = self.out_of_fold(challenger), followed[1]
        # First: it stores that sealed weeks are looked at.
        claimed = self._claimed(challenger, rows)
        compared = None if champion is None or champion.says_the_price else self.compared(rows, champion)
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

    def followed(self) -> Version | None:
        """The champion; while that says the price, the challenger."""
        champion = self.registry.at(CHAMPION)
        return champion if champion and not champion.says_the_price else self.registry.at(CHALLENGER)

    def _audited(self, version: Version) -> Gate:
        return auditing.audited(version, self.registry, lambda: Audit(self.lake, self.now, auditing.ROWS, streamed=self.streamed))  # fmt: skip
