"""A backtest on a page: every panel draws, and says what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.backtest import showing
from polymarket_assets.learning.backtest.running import Backtest, backtest
from polymarket_assets.report import page
from polymarket_assets_tests.learning.backtest.worlds import world


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Backtest:
    lake = Lake(tmp_path_factory.mktemp("shown"))
    return backtest(lake, world(lake, groups=200, edge=0.5, claimed=0.5))


def test_a_page_of_a_backtest_is_written_whole(found: Backtest, tmp_path: Path) -> None:
    made = page.Page(
        "backtest", "Backtest", ["synthetic"], [], showing.panels(found), showing.grids(found), ""
    )
    written = page.write(made, tmp_path)
    assert written.png.read_bytes().startswith(b"\x89PNG")
    text = written.html.read_text()
    for told in ("Bankroll", "Gains by group", "random side", "orders of $1,000", "300 s", "Hits by price", "filled"):  # fmt: skip
        assert told in text


def data(chart: dict[str, Any], column: str) -> list[dict[str, Any]]:
    """The rows of a chart that have a column."""
    return next(rows for rows in chart["datasets"].values() if column in rows[0])


def test_charts_hold_the_figures(found: Backtest) -> None:
    titles = {panel.title: panel.chart.to_dict() for panel in showing.panels(found) if panel.chart}
    equity = data(titles["Bankroll"], "equity")
    assert equity[-1]["equity"] == pytest.approx(10_000 + found.figures["model"].pnl_usd)
    bars = data(titles["Gains by group"], "gained")
    assert len(bars) == 2 * showing.ENDS_SHOWN
    controls = data(titles["Beside its controls"], "value")
    assert {row["name"] for row in controls} == {name for name, of in found.figures.items() if of.groups}


def test_one_that_bought_nothing_says_so(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    none = backtest(lake, world(lake, groups=30, edge=0.0, claimed=0.0))
    (panel,) = showing.panels(none)
    assert panel.chart is None
    assert "Nothing was bought" in panel.remark
    assert showing.grids(none)[0].rows
