"""An event's markets stand together: one chart, their sum, and a table of all that are shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.report import event as report
from polymarket_assets.report import legs
from polymarket_assets.report.page import Page
from polymarket_assets_tests.report import rows
from polymarket_assets_tests.report.rows import HOUR, NOON, now, publish
from polymarket_assets_tests.report.test_market import marks

PRICES, SUM = range(2)


def race(lake: Lake, prices: dict[str, int], *, late: tuple[str, ...] = (), **more: Any) -> None:
    """Legs of a race with a constant price an hour; those that are late begin after half a day."""
    listed = [
        rows.closed_market(f"weather:{leg}", NOON, event_id="e", event_slug="race", event_title="The race", question=f"Will {leg} win the race?",
                           **{"neg_risk": True, "neg_risk_id": "0xcd", **more})
        for leg in prices
    ]  # fmt: skip
    told = [
        rows.price(f"weather:{leg}", NOON - n * HOUR, price_e6, close_day=NOON.date())
        for leg, price_e6 in prices.items()
        for n in range(1, 13 if leg in late else 25)
    ]
    publish(lake, "history_markets", listed)
    publish(lake, "history_prices", told)


def page(lake: Lake) -> Page:
    return report.page(lake, "race", clock=now)


def totals(made: Page) -> list[float]:
    return [round(row["total"], 6) for row in marks(made.panels[SUM]) if "total" in row]


def test_the_legs_of_a_race_sum_to_one(lake: Lake) -> None:
    race(lake, {"Ada": 500_000, "Ben": 300_000, "Cleo": 200_000})
    publish(
        lake,
        "resolutions",
        [rows.resolution("weather:Ada", NOON, 1), rows.resolution("weather:Ben", NOON, 0)],
    )
    made = page(lake)
    assert set(totals(made)) == {1.0}
    assert "negRisk set of 3: exactly one ends YES" in made.badges
    assert "ended: Ada" in made.badges
    assert [(row[0], row[1], row[6], row[7]) for row in made.grids[0].rows] == [
        ("Ada", "0.5", "final", "1"),
        ("Ben", "0.3", "final", "0"),
        ("Cleo", "0.2", "not known", "–"),
    ]


def test_legs_added_later_are_told(lake: Lake) -> None:
    """Without it a sum below 1 looks like free money."""
    race(lake, {"Ada": 500_000, "Ben": 300_000, "Cleo": 200_000}, late=("Cleo",))
    made = page(lake)
    assert sorted(set(totals(made))) == [0.8, 1.0]
    assert "2 → 3 legs at 2026-03-02 00:00:00" in made.panels[SUM].remark


def test_markets_that_do_not_exclude_each_other_have_no_sum(lake: Lake) -> None:
    race(lake, {"Ada": 500_000, "Ben": 300_000}, neg_risk=False, neg_risk_id=None)
    made = page(lake)
    assert made.panels[PRICES].chart is not None
    assert made.panels[SUM].chart is None
    assert "no negRisk set" in made.panels[SUM].remark


def test_bids_and_asks_are_summed_where_every_leg_has_them(lake: Lake) -> None:
    listed = [rows.market(leg, NOON, NOON + HOUR, event_id="e", event_slug="race", neg_risk=True, neg_risk_id="0xcd") for leg in "ab"]  # fmt: skip
    publish(lake, "markets", listed)
    publish(lake, "snapshots", [rows.snapshot(leg, NOON + timedelta(minutes=n), 0.45, 0.52) for leg in "ab" for n in range(1, 5)])  # fmt: skip
    (row,) = {(row["bids"], row["asks"]) for row in marks(page(lake).panels[SUM]) if "total" in row}
    assert row == (0.9, 1.04)


def test_many_legs_are_drawn_up_to_a_bound_and_the_others_counted(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Some sets have 130 markets: as many colours tell nothing apart."""
    monkeypatch.setattr(report, "MOST_LEGS", 20)
    race(lake, {f"N{n}": (n + 1) * 4_000 for n in range(22)})
    made = page(lake)
    labels = {row["label"] for row in marks(made.panels[PRICES]) if "label" in row}
    assert len(labels) == report.DRAWN + 1
    assert "10 others together" in labels
    assert (len(made.grids[0].rows), made.grids[0].remark) == (20, "2 more are left out, those of the least volume.")  # fmt: skip


def test_an_event_without_prices_says_where_to_look(lake: Lake) -> None:
    publish(lake, "history_markets", [rows.closed_market(f"weather:{leg}", NOON, event_slug="race", event_id="e") for leg in "ab"])  # fmt: skip
    made = page(lake)
    assert all(panel.chart is None for panel in made.panels)
    assert "report market ID" in made.panels[PRICES].remark


@pytest.mark.parametrize(
    ("titles", "named"),
    [
        (["Will Ada win the race?", "Will Ben win the race?"], ["Ada", "Ben"]),
        (["NYC on March 1? 42-43°F", "NYC on March 1? 46°F or higher"], ["42-43°F", "46°F or higher"]),
        (["Same", "Same"], ["Same", "Same (000001)"]),
        (["Alone in the race"], ["Alone in the race"]),
        (["A B", "A B C"], ["A B", "C"]),
        (["x" * 80, "y"], ["x" * 43 + "…", "y"]),
    ],
)
def test_names_of_legs_are_what_tells_them_apart(titles: list[str], named: list[str]) -> None:
    found = legs.short_names({f"pm:{n:06d}": title for n, title in enumerate(titles)})
    assert list(found.values()) == named
