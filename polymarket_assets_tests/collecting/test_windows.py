"""A window accounts for every slot once, late or missed slots by name, and nothing is back-dated."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets.collecting import heartbeats, windows
from polymarket_assets.lake import reading
from polymarket_assets.lake.errors import LakeUnwritable
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.tiers import BY_NAME
from polymarket_assets.venue.errors import Unavailable
from polymarket_assets_tests.collecting.fakes import HOUR, Clob, Time, Venue, book, list_markets, market_row

T4 = BY_NAME["t4"]


def run(lake: Lake, time: Time, clob: Clob, start: datetime | None = None, window_s: float | None = 60, **settings: Any) -> windows.WindowReport:  # fmt: skip
    return windows.run_window(
        lake, Venue(clob), T4, Settings(_env_file=None, **settings), hour=HOUR, start=start, window_s=window_s,
        run_id="run", clock=time.clock, sleep=time.sleep, on_slot=lambda account: None,
    )  # fmt: skip


def sweeps(lake: Lake) -> list[dict[str, Any]]:
    return sorted(reading.rows(lake, "sweeps").to_pylist(), key=lambda row: row["slot_at"])


def test_every_slot_is_taken_on_time(lake: Lake) -> None:
    list_markets(lake, market_row(1), market_row(2))
    report = run(lake, Time(), Clob([book(1), book(2)]))
    assert (report.expected, report.taken, report.markets, report.books, report.rows) == (4, 4, 2, 8, 8)
    assert [row["slot_at"] for row in sweeps(lake)] == [HOUR + timedelta(seconds=s) for s in (10, 25, 40, 55)]
    assert {(row["status"], row["latency_ms"]) for row in sweeps(lake)} == {("taken", 0.0)}
    for table in ("orderbooks", "snapshots"):
        assert reading.rows(lake, table).num_rows == 8


def test_books_carry_the_time_they_came(lake: Lake) -> None:
    """A row stamped with its slot would claim to have known a book before it arrived."""
    list_markets(lake, market_row(1))
    time = Time()
    run(lake, time, Clob([book(1)], then=lambda: time.pass_(1.5)), window_s=20)
    row = reading.rows(lake, "orderbooks").to_pylist()[0]
    assert row["received_at"] - row["slot_at"] == timedelta(seconds=1.5)


def test_a_slow_sweep_makes_the_next_one_late_and_those_after_missed(lake: Lake) -> None:
    list_markets(lake, market_row(1))
    time = Time()
    waits = iter([35.0, 0.0, 0.0])
    run(lake, time, Clob([book(1)], then=lambda: time.pass_(next(waits))))
    assert [(row["status"], row["reason"]) for row in sweeps(lake)] == [
        ("taken", None),
        ("missed", "previous sweep overran"),
        ("late", "begun 5.0 s after the slot"),
        ("taken", None),
    ]


def test_slots_before_a_late_start_are_missed_and_said_so(lake: Lake) -> None:
    list_markets(lake, market_row(1))
    report = run(lake, Time(HOUR + timedelta(seconds=41)), Clob([book(1)]), start=HOUR)
    assert [(row["status"], row["reason"]) for row in sweeps(lake)][:2] == [("missed", "started late")] * 2
    assert (report.expected, report.taken, report.late, report.missed) == (4, 2, 0, 2)


def test_a_second_run_over_the_same_window_takes_nothing_back(lake: Lake) -> None:
    """The watchdog starts a failed window again from its tick; what was taken must stay taken."""
    list_markets(lake, market_row(1))
    run(lake, Time(), Clob([book(1)]), start=HOUR, window_s=30)
    before = sweeps(lake)
    again = run(lake, Time(HOUR + timedelta(seconds=50)), Clob([book(1)]), start=HOUR)
    assert sweeps(lake)[:2] == before
    assert [row["status"] for row in sweeps(lake)] == ["taken", "taken", "late", "taken"]
    assert (again.expected, again.taken, again.late) == (4, 3, 1)


def test_a_missed_slot_taken_by_a_second_run_counts_as_taken(lake: Lake) -> None:
    list_markets(lake, market_row(1))

    def down() -> None:
        raise Unavailable("connection refused")

    run(lake, Time(), Clob([book(1)], then=down), window_s=20)
    assert [(row["status"], row["reason"]) for row in sweeps(lake)] == [("missed", "connection refused")]
    run(lake, Time(HOUR + timedelta(seconds=10)), Clob([book(1)]), start=HOUR, window_s=20)
    assert [row["status"] for row in sweeps(lake)] == ["taken"]


def test_an_unreachable_venue_costs_its_slots_and_not_the_window(lake: Lake) -> None:
    list_markets(lake, market_row(1))
    answers = iter([None, Unavailable("read timed out"), None, None])

    def sometimes() -> None:
        if (failure := next(answers)) is not None:
            raise failure

    report = run(lake, Time(), Clob([book(1)], then=sometimes))
    assert (report.taken, report.missed) == (3, 1)
    assert sweeps(lake)[1]["reason"] == "read timed out"


def test_a_full_disk_fails_the_run(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Collecting on without a place to keep it would look like success."""
    list_markets(lake, market_row(1))

    def full(*_: object, **__: object) -> None:
        raise LakeUnwritable("no space is left")

    monkeypatch.setattr(lake.store, "write_table", full)
    with pytest.raises(LakeUnwritable, match="no space"):
        run(lake, Time(), Clob([book(1)]))


def test_an_hour_in_which_nothing_is_due_is_accounted_too(lake: Lake) -> None:
    list_markets(lake, market_row(1, effective_close=HOUR + timedelta(days=9)))
    clob = Clob()
    report = run(lake, Time(), clob)
    assert (report.expected, report.taken, report.books, clob.asked) == (4, 4, 0, [])


def test_slots_of_a_lake_that_knows_no_market_are_missed(lake: Lake) -> None:
    report = run(lake, Time(), Clob())
    assert (report.expected, report.taken, report.missed) == (4, 0, 4)
    assert {row["reason"] for row in sweeps(lake)} == {"no market is known: materialize markets"}


@pytest.mark.parametrize(
    ("now", "error", "says"),
    [
        (HOUR + timedelta(hours=1), windows.PastHour, "history_prices"),
        (HOUR - timedelta(seconds=1), windows.FutureHour, "has not begun"),
    ],
)
def test_only_the_current_hour_can_be_collected(lake: Lake, now: datetime, error: type[Exception], says: str) -> None:  # fmt: skip
    with pytest.raises(error, match=says) as raised:
        run(lake, Time(now), Clob())
    assert "\n" not in str(raised.value)


def test_a_window_cannot_start_in_another_hour(lake: Lake) -> None:
    with pytest.raises(windows.OutsideHour, match="cannot start"):
        run(lake, Time(), Clob(), start=HOUR - timedelta(minutes=1))


def test_a_window_ends_with_its_hour(lake: Lake) -> None:
    report = run(lake, Time(HOUR + timedelta(minutes=59)), Clob(), window_s=None)
    assert (report.expected, report.last) == (4, HOUR + timedelta(minutes=59, seconds=55))


def test_a_heartbeat_is_left_while_waiting_and_at_each_slot(lake: Lake, tmp_path: Path) -> None:
    """A watchdog fails what was silent for 45 s, and T0 waits for minutes."""
    seen: list[datetime] = []
    time = Time()

    def sleep(seconds: float) -> None:
        beat = heartbeats.read(tmp_path, "t0", "run")
        assert beat is not None
        seen.append(beat.at)
        time.pass_(seconds)

    windows.run_window(
        lake, Venue(Clob()), BY_NAME["t0"], Settings(_env_file=None, state_dir=tmp_path), hour=HOUR, start=None,
        window_s=None, run_id="run", clock=time.clock, sleep=sleep, on_slot=lambda account: None,
    )  # fmt: skip
    gaps = [later - earlier for earlier, later in itertools.pairwise(seen)]
    assert max(gaps) <= timedelta(seconds=heartbeats.EVERY_S)
    assert heartbeats.of(tmp_path, "t0") == [], "a run that is over leaves none"
