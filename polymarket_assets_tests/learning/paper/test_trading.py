"""Paper trading: what a run writes depends on the lake alone, what died counts for nothing, and nothing is known too early."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets.lake import compacting, reading, retention
from polymarket_assets.lake.errors import LakeUnwritable
from polymarket_assets.lake.writing import Lake, Written
from polymarket_assets.learning import paper
from polymarket_assets.learning.backtest.rules import Rules
from polymarket_assets.learning.backtest.running import backtest
from polymarket_assets.learning.paper import ledger
from polymarket_assets.learning.paper.trading import LOOK_BACK
from polymarket_assets_tests.learning.backtest.worlds import (
    HOUR,
    SECOND,
    T0,
    book,
    publish_books,
    rows,
    two_sided,
)
from polymarket_assets_tests.learning.paper.worlds import MINUTE, MODEL, days, predictions
from polymarket_assets_tests.learning.rows import publish, resolution

LAST = T0 + 48 * HOUR
TABLES = ("paper_orders", "paper_positions")


def kept(lake: Lake) -> dict[str, list[dict[str, Any]]]:
    return {table: reading.rows(lake, table).to_pylist() for table in TABLES}


def sums(lake: Lake) -> ledger.Account:
    return ledger.accounts(lake)[MODEL]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Two days, decided in one run at their end."""
    lake = Lake(tmp_path_factory.mktemp("once"))
    days(lake)
    paper.trade(lake, now=LAST)
    return lake


def test_orders_positions_and_account_agree(once: Lake) -> None:
    held, account = kept(once), sums(once)
    orders, positions = (held[table] for table in TABLES)
    filled = [order for order in orders if order["executed_at"] is not None]
    assert 20 < len(positions) <= len(filled)
    assert {order["fate"] for order in orders} >= {"filled"}
    for position in positions:
        of = [order for order in filled if order["market_id"] == position["market_id"]]
        assert position["fills"] == len(of)
        assert position["opened_at"] == of[0]["decided_at"]
        assert position["cost_usd"] == pytest.approx(sum(order["cost_usd"] for order in of))
        assert position["settled_at"] is not None
    spent, got = (sum(position[name] for position in positions) for name in ("cost_usd", "payout_usd"))
    assert account.cash_usd == pytest.approx(Rules().bankroll_usd - spent + got)
    assert account.realised_usd == pytest.approx(got - spent)
    assert account.open_since is None


def test_runs_at_any_hours_write_what_one_at_the_end_does(once: Lake, tmp_path: Path) -> None:
    """A schedule that stood still for a day must not trade otherwise than one that did not."""
    lake = Lake(tmp_path)
    days(lake)
    told = [paper.trade(lake, now=T0 + n * HOUR) for n in (1, 2, 3, 5, 8, 13, 14, 15, 21, 30, 34, 40, 48)]
    assert kept(lake) == kept(once)
    assert sums(lake).cash_usd == pytest.approx(sums(once).cash_usd)
    assert sum(each.decided for each in told) == 180
    assert sum(each.settled for each in told) == len(kept(once)["paper_positions"])


def test_a_run_that_is_repeated_changes_nothing(once: Lake) -> None:
    before = {path: once.store.read_bytes(path) for table in (*TABLES, "paper_accounts") for path in once.store.list(table)}  # fmt: skip
    again = paper.trade(once, now=LAST)
    assert (again.decided, again.orders, again.settled) == (0, 0, 0)
    assert before == {path: once.store.read_bytes(path) for path in before}


class Dying(Lake):
    """A lake whose disk is full after so many writes."""

    left = 10**9

    def publish(self, table: str, rows: Any, **where: Any) -> Written:
        if self.left == 0:
            raise LakeUnwritable("the disk is full")
        self.left -= 1
        return super().publish(table, rows, **where)


@pytest.mark.parametrize("writes", [0, 1, 2, 4])
def test_a_run_that_died_anywhere_is_made_again(once: Lake, tmp_path: Path, writes: int) -> None:
    """Orders written, positions not, or neither account: the next run, hours later, ends where one that never died does."""
    lake = Dying(tmp_path)
    days(lake)
    for n in (4, 8, 12, 24, 28, 48):
        lake.left = writes if n in (8, 24, 28) else 10**9
        try:
            paper.trade(lake, now=T0 + n * HOUR)
        except LakeUnwritable:
            assert n in (8, 24, 28)
    assert kept(lake) == kept(once)
    assert sums(lake).cash_usd == pytest.approx(sums(once).cash_usd)


def test_what_a_run_that_died_left_behind_does_not_stand(tmp_path: Path) -> None:
    lake = Dying(tmp_path)
    days(lake)
    paper.trade(lake, now=T0 + 4 * HOUR)
    before = paper.portfolio(lake, now=T0 + 4 * HOUR)[0]
    lake.left = 2
    with pytest.raises(LakeUnwritable):
        paper.trade(lake, now=T0 + 8 * HOUR)
    after = paper.portfolio(lake, now=T0 + 4 * HOUR)[0]
    assert (after.cash_usd, after.through, after.realised_usd) == (before.cash_usd, before.through, before.realised_usd)  # fmt: skip
    assert set(after.open.column("market_id").to_pylist()) == set(before.open.column("market_id").to_pylist())


@pytest.mark.parametrize("first", [False, True])
def test_orders_of_a_run_that_died_go_where_the_next_decides_otherwise(tmp_path: Path, first: bool) -> None:
    """The rules may have changed between the two: what the dead run would have bought is nobody's."""
    lake = Dying(tmp_path)
    days(lake)
    if not first:
        paper.trade(lake, now=T0 + 4 * HOUR)
    before = kept(lake)
    lake.left = 2
    with pytest.raises(LakeUnwritable):
        paper.trade(lake, now=T0 + 8 * HOUR)
    lake.left = 10**9
    assert len(kept(lake)["paper_orders"]) > len(before["paper_orders"])
    paper.trade(lake, now=T0 + 8 * HOUR, rules=replace(Rules(), z=100.0))
    after = kept(lake)
    assert after["paper_orders"] == before["paper_orders"]
    assert len(after["paper_positions"]) == len(before["paper_positions"])


def one_market(lake: Lake, *, at: datetime = T0, book_after_s: float = 70, **said: Any) -> None:
    predictions(lake, [{"market_id": "pm:a", "as_of": at, "probability": 0.7, **said}])
    publish_books(lake, [book("pm:a", at + book_after_s * SECOND, *two_sided(0.5, 0.005, 100.0))])


@pytest.mark.parametrize(
    ("said", "book_after_s", "fate"),
    [
        ({}, 70, "filled"),
        ({}, 59, "no book came in time"),
        ({"created_at": T0 + 90 * SECOND}, 70, "no book came in time"),
        ({"created_at": T0 + 60 * SECOND}, 70, "filled"),
        ({"created_at": T0 + 3 * HOUR}, 70, None),
        ({"correction_sd": None}, 70, None),
        ({"probability": 0.5}, 70, None),
    ],
)
def test_an_order_needs_a_prediction_stored_in_time_a_bound_and_a_book(tmp_path: Path, said: dict[str, Any], book_after_s: float, fate: str | None) -> None:  # fmt: skip
    """What is stored after the fact is no prediction, and an order cannot be there before its prediction is."""
    lake = Lake(tmp_path)
    one_market(lake, book_after_s=book_after_s, **said)
    told = paper.trade(lake, now=T0 + 4 * HOUR)
    assert [order["fate"] for order in kept(lake)["paper_orders"]] == ([fate] if fate else [])
    assert told.fills == (fate == "filled")
    assert told.unbounded == ("correction_sd" in said)


def test_nothing_is_decided_before_its_books_can_have_come(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    one_market(lake)
    assert paper.trade(lake, now=T0 + 20 * MINUTE).decided == 0
    assert paper.trade(lake, now=T0 + 40 * MINUTE).decided == 1


def test_a_position_settles_when_its_end_is_seen_and_lies_where_it_was_opened(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    one_market(lake)
    seen = T0 + timedelta(days=40)
    publish(lake, "resolutions", [resolution("pm:a", seen, 1, resolved_at=T0 + HOUR)])
    paper.trade(lake, now=T0 + HOUR)
    paper.trade(lake, now=seen)
    (open_,) = kept(lake)["paper_positions"]
    assert open_["payout_usd"] is None
    assert paper.trade(lake, now=seen + HOUR).settled == 1
    (paid,) = kept(lake)["paper_positions"]
    assert paid == {**open_, "settled_at": seen, "payout_usd": pytest.approx(open_["shares"])}
    assert len(lake.store.list("paper_positions")) == 1


def test_an_end_that_is_filed_late_counts_from_the_run_that_sees_it(tmp_path: Path) -> None:
    """It must not change what was decided with the money that was thought to be locked."""
    lake = Lake(tmp_path)
    one_market(lake)
    paper.trade(lake, now=T0 + 5 * HOUR)
    through = sums(lake).through
    assert through is not None
    publish(lake, "resolutions", [resolution("pm:a", T0 + 2 * HOUR, 1)])
    assert paper.trade(lake, now=T0 + 6 * HOUR).settled == 1
    assert kept(lake)["paper_positions"][0]["settled_at"] == through + timedelta(microseconds=1)
    assert sums(lake).open_since is None


@pytest.mark.parametrize("table", [*TABLES, "paper_accounts"])
def test_tables_that_are_rewritten_are_never_compacted_nor_removed(table: str) -> None:
    """A manifest knows what it merged by name: the new part of an old day would count for nothing."""
    assert table not in compacting.WRITTEN_IN_PARTS
    assert retention.never(table, 10_000)


def test_every_model_has_money_of_its_own(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    one_market(lake)
    predictions(lake, [{"market_id": "pm:a", "as_of": T0, "probability": 0.3, "model_version": "polymarket/4", "role": "shadow"}], part="1")  # fmt: skip
    assert paper.trade(lake, now=T0 + HOUR, model_version=MODEL).models == (MODEL,)
    assert paper.trade(lake, now=T0 + HOUR).models == ("polymarket/4",)
    held = {row["model_version"]: row["outcome_index"] for row in kept(lake)["paper_positions"]}
    assert held == {MODEL: 0, "polymarket/4": 1}
    assert all(account.cash_usd > 9_800 for account in ledger.accounts(lake).values())


def test_a_model_that_comes_later_is_decided_from_its_first_word(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    one_market(lake)
    paper.trade(lake, now=T0 + HOUR)
    later = T0 + 2 * HOUR
    predictions(lake, [{"market_id": "pm:a", "as_of": later, "probability": 0.7, "model_version": "polymarket/4"}])  # fmt: skip
    publish_books(lake, [book("pm:a", later + 70 * SECOND, *two_sided(0.5, 0.005, 100.0))])
    assert paper.trade(lake, now=later + HOUR).fills == 1


def noted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Table and name of every file that is read from now on."""
    read: list[tuple[str, str]] = []
    located = reading.files

    def told(lake: Lake, table: str, span: Any = None, **more: Any) -> list[str]:
        found = located(lake, table, span, **more)
        read.extend((table, file) for file in found)
        return found

    monkeypatch.setattr(reading, "files", told)
    return read


def said(lake: Lake, at: datetime, model: str = MODEL, market: str = "pm:a", **more: Any) -> None:
    """A prediction of a model and the book it is traded on."""
    predictions(lake, [{"market_id": market, "as_of": at, "probability": 0.7, "model_version": model, **more}], part=model.replace("/", ":"))  # fmt: skip
    publish_books(lake, [book(market, at + 70 * SECOND, *two_sided(0.5, 0.005, 100.0))], part=model.replace("/", ":"))  # fmt: skip


RETIRED = "polymarket/1"


def test_a_model_that_is_no_longer_asked_is_not_read_back_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Each training retires another: there would always be one to read a week of predictions for."""
    lake = Lake(tmp_path)
    said(lake, T0, RETIRED, probability=0.5)
    for hours in range(0, 72, 6):
        said(lake, T0 + hours * HOUR)
        paper.trade(lake, now=T0 + (hours + 1) * HOUR)
    read = noted(monkeypatch)
    assert paper.trade(lake, now=T0 + 73 * HOUR).models == (MODEL,)
    assert {f"date={T0 + days * 24 * HOUR:%Y-%m-%d}" for days in (0, 1)}.isdisjoint(
        part for table, file in read if table == "predictions" for part in Path(file).parts
    )
    accounts = reading.rows(lake, "paper_accounts").to_pylist()
    assert [row["decided"] for row in accounts if row["model_version"] == RETIRED] == [1, 0], "and written once"  # fmt: skip


def test_what_a_model_still_holds_is_settled_when_it_is_no_longer_asked(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    said(lake, T0, RETIRED, market="pm:b")
    publish(lake, "resolutions", [resolution("pm:b", T0 + 50 * HOUR, 1)])
    for hours in range(0, 72, 6):
        said(lake, T0 + hours * HOUR)
        paper.trade(lake, now=T0 + (hours + 1) * HOUR)
    held = {row["model_version"]: row for row in kept(lake)["paper_positions"]}
    assert held[RETIRED]["settled_at"] == T0 + 50 * HOUR
    assert ledger.accounts(lake)[RETIRED].is_silent
    assert ledger.accounts(lake)[RETIRED].realised_usd > 0


def test_a_model_that_is_asked_again_is_heard(tmp_path: Path) -> None:
    """A champion that was given up may come back."""
    lake = Lake(tmp_path)
    for hours, models in ((0, [RETIRED]), (6, [MODEL]), (12, [MODEL]), (48, [RETIRED, MODEL])):
        for model in models:
            said(lake, T0 + hours * HOUR, model, probability=0.5)
        assert paper.trade(lake, now=T0 + (hours + 1) * HOUR).decided == len(models)
    decided = reading.rows(lake, "paper_accounts").to_pylist()
    assert sum(row["decided"] for row in decided if row["model_version"] == RETIRED) == 2


def test_a_model_whose_run_died_is_read_back_to(tmp_path: Path) -> None:
    """It is no less asked than the others; only the writing of its rows failed."""
    lake = Dying(tmp_path)
    for hours in range(0, 72, 6):
        lake.left = 10**9
        for model in (MODEL, "polymarket/4"):
            said(lake, T0 + hours * HOUR, model)
        lake.left = 10**9 if hours in (0, 66) else 3
        try:
            paper.trade(lake, now=T0 + (hours + 1) * HOUR)
        except LakeUnwritable:
            assert hours not in (0, 66)
    decided: dict[str, int] = {}
    for row in reading.rows(lake, "paper_accounts").to_pylist():
        decided[row["model_version"]] = decided.get(row["model_version"], 0) + row["decided"]
    assert decided == {MODEL: 12, "polymarket/4": 12}


def test_hours_that_are_settled_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run after months must read what a run after days does."""
    lake = Lake(tmp_path)
    for day in range(0, 60, 10):
        at = T0 + timedelta(days=day)
        predictions(lake, [{"market_id": f"pm:{day}", "as_of": at, "probability": 0.7}])
        publish_books(lake, [book(f"pm:{day}", at + 70 * SECOND, *two_sided(0.5, 0.005, 100.0))])
        publish(lake, "resolutions", [resolution(f"pm:{day}", at + 3 * HOUR, 1)])
        paper.trade(lake, now=at + HOUR)
        paper.trade(lake, now=at + 6 * HOUR)
    read = noted(monkeypatch)
    assert paper.trade(lake, now=at + 7 * HOUR).decided == 0
    assert {table for table, _ in read} == {"paper_accounts", "predictions"}
    predictions(lake, [{"market_id": "pm:b", "as_of": at + 8 * HOUR, "probability": 0.7}])
    read.clear()
    assert paper.trade(lake, now=at + 9 * HOUR).decided == 1
    assert all(f"date={at:%Y-%m-%d}" in file for table, file in read if table != "paper_accounts")


def test_predictions_of_a_time_when_nobody_ran_are_left(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    one_market(lake)
    assert paper.trade(lake, now=T0 + LOOK_BACK + HOUR).decided == 0


def test_the_group_cap_holds_over_runs(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    days(lake, 12)
    rules = replace(Rules(), bankroll_usd=1_000.0)
    for n in range(10):
        paper.trade(lake, now=T0 + n * HOUR, rules=rules)
    spent: dict[str, float] = {}
    for row in kept(lake)["paper_orders"]:
        spent[row["group_id"]] = spent.get(row["group_id"], 0.0) + row["cost_usd"]
    assert 0 < max(spent.values()) < 0.01 * 1_100


def test_paper_trades_as_the_backtest_of_its_predictions_would(once: Lake) -> None:
    """One engine: what a backtest promises is what the paper portfolio does, fill by fill."""
    said = reading.rows(once, "predictions").to_pylist()
    ends = {row["market_id"]: row for row in reading.rows(once, "resolutions").to_pylist()}
    given = rows([
        {**{name: row[name] for name in ("market_id", "group_id", "as_of", "mid", "probability", "correction_sd")},
         "label": ends[row["market_id"]]["label"], "label_seen_at": ends[row["market_id"]]["label_seen_at"]}
        for row in said
    ])  # fmt: skip
    fills = backtest(once, given).fills["model"].to_pylist()
    filled = [order for order in kept(once)["paper_orders"] if order["executed_at"] is not None]
    names = ("market_id", "executed_at", "outcome_index", "price", "shares", "cost_usd")
    assert sorted([tuple(f[n] for n in names) for f in fills]) == sorted([tuple(o[n] for n in names) for o in filled])  # fmt: skip
    assert sum(f["payout_usd"] for f in fills) == pytest.approx(sum(p["payout_usd"] for p in kept(once)["paper_positions"]))  # fmt: skip
