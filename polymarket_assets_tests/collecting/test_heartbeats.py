"""A run that lives says so, also while one step takes long; one that is gone is known to be."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from polymarket_assets.collecting import heartbeats
from polymarket_assets.collecting.heartbeats import Pulse, this_process


def now() -> datetime:
    return datetime.now(UTC)


def beat_of(folder: Path) -> heartbeats.Heartbeat:
    found = heartbeats.read(folder, "t4", "run")
    assert found is not None
    return found


def test_signs_go_on_while_a_step_takes_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "EVERY_S", 0.02)
    pulse = Pulse(tmp_path, "t4", "run", now)
    with pulse.beating():
        pulse.step(now())
        first = beat_of(tmp_path)
        time.sleep(0.2)
        assert beat_of(tmp_path).at > first.at
        assert beat_of(tmp_path).slot_at == first.slot_at
    assert heartbeats.read(tmp_path, "t4", "run") is None


def test_a_step_beyond_all_patience_leaves_no_more_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(heartbeats, "EVERY_S", 0.02)
    monkeypatch.setattr(heartbeats, "LONGEST_STEP_S", 0.1)
    pulse = Pulse(tmp_path, "t4", "run", now)
    with pulse.beating():
        time.sleep(0.3)
        last = beat_of(tmp_path).at
        time.sleep(0.2)
        assert beat_of(tmp_path).at == last
        pulse.step(None)
        assert beat_of(tmp_path).at > last


def test_a_process_is_gone_once_it_ended_and_not_before() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    born = heartbeats._born(child.pid)
    process = msgspec.structs.replace(this_process(), pid=child.pid, born=born)
    assert not process.is_gone
    process.kill()
    until = time.monotonic() + 10
    while not process.is_gone:
        assert time.monotonic() < until
    child.communicate()
    assert process.is_gone


@pytest.mark.parametrize(
    ("changed", "gone"),
    [
        ({}, False),
        ({"boot": "another"}, True),
        ({"born": "1"}, True),
        ({"pid": 2**22 + 1}, True),
        ({"host": "elsewhere", "pid": 2**22 + 1}, False),
    ],
    ids=["ourselves", "an earlier boot", "another under its number", "no such process", "of another machine"],
)
def test_who_is_gone_is_told_by_boot_birth_and_number(changed: dict[str, str | int], gone: bool) -> None:
    assert msgspec.structs.replace(this_process(), **changed).is_gone is gone


def test_what_cannot_be_read_is_no_sign(tmp_path: Path) -> None:
    path = heartbeats.path_of(tmp_path, "t4", "run")
    path.parent.mkdir(parents=True)
    path.write_bytes(b'{"run_id": "ru')
    assert heartbeats.read(tmp_path, "t4", "run") is None
    assert heartbeats.of(tmp_path, "t4") == ["run"]
    heartbeats.forget(tmp_path, "t4", "run")
    assert heartbeats.of(tmp_path, "t4") == []


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "heartbeats").write_text("in the way")
    with Pulse(tmp_path, "t4", "run", now).beating():
        pass
