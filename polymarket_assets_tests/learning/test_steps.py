"""Steps of a review over time: who may ask, who waits, and that a crash between two writes loses nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import tracking, trials
from polymarket_assets.learning.drift import Drifted
from polymarket_assets.learning.evaluation.claims import Gate
from polymarket_assets.learning.explained import Explained
from polymarket_assets.learning.promotion import gates
from polymarket_assets.learning.promotion.deciding import Decision
from polymarket_assets.learning.promotion.reviewing import Review
from polymarket_assets.learning.registered import TO_THE_MINUTE
from polymarket_assets.learning.tracking.registry import Version
from polymarket_assets_tests.learning.evaluation.rows import rows
from polymarket_assets_tests.learning.live.test_outcomes import prediction
from polymarket_assets_tests.learning.remembered import Crash, Remembered

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PRICE = Version("1", "run1", {"says_the_price": "yes"})
OLD, NEW, NEWER = (Version(str(number), f"run{number}", {}) for number in (2, 3, 4))
ALL = [PRICE, OLD, NEW, NEWER]
WORN = [Drifted("spread_c", 0.0, 0.1, 0.4)]
HELD = Gate("everything", True, "so")


def noted(review: Review, version: Version) -> Gate:
    """An audit that finds nothing and leaves a note."""
    review.registry.tag(version, {"audited": "yes"})
    return HELD


@pytest.fixture(autouse=True)
def trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions of small trainings without sealed weeks, and inputs as they were."""
    monkeypatch.setattr(tracking, "load_explained", lambda run_id, uri: Explained())
    monkeypatch.setattr(tracking, "load_out_of_fold", lambda run_id, uri: rows(50))
    monkeypatch.setattr(Review, "drifted", lambda self, version: [])
    monkeypatch.setattr(Review, "_audited", noted)


def reviewed(registry: Remembered, lake: Path, now: datetime = NOW) -> list[Decision]:
    return list(Review(Lake(lake), registry, "nowhere", now, ()).decisions())


def asked(decisions: list[Decision]) -> list[tuple[str, str]]:
    return [(decision.version.number, decision.asked) for decision in decisions]


def test_a_champion_that_was_given_up_does_not_return_as_the_challenger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    """The newest training is the challenger still, and sealed weeks that it passed once it would pass again."""
    registry = Remembered({"champion": OLD, "challenger": OLD}, ALL)
    with monkeypatch.context() as worn:
        worn.setattr(Review, "drifted", lambda self, version: WORN)
        assert asked(reviewed(registry, tmp_path)) == [("2", "champion to stay")]
    assert registry.aliases == {"champion": "1", "previous": "2", "challenger": "2"}
    assert (
        registry.versions["2"].tags["given_up"].startswith("2026-06-01 00:00 UTC: inputs as they were learnt")
    )
    assert reviewed(registry, tmp_path) == []
    registry.aliases["shadow"] = "2"
    assert reviewed(registry, tmp_path) == []


def test_a_champion_that_was_replaced_keeps_no_other_from_asking(tmp_path: Path) -> None:
    """After a crash `previous` may name the champion itself: that is no return."""
    registry = Remembered({"champion": OLD, "previous": OLD, "challenger": NEW}, ALL)
    assert asked(reviewed(registry, tmp_path)) == [("2", "champion to stay"), ("3", "challenger to shadow")]


@pytest.mark.parametrize("crash_at", range(4))
def test_a_champion_that_is_given_up_goes_whenever_the_process_ends(crash_at: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    registry = Remembered({"champion": OLD, "challenger": OLD}, ALL, crash_at)
    with monkeypatch.context() as worn:
        worn.setattr(Review, "drifted", lambda self, version: WORN)
        crashed(registry, tmp_path)
        if crash_at == 0:
            reviewed(registry, tmp_path)
    reviewed(registry, tmp_path)
    assert registry.aliases == {"champion": "1", "previous": "2", "challenger": "2"}


@pytest.mark.parametrize("crash_at", range(4))
def test_a_shadow_becomes_champion_whenever_the_process_ends(crash_at: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    """Else it would ask to follow itself, and the champion before it would be forgotten."""
    monkeypatch.setattr(gates, "of_shadow", lambda live, backtested: (HELD,))
    registry = Remembered({"champion": OLD, "shadow": NEW, "challenger": NEW}, ALL, crash_at)
    crashed(registry, tmp_path)
    reviewed(registry, tmp_path)
    assert registry.aliases == {"champion": "3", "previous": "2", "challenger": "3"}


def speaking(lake: Path, version: Version, at: datetime) -> None:
    """A stored prediction."""
    Lake(lake).publish_rows("predictions", [prediction("pm:a", at, model_version=version.name)], part="0", at=at)  # fmt: skip


WATCHED: list[tuple[str, timedelta | None, timedelta | None, bool]] = [
    ("spoke a week ago", timedelta(weeks=1), timedelta(weeks=9), True),
    ("spoke four weeks ago, whose outcomes are not all there", timedelta(weeks=4), None, True),
    ("spoke five weeks ago", timedelta(weeks=5), None, False),
    ("did not speak yet, shadow for a week", None, timedelta(weeks=1), True),
    ("never spoke, shadow for five weeks", None, timedelta(weeks=5), False),
    ("nobody knows", None, None, False),
]


@pytest.mark.parametrize(("spoke", "shadow", "waits"), [row for _, *row in WATCHED], ids=[name for name, *_ in WATCHED])  # fmt: skip
def test_a_challenger_waits_until_the_shadow_had_its_weeks(spoke: timedelta | None, shadow: timedelta | None, waits: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    """Each week brings a new challenger: one after another would be shadow for a week, and none ever champion. A look at sealed weeks
    is not spent meanwhile."""
    if spoke:
        speaking(tmp_path, NEW, NOW - spoke)
    monkeypatch.setattr(tracking, "load_out_of_fold", lambda run_id, uri: rows(50, is_sealed=[n % 2 for n in range(150)]))  # fmt: skip
    tags = {"shadow_since": f"{NOW - shadow:{TO_THE_MINUTE}}"} if shadow else {}
    registry = Remembered({"shadow": NEW, "challenger": NEWER}, [replace(NEW, tags=tags), NEWER])
    *_, decision = reviewed(registry, tmp_path)
    assert asked([decision]) == [("4", "challenger to shadow")]
    assert ("waits: the shadow had its 4 weeks live: polymarket/3 is watched until" in decision.said) is waits
    assert trials.openings(Lake(tmp_path)) == (0 if waits else 1)
    assert ("audited" in registry.versions["4"].tags) is not waits
    assert registry.aliases["shadow"] == "3", "a claim that is not granted replaces nobody"


def test_a_granted_claim_replaces_a_shadow_that_had_its_weeks_and_begins_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    monkeypatch.setattr(gates, "of_claim", lambda *asked: (HELD,))
    speaking(tmp_path, NEW, NOW - timedelta(weeks=5))
    registry = Remembered({"shadow": NEW, "challenger": NEWER}, ALL)
    reviewed(registry, tmp_path)
    assert registry.aliases["shadow"] == "4"
    since = registry.at("shadow")
    assert since
    assert since.shadow_since == NOW


def crashed(registry: Remembered, lake: Path) -> None:
    """A review that ends before the write that is set, where it comes so far; the next will not."""
    with suppress(Crash):
        reviewed(registry, lake)
    registry.crash_at = None
