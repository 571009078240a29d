"""The past fetched over real sockets, through a venue that lies and one of the first generation, is the one the simulator made."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import requests

import simulator
from drills.past import Compared, OtherUniverse, Past, compare
from polymarket_assets import venue
from polymarket_assets.collecting import history, resolving
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.venue.services import Connections
from simulator.profiles import PAST
from simulator.running import Running

SMALL_PAST = replace(PAST, name="small past", past_days=2, past_standalone=12, past_races=1, past_games=2, past_windows=4, past_early=0.4)  # fmt: skip
CONNECTIONS = 4


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Fetched:
    """A day as fetched, and the venue it came from."""

    lake: Lake
    ledger: Path
    day: date
    markets: history.MarketsReport
    prices: history.PricesReport
    trades: history.TradesReport
    generation: str

    @cached_property
    def compared(self) -> dict[str, Compared]:
        """The tables of the day against the truth."""
        past = Past(self.ledger, SMALL_PAST, v1=self.generation == "v1")
        found = compare(past, self.lake, [self.day], None, now())
        return {one.table: one for one in found}


@contextmanager
def served(folder: Path, *lies: tuple[str, dict[str, Any]], **options: Any) -> Iterator[tuple[Running, Connections]]:  # fmt: skip
    with simulator.start(seed=11, ledger=folder / "ledger.jsonl", profile=SMALL_PAST, **options) as running:
        settings = Settings(
            _env_file=None, state_dir=None, rate_share=1.0, polymarket_gamma_url=running.gamma_url,
            polymarket_clob_url=running.clob_url, polymarket_data_url=running.data_url,
        )  # fmt: skip
        for fault, given in lies:
            requests.post(f"{running.control_url}/faults/{fault}", json=given, timeout=10).raise_for_status()
        with closing(venue.connect_many(settings, CONNECTIONS)) as connected:
            yield running, connected


def fetched(folder: Path, connected: Connections) -> Fetched:
    lake, day = Lake(folder / "lake"), (now() - timedelta(days=1)).date()
    generation, clients = connected.data_generation(), [each.data for each in connected.venues]
    first = connected.venues[0]
    made = Fetched(
        lake, folder / "ledger.jsonl", day, history.fetch_markets(lake, first.gamma, day, clock=now),
        history.fetch_prices(lake, clients, day, clock=now), history.fetch_trades(lake, clients, day, clock=now), generation,
    )  # fmt: skip
    resolving.resolve(lake, first, clock=now)
    return made


# What the domain asks again about; whole runs are asked again by Dagster and the command.
LIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("short_pages", {"service": "data", "path": "/v2/trades", "rows": 15}),
    ("truncated_body", {"service": "data", "path": "/v2/prices", "chance": 0.15}),
    ("truncated_body", {"service": "data", "path": "/v2/trades", "chance": 0.02}),
    ("stuck_cursor", {"service": "data", "chance": 0.01}),
    ("missing_cursor", {"service": "data", "chance": 0.01}),
    ("repeated_rows", {"service": "gamma"}),
    ("repeated_rows", {"service": "data", "path": "/v2/prices", "chance": 0.3}),
    ("throttle", {"service": "data", "chance": 0.01, "retry_after_s": 0}),
)


@pytest.fixture(scope="module")
def lied_to(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetched]:
    folder = tmp_path_factory.mktemp("lied_to")
    with served(folder, *LIES) as (_, connected):
        yield fetched(folder, connected)


TABLES = ("history_markets", "history_prices", "history_trades", "resolutions")


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_a_day_fetched_through_lies_is_the_truth(lied_to: Fetched, table: str) -> None:
    """What the venue spoils on its way must cost attempts and no rows."""
    one = lied_to.compared[table]
    assert one.true > 10
    assert one.equal, str(one)


@pytest.mark.slow
def test_markets_decided_early_are_among_them(lied_to: Fetched) -> None:
    """A listing by scheduled end would miss them."""
    rows = reading.rows(lied_to.lake, "history_markets").to_pylist()
    early = [row for row in rows if row["scheduled_end"] - row["closed_at"] > history.ENDED_AFTER + timedelta(days=1)]  # fmt: skip
    assert len(early) > 3
    assert (lied_to.markets.found_by, lied_to.markets.fell_back) == ("closed_time", None)
    assert (lied_to.trades.truncated, lied_to.trades.outside, lied_to.trades.unmapped) == (0, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_a_row_lost_or_changed_is_told(lied_to: Fetched, table: str, tmp_path: Path) -> None:
    """A comparison that cannot fail proves nothing."""
    lake = Lake(tmp_path / "lake")
    for name in TABLES:
        rows = reading.rows(lied_to.lake, name)
        lost = rows.slice(1) if name == table else rows
        at = lied_to.day if name != "resolutions" else now()
        lake.publish(name, lost, part="venue", at=at)
    spoilt = {one.table: one for one in compare(Past(lied_to.ledger, SMALL_PAST), lake, [lied_to.day], None, now())}  # fmt: skip
    assert not spoilt[table].equal
    assert "missing" in str(spoilt[table])


@pytest.mark.slow
def test_another_universe_is_not_taken_for_the_truth(lied_to: Fetched) -> None:
    with pytest.raises(OtherUniverse):
        Past(lied_to.ledger, replace(SMALL_PAST, past_standalone=13))


@pytest.mark.slow
def test_a_venue_of_the_first_generation_alone_gives_the_same_day(tmp_path: Path) -> None:
    """Prices from the order-book service, trades by offset, outcomes without the Data API's word."""
    with served(tmp_path, v1_data=True, v2_data=False) as (_, connected):
        made = fetched(tmp_path, connected)
        assert made.generation == "v1"
        asked = {path.split("?")[0] for path in _asked(made.ledger)}
    assert {"/data/trades", "/clob/prices-history"} <= asked
    assert not {path for path in asked if path.startswith("/data/v2/") and path != "/data/v2/status"}
    # Without the Data API the order-book service names the winner where the catalogue is not sure.
    for one in made.compared.values():
        assert one.equal, str(one)


def _asked(ledger: Path) -> list[str]:
    time.sleep(1)  # the ledger is on disk within half a second
    lines = [json.loads(line) for line in ledger.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [line["path"] for line in lines if line["kind"] == "response"]
