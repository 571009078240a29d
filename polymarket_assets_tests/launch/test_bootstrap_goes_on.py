"""`make bootstrap` where the venue never tells all: the rest is fetched, every market has its turn, and the exit says so."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from launch.bootstrap import PASSES, Bootstrap
from launch.bootstrap_plan import Wish
from polymarket_assets.collecting import asking_times, candidates
from polymarket_assets.day_runs import Ran
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets_tests.collecting.ends import CLOSED, CLOSED_AT, NOW, publish_history, resolve, versions
from polymarket_assets_tests.collecting.fakes import listing

DAY = CLOSED_AT.date()
MARKETS = range(1, 31)


@dataclass
class Fetching:
    """Runs of a day of thirty markets; `reported` is what one of an asset says beside the rest."""

    lake: Lake
    reported: Mapping[str, Mapping[str, Any]]
    made: dict[str, dict[date, tuple[float, Mapping[str, Any]]]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def run(self, asset: str, day: date | None = None, config: Mapping[str, Any] | None = None) -> Ran:
        self.calls.append(asset)
        if day is None:
            return self._ends((config or {}).get("SINCE"))
        said = {"least_volume_usd": 0.0, **self.reported.get(asset, {})}
        self.made.setdefault(asset, {})[day] = (float(len(self.calls)), said)
        if asset == "history_markets":
            publish_history(self.lake, *MARKETS)
        else:
            self.lake.publish_rows(asset, [], part="venue", at=day)
        return Ran(said)

    def _ends(self, since: str | None) -> Ran:
        # A proposal never becomes final: two of three stay due for ever.
        ends = [listing(n, **(CLOSED if n % 3 == 0 else {**CLOSED, "end": {**CLOSED["end"], "status": "proposed"}})) for n in MARKETS]  # fmt: skip
        at = NOW + timedelta(seconds=len(self.calls))
        report = resolve(self.lake, ends, at=at, since=asking_times.through(since) if since else None)
        return Ran(asdict(report))

    def journal(self, asset: str, days: Iterable[date]) -> dict[date, tuple[float, Mapping[str, Any]]]:
        return self.made.get(asset, {})


def call(folder: Path, **reported: Mapping[str, Any]) -> tuple[int, str, Fetching]:
    runs = Fetching(Lake(folder / "lake"), reported)
    said = Console(file=io.StringIO(), width=300)
    settings = Settings(_env_file=None, lake_root=str(folder / "lake"))
    code = Bootstrap(Wish(1, 100, trades=True), settings, runs.lake, runs, said, [DAY]).go()  # type: ignore[arg-type]
    return code, said.file.getvalue(), runs  # type: ignore[attr-defined]


def test_ends_of_more_than_a_run_asks_about_are_all_asked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run would begin with the same ones again: most of them stay due, whatever is answered."""
    monkeypatch.setattr(candidates, "MOST", 5)
    code, _, runs = call(tmp_path)
    assert code == 0
    assert {row["market_id"] for row in versions(runs.lake)} == {f"pm:0x{n:064x}" for n in MARKETS}
    assert runs.calls.count("resolutions") <= 2 * len(MARKETS) / 5


def test_a_day_that_is_never_whole_keeps_no_label_from_the_rest(tmp_path: Path) -> None:
    code, said, runs = call(tmp_path, history_prices={"malformed": 1})
    assert code == 1
    assert runs.calls.count("history_prices") == PASSES
    assert "history_trades" in runs.calls
    assert len(versions(runs.lake)) == len(MARKETS)
    assert f"history_prices of {DAY} is not whole after {PASSES} passes" in said


def test_a_list_that_the_venue_cuts_is_whole_as_far_as_it_goes(tmp_path: Path) -> None:
    """Asked again it is cut again."""
    code, _, runs = call(tmp_path, history_trades={"truncated": 1})
    assert (code, runs.calls.count("history_trades")) == (0, 1)
