"""What people are told of paper portfolios, and what alerts are."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import paper
from polymarket_assets_tests.learning.backtest.worlds import HOUR, SECOND, T0, book, publish_books, two_sided
from polymarket_assets_tests.learning.paper.worlds import MINUTE, MODEL, days, predictions
from polymarket_assets_tests.learning.rows import market, publish


def test_open_positions_are_marked_at_the_newest_mid(tmp_path: Path) -> None:
    """The other outcome's mid is one less the canonical's; without a book of late a position counts at cost."""
    lake = Lake(tmp_path)
    predictions(
        lake, [{"market_id": f"pm:{n}", "as_of": T0, "probability": q} for n, q in ((1, 0.7), (2, 0.3))]
    )
    publish_books(lake, [book(f"pm:{n}", T0 + 70 * SECOND, *two_sided(0.5, 0.005, 100.0)) for n in (1, 2)])
    publish_books(lake, [book(f"pm:{n}", T0 + HOUR, *two_sided(0.6, 0.005, 100.0)) for n in (1, 2)], part="1")
    paper.trade(lake, now=T0 + HOUR)
    (found,) = paper.portfolio(lake, now=T0 + 90 * MINUTE)
    held = {row["market_id"]: row for row in found.open.to_pylist()}
    assert held["pm:1"]["marked_usd"] == pytest.approx(0.6 * held["pm:1"]["shares"])
    assert held["pm:2"]["marked_usd"] == pytest.approx(0.4 * held["pm:2"]["shares"])
    assert found.cash_usd + found.locked_usd == pytest.approx(10_000)
    (late,) = paper.portfolio(lake, now=T0 + timedelta(days=2))
    assert late.marked_usd == pytest.approx(late.locked_usd)
    assert late.open.column("mid").null_count == 2


def test_a_portfolio_tells_what_its_groups_earned(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    days(lake)
    paper.trade(lake, now=T0 + 20 * HOUR)
    (found,) = paper.portfolio(lake, now=T0 + 20 * HOUR)
    assert found.groups > 5
    assert found.settled > found.groups
    assert sum(found.exposure_usd.values()) == pytest.approx(found.locked_usd)
    assert found.cash_usd + found.locked_usd == pytest.approx(10_000 + found.realised_usd)
    assert found.roi.low < found.roi.value < found.roi.high
    assert f"{MODEL}: -$" in found.verdict
    assert "settled groups" in found.verdict


def test_there_is_no_portfolio_before_the_first_run(tmp_path: Path) -> None:
    assert paper.portfolio(Lake(tmp_path), now=T0) == []


@pytest.mark.parametrize(
    ("said", "least", "found"),
    [
        ({}, 0.05, 1),
        ({}, 0.2, 0),
        ({"probability": 0.5}, 0.0, 0),
        ({"correction_sd": None}, 0.0, 0),
        ({"as_of": T0 - 2 * HOUR}, 0.0, 0),
        ({"created_at": T0 + 10 * MINUTE}, 0.0, 0),
    ],
)
def test_an_edge_is_what_is_left_of_a_belief_after_price_and_fee(tmp_path: Path, said: dict[str, object], least: float, found: int) -> None:  # fmt: skip
    lake = Lake(tmp_path)
    publish(lake, "markets", [market("a", T0 - HOUR, None, fee_schedule='{"rate": 0.04, "exponent": 1}')])
    publish_books(lake, [book("pm:a", T0, *two_sided(0.5, 0.005, 100.0))])
    predictions(lake, [{"market_id": "pm:a", "as_of": T0, "probability": 0.62, **said}])
    edges = paper.edges(lake, now=T0 + 5 * MINUTE, least=least)
    assert len(edges) == found
    for edge in edges:
        assert edge.price == pytest.approx(0.505)
        assert edge.edge == pytest.approx(edge.belief - 0.505 - 0.04 * 0.505 * 0.495)
        assert edge.usd == pytest.approx(25 * (0.505 + edge.fee))
        assert "is offered at 0.505" in str(edge)
