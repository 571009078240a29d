"""What the pages and endpoints of monitoring say of a lake: figures that were put there, and what is not there in its own place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from console.pages import PAGES
from polymarket_assets.collecting import slots
from polymarket_assets.lake import layout
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import BY_NAME
from polymarket_assets_tests.console.served import Console, served, settings_of
from polymarket_assets_tests.learning.rows import snapshot
from polymarket_assets_tests.report.rows import (  # fmt: skip
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    file,
    gap,
    heard,
    publish,
    resolution,
    sweep,
)

NOW = NOON + 50 * MINUTE
T4 = BY_NAME["t4"]
EVIL = "<script>alert(1)</script>"
BASE = "/api/monitoring"


def sampled(lake: Lake) -> None:
    """From half past eleven to a quarter to one: every tenth slot is late, five in a row were missed, of one half was not answered for, and one has no account."""
    grid = [at for hour in (NOON - HOUR, NOON) for at in slots.hour_grid(T4, hour) if NOON - 30 * MINUTE <= at < NOON + 45 * MINUTE]  # fmt: skip
    rows = [sweep(at, "late" if n % 10 == 0 else "taken", reason="the venue was slow" if n % 10 == 0 else None, markets=10) for n, at in enumerate(grid)]  # fmt: skip
    for row in rows[201:206]:
        row |= {"status": "missed", "reason": f"no run sampled {EVIL}"}
    rows[250] |= {"status": "taken", "unanswered": 5}
    file(lake, "sweeps", [row for n, row in enumerate(rows) if n != 255], "slot_at", tier="t4")


def filled(lake: Lake) -> None:
    """Twelve snapshots of an hour: half of the sports have a price, none of the others a last trade."""
    rows = [snapshot(f"m{n}", NOON - HOUR + MINUTE, 0.4, 0.42, category="sports" if n < 8 else "crypto", tier="t3", last_trade=0.4 if n < 8 else None) for n in range(12)]  # fmt: skip
    for row in rows[:4]:
        row |= {"best_bid": None, "best_ask": None, "mid": None}
    publish(lake, "snapshots", rows, part="filled")


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    lake = Lake(tmp_path_factory.mktemp("monitoring") / "lake")
    sampled(lake)
    filled(lake)
    file(lake, "trades_raw", [heard("rain", NOON + n * SECOND, 400_000, sequence=n) for n in range(0, 2_900, 10)], "received_at")  # fmt: skip
    gaps = [gap(1, NOON, NOON + MINUTE), gap(2, NOON + MINUTE, NOON + 2 * MINUTE, connection=3, cause="silent"), gap(3, NOON - 30 * HOUR, NOON - 29 * HOUR),
            gap(4, NOON, NOON + 3 * SECOND, connection=3, market_id=f"pm:{EVIL}", cause="subscribe")]  # fmt: skip
    file(lake, "stream_gaps", gaps, "to_at")
    rejects = [{"session_id": "s", "connection": 0, "sequence": n, "received_at": NOON + n * MINUTE, "reason": f"price is {EVIL}", "payload": EVIL + "x" * 5_000} for n in range(3)]  # fmt: skip
    file(lake, "rejects", rejects, "received_at")
    publish(lake, "resolutions", [resolution("a", NOON, 1), resolution("b", NOON, 0)])
    with served(settings_of(lake), clock=lambda: NOW) as found:
        yield found


def test_slots_are_counted_against_the_grid(console: Console) -> None:
    found = {one["tier"]: one for one in console.json(f"{BASE}/tiers")["found"]}
    # From the first account of any tier on, up to the last one: what came after it may still be under way.
    assert found["t4"]["day"] | {"success_pct": None} == {"expected": 300, "taken": 265, "late": 29, "missed": 5, "unaccounted": 1, "success_pct": None}  # fmt: skip
    assert found["t4"]["day"]["success_pct"] == pytest.approx(100 * (294 - 0.5) / 300)
    assert found["t4"]["hour"]["expected"] == 220
    assert found["t0"]["hour"] == {"expected": 1, "taken": 0, "late": 0, "missed": 0, "unaccounted": 1, "success_pct": 0.0}  # fmt: skip
    assert found["t4"]["last_at"] == "2026-03-02T12:44:55Z"


def test_an_hour_that_did_not_change_is_not_read_again(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    from console.monitoring import sampled as looking

    console.json(f"{BASE}/tiers")
    monkeypatch.setattr(looking, "_read", lambda *_: pytest.fail("it was read again"))
    assert looking._look(console.place).tiers[4].day.expected == 300


def test_trades_are_counted_by_minute_and_the_newest_come_first(console: Console) -> None:
    found = console.json(f"{BASE}/trades-per-minute", limit=4)
    assert [(one["at"][11:16], one["trades"]) for one in found["found"]] == [("12:50", 0), ("12:49", 0), ("12:48", 2), ("12:47", 6)]  # fmt: skip
    assert (found["total"], console.json(f"{BASE}/trades-per-minute", limit=1, offset=360)["found"][0]["at"]) == (361, "2026-03-02T06:50:00Z")  # fmt: skip


def test_gaps_of_the_last_day_say_how_much_was_deaf(console: Console) -> None:
    found = console.json(f"{BASE}/gaps")["found"]
    assert [(one["gap_id"], one["reach"], one["seconds"]) for one in found] == [("s:2", "connection", 60), ("s:1", "everything", 60), ("s:4", "market", 3)]  # fmt: skip
    assert [one["gap_id"] for one in console.json(f"{BASE}/gaps", reach="everything")["found"]] == ["s:1"]


@pytest.mark.parametrize(
    ("category", "rows", "mid", "last_trade"),
    [("all", 12, 8 / 12, 8 / 12), ("sports", 8, 0.5, 1.0), ("crypto", 4, 1.0, 0.0)],
)
def test_of_each_column_the_share_that_is_filled(console: Console, category: str, rows: int, mid: float, last_trade: float) -> None:  # fmt: skip
    (found,) = console.json(f"{BASE}/field-completeness", tier="t3", category=category)["found"]
    assert (found["rows"], found["is_open"]) == (rows, False)
    assert found["columns"]["mid"] == pytest.approx(mid)
    assert found["columns"]["last_trade"] == pytest.approx(last_trade)
    assert found["columns"]["microprice"] == 0


def test_errors_are_of_every_kind_the_newest_first_and_say_who_could_not_be_asked(console: Console) -> None:
    found = console.json(f"{BASE}/errors", limit=1_000)
    texts = [one["text"] for one in found["errors"]]
    assert f"5 slots of T4 were missed: no run sampled {EVIL}" in texts
    assert f"3 frames could not be read: price is {EVIL}" in texts
    assert {one["kind"] for one in found["errors"]} == {"slot", "reject", "finding"}
    assert [one["at"] for one in found["errors"]] == sorted((one["at"] for one in found["errors"]), reverse=True)  # fmt: skip
    assert "no Dagster instance is named" in found["unknown"]["run"]
    assert len(console.json(f"{BASE}/errors", limit=2)["errors"]) == 2


def test_labels_are_counted_by_day_and_by_line_of_the_rule(console: Console) -> None:
    found = console.json(f"{BASE}/labels")["found"]
    assert [(one["day"], one["ones"], one["zeros"]) for one in found["days"]] == [("2026-03-02", 1, 1)]
    assert [(one["markets"], one["ones"]) for one in found["census"]] == [(2, 1)]


def test_health_names_what_is_wrong_with_the_next_step_and_critical_is_another_status(
    console: Console,
) -> None:
    health = console.json(f"{BASE}/health")
    found = {one["kind"]: one for one in health["findings"]}
    assert health["status"] == "critical"
    assert found["stream_dead"]["step"].startswith("start it: `python -m streamer run`")
    assert {one["name"] for one in health["sources"]} >= {
        "lake",
        "tiers",
        "stream",
        "runs",
        "checks",
        "venue",
    }
    critical = console.json(f"{BASE}/critical", 503)
    assert any("no streamer answers" in reason for reason in critical["reasons"])


def test_a_muted_finding_is_shown_and_is_nobodys_call(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    file(lake, "trades_raw", [heard("rain", NOON, 400_000)], "received_at")
    muted = ("stream_", "venue_", "unknown")
    with served(settings_of(lake, alert_muted=",".join(muted)), clock=lambda: NOW) as console:
        assert {one["muted"] for one in console.json(f"{BASE}/health")["findings"] if one["kind"].startswith("stream")} == {True}  # fmt: skip
        assert console.json(f"{BASE}/critical") == {"status": "ok", "reasons": [], "looked_at": "2026-03-02T12:50:00Z"}  # fmt: skip


def test_words_of_the_venue_are_text_on_every_page(console: Console) -> None:
    shown = [
        console.part("stream", "gaps"),
        console.part("stream", "rejects"),
        console.part("overview", "tiers"),
    ]
    for html in shown:
        assert EVIL not in html
    assert EVIL in unescape(shown[1])
    assert "/market/pm%3A%3Cscript%3E" in shown[0]


PARTS = [(page.name, part.name) for page in PAGES if page.name in ("overview", "stream", "quality") for part in page.parts]  # fmt: skip


@pytest.mark.parametrize(("page", "part"), PARTS)
def test_every_part_is_made(console: Console, page: str, part: str) -> None:
    html = console.part(page, part)
    assert "could not be made" not in html
    assert "could not be looked at" not in html
    assert 'role="alert"' not in html


@pytest.mark.parametrize("page", ["overview", "stream", "quality"])
def test_a_page_asks_for_its_parts_in_whole_seconds(console: Console, page: str) -> None:
    """htmx reads the dot of `every 5.0s` as something else, and asks without a pause."""
    paces = re.findall(r'hx-trigger="load, soon(?:, every ([^"]+))?"', console.page(f"/{page}"))
    assert len(paces) == len([1 for name, _ in PARTS if name == page])
    assert all(re.fullmatch(r"|[1-9]\d*s", pace) for pace in paces)


@pytest.mark.parametrize(
    "path",
    ["errors?limit=0", "errors?limit=1001", "errors?limit=x", "gaps?reach=all", "gaps?offset=-1", "trades-per-minute?limit=9999", "field-completeness?tier=t9", "rejects?limit=0"],
)  # fmt: skip
def test_a_question_out_of_bounds_is_refused(console: Console, path: str) -> None:
    assert console.ask(f"{BASE}/{path}").status_code == 422


LOOKS = ("tiers", "trades-per-minute", "gaps", "rejects", "field-completeness", "forecast", "labels")


def test_without_a_lake_each_says_which_setting_is_missing() -> None:
    with served(settings_of(None)) as console:
        for path in LOOKS:
            assert console.json(f"{BASE}/{path}", 503) == {"detail": "LAKE_ROOT is not set; for example `export LAKE_ROOT=data/lake`", "again": False}  # fmt: skip
        assert console.json(f"{BASE}/state")["word"] == "DISCONNECTED"
        assert "LAKE_ROOT is not set" in console.part("quality", "fields")


def test_an_empty_lake_says_what_to_do(tmp_path: Path) -> None:
    with served(settings_of(Lake(tmp_path / "lake"))) as console:
        for page, part in PARTS:
            html = console.part(page, part)
            assert 'role="alert"' not in html, (page, part)
        assert "Next: <code>make up</code>" in console.part("overview", "tiers")
        assert "Next: <code>python -m streamer run</code>" in console.part("stream", "streamers")


def test_a_damaged_table_hides_nothing_else(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    sampled(lake)
    file(lake, "stream_gaps", [gap(1, NOON, NOON + MINUTE)], "to_at")
    (damaged,) = (tmp_path / "lake" / "stream_gaps").rglob("*.parquet")
    damaged.write_bytes(b"PAR1 and nothing more")
    with served(settings_of(lake), clock=lambda: NOW) as console:
        assert "restore it, or move it away" in console.json(f"{BASE}/gaps", 503)["detail"]
        assert 'role="alert"' in console.part("stream", "gaps")
        assert "T4" in console.part("overview", "tiers")
        assert console.json(f"{BASE}/rejects")["found"] == []


def test_a_fault_in_a_look_is_an_honest_503(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("polymarket_assets.lake.forecast.forecast", broken)
    with served(settings_of(Lake(tmp_path / "lake"))) as console:
        told = console.json(f"{BASE}/forecast", 503)
        assert told == {"detail": "it could not be looked at (ZeroDivisionError); the console's log says more", "again": True}  # fmt: skip
        assert "ZeroDivisionError" in console.part("overview", "disks")


def test_nothing_is_written_to_a_lake_that_is_shown(tmp_path: Path) -> None:
    """Where it is served the lake is mounted to be read, and a probe of the console's would be a finding of its own."""
    lake = Lake(tmp_path / "lake")
    file(lake, "stream_gaps", [gap(1, NOON, NOON + MINUTE)], "to_at")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "lake").rglob("*")}
    with served(settings_of(lake), clock=lambda: NOW) as console:
        assert not [one for one in console.json(f"{BASE}/health")["findings"] if one["kind"] == "lake_unwritable"]  # fmt: skip
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "lake").rglob("*")} == before
    assert layout.LAKE_FILE in {path.name for path in before}
