"""A slot without an account gets one when its hour is over, and no slot gets two."""

from __future__ import annotations

from datetime import datetime, timedelta

from polymarket_assets.collecting import accounts, slots
from polymarket_assets.collecting.accounts import Account
from polymarket_assets.collecting.holes import GRACE, NOBODY, account_for_holes
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import HOUR as AN_HOUR
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import TIERS
from polymarket_assets_tests.collecting.fakes import HOUR, list_markets, market_row

OVER = AN_HOUR + GRACE
EACH_HOUR = sum(len(slots.hour_grid(tier, HOUR)) for tier in TIERS)


def fill(lake: Lake, now: datetime) -> int:
    return account_for_holes(lake, now=now, run_id="later")


def test_what_nobody_accounted_for_is_missed_once_its_hour_is_over(lake: Lake) -> None:
    t4 = TIERS[-1]
    taken, *rest = slots.hour_grid(t4, HOUR)
    accounts.publish(lake, Account("t4", taken, accounts.TAKEN, "run"))
    assert fill(lake, HOUR + timedelta(minutes=59)) == 0
    assert fill(lake, HOUR + OVER) == EACH_HOUR - 1
    rows = reading.rows(lake, "sweeps", Span.hour(HOUR), tier="t4").to_pylist()
    assert sorted(row["slot_at"] for row in rows) == [taken, *rest]
    assert {(row["status"], row["reason"]) for row in rows if row["slot_at"] != taken} == {("missed", NOBODY)}
    assert {row["started_at"] for row in rows} == {None}, "nothing is back-dated"


def test_a_second_look_finds_nothing(lake: Lake) -> None:
    list_markets(lake, market_row(1, received_at=HOUR))
    now = HOUR + AN_HOUR + OVER
    assert fill(lake, now) == 2 * EACH_HOUR
    assert fill(lake, now) == 0


def test_of_the_time_before_the_first_listing_nothing_is_said(lake: Lake) -> None:
    assert fill(lake, HOUR) == 0
    lake.publish_rows("markets", [market_row(1, received_at=HOUR)], part="0", at=HOUR)
    fill(lake, HOUR + OVER)
    assert min(row["slot_at"] for row in reading.rows(lake, "sweeps").to_pylist()) >= HOUR


def test_a_sweep_that_publishes_after_its_hour_is_not_called_missed_beside_it(lake: Lake) -> None:
    """Two accounts of one slot would contradict each other, and every count of slots."""
    list_markets(lake, market_row(1, received_at=HOUR))
    last = slots.hour_grid(TIERS[-1], HOUR)[-1]
    assert fill(lake, HOUR + AN_HOUR + timedelta(seconds=20)) == 0
    accounts.publish(lake, Account("t4", last, accounts.TAKEN, "run"))
    fill(lake, HOUR + OVER)
    rows = reading.rows(lake, "sweeps", Span.hour(HOUR), tier="t4").to_pylist()
    assert [row["status"] for row in rows if row["slot_at"] == last] == ["taken"]
