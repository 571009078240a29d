"""Buckets that processes share: no window holds more than it may, the first in rank go first, nobody is held up by the dead."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.venue import buckets
from polymarket_assets.venue.buckets import PATIENCE_S, SIGN_S, Shape
from polymarket_assets.venue.limits import Limits


class Time:
    """A clock in hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(
    every_ms=st.integers(1, 2_000), burst=st.integers(1, 20),
    steps=st.lists(st.tuples(st.floats(0, 3), st.integers(0, 7)), max_size=60),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_no_window_holds_more_than_burst_and_flow(
    every_ms: int, burst: int, steps: list[tuple[float, int]]
) -> None:
    clock, shape = Time(), Shape(every_ms / 1000, burst)
    made = buckets.own([shape], clock)
    taken = []
    for step, rank in steps:
        clock.now += step
        while made.take([0], rank, PATIENCE_S) == 0:
            taken.append(clock.now)
    for at in taken:
        inside = sum(at <= other < at + 10 for other in taken)
        assert inside <= burst + 10 / shape.every_s + 1


def test_a_token_goes_to_the_first_in_rank_and_in_the_end_to_everybody() -> None:
    clock = Time()
    made = buckets.own([Shape(1.0, 1)], clock)
    assert made.take([0], 5, 0) == 0
    assert made.take([0], 0, 0) > 0
    clock.now += 1.0
    assert made.take([0], 0, 0.9) == 0
    assert made.take([0], 0, 0) > 0
    clock.now += 1.0 - SIGN_S / 2
    assert made.take([0], 0, 0) > 0, "it waits, and says so"
    clock.now += SIGN_S / 2
    assert made.take([0], 5, PATIENCE_S - 1) > 0, "the token belongs to rank 0"
    assert made.take([0], 5, PATIENCE_S) == 0, "whoever waited long enough is first"


def test_somebody_who_died_waiting_is_not_waited_for() -> None:
    clock = Time()
    made = buckets.own([Shape(1.0, 1)], clock)
    made.take([0], 0, 0)
    made.take([0], 0, 0)
    clock.now += 1.0 + SIGN_S
    assert made.take([0], 7, 0) == 0


def test_all_buckets_are_taken_of_or_none() -> None:
    clock = Time()
    made = buckets.own([Shape(1.0, 2), Shape(1.0, 1)], clock)
    assert made.take([0, 1], 0, 0) == 0
    assert made.take([0, 1], 0, 0) > 0
    assert made.take([0], 0, 0) == 0, "the first bucket kept its second token"


@pytest.mark.parametrize("why", ["short", "closed"])
def test_who_waits_for_one_bucket_holds_up_nobody_who_wants_another(why: str) -> None:
    """T4 behind a 429 of `/books` left its sign on `all` too: discovery then got one request in five seconds."""
    clock, plenty = Time(), Shape(0.001, 100)
    made = buckets.own([plenty, Shape(100.0, 1), plenty], clock)
    if why == "closed":
        made.close(1, lambda times: 30.0)
    else:
        made.take([0, 1], 0, 0)
    for _ in range(20):
        assert made.take([0, 1], 0, 0) > 0
        assert made.take([0, 2], 5, 0) == 0
        assert made.take([0, 1], 5, 0) > 0, "in its own bucket it is before everybody"
        clock.now += SIGN_S / 2


def test_what_one_process_is_told_all_respect(tmp_path: Path) -> None:
    clock = Time()
    one, other = (Limits(1.0, {"x": 1_000}, file=tmp_path / "limits", clock=clock, sleep=lambda s: setattr(clock, "now", clock.now + s)) for _ in range(2))  # fmt: skip
    one.throttled(["x"], 7.0)
    other.wait("x")
    assert clock.now == pytest.approx(107.0, abs=0.1)
    other.wait("x")
    assert clock.now == pytest.approx(107.01, abs=0.06), "and then not all at once"


def test_without_a_word_pauses_double_until_an_answer_comes() -> None:
    clock = Time()
    limits = Limits(1.0, {"x": 1_000}, clock=clock)
    pauses = []
    for _ in range(3):
        pauses.append(limits.throttled(["x"], None))
        clock.now += pauses[-1]
    assert pauses == [1.0, 2.0, 4.0]
    limits.answered(["x"])
    assert limits.throttled(["x"], None) == 1.0


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 4_096, b"\x00" * 10])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "limits"
    file.write_bytes(content)
    made = buckets.shared([Shape(1.0, 1)], file, Time())
    assert made.take([0], 0, 0) == 0


@pytest.mark.parametrize(("before", "after"), [(1, 40), (40, 1)], ids=["grown", "shrunk"])
def test_a_file_of_another_version_is_replaced_and_who_has_it_goes_on(tmp_path: Path, before: int, after: int) -> None:  # fmt: skip
    """Cut to nothing, the pages that a process of the version before has mapped are gone: the system ends it with SIGBUS."""
    context = multiprocessing.get_context("fork")
    opened, upgraded = context.Event(), context.Event()

    def older() -> None:
        made = buckets.shared([Shape(0.001, 10)] * before, tmp_path / "limits", time.monotonic)
        # As a reader does that has the lock of nobody.
        opened.set()
        upgraded.wait(10)
        made.open(before - 1)
        os._exit(0 if made.take([before - 1], 0, 0) == 0 else 1)

    process = context.Process(target=older)
    process.start()
    assert opened.wait(10)
    inode = (tmp_path / "limits").stat().st_ino
    made = buckets.shared([Shape(0.001, 10)] * after, tmp_path / "limits", time.monotonic)
    assert made.take([after - 1], 0, 0) == 0
    assert (tmp_path / "limits").stat().st_ino != inode
    upgraded.set()
    process.join(10)
    assert process.exitcode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["limits"]


def test_who_come_at_once_after_an_upgrade_share_one_file(tmp_path: Path) -> None:
    file, shape = tmp_path / "limits", Shape(1_000.0, 8)
    for _ in range(20):
        file.write_bytes(b"of a version before")
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: buckets.shared([shape], file, time.monotonic), range(8)))
        assert [one.take([0], 0, PATIENCE_S) for one in made] == [0] * 8
        assert made[0].take([0], 0, PATIENCE_S) > 0, "eight took eight of one bucket"


def test_a_pause_of_the_last_boot_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The venue may ask for an hour; the clock begins anew with a boot, and an hour ahead of it may mean nothing."""
    clock = Time()
    buckets.shared([Shape(1.0, 1)], tmp_path / "limits", clock).close(0, lambda times: 3_000.0)
    assert buckets.shared([Shape(1.0, 1)], tmp_path / "limits", clock).take([0], 0, 0) > 0
    monkeypatch.setattr(buckets, "_boot", lambda: 1.0)
    assert buckets.shared([Shape(1.0, 1)], tmp_path / "limits", clock).take([0], 0, 0) == 0


def test_numbers_of_another_boot_hold_nobody_up(tmp_path: Path) -> None:
    """The clock of a machine that was just started is far behind that of the last boot."""
    late, early = Time(), Time()
    late.now = 1e6
    buckets.shared([Shape(1.0, 1)], tmp_path / "limits", late).take([0], 0, 0)
    assert buckets.shared([Shape(1.0, 1)], tmp_path / "limits", early).take([0], 0, 0) == 0


def _take(file: Path, count: int, taken: object) -> None:
    limits = Limits(1.0, {"x": 1_000}, file=file)
    for _ in range(count):
        limits.wait("x")
        taken.put(time.monotonic())  # type: ignore[attr-defined]


def test_processes_together_keep_to_the_limit(tmp_path: Path) -> None:
    """A hundred at once, ninety a second: four processes that want 240 need a second and a half."""
    context = multiprocessing.get_context("fork")
    taken = context.Queue()
    processes = [context.Process(target=_take, args=(tmp_path / "limits", 60, taken)) for _ in range(4)]
    began = time.monotonic()
    for process in processes:
        process.start()
    times = sorted(taken.get(timeout=20) for _ in range(240))
    for process in processes:
        process.join()
    assert times[-1] - began > 1.4
    assert max(sum(at <= other < at + 1 for other in times) for at in times) <= 100 + 90 + 2


def _hold(file: Path) -> None:
    made = buckets.shared([Shape(0.001, 10)], file, time.monotonic)
    with made._locked():
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_is_killed_while_it_holds_the_lock_holds_up_nobody(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=_hold, args=(tmp_path / "limits",))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert buckets.shared([Shape(0.001, 10)], tmp_path / "limits", time.monotonic).take([0], 0, 0) == 0
