"""What is told of five tiers is read from the accounts and the loads, and the wide venue has whole markets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks import tiers, wide
from benchmarks.rows import Failed
from drills import soaked
from drills.platform import Load
from drills.soaked import Soaked
from polymarket_assets.collecting import accounts, slots
from polymarket_assets.collecting.accounts import LATE, MISSED, TAKEN, Account
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import BY_NAME

BEGAN = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
ENDED = BEGAN + timedelta(minutes=4)


@pytest.fixture
def done(tmp_path: Path) -> Soaked:
    (tmp_path / "ledger.jsonl").touch()
    loads = [(s, Load(s / 4, 100 + s / 60, {}), Load(0, 50)) for s in range(180, 780, 60)]
    return Soaked(Lake(tmp_path / "lake"), tmp_path / "ledger.jsonl", BEGAN, ENDED, {}, loads, [(180.0, 1.0), (780.0, 1.25)], True, True, tmp_path)  # fmt: skip


def test_the_rows_of_five_tiers_are_those_of_their_accounts(done: Soaked) -> None:
    due = [at for at in slots.hour_grid(BY_NAME["t4"], BEGAN) if at < ENDED - soaked.UNDER_WAY]
    accounts.publish(done.lake, Account("t4", due[0], MISSED, "run", "started late"))
    for at in due[1:]:
        late = timedelta(seconds=10 if at == due[-1] else 0)
        accounts.publish(done.lake, Account("t4", at, LATE if late else TAKEN, "run", latency_ms=late / timedelta(milliseconds=1), started_at=at + late, finished_at=at + late))  # fmt: skip
    rows = {row.name: row for row in tiers.rows(done, 1.0)}
    assert (rows["1 ×: lateness of slots, median"].value, rows["1 ×: lateness of slots, p99"].met) == (
        0,
        False,
    )
    # One is missed by its account, those of four tiers by having none.
    unaccounted = sum(at < ENDED - soaked.UNDER_WAY for name in ("t0", "t1", "t2", "t3") for at in slots.hour_grid(BY_NAME[name], BEGAN))  # fmt: skip
    assert rows["1 ×: slots missed"].value == 1 + unaccounted
    assert f"t4 {len(due) - 1} of {len(due)}" in rows["1 ×: slots missed"].note
    assert rows["1 ×: share of one core"].value == pytest.approx(0.25)
    assert rows["1 ×: memory"].value == pytest.approx(1.0)
    assert rows["1 ×: Dagster's history before pruning"].value == pytest.approx(36.0)


def test_five_tiers_that_took_no_slot_are_no_figure(done: Soaked) -> None:
    with pytest.raises(Failed, match="no slot was taken"):
        list(tiers.rows(done, 1.0))


def test_the_wide_sweep_compares_pairs_and_shares_its_limits(tmp_path: Path) -> None:
    """Markets of one token and limits of one process made the sweep look lighter than it is."""
    with wide.served(600, 600, tmp_path / "state") as settings:
        took = wide.swept(settings, tmp_path, 600)
        assert took.count == 600
        assert took.requests == 2
        assert wide.one_by_one(settings, tmp_path, 20).count == 20
    assert (tmp_path / "state" / "rate_limits").stat().st_size > 0
