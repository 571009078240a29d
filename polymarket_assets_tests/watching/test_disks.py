"""Disks as they are watched, and a lake that lies on none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.settings import Settings
from polymarket_assets.watching import disks
from polymarket_assets.watching.findings import Figure, Finding, Told, Watched
from polymarket_assets_tests.conftest import either_store
from polymarket_assets_tests.object_store import ObjectServer

NOW = datetime(2026, 11, 2, 15, 5, tzinfo=UTC)


def watched(lake: Lake, state_dir: Path | None = None) -> Watched:
    settings = Settings(_env_file=None, lake_root=lake.root, state_dir=state_dir)
    return Watched(settings, NOW, lambda: lake)


def fill(lake: Lake, hours: int = 2) -> None:
    for hour in range(hours):
        at = NOW.replace(minute=0) - timedelta(hours=hour + 1)
        row = {"session_id": "s", "sequence": hour, "received_at": at, "connection": 0, "reason": "r", "payload": "p"}  # fmt: skip
        lake.publish("rejects", table_of("rejects", [row]), part="1", at=at)


def figures(told: Iterator[Told]) -> dict[str, float]:
    """Every figure by name and label; a finding fails."""
    found: dict[str, float] = {}
    for item in told:
        assert isinstance(item, Figure), item
        found[f"{item.name}:{'/'.join(item.labels.values())}"] = item.value
    return found


@either_store
def test_the_lake_is_written_sized_and_forecast_wherever_it_lies(lake: Lake) -> None:
    """A store has no end: there is nothing to say of its disk, and nothing to fail on."""
    fill(lake)
    assert figures(disks.writing(watched(lake))) == {}
    sizes = figures(disks.size(watched(lake)))
    assert sizes == {"lake_bytes:rejects": sum(lake.store.sizes("rejects").values())}
    grown = figures(disks.forecast(watched(lake)))
    assert grown == {"disk_growth_bytes:the lake's disk": pytest.approx(sizes["lake_bytes:rejects"] * 12)}


def test_of_a_lake_in_an_object_store_only_the_disks_of_this_machine_are_looked_at(
    object_lake: Lake, tmp_path: Path
) -> None:
    assert figures(disks.look(watched(object_lake))) == {}
    assert set(figures(disks.look(watched(object_lake, tmp_path)))) == {"disk_free_bytes:STATE_DIR", "disk_used_ratio:STATE_DIR"}  # fmt: skip


@pytest.mark.parametrize(
    ("used", "stands", "is_full"),
    [(940, False, False), (960, False, True), (945, True, True), (935, True, False)],
    ids=["enough is free", "full", "told, and hardly better", "told, and better"],
)
def test_a_disk_is_full_and_no_longer(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, used: int, stands: bool, is_full: bool) -> None:  # fmt: skip
    monkeypatch.setattr(disks.shutil, "disk_usage", lambda _: SimpleNamespace(used=used, free=1_000 - used))
    standing = frozenset({"disk_full:LAKE_ROOT"} if stands else ())
    told = list(disks.look(replace(watched(lake, tmp_path), standing=standing)))
    assert [one.key for one in told if isinstance(one, Finding)] == (["disk_full:LAKE_ROOT"] if is_full else [])  # fmt: skip


def test_a_store_that_takes_nothing_is_a_finding(object_lake: Lake, object_store: ObjectServer) -> None:
    fill(object_lake)
    with object_store.failing(lambda request: ("403 Forbidden", "AccessDenied")):
        (found,) = disks.writing(watched(object_lake))
    assert (found.key, "refuses these credentials" in found.text) == ("lake_unwritable", True)


def test_a_store_is_written_to_now_and_then_and_at_every_look_after_a_failure(object_lake: Lake, object_store: ObjectServer) -> None:  # fmt: skip
    fill(object_lake)

    def written(minute: int) -> int:
        object_store.asked.clear()
        list(disks.writing(replace(watched(object_lake), now=NOW + timedelta(minutes=minute))))
        return sum(request.method == "PUT" for request in object_store.asked)

    assert [minute for minute in range(22) if written(minute)] == [0, 10, 20]
    with object_store.failing(lambda request: ("403 Forbidden", "AccessDenied") if request.method == "PUT" else None):  # fmt: skip
        assert all(written(minute) for minute in (31, 32, 33))
    assert [minute for minute in range(34, 40) if written(minute)] == [34]


def test_the_size_of_a_large_lake_is_asked_for_table_by_table_at_once(
    object_lake: Lake, object_store: ObjectServer
) -> None:
    """One listing of everything is a page after the other: with years in it longer than a look may take."""
    fill(object_lake)
    object_store.wait_s = 0.1
    object_store.asked.clear()
    began = datetime.now(UTC)
    figures(disks.size(watched(object_lake)))
    assert datetime.now(UTC) - began < len(object_store.asked) * timedelta(seconds=object_store.wait_s) / 2
