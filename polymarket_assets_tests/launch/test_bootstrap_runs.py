"""`make bootstrap` against the simulator: days appear in Dagster, what is there is not fetched again, what is not whole is."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from rich.console import Console

import simulator
from drills.past import Past, compare
from launch.bootstrap import Bootstrap
from launch.bootstrap_plan import Wish
from polymarket_assets.collecting.history import closed_days
from polymarket_assets.day_runs import Journal, Runs
from polymarket_assets.lake import layout, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import load
from polymarket_assets.venue.errors import Unavailable
from simulator.profiles import PAST

TINY = replace(
    PAST, name="tiny past", past_days=2, past_standalone=8, past_races=1, past_games=1, past_windows=2
)
# Two days of a dozen markets or two; prices of the ten traded most.
WISH = Wish(2, 10, trades=True)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Place:
    """An installation in a temporary folder."""

    folder: Path
    lake: Lake
    runs: Runs
    instance: dg.DagsterInstance
    days: list[date]

    def call(self, wish: Wish = WISH) -> tuple[int, str]:
        """The command; its exit code and what it prints."""
        said = Console(file=io.StringIO(), width=200)
        code = Bootstrap(wish, load(), self.lake, self.runs, said, self.days).go()
        return code, said.file.getvalue()  # type: ignore[attr-defined]

    def files(self) -> dict[str, int]:
        """When each file of the lake was written."""
        return {path: (self.folder / "lake" / path).stat().st_mtime_ns for path in self.lake.store.list("")}

    def ran(self) -> int:
        return len(self.instance.get_run_records())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("bootstrap")
    with (
        pytest.MonkeyPatch.context() as patch,
        simulator.start(seed=5, ledger=folder / "ledger.jsonl", profile=TINY) as venue,
        dg.instance_for_test(temp_dir=str(folder)) as instance,
    ):
        told = {
            "LAKE_ROOT": str(folder / "lake"), "STATE_DIR": str(folder / "state"), "RATE_SHARE": "1.0", "POLYMARKET_GAMMA_URL": venue.gamma_url,
            "POLYMARKET_CLOB_URL": venue.clob_url, "POLYMARKET_DATA_URL": venue.data_url,
        }  # fmt: skip
        for name, value in told.items():
            patch.setenv(name, value)
        yield Place(folder, Lake(folder / "lake"), Runs(instance), instance, WISH.dates(now()))


@pytest.fixture(scope="module")
def first(place: Place) -> tuple[int, str]:
    """The first call."""
    return place.call()


def asked(place: Place) -> set[str]:
    """The ten traded most of both days."""
    rows = [row for day in place.days for row in closed_days.markets(place.lake, day)]
    least = sorted((row["volume_usd"] for row in rows), reverse=True)[WISH.markets - 1]
    return {row["market_id"] for row in rows if row["volume_usd"] >= least}


@pytest.mark.slow
def test_the_tables_are_the_truth_and_prices_are_of_the_most_traded_of_all_days(place: Place, first: tuple[int, str]) -> None:  # fmt: skip
    assert first[0] == 0, first[1]
    compared = compare(Past(place.folder / "ledger.jsonl", TINY), place.lake, place.days, asked(place), now())
    assert all(one.equal for one in compared), [str(one) for one in compared]
    priced = set(reading.rows(place.lake, "history_prices").column("market_id").to_pylist())
    assert 0 < len(priced) <= len(asked(place)) == 10


@pytest.mark.slow
def test_what_it_takes_is_told_before_and_what_comes_next_after(place: Place, first: tuple[int, str]) -> None:
    said = first[1]
    assert said.index("An estimate for 2 days") < said.index("history_markets: 2 days") < said.index("asked about are 10 of them")  # fmt: skip
    assert f"--select history_features --partition-range {place.days[-1]}...{place.days[0]}" in said


@pytest.mark.slow
def test_every_day_reads_as_materialised(place: Place, first: tuple[int, str]) -> None:
    """In Dagster's pages a day that is in the lake must not look as if it were missing."""
    days = {f"{day}" for day in place.days}
    for asset in ("history_markets", "history_prices", "history_trades"):
        assert place.instance.get_materialized_partitions(dg.AssetKey(asset)) == days


@pytest.mark.slow
def test_called_again_it_changes_nothing_and_says_so(place: Place, first: tuple[int, str]) -> None:
    before, ran = place.files(), place.ran()
    code, said = place.call()
    assert code == 0
    assert "nothing is changed" in said
    assert "An estimate" not in said
    assert place.files() == before
    # Ends that are not settled are asked about again, and nothing else.
    assert place.ran() - ran <= 1


@pytest.mark.slow
def test_a_wider_choice_is_fetched_and_a_narrower_one_is_there(place: Place, first: tuple[int, str]) -> None:
    journal = Journal(place.runs, place.lake, place.days)
    made = place.runs.journal("history_prices", place.days)
    least = {day: float(reported["least_volume_usd"]) for day, (_, reported) in made.items()}
    (same,) = set(least.values())
    assert journal.unfetched("history_prices", same) == []
    assert journal.unfetched("history_prices", same + 1) == []
    assert journal.unfetched("history_prices", same - 1) == place.days


@pytest.mark.slow
def test_a_day_that_is_in_the_records_and_not_in_the_lake_is_fetched_again(place: Place, first: tuple[int, str]) -> None:  # fmt: skip
    """LAKE_ROOT may be another one now; Dagster does not know."""
    lost = f"{layout.folder(TABLES['history_prices'], place.days[1])}/{layout.part(closed_days.PART)}"
    kept = reading.rows(place.lake, "history_prices").to_pylist()
    place.lake.store.remove(lost)
    code, said = place.call()
    assert code == 0
    assert "history_prices: 1 days" in said
    assert "nothing is changed" not in said
    rows = reading.rows(place.lake, "history_prices").to_pylist()
    assert [(row["market_id"], row["priced_at"], row["price_e6"]) for row in rows] == [(row["market_id"], row["priced_at"], row["price_e6"]) for row in kept]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("reported", [{"malformed": 1}, {"unreadable": 2}])
def test_a_day_that_is_not_whole_is_fetched_again(place: Place, first: tuple[int, str], reported: dict[str, Any]) -> None:  # fmt: skip
    made = dg.AssetMaterialization("history_trades", partition=f"{place.days[0]}", metadata={"least_volume_usd": 0.0, **reported})  # fmt: skip
    place.instance.report_runless_asset_event(made)
    assert place.days[0] in Journal(place.runs, place.lake, place.days).unfetched("history_trades", 0.0)


@pytest.mark.slow
def test_a_venue_that_is_down_ends_it_in_one_sentence(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Three runs in a row tell; a fortnight of failures would tell no more."""

    class Down(Runs):
        def run(self, asset: str, day: date | None = None, config: Any = None) -> Any:
            from polymarket_assets.day_runs import Ran

            return Ran({}, "gamma did not answer")

        def __init__(self) -> None:
            pass

        def journal(self, asset: str, days: Any) -> Any:
            return {}

    said = Console(file=io.StringIO(), width=200)
    empty = Bootstrap(Wish(5, 10, trades=False), load(), Lake(tmp_path / "lake"), Down(), said, Wish(5, 10, trades=False).dates(now()))  # fmt: skip
    with pytest.raises(Unavailable, match=r"3 runs in a row failed, the last said: gamma did not answer; .* the same command goes on"):  # fmt: skip
        empty.go()


@pytest.mark.slow
def test_an_interrupt_at_the_end_of_a_run_stops_the_command(place: Place, first: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Dagster holds it back for the step that follows; there is none."""
    store = place.instance.handle_new_event

    def interrupted(event: dg.EventLogEntry, **given: Any) -> None:
        store(event, **given)
        if event.is_dagster_event and event.get_dagster_event().event_type_value == "PIPELINE_SUCCESS":
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(place.instance, "handle_new_event", interrupted)
    with pytest.raises(KeyboardInterrupt):
        place.runs.run("history_markets", place.days[0])
    monkeypatch.undo()
    assert place.runs.run("history_markets", place.days[0]).failure is None
