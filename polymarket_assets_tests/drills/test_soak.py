"""What a soak tells its platform fits in its minutes, and what it concludes is from the accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drills import soaked
from drills.lies import lies
from drills.platform import Load
from drills.soaked import Soaked
from polymarket_assets.collecting import accounts, slots
from polymarket_assets.collecting.accounts import MISSED, TAKEN, Account
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import BY_NAME
from simulator.faults import FAULTS

BEGAN = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
ENDED = BEGAN + timedelta(minutes=2)
T4 = BY_NAME["t4"]


@pytest.mark.parametrize("minutes", [2, 10, 60])
def test_every_lie_is_one_the_simulator_knows_and_is_over_before_the_end(minutes: float) -> None:
    told = lies(minutes)
    assert {lie.fault for lie in told} <= set(FAULTS)
    assert [lie.after_s for lie in told] == sorted(lie.after_s for lie in told)
    assert max(lie.after_s + lie.for_s for lie in told) < minutes * 60


def test_a_soak_of_ten_minutes_has_the_venue_down_for_two() -> None:
    (down,) = [lie for lie in lies(10) if lie.fault == "venue_down"]
    assert down.for_s == 120


def account(at: datetime, status: str, reason: str | None = None) -> Account:
    ran = {"started_at": at, "finished_at": at} if status == TAKEN else {}
    return Account(tier="t4", slot_at=at, status=status, reason=reason, run_id="run", **ran)


@pytest.fixture
def judged(tmp_path: Path) -> Soaked:
    ledger = tmp_path / "ledger.jsonl"
    ledger.touch()
    loads = [(s, Load(s / 10, 100 + s, {"code": 100.0 + s}), Load(0, 50)) for s in range(200, 700, 100)]
    return Soaked(Lake(tmp_path / "lake"), ledger, BEGAN, ENDED, {}, loads, 0.1, True, True, tmp_path)


def test_a_slot_without_an_account_and_one_missed_for_no_reason_are_named(judged: Soaked) -> None:
    first, *rest = [at for at in slots.hour_grid(T4, BEGAN) if at < ENDED - soaked.UNDER_WAY]
    accounts.publish(judged.lake, account(rest[0], MISSED, "started late"))
    for at in rest[1:]:
        accounts.publish(judged.lake, account(at, TAKEN))
    found = soaked._of_tier(judged, T4, [])
    assert (found.due, found.taken, found.missed) == (len(rest) + 1, len(rest) - 1, 1)
    assert found.unaccounted == [first]
    assert [row["slot_at"] for row in found.unexcused] == [rest[0]]


def test_memory_that_grows_is_told_by_whose_it_is(judged: Soaked) -> None:
    verdicts = {verdict.promise: verdict for verdict in soaked._load(judged)}
    assert not verdicts["memory is flat"].holds
    assert "+60.0 MB a minute" in verdicts["memory is flat"].figures
    assert "code 700 (+60.0)" in verdicts["memory is flat"].figures
    assert verdicts["collection and orchestration take half a core at most"].figures == "0.10 of a core"
