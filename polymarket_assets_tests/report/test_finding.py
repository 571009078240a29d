"""A name means one market or event, or the answer is a sentence that helps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.report import finding
from polymarket_assets.report.errors import Ambiguous, NotFound
from polymarket_assets_tests.report.rows import (  # fmt: skip
    HOUR,
    NOON,
    closed_market,
    followed,
    imported,
    market,
    now,
    publish,
    resolution,
)

CONDITION = "0x" + "ab" * 32


@pytest.mark.parametrize("name", [f"pm:{CONDITION}", CONDITION, CONDITION.upper().replace("X", "x"), "4711", "will-it-rain"])  # fmt: skip
def test_a_market_is_found_by_each_of_its_names(lake: Lake, name: str) -> None:
    row = market(CONDITION, NOON, NOON + HOUR, slug="will-it-rain", condition_id=CONDITION, gamma_id="4711")
    publish(lake, "markets", [row, market("other", NOON, None, slug="other")])
    assert finding.market(lake, name, now=now()) == f"pm:{CONDITION}"


def test_a_market_of_long_ago_is_found(lake: Lake) -> None:
    """What was known lately is looked through first, and it is not all there is."""
    long_ago = NOON - timedelta(days=300)
    publish(lake, "markets", [market("old", long_ago, None, slug="old-one")])
    assert finding.market(lake, "old-one", now=now()) == "pm:old"
    assert finding.event(lake, "old-one", now=now()).market_ids == ("pm:old",)


def test_a_market_known_twice_is_one(lake: Lake) -> None:
    """Followed live, and fetched once more after it closed."""
    followed(lake)
    publish(lake, "history_markets", [closed_market("pm:rain", NOON, slug="will-it-rain")])
    assert finding.market(lake, "will-it-rain", now=now()) == "pm:rain"


def test_a_slug_of_two_venues_is_told_with_the_ids(lake: Lake) -> None:
    """Choosing one in silence would show the wrong market."""
    followed(lake)
    publish(lake, "history_markets", [closed_market("us:will-it-rain", NOON, slug="will-it-rain", venue="polymarket_us", source="us")])  # fmt: skip
    with pytest.raises(Ambiguous, match=r"2 markets .* pm:rain · recorded .*; us:will-it-rain · us"):
        finding.market(lake, "will-it-rain", now=now())
    assert finding.market(lake, "us:will-it-rain", now=now()) == "us:will-it-rain"


def test_a_near_miss_is_told(lake: Lake) -> None:
    followed(lake)
    with pytest.raises(NotFound, match=r"called 'will-it-rein'; near it are will-it-rain$"):
        finding.market(lake, "will-it-rein", now=now())


def test_nothing_near_is_not_made_up(lake: Lake) -> None:
    followed(lake)
    with pytest.raises(NotFound, match=r"called 'zzz'$"):
        finding.market(lake, "zzz", now=now())


def test_the_name_of_an_event_leads_to_it(lake: Lake) -> None:
    followed(lake, event_slug="rain-in-march")
    with pytest.raises(NotFound, match=r"is an event and no market: .*report event rain-in-march"):
        finding.market(lake, "rain-in-march", now=now())


@pytest.mark.parametrize("find", [finding.market, finding.event])
def test_an_empty_lake_says_what_fills_it(lake: Lake, find: object) -> None:
    with pytest.raises(NotFound, match="it knows none; `make up`"):
        find(lake, "will-it-rain", now=now())  # type: ignore[operator]


def test_a_market_that_only_left_its_end_is_found_by_its_id(lake: Lake) -> None:
    publish(lake, "resolutions", [resolution("pm:gone", NOON, 1)])
    assert finding.market(lake, "pm:gone", now=now()) == "pm:gone"


@pytest.mark.parametrize("name", ["77", "who-wins", "0xcd", "weather:a", "leg-a"])
def test_an_event_is_found_by_its_names_and_by_its_markets(lake: Lake, name: str) -> None:
    for leg in "ab":
        imported(lake, f"weather:{leg}", event_id="77", event_slug="who-wins", neg_risk_id="0xcd", neg_risk=True, slug=f"leg-{leg}")  # fmt: skip
    imported(lake, "weather:c", event_id="78")
    assert finding.event(lake, name, now=now()).market_ids == ("weather:a", "weather:b")


def test_an_event_of_two_venues_is_told_by_markets_of_each(lake: Lake) -> None:
    followed(lake, event_id="77", event_slug="who-wins")
    imported(lake, "us:a", event_id="who-wins", event_slug="who-wins", venue="polymarket_us")
    with pytest.raises(Ambiguous, match=r"2 events .* pm:rain · polymarket · 1 markets; us:a · polymarket_us"):  # fmt: skip
        finding.event(lake, "who-wins", now=now())
    assert finding.event(lake, "us:a", now=now()).market_ids == ("us:a",)
