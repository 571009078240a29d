"""The way of a market over real sockets: listed, sampled, ended, labelled; held against the simulator's ledger."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import simulator
from polymarket_assets import venue
from polymarket_assets.collecting import catalogue, discovery, healing, history, resolving, windows
from polymarket_assets.collecting.accounts import Account
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.tiers import BY_NAME
from polymarket_assets.venue.services import Venue
from simulator.exchange import BLOCK_AFTER_S

T4 = BY_NAME["t4"]
# Two slots: one two seconds after the start, one fifteen later.
WINDOW_S = T4.offset.total_seconds() + 16
ALREADY = T4.offset - timedelta(seconds=2)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Place:
    """A lake, the venue it records, and the truth."""

    lake: Lake
    venue: Venue
    settings: Settings
    ledger: Path
    began: datetime
    listed: discovery.DiscoveryReport
    told: list[Account] = field(default_factory=list)

    def truth(self) -> dict[str, dict[str, Any]]:
        """How markets ended, by market id."""
        lines = [json.loads(line) for line in self.ledger.read_text().splitlines()]
        return {f"pm:{line['condition_id']}": line for line in lines if line["kind"] in ("past", "resolved")}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("end_to_end")
    ledger = folder / "ledger.jsonl"
    began = in_one_hour(10)
    with simulator.start(seed=7, ledger=ledger) as running:
        settings = Settings(
            _env_file=None, state_dir=folder / "state", polymarket_gamma_url=running.gamma_url,
            polymarket_clob_url=running.clob_url, polymarket_data_url=running.data_url,
        )  # fmt: skip
        connected = venue.connect(settings)
        lake = Lake(folder / "lake")
        listed = discovery.discover(lake, connected.gamma, settings, clock=now)
        yield Place(lake, connected, settings, ledger, began, listed)
        connected.close()


def rows_of(place: Place, table: str) -> list[dict[str, Any]]:
    return reading.rows(place.lake, table).to_pylist()


def generations(place: Place, rows: list[dict[str, Any]]) -> set[str]:
    """Of which generations the markets of some rows are: the catalogue writes ids of the newer one unlike everybody else."""
    listed = rows_of(place, "markets") + rows_of(place, "history_markets")
    of = {row["market_id"]: row["version"] for row in listed}
    return {of[row["market_id"]] for row in rows}


BOTH = {"v1", "v2"}


def wait_for_trades(place: Place, count: int) -> None:
    """Until so many trades of listed markets are old enough for the venue's Data API to know them."""
    listed = {row["condition_id"] for row in rows_of(place, "markets")}
    until = time.monotonic() + 60
    while sum(condition in listed for condition in settled_trades(place)) < count:
        assert time.monotonic() < until, "nobody trades"
        time.sleep(0.5)


def settled_trades(place: Place) -> list[str]:
    """Condition ids of the ledger's trades that are in a block by now."""
    text = place.ledger.read_text()
    lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    before = (now() - timedelta(seconds=2 * BLOCK_AFTER_S)).isoformat()
    return [line["condition_id"] for line in lines if line["kind"] == "trade" and line["at"] < before]


def in_one_hour(seconds: float) -> datetime:
    """Now, or the start of the next hour where this one ends too soon."""
    at = now()
    left = 3600 - at.minute * 60 - at.second
    if left < seconds + 1:
        time.sleep(left)
    elif at.minute == 0 and at.second < ALREADY.total_seconds():
        time.sleep(ALREADY.total_seconds())
    return now()


def test_a_window_over_real_sockets_accounts_for_its_slots_and_rows(place: Place) -> None:
    """Books, snapshots and accounts are written apart and must tell the same story."""
    assert place.listed.complete
    assert place.listed.stored == place.listed.listed - place.listed.left_out > 0
    at = in_one_hour(WINDOW_S)
    report = windows.run_window(
        place.lake, place.venue, T4, place.settings, hour=at, start=at - ALREADY, window_s=WINDOW_S, run_id="run",
        clock=now, sleep=time.sleep, on_slot=place.told.append,
    )  # fmt: skip
    assert (report.expected, report.taken + report.late, report.missed) == (2, 2, 0)
    sweeps = sorted(rows_of(place, "sweeps"), key=lambda row: row["slot_at"])
    assert [row["slot_at"] for row in sweeps] == [account.slot_at for account in place.told]
    books, snapshots = rows_of(place, "orderbooks"), rows_of(place, "snapshots")
    assert len(books) == len(snapshots) == report.rows == sum(row["books"] for row in sweeps) > 0
    for sweep in sweeps:
        assert sweep["markets"] == sweep["books"] + sweep["omitted"]
        received = [row["received_at"] for row in books if row["slot_at"] == sweep["slot_at"]]
        assert all(sweep["started_at"] <= at <= sweep["finished_at"] for at in received)
        assert sweep["slot_at"] <= sweep["started_at"]
    assert {row["hash"] for row in books} == {row["hash"] for row in snapshots}
    assert generations(place, books) == generations(place, snapshots) == BOTH
    assert (place.settings.need_state_dir() / "heartbeats" / "t4").exists()


def test_markets_that_ended_while_followed_are_labelled_as_the_ledger_says(place: Place) -> None:
    """Markets listed open an hour ago that the venue has closed since: discovery closes, resolving labels."""
    ended = [
        listing.market
        for page in place.venue.gamma.markets(closed=True, end_date_max=now())
        for listing in page.rows
    ]
    assert len(ended) > 20
    listed_at = now() - timedelta(hours=1)
    before = [{**catalogue.market_row(market, listed_at), "phase": "overdue"} for market in ended]
    place.lake.publish_rows("markets", before, part="before", at=listed_at)
    began = now()
    report = discovery.discover(place.lake, place.venue.gamma, place.settings, clock=now)
    assert report.closed >= len(ended)
    resolved = resolving.resolve(place.lake, place.venue, clock=now)
    assert resolved.asked >= len(ended)
    truth, labels = place.truth(), 0
    for row in rows_of(place, "resolutions"):
        outcome = truth[row["market_id"]]["outcome"] if row["market_id"] in truth else None
        if row["label"] is not None:
            labels += 1
            assert row["label"] == 1 - outcome
            assert row["label_seen_at"] >= began
            assert row["decided_seen_at"] <= row["label_seen_at"]
        if row["state"] == "split":
            assert outcome is None
    assert labels == resolved.labels > 0.8 * len(ended)
    assert (
        generations(place, [row for row in rows_of(place, "resolutions") if row["label"] is not None]) == BOTH
    )


def test_a_past_day_is_fetched_with_prices_and_labelled_as_the_ledger_says(place: Place) -> None:
    """Everything of a day before anybody recorded: its markets, what they cost until they ended, and how they ended."""
    day = (now() - timedelta(days=1)).date()
    markets = history.fetch_markets(place.lake, place.venue.gamma, day, clock=now)
    prices = history.fetch_prices(place.lake, [place.venue.data], day, clock=now)
    resolving.resolve(place.lake, place.venue, clock=now)
    listed = {row["market_id"]: row for row in rows_of(place, "history_markets")}
    truth = place.truth()
    closed_then = {id_ for id_, line in truth.items() if datetime.fromisoformat(line["at"]).date() == day}
    hardly_traded = {
        listing.market.market_id
        for page in place.venue.gamma.markets(closed=True)
        for listing in page.rows
        if (listing.market.volume_usd or 0.0) < history.LEAST_VOLUME_USD
    }
    assert set(listed) == closed_then - hardly_traded
    assert (markets.rows, prices.markets) == (len(listed), len(listed))
    priced = rows_of(place, "history_prices")
    assert {row["market_id"] for row in priced} <= set(listed)
    assert len(priced) == prices.rows > 10 * len(listed)
    assert generations(place, priced) == BOTH
    for row in priced:
        market = listed[row["market_id"]]
        assert row["known_at"] == row["priced_at"] + timedelta(seconds=row["fidelity_s"])
        assert row["priced_at"] < min(market["closed_at"], market["effective_close"])
        assert row["fidelity_s"] > 0
    labels = {
        row["market_id"]: row["label"] for row in rows_of(place, "resolutions") if row["label"] is not None
    }
    assert {id_: labels[id_] for id_ in listed if id_ in labels} == {
        id_: 1 - truth[id_]["outcome"] for id_ in listed if id_ in labels
    }


def test_a_deaf_hour_is_healed_to_the_trades_of_the_ledger(place: Place) -> None:
    """Nobody listened: everything the ledger says was traded comes back from the Data API, once."""
    wait_for_trades(place, 6)
    hour = hour_of(place.began)
    until = now()
    known = discovery.newest_markets(place.lake, now=until).column("market_id").to_pylist()
    gaps = [
        {"gap_id": f"g:{n}", "session_id": "g", "market_id": market_id, "from_at": hour,
         "to_at": until, "cause": "crashed"}
        for n, market_id in enumerate(known)
    ]  # fmt: skip
    place.lake.publish_rows("stream_gaps", gaps, part="0", at=until)
    report = healing.build_trades(place.lake, place.venue.data, hour, clock=now)
    rows = rows_of(place, "trades")
    assert (report.rows, report.rest, report.unhealed) == (len(rows), len(rows), 0)
    time.sleep(1)  # the ledger is on disk within half a second
    lines = [json.loads(line) for line in place.ledger.read_text().splitlines()]
    truth = {(line["tx_hash"], line["token_id"]): line for line in lines if line["kind"] == "trade"}
    # The ledger tells what is traded from the venue's start on; blocks that follow soon hold what came before.
    opened = next(line["started_at"] for line in lines if line["kind"] == "universe") + BLOCK_AFTER_S
    live = {
        (f"0x{row['tx_hash'].hex()}", row["token_id"]): row
        for row in rows
        if row["traded_at"].timestamp() > opened
    }
    assert len(live) > 3
    for key, row in live.items():
        line = truth[key]
        assert (row["price_e6"], row["size_e6"]) == (round(line["price"] * 1e6), round(line["size"] * 1e6))
        assert row["is_buy"] is (line["side"] == "BUY")
    # What was matched well before we asked had its block by then.
    due = {
        key
        for key, line in truth.items()
        if f"pm:{line['condition_id']}" in known
        and opened + 1 < datetime.fromisoformat(line["at"]).timestamp() < until.timestamp() - 4
    }
    assert due <= set(live)
    assert generations(place, rows) == BOTH
