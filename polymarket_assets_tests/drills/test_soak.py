"""What a soak tells its platform fits in its minutes, and what it concludes is from the accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

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
# A megabyte that everything later refers to, then two in a thousand seconds.
HISTORY = [(0.0, 0.0), (200.0, 1.0), (700.0, 2.0), (1_200.0, 3.0)]


@pytest.mark.parametrize("minutes", [2, 10, 60])
def test_every_lie_is_one_the_simulator_knows_and_is_over_before_the_end(minutes: float) -> None:
    told = lies(minutes)
    assert {lie.fault for lie in told} <= set(FAULTS)
    assert [lie.after_s for lie in told] == sorted(lie.after_s for lie in told)
    assert max(lie.after_s + lie.for_s for lie in told) < minutes * 60


@pytest.mark.parametrize(("minutes", "count"), [(2, 1), (10, 5), (60, 5)])
def test_a_lie_about_listings_lasts_for_as_long_as_one_takes_that_is_asked_for(minutes: float, count: int) -> None:  # fmt: skip
    """Scheduled every ten minutes, a listing met one lie of a soak or none."""
    of_listings = [lie for lie in lies(minutes) if lie.is_of_listings]
    assert len(of_listings) == count
    assert min(lie.for_s for lie in of_listings) >= 60
    (down,) = [lie for lie in lies(minutes) if lie.fault == "venue_down"]
    assert max(lie.after_s + lie.for_s for lie in of_listings) < down.after_s
    assert all(lie.after_s + lie.for_s < later.after_s for lie, later in pairwise(of_listings))


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
    return Soaked(Lake(tmp_path / "lake"), ledger, BEGAN, ENDED, {}, loads, HISTORY, True, True, tmp_path)


def test_a_slot_without_an_account_and_one_missed_for_no_reason_are_named(judged: Soaked) -> None:
    first, *rest = [at for at in slots.hour_grid(T4, BEGAN) if at < ENDED - soaked.UNDER_WAY]
    accounts.publish(judged.lake, account(rest[0], MISSED, "started late"))
    for at in rest[1:]:
        accounts.publish(judged.lake, account(at, TAKEN))
    found = soaked._of_tier(judged, T4, [])
    assert (found.due, found.taken, found.missed) == (len(rest) + 1, len(rest) - 1, 1)
    assert found.unaccounted == [first]
    assert [row["slot_at"] for row in found.unexcused] == [rest[0]]


def at(seconds: float) -> str:
    return (BEGAN + timedelta(seconds=seconds)).isoformat()


def fault(kind: str, seconds: float, id_: int, name: str, **more: Any) -> dict[str, Any]:
    given = {"service": "all"} if "parameters" not in more else {}
    return {"kind": f"fault_{kind}", "at": at(seconds), "id": id_, "fault": name, "parameters": given, "sockets": [], **more}  # fmt: skip


def response(seconds: float, *faults: str) -> dict[str, Any]:
    return {"kind": "response", "at": at(seconds), "faults": list(faults)}


@pytest.mark.parametrize(
    ("name", "more", "lines", "met"),
    [
        ("throttle", {}, [response(5, "latency", "throttle")], True),
        ("throttle", {}, [response(5, "latency")], False),
        ("throttle", {}, [], False),
        ("throttle", {}, [response(300, "throttle")], False),
        ("slow_loris", {}, [response(41, "slow_loris")], True),
        ("stuck_cursor", {"altered": 1}, [response(5, "stuck_cursor")], True),
        ("stuck_cursor", {"altered": 0}, [response(5, "stuck_cursor")], False),
        ("close", {"parameters": {"code": 1013}, "sockets": [3]}, [], True),
        ("close", {"parameters": {"code": 1013}}, [], False),
    ],
    ids=["answered so", "others did", "nobody asked", "another time", "told when it was over", "a page was changed", "single answers alone", "a socket", "no socket"],
)  # fmt: skip
def test_a_lie_that_nobody_was_told_is_named(name: str, more: dict[str, Any], lines: list[dict[str, Any]], met: bool) -> None:  # fmt: skip
    """A soak whose lies met nobody shows nothing, and looks as if everything had been borne."""
    begun = {**more, "sockets": []} if "sockets" in more else more
    told = [
        fault("begin", -100, 1, "latency"), fault("begin", 0, 2, name, **begun), fault("begin", 0, 3, "blocked"),
        *lines, fault("end", 5, 3, "blocked"), fault("end", 40, 2, name, **more), fault("end", 100, 1, "latency"),
    ]  # fmt: skip
    verdict = soaked._met(told)
    assert verdict.holds is met
    assert ("by nobody: []" if met else f"by nobody: ['{name}']") in verdict.figures


def test_lies_that_concern_no_order_book_excuse_no_slot() -> None:
    lines = [fault("begin", 0, 1, "error_storm"), fault("end", 30, 1, "error_storm")]
    for id_, given in enumerate([{"service": "gamma"}, {"code": 1013}], 2):
        lines += [fault(kind, seconds, id_, "x", parameters=given) for kind, seconds in (("begin", 0), ("end", 60))]  # fmt: skip
    assert [span.end - span.start for span in soaked._spans(lines)] == [timedelta(seconds=30) + soaked.AFTERMATH]  # fmt: skip


def test_lateness_counts_what_limits_and_repetitions_cost(judged: Soaked) -> None:
    """Told by the start of the sweep, a slot that waited for two minutes was on time."""
    due = [slot for slot in slots.hour_grid(T4, BEGAN) if slot < ENDED - soaked.UNDER_WAY]
    for slot in due:
        late = timedelta(seconds=9) if slot == due[-1] else timedelta(0)
        accounts.publish(judged.lake, Account("t4", slot, TAKEN, "run", latency_ms=late / timedelta(milliseconds=1), started_at=slot + late, finished_at=slot + late))  # fmt: skip
    tiers = [soaked._of_tier(judged, T4, [])]
    assert soaked.lateness(tiers)[2] == 9_000
    (late_p99,) = [v for v in soaked._of_slots(tiers, calm=True) if v.promise == "slots begin within 2 s (p99)"]  # fmt: skip
    assert not late_p99.holds


def test_what_the_first_runs_store_for_all_is_no_growth(judged: Soaked) -> None:
    assert soaked.taken(judged).history_mb_a_day == pytest.approx(2 * 86.4)


def test_memory_that_grows_is_told_by_whose_it_is(judged: Soaked) -> None:
    verdicts = {verdict.promise: verdict for verdict in soaked._load(judged)}
    assert not verdicts["memory is flat"].holds
    assert "+60.0 MB a minute" in verdicts["memory is flat"].figures
    assert "code 700 (+60.0)" in verdicts["memory is flat"].figures
    assert verdicts["collection and orchestration take half a core at most"].figures == "0.10 of a core"
